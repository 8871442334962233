//! Volumes of other images, taken over as they are, and volumes that cannot be right.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::container::{Container, Options};
use crate::engine::Engine;
use crate::images::Image;
use crate::tools::run;

/// A folder of the host with the data of a server that has run.
pub(crate) struct Volume(tempfile::TempDir);

impl Volume {
    /// Makes the data with the official folders, and gives it to `owner` as another image would.
    pub(crate) fn with_data(engine: &'static Engine, owner: &str) -> Self {
        let volume = Self(tempfile::tempdir().expect("a scratch folder"));
        let folder = volume.0.path().display().to_string();
        let options = Options::default()
            .flag(format!("--volume={folder}:/data"))
            .env("ZOO_DATA_LOG_DIR", "/data");
        let container = Container::start(engine, Image::Slim, &options);
        container.await_serving();
        container.stop();
        run(Command::new("chown").args(["-R", owner, &folder]));
        volume
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("--volume={}:{path}", self.0.path().display())
    }
}

#[test]
fn the_layout_that_has_data_is_found_whichever_image_left_it() {
    let Some(engine) = Engine::get() else { return };
    for (path, owner, image) in [
        ("/data", "1000:1000", "the official image"),
        ("/bitnami/zookeeper/data", "1001:0", "Bitnami's image"),
        ("/var/lib/zookeeper/data", "1000:1000", "Confluent's and the Kubernetes image"),
    ] {
        let volume = Volume::with_data(engine, owner);
        // As the user that the other image ran as, then as root, which gives it to another.
        for user in [owner, "0:0"] {
            let options = Options::default()
                .flag(volume.at(path))
                .flag(format!("--user={user}"))
                .env("ZOO_CFG_EXTRA", &format!("dataLogDir={path}"));
            let container = Container::start(engine, Image::Slim, &options);
            container.await_serving();
            container.says(&format!("folders of {image}: it has data"));
            container.says(&format!("data in {path}: "));
            container.says("snapshot.");
        }
    }
}

#[test]
fn data_in_two_layouts_is_one_sentence_and_exit_code_6() {
    let Some(engine) = Engine::get() else { return };
    let (one, other) = (Volume::with_data(engine, "1000"), Volume::with_data(engine, "1000"));
    let options =
        Options::default().flag(one.at("/data")).flag(other.at("/bitnami/zookeeper/data"));
    let container = Container::start(engine, Image::Slim, &options);
    assert_eq!(container.await_end(), 6);
    let log = container.log();
    let last = log.lines().last().unwrap_or_default();
    let sentence = "start-zookeeper: /data and /bitnami/zookeeper/data both have data: mount one of \
                    them, or say with ZOO_DATA_DIR which is meant";
    assert_eq!(last, sentence);
}

#[test]
fn a_volume_that_cannot_be_written_is_one_sentence_and_exit_code_3() {
    let Some(engine) = Engine::get() else { return };
    let volume = tempfile::tempdir().expect("a scratch folder");
    fs::set_permissions(volume.path(), fs::Permissions::from_mode(0o755)).expect("ours");
    run(Command::new("chown").arg("0:0").arg(volume.path()));
    for image in Image::ALL {
        let options = Options::default()
            .flag("--user=1000")
            .flag(format!("--volume={}:/data", volume.path().display()));
        let container = Container::start(engine, image, &options);
        assert_eq!(container.await_end(), 3, "{}", container.log());
        let log = container.log();
        let last = log.lines().last().unwrap_or_default();
        assert!(last.starts_with("start-zookeeper: /data: cannot be written (EACCES"), "{log}");
        assert!(last.contains("it is uid 0, gid 0, mode 0755, this process is uid 1000"), "{last}");
        assert!(last.contains(" at /data; give the pod `securityContext: {fsGroup: "), "{last}");
    }
}
