//! Limits of memory that a server cannot live within, and those that it barely can.

use std::fs;

use crate::container::{Container, Options};
use crate::engine::Engine;
use crate::images::Image;

/// A volume whose newest snapshot has this size.
fn volume(snapshot: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a scratch folder");
    fs::create_dir_all(folder.path().join("version-2")).expect("ours");
    let file = fs::File::create(folder.path().join("version-2/snapshot.1")).expect("ours");
    file.set_len(snapshot).expect("a hole takes no room");
    folder
}

#[test]
fn a_limit_below_what_the_volume_needs_is_one_sentence_and_exit_code_5() {
    let Some(engine) = Engine::get() else { return };
    let volume = volume(100_000_000);
    let mount = |path: &str| format!("--volume={}:{path}", volume.path().display());
    let base = Options::default().flag("--memory=50000000");
    let flags = ["start-zookeeper", "--data_dir=/data", "--data_log_dir=/data"];
    for options in [
        base.clone().flag(mount("/data")),
        base.flag(mount("/data")).flag("--entrypoint=").command(&flags),
    ] {
        let container = Container::start(engine, Image::Slim, &options);
        assert_eq!(container.await_end(), 5, "{}", container.log());
        let log = container.log();
        let sentence = "start-zookeeper: the container's memory limit of 50 MB is too small: the newest snapshot \
                        has 100 MB, so the server needs 54 MB at the very least";
        assert!(log.lines().last().unwrap_or_default().starts_with(sentence), "{log}");
    }
}

#[test]
fn a_tight_limit_is_told_and_served_within() {
    let Some(engine) = Engine::get() else { return };
    let options = Options::default().flag("--memory=16000000");
    let container = Container::start(engine, Image::Slim, &options);
    container.await_serving();
    container.says("the container's memory limit of 16 MB is tight: ");
    let options = Options::default().flag("--memory=64000000");
    let container = Container::start(engine, Image::Slim, &options);
    container.await_serving();
    assert!(!container.log().contains("memory limit"), "{}", container.log());
}
