//! Disks that refuse: full, read-only, or with a limit in the middle of a write.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::load::Load;
use crate::mount::{Mount, is_root};
use crate::process::{Running, Scratch, listing};

/// Writes until the server ends by itself, then sees that it said `parts`.
fn write_until_it_ends(scratch: &Scratch, server: Running, parts: &[&str]) -> Load {
    let mut load = Load::new(scratch.address(), 0, 1000);
    load.write_until_lost(|acknowledged| assert!(acknowledged < 20_000, "the disk takes anything"));
    server.outcome().check(1, parts);
    assert!(load.acknowledged() > 100, "{} writes before the end", load.acknowledged());
    load
}

#[test]
fn a_full_disk_ends_the_server_and_a_larger_one_has_all_that_was_acknowledged() {
    let scratch = Scratch::new("");
    let Some(mount) = Mount::new(&scratch.path("data"), "size=2m") else { return };
    let parts =
        &["cannot write to ", "/version-2/log.1: ", "the disk is full: free space or enlarge"];
    let mut load = write_until_it_ends(&scratch, scratch.serve(), parts);
    // Nothing was freed: it cannot start either, or ends at once, and says the same.
    let refused = scratch.run(scratch.command(&[]));
    refused.check(1, &["/version-2/", "the disk is full: free space or enlarge"]);
    mount.remount("size=16m");
    let server = scratch.serve();
    load.check(scratch.address());
    load.write(10);
    server.stop();
    let server = scratch.serve();
    load.check(scratch.address());
    server.stop();
}

#[test]
fn a_write_that_fails_in_the_middle_ends_the_server_and_loses_nothing_acknowledged() {
    let scratch = Scratch::new("");
    // Files end at a length within a record; the shell keeps the signal for that from killing.
    let limited = "trap '' XFSZ && exec prlimit --fsize=300001 \"$@\"";
    let server = scratch.spawn(scratch.wrapped(&["sh", "-c", limited, "sh"])).serving();
    let parts = &["cannot write to ", "/version-2/log.1: File too large"];
    let mut load = write_until_it_ends(&scratch, server, parts);
    let server = scratch.serve();
    load.check(scratch.address());
    server.stop();
}

#[test]
fn a_read_only_data_directory_is_refused_and_loses_nothing() {
    let scratch = Scratch::new("");
    let Some(mount) = Mount::new(&scratch.path("data"), "size=8m") else { return };
    let server = scratch.serve();
    let mut load = Load::new(scratch.address(), 0, 100);
    load.write(20);
    server.stop();
    mount.remount("ro");
    let refused = scratch.run(scratch.command(&[]));
    refused.check(3, &["cannot use data directory ", "/data/version-2: ", "mount it writable"]);
    mount.remount("rw");
    let server = scratch.serve();
    load.check(scratch.address());
    server.stop();
}

#[test]
fn a_read_only_place_for_a_new_data_directory_is_refused() {
    let scratch = Scratch::new("");
    let Some(_mount) = Mount::new(&scratch.path("data"), "size=1m,ro") else { return };
    let refused = scratch.run(scratch.command(&[]));
    refused.check(3, &["cannot use data directory ", "/data/version-2: ", "mount it writable"]);
}

#[test]
fn a_missing_data_directory_is_not_made_where_that_is_switched_off() {
    let scratch = Scratch::new("");
    let refused = scratch.run(scratch.command(&["-Dzookeeper.datadir.autocreate=false"]));
    refused.check(
        3,
        &["cannot use data directory ", "/data/version-2: it does not exist", "create it"],
    );
    assert!(!scratch.path("data").exists());
}

#[test]
fn a_data_directory_of_somebody_else_is_refused_with_its_owner_and_mode() {
    let scratch = Scratch::new("");
    fs::create_dir(scratch.path("data")).unwrap();
    fs::set_permissions(scratch.path("data"), fs::Permissions::from_mode(0o555)).unwrap();
    // Root without its privilege over files is an owner like any other.
    let unprivileged = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
    let command = if is_root() { scratch.wrapped(&unprivileged) } else { scratch.command(&[]) };
    let denied = "/data/version-2: Permission denied (os error 13); it belongs to uid ";
    let remedy = "with mode 0555 and this server runs as uid ";
    scratch.run(command).check(3, &[denied, remedy, ": change the owner or the mode"]);
    assert_eq!(listing(&scratch.path("data")), []);
}

#[test]
fn logs_and_snapshots_that_changed_places_are_refused() {
    for (place, name, text) in [
        ("data", "log.1", "the snapshot directory holds the log log.1"),
        ("logs", "snapshot.0", "the log directory holds the snapshot snapshot.0"),
    ] {
        let scratch = Scratch::new("dataLogDir=logs\n");
        let folder = scratch.path(place).join("version-2");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), "kept").unwrap();
        let refused = scratch.run(scratch.command(&[]));
        refused.check(3, &["cannot use data directory ", text, "check dataDir and dataLogDir"]);
        assert_eq!(listing(&folder), [(name.to_owned(), 4)]);
    }
}

#[test]
fn a_file_in_the_place_of_the_data_directory_is_refused() {
    let scratch = Scratch::new("");
    fs::create_dir(scratch.path("data")).unwrap();
    fs::write(scratch.files(), "kept").unwrap();
    let refused = scratch.run(scratch.command(&[]));
    refused.check(3, &["cannot use data directory ", "/data/version-2: Not a directory"]);
    assert_eq!(fs::read(scratch.files()).unwrap(), b"kept");
}
