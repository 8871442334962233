//! Scenario files: commands, and beneath them what the server did.
//!
//! - `server slowDisk snapCount=4` in the first block: settings, see `settings.rs`.
//! - `connect A timeout=6000`, `reattach B session=A passwd=wrong`, `cut A`, `A stops reading`, `A reads`.
//! - `A create -e /a data acl=world:anyone:r`: a request, see `command.rs`; `A op 99 00ff`, `A frame 00`.
//! - `persisted`, `persisted 3`: with a slow disk, the log has all txns, or those up to 3.
//! - `tick 500`, `restart`, `logged /p/x 7`: time, a crash, a create in the log with its parent's counter.
//!
//! Answers are `A <- XID zxid=ZXID ok ...`; a stat is `c=czxid m=mzxid p=pzxid v=version/cversion/aversion`.
//! `A is not read` says that the server does not want A's next frame yet.
//!
//! `UPDATE_EXPECT=1` writes the files anew; then read the difference.

use std::fs;
use std::path::Path;

use expect_test::expect_file;

use crate::settings::Settings;
use crate::world::World;

/// Plays all files of `testdata/<module>`.
fn check(module: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(module);
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        expect_file![file].assert_eq(&play(&text));
    }
}

/// The file as it should be: each block's commands with what they bring about.
fn play(text: &str) -> String {
    let mut blocks = text.trim_end().split("\n\n");
    let head = blocks.next().unwrap();
    let mut settings = Settings::new();
    for line in head.lines().filter_map(|line| line.strip_prefix("server ")) {
        line.split_whitespace().for_each(|word| settings.set(word));
    }
    let mut world = World::new(settings);
    let mut played = vec![head.to_owned()];
    for block in blocks {
        let commands: Vec<&str> = block.lines().take_while(|line| *line != "----").collect();
        for command in commands.iter().filter(|line| !line.starts_with('#')) {
            world.command(command);
        }
        let done = match std::mem::take(&mut world.lines) {
            none if none.is_empty() => "nothing".to_owned(),
            lines => lines.join("\n"),
        };
        played.push(format!("{}\n----\n{done}", commands.join("\n")));
    }
    assert_eq!(world.peer.database().digest_mismatches(), 0);
    played.join("\n\n") + "\n"
}

macro_rules! scenarios {
    ($($test:ident: $module:literal,)*) => {
        const MODULES: &[&str] = &[$($module),*];

        $(
            #[test]
            fn $test() {
                check($module);
            }
        )*
    };
}

scenarios! {
    access_lists_play: "acl",
    authentication_plays: "auth",
    connects_play: "connect",
    containers_play: "containers",
    ephemerals_play: "ephemerals",
    limits_play: "limits",
    multis_play: "multi",
    order_plays: "order",
    quotas_play: "quota",
    reads_play: "reads",
    requests_that_fail_play: "requests",
    sequences_play: "sequences",
    sessions_play: "sessions",
    snapshots_play: "snapshots",
    watches_play: "watches",
}

#[test]
fn every_folder_of_scenarios_is_played() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(MODULES.contains(&name.to_str().unwrap()), "{name:?} is not played");
    }
}
