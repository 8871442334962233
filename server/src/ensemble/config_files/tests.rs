//! Tests of the files of members, in scratch folders.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;

/// A folder with a zoo.cfg, and a data folder of server 1.
struct Place(TempDir);

impl Place {
    /// `DIR` in the text stands for the folder.
    fn new(zoo_cfg: &str) -> Self {
        let place = Self(TempDir::new().unwrap());
        fs::create_dir(place.path("data")).unwrap();
        fs::write(place.path("data/myid"), "1\n").unwrap();
        place.write("zoo.cfg", zoo_cfg);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The folder as Java would name it.
    fn dir(&self) -> String {
        fs::canonicalize(self.0.path()).unwrap().display().to_string()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text.replace("DIR", &self.dir())).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap().replace(&self.dir(), "DIR")
    }

    fn names(&self) -> Vec<String> {
        let mut names = RealDisk.list(self.0.path()).unwrap();
        names.sort_unstable();
        names
    }

    fn config(&self) -> Config {
        Config::read(&self.path("zoo.cfg"), &[]).unwrap().config
    }

    fn files(&self) -> ConfigFiles {
        ConfigFiles::of(&self.config()).unwrap()
    }
}

const ZOO_CFG: &str = "# Ours\ntickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=DIR/data\n\
    reconfigEnabled=true\nclientPort=2181\nclientPortListenBacklog=9\nsnapCount=12345\n\
    # The members\nserver.1=a:2:3\nserver.2=b:2:3:observer;2182\nserver.3=c:2:3\n\
    server.4=d:2:3\nadmin.enableServer=false\n";
const FIRST: &str = "server.1=a:2:3:participant\nserver.2=b:2:3:observer;0.0.0.0:2182\n\
    server.3=c:2:3:participant\nserver.4=d:2:3:participant\nversion=100000000";
const SECOND: &str = "server.1=a:2:3:participant;0.0.0.0:2181\nserver.3=c:2:3:participant\n\
    server.10=d:2:3:participant\ngroup.1=1:3\ngroup.2=10\nweight.1=1\nweight.3=1\nweight.10=1\n\
    version=10000000a";

#[test]
fn without_reconfiguration_there_are_no_files() {
    let place = Place::new(&ZOO_CFG.replace("reconfigEnabled=true\n", ""));
    assert!(ConfigFiles::of(&place.config()).is_none());
    let place = Place::new("dataDir=DIR/data\nclientPort=2181\nreconfigEnabled=true\n");
    assert!(ConfigFiles::of(&place.config()).is_none(), "a standalone server keeps its file");
}

#[test]
fn members_move_to_a_file_of_their_own() {
    let place = Place::new(ZOO_CFG);
    let mut files = place.files();
    files.back_up().unwrap();
    files.activated(FIRST).unwrap();
    assert_eq!(place.read("zoo.cfg.bak"), ZOO_CFG);
    let members = FIRST.strip_suffix("\nversion=100000000").unwrap();
    assert_eq!(place.read("zoo.cfg.dynamic.100000000"), members);
    assert_eq!(
        place.read("zoo.cfg"),
        "# Ours\ntickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=DIR/data\n\
         reconfigEnabled=true\nclientPort=2181\nclientPortListenBacklog=9\nsnapCount=12345\n\
         # The members\nadmin.enableServer=false\n\
         dynamicConfigFile=DIR/zoo.cfg.dynamic.100000000\n"
    );
    assert_eq!(place.names(), ["data", "zoo.cfg", "zoo.cfg.bak", "zoo.cfg.dynamic.100000000"]);
}

#[test]
fn a_rewritten_configuration_means_the_same() {
    let place = Place::new(ZOO_CFG);
    let before = place.config();
    place.files().activated(FIRST).unwrap();
    let after = place.config();
    assert_eq!(after.quorum.ensemble.version, 1 << 32);
    assert_eq!(after.quorum.dynamic_config_file, Some(place.path("zoo.cfg.dynamic.100000000")));
    let mut quorum = after.quorum.clone();
    quorum.ensemble.version = 0;
    quorum.dynamic_config_file = None;
    assert_eq!(quorum, before.quorum);
    let report = |config: &Config| -> BTreeSet<String> {
        let lines = config.effective().into_iter().filter(|line| line.key != "dynamicConfigFile");
        lines.map(|line| format!("{}={}", line.key, line.value)).collect()
    };
    assert_eq!(report(&after), report(&before));
    assert_eq!((after.mode, after.clients), (before.mode, before.clients));
    assert_eq!((after.storage, after.properties), (before.storage, before.properties));
}

#[test]
fn a_client_port_in_the_dynamic_file_leaves_the_static_one() {
    let place = Place::new(ZOO_CFG);
    let before = place.config();
    let mut files = place.files();
    files.activated(FIRST).unwrap();
    files.activated(SECOND).unwrap();
    assert_eq!(
        place.read("zoo.cfg.dynamic.10000000a"),
        "group.1=1:3\ngroup.2=10\nserver.10=d:2:3:participant\n\
         server.1=a:2:3:participant;0.0.0.0:2181\nserver.3=c:2:3:participant\nweight.10=1\n\
         weight.1=1\nweight.3=1"
    );
    assert_eq!(
        place.read("zoo.cfg"),
        "# Ours\ntickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=DIR/data\n\
         reconfigEnabled=true\nclientPortListenBacklog=9\nsnapCount=12345\n\
         # The members\nadmin.enableServer=false\n\
         dynamicConfigFile=DIR/zoo.cfg.dynamic.10000000a\n"
    );
    assert!(place.path("zoo.cfg.dynamic.100000000").exists(), "old members stay");
    let after = place.config();
    assert_eq!(after.clients, before.clients);
    assert_eq!(after.quorum.ensemble.text(), SECOND);
}

/// The lines of a static file; Java keeps no order.
fn lines(text: &str) -> BTreeSet<&str> {
    text.lines().collect()
}

#[test]
fn files_are_javas_after_a_reconfiguration() {
    let java = |file: &str| {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../zk-config/testdata/ensemble/s1");
        let text = fs::read_to_string(folder.join(file)).unwrap();
        text.replace("./testdata/ensemble/s1", "DIR")
    };
    let place = Place::new(&java("zoo.cfg.bak"));
    let members = java("zoo.cfg.dynamic.300000010");
    let mut files = place.files();
    files.back_up().unwrap();
    files.activated(&format!("{members}\nversion=300000010")).unwrap();
    assert_eq!(place.read("zoo.cfg.bak"), java("zoo.cfg.bak"));
    assert_eq!(place.read("zoo.cfg.dynamic.300000010"), members);
    assert_eq!(lines(&place.read("zoo.cfg")), lines(&java("zoo.cfg")));
}

/// What Java 3.8.0 left after its first start, without `clientPortListenBacklog` of the original:
/// it drops every key that begins with `clientPort`.
#[test]
fn files_are_javas_after_the_first_start() {
    let place = Place::new(
        "# Ours\ntickTime=500\ninitLimit=10\nsyncLimit=5\ndataDir=DIR/data\n\
         reconfigEnabled=true\nstandaloneEnabled=false\nclientPort=31921\n\
         admin.enableServer=false\npeerType=participant\n\
         server.1=127.0.0.1:31922:31923;31921\n",
    );
    let mut files = place.files();
    let members = "server.1=127.0.0.1:31922:31923:participant;0.0.0.0:31921";
    files.activated(&format!("{members}\nversion=100000000")).unwrap();
    assert_eq!(place.read("zoo.cfg.dynamic.100000000"), members);
    let mut expected = lines(
        "dataDir=DIR/data\nsyncLimit=5\nreconfigEnabled=true\nstandaloneEnabled=false\n\
         admin.enableServer=false\ntickTime=500\ninitLimit=10\n\
         dynamicConfigFile=DIR/zoo.cfg.dynamic.100000000\n",
    );
    expected.insert("# Ours");
    assert_eq!(lines(&place.read("zoo.cfg")), expected);
}

#[test]
fn proposed_members_are_seen_at_the_next_start_until_they_are_activated() {
    let place = Place::new(ZOO_CFG);
    let mut files = place.files();
    assert_eq!(last_seen(&place.config()), None);
    files.activated(FIRST).unwrap();
    files.proposed(SECOND).unwrap();
    assert_eq!(
        place.read("zoo.cfg.dynamic.next"),
        "group.1=1:3\ngroup.2=10\nserver.10=d:2:3:participant\n\
         server.1=a:2:3:participant;0.0.0.0:2181\nserver.3=c:2:3:participant\n\
         version=10000000a\nweight.10=1\nweight.1=1\nweight.3=1"
    );
    files.activated(FIRST).unwrap();
    let config = place.config();
    assert_eq!(last_seen(&config).map(Ensemble::text).as_deref(), Some(SECOND));
    // After a restart.
    ConfigFiles::of(&config).unwrap().activated(SECOND).unwrap();
    assert!(!place.path("zoo.cfg.dynamic.next").exists());
    assert_eq!(last_seen(&place.config()), None);
}

#[test]
fn proposed_members_that_are_void_are_forgotten() {
    let place = Place::new(ZOO_CFG);
    let mut files = place.files();
    files.activated(FIRST).unwrap();
    files.proposed(SECOND).unwrap();
    files.withdrawn().unwrap();
    assert_eq!(last_seen(&place.config()), None);
    assert!(!place.path("zoo.cfg.dynamic.next").exists());
    files.withdrawn().unwrap();
}

#[test]
fn proposed_members_that_are_not_later_are_not_seen() {
    let place = Place::new(ZOO_CFG);
    let mut files = place.files();
    files.activated(FIRST).unwrap();
    files.proposed(FIRST).unwrap();
    let config = place.config();
    assert!(config.quorum.last_seen.is_some());
    assert_eq!(last_seen(&config), None);
}

#[test]
fn a_copy_is_made_of_static_members_only() {
    let place = Place::new(ZOO_CFG);
    place.files().activated(FIRST).unwrap();
    place.files().back_up().unwrap();
    assert!(!place.path("zoo.cfg.bak").exists());
}

#[test]
fn who_may_not_read_the_static_file_may_not_read_its_copies() {
    let place = Place::new(ZOO_CFG);
    fs::set_permissions(place.path("zoo.cfg"), Permissions::from_mode(0o600)).unwrap();
    let mut files = place.files();
    files.back_up().unwrap();
    files.activated(FIRST).unwrap();
    for name in ["zoo.cfg", "zoo.cfg.bak"] {
        let mode = fs::metadata(place.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_directory_that_refuses_is_named_and_nothing_is_lost() {
    let place = Place::new(ZOO_CFG);
    let mut files = place.files();
    files.proposed(FIRST).unwrap();
    // A directory in the way refuses root too.
    fs::create_dir(place.path("zoo.cfg.dynamic.100000000")).unwrap();
    let error = files.activated(FIRST).unwrap_err().to_string().replace(&place.dir(), "DIR");
    assert_eq!(
        error,
        "cannot write DIR/zoo.cfg.dynamic.100000000: Is a directory (os error 21); the server goes \
         on, but after a restart it may know only earlier members: let it write in DIR"
    );
    assert_eq!(place.read("zoo.cfg"), ZOO_CFG);
    assert_eq!(
        place.names(),
        ["data", "zoo.cfg", "zoo.cfg.dynamic.100000000", "zoo.cfg.dynamic.next"]
    );
    fs::remove_dir(place.path("zoo.cfg.dynamic.100000000")).unwrap();
    files.activated(FIRST).unwrap();
    assert!(!place.path("zoo.cfg.dynamic.next").exists());
}

#[test]
fn text_that_is_no_configuration_is_not_kept() {
    let place = Place::new(ZOO_CFG);
    let mut files = place.files();
    for error in [files.proposed("foo=1").unwrap_err(), files.activated("foo=1").unwrap_err()] {
        let error = error.to_string();
        assert!(error.starts_with("members are not kept in files, they cannot be read"), "{error}");
    }
    assert_eq!(place.names(), ["data", "zoo.cfg"]);
}
