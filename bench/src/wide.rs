//! One request that touches many: a long list of children, and an event to thousands of sessions.

use std::net::TcpStream;
use std::time::Instant;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::comparison::Comparison;
use crate::datadir;
use crate::error::Error;
use crate::program::Program;
use crate::report::{Column, Metric, Report};
use crate::requests::{PARENT, path};
use crate::session::{SILENCE_MAX, Session};
use crate::statistics::{latencies, micros};

/// Measures what is wanted of the two workloads.
pub(crate) fn measure(comparison: &Comparison, report: &mut Report) {
    for (workload, run) in [(LIST, list as Measure), (FAN_OUT, fan_out)] {
        if !comparison.wants(workload) {
            continue;
        }
        for round in 0..comparison.long_rounds() {
            comparison.each_side(round, workload, report, |column, program, report| {
                run(comparison, column, program, report)
            });
        }
    }
}

type Measure = fn(&Comparison, Column, &Program, &mut Report) -> Result<(), Error>;

/// The children of one node that has a tenth of the comparison's znodes.
fn list(
    comparison: &Comparison,
    column: Column,
    program: &Program,
    report: &mut Report,
) -> Result<(), Error> {
    let folder = comparison.folder()?;
    datadir::write(folder.path(), comparison.scale.znodes / 10)?;
    let server = comparison.start(program, folder.path(), "")?;
    let mut session = Session::open(server.port)?;
    let warm = Instant::now();
    while warm.elapsed() < comparison.scale.java_warm_up / 4 {
        session.list_children(PARENT)?;
    }
    let mut times = latencies();
    let measured = Instant::now();
    while measured.elapsed() < comparison.scale.measured {
        let before = Instant::now();
        session.list_children(PARENT)?;
        times.saturating_record(u64::try_from(before.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    let p50 = micros(times.value_at_quantile(0.5)) / 1e3;
    report.record(LIST, Metric::lower("p50", "ms"), column, p50);
    Ok(())
}

/// From a write to the first and the last event of all sessions that watch the node.
fn fan_out(
    comparison: &Comparison,
    column: Column,
    program: &Program,
    report: &mut Report,
) -> Result<(), Error> {
    let folder = comparison.folder()?;
    let server = comparison.start(program, folder.path(), "")?;
    let mut writer = Session::open(server.port)?;
    let node = path(0);
    writer.create(PARENT, b"")?;
    writer.create(&node, b"")?;
    let count = comparison.scale.watchers;
    let mut watchers =
        (0..count).map(|_| Session::open(server.port)).collect::<Result<Vec<_>, _>>()?;
    for is_measured in [false, false, false, true] {
        for watcher in &mut watchers {
            watcher.watch_data(&node)?;
        }
        let (first, last) = events(&mut watchers, || writer.send_set(&node, b"changed"))?;
        writer.expect_reply()?;
        if is_measured {
            report.record(FAN_OUT, Metric::lower("first event", "ms"), column, first);
            report.record(FAN_OUT, Metric::lower("last event", "ms"), column, last);
        }
    }
    Ok(())
}

/// Milliseconds from `cause` until one session, and until every session, has its event.
fn events(
    watchers: &mut [Session],
    cause: impl FnOnce() -> Result<(), Error>,
) -> Result<(f64, f64), Error> {
    let epoll =
        Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(Error::system("create an epoll"))?;
    let add = |stream: &TcpStream, index: usize| {
        let event = EpollEvent::new(EpollFlags::EPOLLIN, index as u64);
        epoll.add(stream, event).map_err(Error::system("add to an epoll"))
    };
    for (index, watcher) in watchers.iter().enumerate() {
        add(watcher.stream(), index)?;
    }
    let mut waiting = watchers.len();
    let mut first = None;
    let mut ready = vec![EpollEvent::empty(); watchers.len()];
    let started = Instant::now();
    let elapsed_ms = || started.elapsed().as_secs_f64() * 1e3;
    cause()?;
    while waiting > 0 {
        let count = epoll
            .wait(&mut ready, EpollTimeout::from(1000u16))
            .map_err(Error::system("wait for events"))?;
        for event in &ready[..count] {
            first.get_or_insert_with(elapsed_ms);
            let index = usize::try_from(event.data()).expect("the data is an index");
            watchers[index].expect_event()?;
            waiting -= 1;
        }
        if started.elapsed() > SILENCE_MAX {
            return Err(Error::Silence { seconds: SILENCE_MAX.as_secs(), waiting });
        }
    }
    Ok((first.unwrap_or_default(), elapsed_ms()))
}

const LIST: &str = "getChildren 100k";
const FAN_OUT: &str = "watch fan-out 5000";
