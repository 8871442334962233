//! Whole ensembles: their servers start, hear of each other and fail in an order drawn from a seed.

use std::collections::VecDeque;

use super::*;

/// Servers with the links between them, each first in, first out.
struct Ensemble {
    members: Members,
    now: Millis,
    servers: BTreeMap<ServerId, Server>,
    links: BTreeMap<(ServerId, ServerId), VecDeque<Vec<u8>>>,
    random: Random,
    /// Of a hundred messages so many are lost.
    lost_percent: u64,
    /// Who decided for whom in which round.
    decisions: BTreeMap<(i64, ServerId), BTreeSet<ServerId>>,
}

struct Server {
    election: Election,
    zxid: Zxid,
    epoch: Epoch,
    is_up: bool,
    settled_at: Millis,
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ z >> 31) % n
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len().try_into().unwrap())).unwrap()]
    }
}

impl Ensemble {
    /// Voters 1 to `voters` and an observer 9; all down.
    fn new(voters: i64, seed: u64) -> Self {
        let mut random = Random(seed);
        let voters: Vec<_> = (1..=voters).collect();
        let mut server = |id: i64| {
            let (zxid, epoch) = (random.below(3).try_into().unwrap(), random.below(2));
            let server = Server {
                election: Election::new(options(id)),
                zxid: Zxid(zxid),
                epoch: Epoch(epoch.try_into().unwrap()),
                is_up: false,
                settled_at: Millis(0),
            };
            (ServerId(id), server)
        };
        Self {
            members: members(&voters, &[9]),
            now: Millis(1000),
            servers: voters.iter().chain(&[9]).map(|id| server(*id)).collect(),
            links: BTreeMap::new(),
            random,
            lost_percent: 0,
            decisions: BTreeMap::new(),
        }
    }

    fn up(&self) -> Vec<ServerId> {
        self.servers.iter().filter(|(_, server)| server.is_up).map(|(id, _)| *id).collect()
    }

    /// One server does something; what comes of it goes on the links.
    fn act(
        &mut self,
        id: ServerId,
        act: impl FnOnce(&mut Server, Millis, &Members, &mut Vec<Act>),
    ) {
        let mut acts = Vec::new();
        let server = self.servers.get_mut(&id).unwrap();
        act(server, self.now, &self.members, &mut acts);
        for act in acts {
            match act {
                Act::Send { to, payload } => {
                    self.links.entry((id, to)).or_default().push_back(payload);
                }
                Act::ConnectAll => {}
                Act::Decided(vote) => {
                    server.settled_at = self.now;
                    let decided = self.decisions.entry((vote.round, vote.leader)).or_default();
                    decided.insert(id);
                }
            }
        }
    }

    fn look(&mut self, id: ServerId) {
        self.act(id, |server, now, members, acts| {
            server.election.look(now, members, server.zxid, server.epoch, acts);
        });
    }

    fn tell(&mut self, id: ServerId, peer: ServerId, is_reachable: bool) {
        self.act(id, |server, now, members, acts| {
            server.election.on_reachable(now, members, peer, is_reachable, acts);
        });
    }

    /// A server starts and has a connection to every other.
    fn start(&mut self, id: ServerId) {
        let others = self.up();
        self.servers.get_mut(&id).unwrap().is_up = true;
        self.look(id);
        for other in others {
            self.tell(id, other, true);
            self.tell(other, id, true);
        }
    }

    /// A server ends, and with it what is on the way to it and from it.
    fn stop(&mut self, id: ServerId) {
        let server = self.servers.get_mut(&id).unwrap();
        server.is_up = false;
        server.election = Election::new(options(id.0));
        self.links.retain(|(from, to), _| *from != id && *to != id);
    }

    /// Delivers the oldest message of any link, or loses it. Whether there was one.
    fn deliver(&mut self) -> bool {
        let up = self.up();
        self.links.retain(|(_, to), messages| !messages.is_empty() && up.contains(to));
        let links: Vec<_> = self.links.keys().copied().collect();
        if links.is_empty() {
            return false;
        }
        let (from, to) = self.random.one_of(&links);
        let payload = self.links.get_mut(&(from, to)).unwrap().pop_front().unwrap();
        if self.random.below(100) >= self.lost_percent {
            self.act(to, |server, now, members, acts| {
                let notification = Notification::decode(&payload).unwrap();
                server.election.on_notification(now, members, from, &notification, acts);
            });
        }
        true
    }

    /// Delivers everything, and what comes of it.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            if !self.deliver() {
                return;
            }
        }
        panic!("the servers talk for ever");
    }

    /// Goes to the next deadline, and no further than a second.
    fn wait(&mut self) {
        let limit = self.now.after(1000);
        let deadlines =
            self.up().into_iter().filter_map(|id| self.servers[&id].election.deadline());
        self.now = deadlines.chain([limit]).min().unwrap();
        for id in self.up() {
            self.act(id, |server, now, members, acts| {
                server.election.on_timeout(now, members, acts);
            });
        }
    }

    /// Servers whose leader does not lead, or which lead too few, look again after two seconds.
    fn give_up(&mut self) {
        for id in self.up() {
            let server = &self.servers[&id];
            let Some(vote) = server.election.vote() else { continue };
            let is_led =
                self.followers(vote.leader).is_some_and(|all| self.members.has_quorum(&all));
            if !is_led && self.now.since(server.settled_at) >= 2000 {
                self.look(id);
            }
        }
    }

    /// Those that are settled for this leader, if it leads.
    fn followers(&self, leader: ServerId) -> Option<BTreeSet<ServerId>> {
        let state = self.servers[&leader].election.state();
        let has_vote = |id: &ServerId| {
            self.servers[id].election.vote().is_some_and(|vote| vote.leader == leader)
        };
        (state == PeerState::Leading).then(|| self.up().into_iter().filter(has_vote).collect())
    }

    /// The one leader, if all voters are settled for it.
    fn leader(&self) -> Option<ServerId> {
        let is_leading = |id: &ServerId| self.servers[id].election.state() == PeerState::Leading;
        let leader = self.up().into_iter().find(is_leading)?;
        let followers = self.followers(leader)?;
        let mut voters = self.up().into_iter().filter(|id| self.members.is_voter(*id));
        voters.all(|id| followers.contains(&id)).then_some(leader)
    }

    /// Whom the observer has settled for.
    fn observed(&self) -> Option<ServerId> {
        let election = &self.servers[&ServerId(9)].election;
        election.vote().map(|vote| vote.leader).filter(|_| election.state() == PeerState::Observing)
    }

    fn rank(&self, id: ServerId) -> (Epoch, Zxid, ServerId) {
        (self.servers[&id].epoch, self.servers[&id].zxid, id)
    }

    /// The best voter of those that are up.
    fn best(&self) -> ServerId {
        let voters = self.up().into_iter().filter(|id| self.members.is_voter(*id));
        voters.max_by_key(|id| self.rank(*id)).unwrap()
    }

    /// As when a leader was followed for a while: everybody has its epoch.
    fn establish(&mut self, leader: ServerId) {
        let epoch = Epoch(self.servers[&leader].epoch.0 + 1);
        for id in self.up() {
            let server = self.servers.get_mut(&id).unwrap();
            server.epoch = epoch;
            server.election.established(epoch);
        }
    }
}

/// Plays 200 seeds with 3 and with 5 voters.
fn for_all(play: impl Fn(&mut Ensemble)) {
    for seed in 0..200 {
        for voters in [3, 5] {
            play(&mut Ensemble::new(voters, seed));
        }
    }
}

/// Starts all but these, while messages go back and forth.
fn start_all_but(ensemble: &mut Ensemble, down: &[ServerId]) {
    let mut left: Vec<_> = ensemble.servers.keys().copied().collect();
    left.retain(|id| !down.contains(id));
    while !left.is_empty() {
        let id = ensemble.random.one_of(&left);
        left.retain(|other| *other != id);
        ensemble.start(id);
        for _ in 0..ensemble.random.below(10) {
            ensemble.deliver();
        }
    }
    ensemble.settle();
}

#[test]
fn servers_that_start_together_elect_the_best_at_once() {
    for_all(|ensemble| {
        start_all_but(ensemble, &[]);
        assert_eq!(ensemble.leader(), Some(ensemble.best()));
        assert_eq!(ensemble.now, Millis(1000));
        ensemble.wait();
        ensemble.settle();
        assert_eq!(ensemble.observed(), ensemble.leader());
    });
}

#[test]
fn servers_of_which_nothing_is_known_are_waited_for_once() {
    for_all(|ensemble| {
        let down = ensemble.random.one_of(&[1, 2, 3].map(ServerId));
        start_all_but(ensemble, &[down]);
        assert_eq!(ensemble.leader(), None);
        ensemble.wait();
        ensemble.settle();
        assert_eq!(ensemble.leader(), Some(ensemble.best()));
        assert_eq!(ensemble.now, Millis(1200));
    });
}

#[test]
fn the_next_leader_is_elected_at_once_when_one_is_gone() {
    for_all(|ensemble| {
        start_all_but(ensemble, &[]);
        let leader = ensemble.leader().unwrap();
        ensemble.establish(leader);
        ensemble.stop(leader);
        let mut left = ensemble.up();
        while !left.is_empty() {
            // Each notices at another moment.
            let id = ensemble.random.one_of(&left);
            left.retain(|other| *other != id);
            ensemble.tell(id, leader, false);
            ensemble.look(id);
            for _ in 0..ensemble.random.below(10) {
                ensemble.deliver();
            }
        }
        ensemble.settle();
        assert_eq!(ensemble.leader(), Some(ensemble.best()));
        assert_eq!(ensemble.now, Millis(1000));

        // Who comes back follows, however much it has.
        ensemble.servers.get_mut(&leader).unwrap().zxid = Zxid(99);
        let new_leader = ensemble.leader();
        ensemble.establish(new_leader.unwrap());
        ensemble.start(leader);
        ensemble.settle();
        assert_eq!(ensemble.leader(), new_leader);
        assert_eq!(ensemble.now, Millis(1000));
        ensemble.wait();
        ensemble.settle();
        assert_eq!(ensemble.observed(), new_leader);
    });
}

/// Loses messages, and restarts a voter so many times on the way, until everybody has the same leader.
fn find_leader(ensemble: &mut Ensemble, mut restarts: u64) -> ServerId {
    let voters: Vec<_> = ensemble.members.voters().collect();
    ensemble.lost_percent = 10 + ensemble.random.below(50);
    let down = [ensemble.random.one_of(&voters)];
    let down_count = ensemble.random.one_of(&[0, 1]);
    start_all_but(ensemble, &down[..down_count]);
    for _ in 0..20_000 {
        let leader = ensemble.leader().filter(|leader| ensemble.observed() == Some(*leader));
        if let Some(leader) = leader.filter(|_| restarts == 0) {
            return leader;
        }
        for _ in 0..ensemble.random.below(20) {
            ensemble.deliver();
        }
        if restarts > 0 && ensemble.random.below(5) == 0 {
            restarts -= 1;
            let id = ensemble.random.one_of(&voters);
            ensemble.stop(id);
            ensemble.start(id);
        }
        ensemble.wait();
        ensemble.give_up();
    }
    panic!("no leader after {:?}", ensemble.now);
}

#[test]
fn one_leader_that_a_quorum_can_follow_is_found_whatever_is_lost() {
    for_all(|ensemble| {
        let leader = find_leader(ensemble, 0);
        let not_better = |id: &ServerId| ensemble.rank(*id) <= ensemble.rank(leader);
        let beneath: BTreeSet<_> = ensemble.up().into_iter().filter(not_better).collect();
        assert!(ensemble.members.has_quorum(&beneath), "{leader} has less than a quorum");

        let mut chosen = BTreeMap::new();
        for ((round, leader), voters) in &ensemble.decisions {
            if ensemble.members.has_quorum(voters) {
                assert_eq!(chosen.insert(round, leader), None, "two leaders in round {round}");
            }
        }
    });
}

#[test]
fn one_leader_is_found_though_voters_forget_the_round() {
    for_all(|ensemble| {
        let restarts = 1 + ensemble.random.below(10);
        find_leader(ensemble, restarts);
    });
}
