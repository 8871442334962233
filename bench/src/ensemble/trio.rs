//! Three members that make up an ensemble.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tempfile::TempDir;
use zk_wire::Zxid;

use super::member::Member;
use super::status::Status;
use crate::comparison::Comparison;
use crate::datadir;
use crate::error::Error;
use crate::program::Program;
use crate::server::START_MAX;

/// An ensemble of three; its members end with this value.
#[derive(Debug)]
pub(super) struct Trio {
    program: Program,
    settings: String,
    members: [Member; MEMBERS],
    /// Goes when the members have.
    _folder: TempDir,
}

impl Trio {
    /// Three members without data, none of them started; `settings` are lines of zoo.cfg.
    pub(super) fn new(
        comparison: &Comparison,
        program: &Program,
        settings: &str,
    ) -> Result<Self, Error> {
        let folder = comparison.folder()?;
        let member = |sid: usize| Member::new(folder.path().join(format!("server.{sid}")));
        let members = [member(1)?, member(2)?, member(3)?];
        let mut settings = format!("{SETTINGS}{settings}");
        for (sid, member) in (1..).zip(&members) {
            member.write_myid(sid)?;
            settings.push_str(&member.membership(sid));
        }
        Ok(Self { program: program.clone(), settings, members, _folder: folder })
    }

    /// The same, started, when it serves.
    pub(super) fn serving(
        comparison: &Comparison,
        program: &Program,
        settings: &str,
    ) -> Result<Self, Error> {
        let mut trio = Self::new(comparison, program, settings)?;
        trio.start(comparison)?;
        trio.await_serving()?;
        Ok(trio)
    }

    /// Gives each member, before its start, a snapshot of so many znodes.
    pub(super) fn write_data(&self, znodes: u64) -> Result<(), Error> {
        self.members.iter().try_for_each(|member| datadir::write(&member.folder, znodes))
    }

    /// Starts all that do not run; gives the moment before the first.
    pub(super) fn start(&mut self, comparison: &Comparison) -> Result<Instant, Error> {
        let before = Instant::now();
        for index in 0..MEMBERS {
            if !self.members[index].is_started() {
                self.start_member(comparison, index)?;
            }
        }
        Ok(before)
    }

    /// Starts one that does not run; gives the moment before.
    pub(super) fn start_member(
        &mut self,
        comparison: &Comparison,
        index: usize,
    ) -> Result<Instant, Error> {
        self.members[index].start(comparison, &self.program, &self.settings)
    }

    /// Waits until all members serve what their leader has; gives the leader.
    pub(super) fn await_serving(&mut self) -> Result<usize, Error> {
        let begun = Instant::now();
        loop {
            let mut statuses = Vec::new();
            for member in &mut self.members {
                statuses.push(member.status()?);
            }
            if let Some(leader) = leader_of(&statuses) {
                return Ok(leader);
            }
            if begun.elapsed() > START_MAX {
                let silent = statuses.iter().position(Option::is_none).unwrap_or(0);
                let (seconds, log) = (START_MAX.as_secs(), self.members[silent].last_words());
                return Err(Error::NotServing { seconds, log });
            }
            std::thread::sleep(POLL);
        }
    }

    /// Waits until one member, started at this moment, serves all up to `zxid`; gives how long that took.
    pub(super) fn await_level(
        &mut self,
        index: usize,
        started: Instant,
        zxid: Zxid,
    ) -> Result<Duration, Error> {
        let member = &mut self.members[index];
        loop {
            let status = member.status()?;
            let elapsed = started.elapsed();
            if status.is_some_and(|status| status.zxid >= zxid) {
                return Ok(elapsed);
            }
            if elapsed > START_MAX {
                let (seconds, log) = (START_MAX.as_secs(), member.last_words());
                return Err(Error::Behind { zxid, seconds, log });
            }
            std::thread::sleep(POLL);
        }
    }

    /// An error if a member has ended by itself.
    pub(super) fn check_runs(&mut self) -> Result<(), Error> {
        self.members.iter_mut().try_for_each(|member| member.status().map(drop))
    }

    /// Ends one member.
    pub(super) fn stop(&mut self, index: usize, signal: Signal) -> Result<(), Error> {
        self.members[index].signal(signal)?;
        self.members[index].await_end()
    }

    pub(super) fn member(&mut self, index: usize) -> &mut Member {
        &mut self.members[index]
    }

    /// Where clients connect, one port a member.
    pub(super) fn ports(&self) -> [u16; MEMBERS] {
        self.members.each_ref().map(|member| member.client_port)
    }

    /// The processes of all that run.
    pub(super) fn pids(&self) -> Vec<u32> {
        self.members.iter().filter_map(Member::pid).collect()
    }
}

/// The one leader among members that are all there and level with it.
fn leader_of(statuses: &[Option<Status>]) -> Option<usize> {
    let statuses: Vec<_> = statuses.iter().copied().collect::<Option<_>>()?;
    let mut leaders = (0..).zip(&statuses).filter(|(_, status)| status.is_leader);
    let (leader, its) = leaders.next()?;
    // Before the first txn of an epoch its zxid is no txn, and who serves has all of the epochs before.
    let are_level =
        its.zxid.counter() == 0 || statuses.iter().all(|status| status.zxid == its.zxid);
    (are_level && leaders.next().is_none()).then_some(leader)
}

/// The other two.
pub(super) fn others(than: usize) -> [usize; MEMBERS - 1] {
    std::array::from_fn(|step| (than + step + 1) % MEMBERS)
}

pub(super) const MEMBERS: usize = 3;
const SETTINGS: &str = "tickTime=2000\ninitLimit=30\nsyncLimit=5\nmaxClientCnxns=0\n\
                        clientPortAddress=127.0.0.1\nadmin.enableServer=false\n";
/// Fine enough for the figures.
const POLL: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ensemble_serves_when_all_do_and_are_level_with_one_leader() {
        let status = |is_leader, zxid| Some(Status { is_leader, zxid: Zxid(zxid) });
        let table = [
            ([status(false, 5), status(true, 5), status(false, 5)], Some(1)),
            ([status(false, 0), status(true, 1 << 32), status(false, 0)], Some(1)),
            ([status(false, 5), status(true, 5), None], None),
            ([status(false, 5), status(true, 5), status(false, 4)], None),
            ([status(false, 5), status(true, 5), status(true, 5)], None),
            ([status(false, 5); MEMBERS], None),
        ];
        for (statuses, leader) in table {
            assert_eq!(leader_of(&statuses), leader, "{statuses:?}");
        }
    }

    #[test]
    fn the_others_are_neither_it_nor_twice() {
        assert_eq!([others(0), others(1), others(2)], [[1, 2], [2, 0], [0, 1]]);
    }
}
