//! What a member's log does, in which order, and what a start finds afterwards.

use tokio::sync::mpsc::UnboundedReceiver;
use zk_wire::{EnsembleId, Zxid};

use super::*;
use crate::scratch::{Scratch, create_bytes};
use crate::startup;

fn append(zxid: Zxid, path: &str) -> Command {
    Command::Append { zxid, bytes: create_bytes(zxid, path) }
}

/// The next report, in words.
fn next(reports: &mut UnboundedReceiver<Report>) -> String {
    match reports.blocking_recv().expect("the thread runs") {
        Report::Persisted { zxid, txns, .. } => format!("{txns} persisted up to {zxid}"),
        Report::EpochsStored { accepted, current } => format!("epochs {accepted} {current}"),
        Report::Truncated { zxid } => format!("truncated to {zxid}"),
        Report::Reloaded { database } => {
            let nodes = ["/a", "/b", "/c"].map(|path| database.tree().lookup(path).is_some());
            format!("reloaded up to {}: {nodes:?}", database.last_zxid())
        }
        Report::NamingStored(naming) => format!("named {naming:?}"),
        Report::Failed(error) => format!("failed: {error}"),
    }
}

#[test]
fn what_is_done_is_told_in_order_and_found_by_the_next_start() {
    let scratch = Scratch::new();
    let (log, mut reports) = scratch.start_log(true);
    let naming = Naming::Settled(EnsembleId(7));
    let zxid = |epoch, counter| Zxid::new(Epoch(epoch), counter);
    log.send(vec![
        append(zxid(1, 1), "/a"),
        append(zxid(1, 2), "/b"),
        Command::StoreEpochs { accepted: Epoch(2), current: Epoch(1) },
        append(zxid(1, 3), "/c"),
        Command::Truncate { zxid: zxid(1, 1) },
        Command::Reload,
        Command::StoreNaming(naming),
        Command::StoreEpochs { accepted: Epoch(2), current: Epoch(2) },
        append(zxid(2, 1), "/c"),
    ]);
    for expected in [
        "2 persisted up to 0x100000002",
        "epochs 2 1",
        "1 persisted up to 0x100000003",
        "truncated to 0x100000001",
        "reloaded up to 0x100000001: [true, false, false]",
        "named Settled(EnsembleId(7))",
        "epochs 2 2",
        "1 persisted up to 0x200000001",
    ] {
        assert_eq!(next(&mut reports), expected);
    }
    // A log that was read again is written on as if nothing had been.
    log.send(vec![Command::Reload]);
    assert_eq!(next(&mut reports), "reloaded up to 0x200000001: [true, false, true]");
    log.send(vec![append(zxid(2, 2), "/b")]);
    assert_eq!(next(&mut reports), "1 persisted up to 0x200000002");
    log.stop();
    let database = scratch.database();
    assert_eq!(database.last_zxid(), zxid(2, 2));
    let epochs = startup_epochs(&scratch, &database);
    assert_eq!((epochs.accepted(), epochs.current()), (Epoch(2), Epoch(2)));
    assert_eq!(startup::load_naming(&scratch.settings().files).unwrap().naming(), naming);
}

#[test]
fn a_truncation_to_a_txn_that_nobody_knows_tells_where_the_log_ends() {
    let scratch = Scratch::new();
    let (log, mut reports) = scratch.start_log(true);
    let [first, absent, second] = [1, 2, 3].map(|counter| Zxid::new(Epoch(1), counter));
    log.send(vec![append(first, "/a"), append(second, "/b"), Command::Truncate { zxid: absent }]);
    assert_eq!(next(&mut reports), "2 persisted up to 0x100000003");
    assert_eq!(next(&mut reports), "truncated to 0x100000001");
    log.stop();
    assert_eq!(scratch.database().last_zxid(), first);
}

fn startup_epochs(scratch: &Scratch, database: &Database) -> Epochs<zk_storage::RealDisk> {
    startup::load_epochs(&scratch.settings().files, database).unwrap()
}
