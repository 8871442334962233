//! Several members that make up an ensemble.

use std::net::SocketAddr;
use std::time::Duration;

use crate::deadline::{await_until, within};
use crate::member::{Member, Role, Seat};
use crate::network::Network;
use crate::place::{Place, membership};
use crate::server::{Config, Kind};
use crate::tree::SUPER;

/// Members with the numbers 1, 2, 3 …, each of its kind.
pub(crate) struct Ensemble {
    members: Vec<Member>,
    config: Config,
    network: Option<Network>,
}

impl Ensemble {
    /// Members on the loopback, none of them started.
    pub(crate) fn new(seats: &[Seat], config: &Config) -> Self {
        let places: Vec<_> = seats.iter().map(|_| Place::on_loopback()).collect();
        Self { members: members(seats, &places, config), config: config.clone(), network: None }
    }

    /// Members on a network of their own, none of them started.
    pub(crate) fn on(network: Network, seats: &[Seat], config: &Config) -> Self {
        let places: Vec<_> = (1..=seats.len()).map(|sid| network.place(sid)).collect();
        let members = members(seats, &places, config);
        Self { members, config: config.clone(), network: Some(network) }
    }

    /// Voters on the loopback that have been started, led by this one.
    pub(crate) fn led_by(leader: usize, kinds: &[Kind], config: &Config) -> Self {
        let mut ensemble = Self::new(&voters(kinds), config);
        ensemble.start_led_by(leader);
        ensemble
    }

    /// Starts the members in such an order that this one becomes the leader: with empty logs the larger
    /// number wins, and who comes later follows.
    pub(crate) fn start_led_by(&mut self, leader: usize) {
        let voters = self.members.iter().filter(|member| !member.is_observer());
        let others = voters.clone().count() / 2;
        let smaller: Vec<_> =
            voters.map(Member::sid).filter(|sid| *sid < leader).take(others).collect();
        assert_eq!(smaller.len(), others, "too few smaller numbers to elect server.{leader}");
        for sid in smaller.into_iter().chain([leader]) {
            self[sid].start();
        }
        assert_eq!(self.await_leader(), leader, "the larger number wins");
        for member in &mut self.members {
            if !member.is_awake() {
                member.start();
            }
        }
        assert_eq!(self.await_leader(), leader, "who comes later follows");
    }

    /// One more server, which is started with a file that names all; gives its number.
    pub(crate) fn join(&mut self, seat: Seat) -> usize {
        let sid = self.members.len() + 1;
        let place = Place::on_loopback();
        let places: Vec<_> = self.members.iter().map(Member::place).chain([&place]).collect();
        let observes = (1..=sid).map(|id| id == sid && seat.is_observer);
        let lines = membership(places.into_iter().zip(observes));
        let config = common(&self.config);
        self.members.push(Member::new(sid, seat, &config, place.clone(), &lines));
        self[sid].start();
        sid
    }

    /// Its own network.
    ///
    /// # Panics
    /// It is on the loopback.
    pub(crate) fn network(&self) -> &Network {
        self.network.as_ref().expect("the ensemble has a network")
    }

    /// All members.
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    /// Where clients connect, one address a member.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.members.iter().map(Member::address).collect()
    }

    /// Waits until every member that is awake serves, and gives back the number of the leader.
    pub(crate) fn await_leader(&self) -> usize {
        let all: Vec<_> = self.members.iter().filter(|member| member.is_awake()).collect();
        self.await_leader_of(&all.iter().map(|member| member.sid()).collect::<Vec<_>>())
    }

    /// Waits until these members serve, one of them leading, and gives back its number.
    pub(crate) fn await_leader_of(&self, sids: &[usize]) -> usize {
        await_until("the members have a leader and serve", SETTLE_LIMIT, || {
            let roles: Option<Vec<_>> = sids.iter().map(|&sid| self[sid].role()).collect();
            let roles = roles?;
            let mut leaders = roles.iter().zip(sids).filter(|(role, _)| **role == Role::Leader);
            let leader = leaders.next().map(|(_, sid)| *sid);
            leader.filter(|_| leaders.next().is_none())
        })
    }

    /// Waits as well until every member that is awake has what the leader has by then.
    ///
    /// Java 3.8.0 serves before it has committed what came by DIFF, and forgets the rest if its leader goes
    /// in the meantime: it votes with less than it acknowledged.
    pub(crate) fn await_level(&self) {
        let goal = self[self.await_leader()].zxid();
        for member in self.members.iter().filter(|member| member.is_awake()) {
            await_until("a member has what the leader has", SETTLE_LIMIT, || {
                (member.zxid() >= goal).then_some(())
            });
        }
    }

    /// Waits until this member does not lead any more.
    pub(crate) fn await_end_of_reign(&self, sid: usize) {
        await_until("the leader gives up", SETTLE_LIMIT, || {
            (self[sid].role() != Some(Role::Leader)).then_some(())
        });
    }

    /// Waits until nobody leads.
    pub(crate) fn await_no_leader(&self) {
        await_until("nobody leads", SETTLE_LIMIT, || {
            let mut awake = self.members.iter().filter(|member| member.is_awake());
            awake.all(|member| member.role() != Some(Role::Leader)).then_some(())
        });
    }

    /// Looks again and again for so long.
    ///
    /// # Panics
    /// Somebody leads.
    pub(crate) fn has_no_leader_for(&self, time: Duration) {
        let leads = |member: &&Member| member.role() == Some(Role::Leader);
        let leader = within(time, || self.members.iter().find(leads).map(Member::sid));
        assert_eq!(leader, None, "nobody may lead");
    }

    /// The numbers of all members but this one.
    pub(crate) fn others(&self, than: usize) -> Vec<usize> {
        self.members.iter().map(Member::sid).filter(|&sid| sid != than).collect()
    }
}

impl std::ops::Index<usize> for Ensemble {
    type Output = Member;

    /// The member with this number.
    fn index(&self, sid: usize) -> &Member {
        &self.members[sid - 1]
    }
}

impl std::ops::IndexMut<usize> for Ensemble {
    fn index_mut(&mut self, sid: usize) -> &mut Member {
        &mut self.members[sid - 1]
    }
}

/// A seat with a vote for each.
pub(crate) fn voters(kinds: &[Kind]) -> Vec<Seat> {
    kinds.iter().map(|&kind| Seat { kind, is_observer: false }).collect()
}

fn members(seats: &[Seat], places: &[Place], config: &Config) -> Vec<Member> {
    let roles = seats.iter().map(|seat| seat.is_observer);
    let membership = membership(places.iter().zip(roles));
    let config = common(config);
    let member = |((sid, seat), place): ((usize, &Seat), &Place)| {
        Member::new(sid, *seat, &config, place.clone(), &membership)
    };
    (1..).zip(seats).zip(places).map(member).collect()
}

fn common(config: &Config) -> Config {
    config.clone().property(SUPER).property(DATES)
}

/// Java's log then says when.
const DATES: &str = "org.slf4j.simpleLogger.showDateTime=true";
const SETTLE_LIMIT: Duration = Duration::from_secs(40);
