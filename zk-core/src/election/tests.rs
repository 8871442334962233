//! One server and what it does, played as scenarios: commands, and beneath them what came out.
//!
//! - `server 1 of 1 2 3 observers 4 group 1 2 3 weights 3=0`: who it is, and in what configuration.
//! - `config of 1 2`: the configuration changes.
//! - `look zxid=5 epoch=1`: it begins to look for a leader; what is left out is 0.
//! - `2: LEADING leader=2 zxid=5 round=1 epoch=1 version=0`: server 2 sent this.
//! - `2 is unreachable`, `2 is reachable`, `established 7`.
//! - `wait 200`: so many ms pass.
//!
//! `-> 2 3: ...` is what it sends. `UPDATE_EXPECT=1` writes the scenarios anew; then read the difference.

mod ensembles;
mod joining;
mod searching;

use std::collections::BTreeMap;

use expect_test::Expect;

use super::*;

/// Plays a scenario: it is the same with what the server really does.
fn check(scenario: Expect) {
    let played: Vec<_> = {
        let mut world = World::new();
        scenario.data().trim().split("\n\n").map(|block| world.play(block)).collect()
    };
    scenario.assert_eq(&(played.join("\n\n") + "\n"));
}

struct World {
    now: Millis,
    members: Members,
    election: Election,
    acts: Vec<Act>,
}

impl World {
    fn new() -> Self {
        Self {
            now: Millis(1_000_000),
            members: members(&[], &[]),
            election: Election::new(options(0)),
            acts: Vec::new(),
        }
    }

    fn play(&mut self, block: &str) -> String {
        let commands = block.lines().map(str::trim).take_while(|line| *line != "----");
        let commands: Vec<_> = commands.collect();
        let mut lines = Vec::new();
        for command in commands.iter().filter(|line| !line.starts_with('#')) {
            match command.split_once(' ').unwrap_or((*command, "")) {
                ("wait", ms) => self.wait(ms.parse().unwrap(), &mut lines),
                (first, rest) => self.command(first, rest),
            }
            lines.extend(self.shown_acts());
        }
        if lines.is_empty() {
            lines.push("nothing".to_owned());
        }
        match commands[0].starts_with("server ") && commands.len() == 1 {
            true => commands[0].to_owned(),
            false => format!("{}\n----\n{}", commands.join("\n"), lines.join("\n")),
        }
    }

    fn command(&mut self, first: &str, rest: &str) {
        let (now, members, acts) = (self.now, &self.members, &mut self.acts);
        match (first, rest) {
            ("server", rest) => {
                let (me, rest) = rest.split_once(' ').unwrap();
                self.election = Election::new(options(server(me).0));
                self.configure(rest);
            }
            ("config", rest) => self.configure(rest),
            ("look", values) => {
                let n = notification(&format!("LOOKING {values}"));
                self.election.look(now, members, n.zxid, n.epoch, acts);
            }
            ("established", epoch) => self.election.established(Epoch(epoch.parse().unwrap())),
            (id, "is reachable" | "is unreachable") => {
                let is_reachable = rest == "is reachable";
                self.election.on_reachable(now, members, server(id), is_reachable, acts);
            }
            (from, rest) => {
                let from = server(from.strip_suffix(':').unwrap());
                self.election.on_notification(now, members, from, &notification(rest), acts);
            }
        }
    }

    /// `of 1 2 3 observers 4 group 1 2 3 weights 3=0`
    fn configure(&mut self, words: &str) {
        let (mut voters, mut observers) = (Vec::new(), Vec::new());
        let (mut groups, mut weights) = (BTreeMap::<i64, BTreeSet<_>>::new(), BTreeMap::new());
        let mut part = "";
        for word in words.split(' ') {
            match (part, word) {
                (_, "of" | "observers" | "group" | "weights") => part = word,
                ("of", id) => voters.push(server(id)),
                ("observers", id) => observers.push(server(id)),
                ("group", id) => drop(groups.entry(1).or_default().insert(server(id))),
                (_, weight) => {
                    let (id, weight) = weight.split_once('=').unwrap();
                    weights.insert(server(id), weight.parse().unwrap());
                }
            }
        }
        self.members = Members::new(voters, observers, groups, weights, 0, TEXT.to_owned());
    }

    fn wait(&mut self, ms: u64, lines: &mut Vec<String>) {
        let (began_at, end) = (self.now, self.now.after(ms));
        while let Some(deadline) = self.election.deadline().filter(|deadline| *deadline <= end) {
            assert!(deadline >= self.now, "a deadline that has passed is dealt with");
            self.now = deadline;
            self.election.on_timeout(self.now, &self.members, &mut self.acts);
            let shown = self.shown_acts();
            let after = self.now.since(began_at);
            lines.extend(shown.iter().map(|line| format!("after {after}: {line}")));
        }
        self.now = end;
    }

    /// What is to be done, the same to many in one line.
    fn shown_acts(&mut self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut sent: Option<(Vec<u8>, String)> = None;
        for act in self.acts.drain(..) {
            match act {
                Act::Send { to, payload } => match &mut sent {
                    Some((same, receivers)) if *same == payload => {
                        *receivers += &format!(" {to}");
                    }
                    Some(_) | None => {
                        lines.extend(sent.take().map(shown_send));
                        sent = Some((payload, to.to_string()));
                    }
                },
                Act::ConnectAll => {
                    lines.extend(sent.take().map(shown_send));
                    lines.push("connect all".to_owned());
                }
                Act::Decided(vote) => {
                    lines.extend(sent.take().map(shown_send));
                    assert_eq!(self.election.vote(), Some(vote));
                    lines.push(format!("{}: {}", self.election.state(), shown(&vote)));
                }
            }
        }
        lines.extend(sent.take().map(shown_send));
        lines
    }
}

fn shown_send((payload, receivers): (Vec<u8>, String)) -> String {
    let notification = Notification::decode(&payload).unwrap();
    assert_eq!(notification.config, Some(TEXT.as_bytes()));
    assert_eq!(notification.version, Notification::VERSION);
    let vote = Vote::received(&notification);
    format!("-> {receivers}: {} {}", notification.state, shown(&vote))
}

fn shown(vote: &Vote) -> String {
    let &Vote { leader, zxid, epoch, round } = vote;
    if *vote == Vote::for_nobody(round) {
        return format!("leader=nobody round={round}");
    }
    format!("leader={leader} zxid={} round={round} epoch={epoch}", zxid.0)
}

/// `LEADING leader=2 zxid=5 round=1 epoch=1 version=0`
fn notification(text: &str) -> Notification<'static> {
    let mut words = text.split(' ');
    let state = words.next().unwrap();
    let state = (0..4).filter_map(PeerState::from_code).find(|known| known.to_string() == state);
    let values: BTreeMap<_, i64> = words
        .filter_map(|word| word.split_once('='))
        .map(|(key, value)| (key, value.parse().unwrap()))
        .collect();
    let value = |key| values.get(key).copied();
    Notification {
        state: state.unwrap(),
        leader: ServerId(value("leader").unwrap_or(0)),
        zxid: Zxid(value("zxid").unwrap_or(0)),
        round: value("round").unwrap_or(0),
        epoch: Epoch(value("epoch").unwrap_or(0).try_into().unwrap()),
        version: value("version").unwrap_or(2).try_into().unwrap(),
        config: None,
    }
}

fn server(id: &str) -> ServerId {
    ServerId(id.parse().unwrap())
}

fn members(voters: &[i64], observers: &[i64]) -> Members {
    let ids = |ids: &[i64]| ids.iter().copied().map(ServerId).collect::<Vec<_>>();
    let (groups, weights) = (BTreeMap::new(), BTreeMap::new());
    Members::new(ids(voters), ids(observers), groups, weights, 0, TEXT.to_owned())
}

fn options(me: i64) -> ElectionOptions {
    let me = ServerId(me);
    let may_found = true;
    ElectionOptions {
        me,
        interval_min_ms: 200,
        interval_max_ms: 60_000,
        may_found,
        finalize_ms: 200,
    }
}

const TEXT: &str = "server.1=one:2888:3888:participant\nversion=0";
