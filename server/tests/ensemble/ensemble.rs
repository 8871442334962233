//! Several members that make up an ensemble.

use std::net::SocketAddr;
use std::time::Duration;

use crate::deadline::await_until;
use crate::member::{Member, Role};
use crate::place::{Place, membership};
use crate::server::{Config, Kind};
use crate::tree::SUPER;

/// Members with the numbers 1, 2, 3 …, each of its kind.
pub(crate) struct Ensemble {
    members: Vec<Member>,
}

impl Ensemble {
    /// Members on the loopback, none of them started.
    pub(crate) fn new(kinds: &[Kind], config: &Config) -> Self {
        let places: Vec<_> = kinds.iter().map(|_| Place::on_loopback()).collect();
        let membership = membership(places.iter().map(|place| (place, false)));
        let config = config.clone().property(SUPER).property(DATES);
        let member = |((sid, kind), place)| Member::new(sid, kind, &config, place, &membership);
        let members = (1..).zip(kinds.iter().copied()).zip(places).map(member).collect();
        Self { members }
    }

    /// The same, started in the order in which this one becomes the leader: with empty logs the larger
    /// number wins, and who comes later follows.
    pub(crate) fn led_by(leader: usize, kinds: &[Kind], config: &Config) -> Self {
        let mut ensemble = Self::new(kinds, config);
        let voters = 1..leader;
        let first = voters.len().min(kinds.len() / 2);
        assert!(first == kinds.len() / 2, "too few smaller numbers to elect server.{leader}");
        for sid in voters.take(first).chain([leader]) {
            ensemble[sid].start();
        }
        assert_eq!(ensemble.await_leader(), leader, "the larger number wins");
        for member in &mut ensemble.members {
            if !member.is_awake() {
                member.start();
            }
        }
        assert_eq!(ensemble.await_leader(), leader, "who comes later follows");
        ensemble
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

/// Java's log then says when.
const DATES: &str = "org.slf4j.simpleLogger.showDateTime=true";
const SETTLE_LIMIT: Duration = Duration::from_secs(40);
