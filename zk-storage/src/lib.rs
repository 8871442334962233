//! Txn log, snapshots, epoch files, recovery and purge over a small Disk trait.
