//! Which of the images' folders a container's data is in.
//!
//! Only looks. What counts as data is what a server writes, so that `lost+found` and a fresh `myid`
//! do not make a volume look used.
//!
//! Invariant: with data in two places nothing is chosen; a start on the wrong one would be an empty
//! server.

use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::family::Family;
use super::problem::EntryProblem;
use crate::data_files::is_used;

/// The folders of a container.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layout {
    /// Whose these are.
    pub(crate) family: Family,
    /// The same for a person, and why.
    pub(crate) why: String,
    pub(crate) data: PathBuf,
    /// `None` if the log is beside the snapshots.
    pub(crate) log: Option<PathBuf>,
    /// Where zoo.cfg is written.
    pub(crate) conf: PathBuf,
    /// Where else somebody may have mounted one.
    pub(crate) mounted_files: Vec<PathBuf>,
}

/// What an image has where.
struct Place {
    image: &'static str,
    family: Family,
    data: &'static str,
    /// The first that has a log, else the first.
    logs: &'static [&'static str],
    conf: &'static str,
    mounted_files: &'static [&'static str],
}

const PLACES: &[Place] = &[
    Place {
        image: "the official image",
        family: Family::Official,
        data: "data",
        logs: &["datalog"],
        conf: "conf",
        mounted_files: &[],
    },
    Place {
        image: "Confluent's and the Kubernetes image",
        family: Family::Confluent,
        data: "var/lib/zookeeper/data",
        logs: &["var/lib/zookeeper/log", "var/lib/zookeeper/data/log"],
        conf: "opt/zookeeper/conf",
        mounted_files: &["etc/kafka/zookeeper.properties"],
    },
    Place {
        image: "Bitnami's image",
        family: Family::Bitnami,
        data: "bitnami/zookeeper/data",
        logs: &[],
        conf: "opt/bitnami/zookeeper/conf",
        mounted_files: &["bitnami/zookeeper/conf/zoo.cfg"],
    },
];

/// Decides by variables, by data, by the family, by what is mounted, in this order. `root` is `/`.
pub(crate) fn choose(
    root: &Path,
    environment: &Environment,
    family: Option<Family>,
    mountinfo: &str,
) -> Result<Layout, EntryProblem> {
    let place = |wanted: Family| PLACES.iter().find(|place| place.family == wanted);
    let with_data: Vec<_> = PLACES.iter().filter(|place| place.has_data(root)).collect();
    let is_mounted = |place: &&Place| mount_points(mountinfo).any(|point| place.is_at(point));
    let said = said(environment, "ZOO_DATA_DIR", "/data");
    let (place, why) = match (said, with_data.as_slice(), family.and_then(place)) {
        (Some(_), _, place) => (place, "as ZOO_DATA_DIR says"),
        (None, [one, other, ..], _) => {
            let (one, other) = (root.join(one.data), root.join(other.data));
            return Err(EntryProblem::TwoVolumes { one, other });
        }
        (None, [place], _) => (Some(*place), "it has data"),
        (None, [], Some(place)) => (Some(place), "by the variables"),
        (None, [], None) => match PLACES.iter().find(is_mounted) {
            Some(place) => (Some(place), "it is mounted"),
            None => (None, "nothing says otherwise"),
        },
    };
    let place = place.unwrap_or(&PLACES[0]);
    Ok(place.layout(root, environment, why))
}

/// Another image's directory that has data, for who has chosen one by flags.
pub(crate) fn data_elsewhere(root: &Path, chosen: &Path) -> Option<PathBuf> {
    let others = PLACES.iter().filter(|place| root.join(place.data) != chosen);
    others.flat_map(|place| place.folders(root)).find(|folder| is_used(folder))
}

/// The file that says what is mounted where.
pub(crate) const MOUNTINFO: &str = "/proc/self/mountinfo";

impl Place {
    fn has_data(&self, root: &Path) -> bool {
        self.folders(root).any(|folder| is_used(&folder))
    }

    /// Those of the data first.
    fn folders(&self, root: &Path) -> impl Iterator<Item = PathBuf> {
        [self.data].into_iter().chain(self.logs.iter().copied()).map(|folder| root.join(folder))
    }

    /// Whether a mount point is one of its folders, or one above that belongs to it alone.
    fn is_at(&self, mount_point: &str) -> bool {
        let point = mount_point.trim_start_matches('/');
        let is_in = |folder: &str| folder == point || folder.starts_with(&format!("{point}/"));
        !point.is_empty() && (is_in(self.data) || self.logs.iter().any(|log| is_in(log)))
    }

    fn layout(&self, root: &Path, environment: &Environment, why: &str) -> Layout {
        let used = self.logs.iter().find(|log| is_used(&root.join(log)));
        let own_log = used.or(self.logs.first()).map(|log| root.join(log));
        let folder = |name, default| said(environment, name, default).map(PathBuf::from);
        let conf = folder("ZOO_CONF_DIR", "/conf").or_else(|| folder("ZOOCFGDIR", "/conf"));
        Layout {
            family: self.family,
            why: format!("folders of {}: {why}", self.image),
            data: folder("ZOO_DATA_DIR", "/data").unwrap_or_else(|| root.join(self.data)),
            log: folder("ZOO_DATA_LOG_DIR", "/datalog").or(own_log),
            conf: conf.unwrap_or_else(|| root.join(self.conf)),
            mounted_files: self.mounted_files.iter().map(|file| root.join(file)).collect(),
        }
    }
}

/// A folder that a variable names. The official image sets its own defaults as variables, so these
/// say nothing.
fn said<'a>(environment: &'a Environment, name: &str, default: &str) -> Option<&'a str> {
    environment.get(name).filter(|value| value.trim_end_matches('/') != default)
}

/// The fifth word of each line.
fn mount_points(mountinfo: &str) -> impl Iterator<Item = &str> {
    mountinfo.lines().filter_map(|line| line.split(' ').nth(4))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    struct Root(tempfile::TempDir);

    impl Root {
        fn with(files: &[&str]) -> Self {
            let root = tempfile::tempdir().expect("a scratch folder");
            for file in files {
                let path = root.path().join(file);
                fs::create_dir_all(path.parent().expect("has a parent")).expect("made");
                fs::write(path, "").expect("written");
            }
            Self(root)
        }

        fn choose(
            &self,
            variables: &[(&str, &str)],
            family: Option<Family>,
            mounted: &[&str],
        ) -> Result<String, String> {
            let environment = variables.iter().copied().collect();
            let mountinfo: String =
                mounted.iter().map(|point| format!("1 2 8:1 / {point} rw - ext4 x rw\n")).collect();
            let root = self.0.path().display().to_string();
            let text = |path: &PathBuf| path.display().to_string();
            match choose(self.0.path(), &environment, family, &mountinfo) {
                Ok(layout) => {
                    let log = layout.log.as_ref().map_or_else(|| "-".to_owned(), text);
                    Ok(format!("{} {log} {}", text(&layout.data), text(&layout.conf))
                        .replace(&root, ""))
                }
                Err(problem) => Err(problem.to_string().replace(&root, "")),
            }
        }
    }

    const OFFICIAL: &str = "/data /datalog /conf";
    const KUBERNETES: &str = "/var/lib/zookeeper/data /var/lib/zookeeper/log /opt/zookeeper/conf";
    const BITNAMI: &str = "/bitnami/zookeeper/data - /opt/bitnami/zookeeper/conf";

    #[test]
    fn data_in_another_images_folder_are_found_with_the_folder_that_has_them() {
        let root = tempfile::tempdir().expect("a scratch folder");
        let chosen = root.path().join("var/lib/zookeeper/data");
        let leave = |folder: &str| {
            let folder = root.path().join(folder);
            fs::create_dir_all(folder.join("version-2")).expect("ours");
            fs::write(folder.join("version-2/log.1"), "").expect("ours");
            folder
        };
        leave("var/lib/zookeeper/data");
        assert_eq!(data_elsewhere(root.path(), &chosen), None);
        let log = leave("datalog");
        assert_eq!(data_elsewhere(root.path(), &chosen), Some(log));
        let data = leave("data");
        assert_eq!(data_elsewhere(root.path(), &chosen), Some(data));
    }

    #[test]
    fn an_empty_container_has_the_official_folders() {
        let root = Root::with(&["data/lost+found/x", "var/lib/zookeeper/data/myid"]);
        assert_eq!(root.choose(&[], None, &[]).as_deref(), Ok(OFFICIAL));
        assert_eq!(root.choose(&[], None, &["/", "/proc", "/data"]).as_deref(), Ok(OFFICIAL));
    }

    #[test]
    fn data_goes_before_variables_and_variables_before_mounts() {
        let root = Root::with(&["var/lib/zookeeper/data/version-2/snapshot.0"]);
        let family = Some(Family::Bitnami);
        assert_eq!(root.choose(&[], family, &["/data"]).as_deref(), Ok(KUBERNETES));
        let root = Root::with(&[]);
        assert_eq!(root.choose(&[], family, &["/data"]).as_deref(), Ok(BITNAMI));
        assert_eq!(root.choose(&[], None, &["/bitnami"]).as_deref(), Ok(BITNAMI));
        assert_eq!(root.choose(&[], None, &["/var/lib/zookeeper"]).as_deref(), Ok(KUBERNETES));
    }

    #[test]
    fn the_log_is_where_it_was() {
        let root = Root::with(&["var/lib/zookeeper/data/log/version-2/log.1"]);
        let log = "/var/lib/zookeeper/data /var/lib/zookeeper/data/log /opt/zookeeper/conf";
        assert_eq!(root.choose(&[], None, &[]).as_deref(), Ok(log));
    }

    #[test]
    fn data_in_two_places_is_refused() {
        let root = Root::with(&["data/version-2/log.1", "bitnami/zookeeper/data/version-2/log.1"]);
        let problem = "/data and /bitnami/zookeeper/data both have data: mount one of them, or say \
                       with ZOO_DATA_DIR which is meant";
        assert_eq!(root.choose(&[], None, &[]), Err(problem.to_owned()));
        let variables = [("ZOO_DATA_DIR", "/mine"), ("ZOO_DATA_LOG_DIR", "/mine/log")];
        assert_eq!(root.choose(&variables, None, &[]).as_deref(), Ok("/mine /mine/log /conf"));
    }

    #[test]
    fn the_official_images_own_variables_say_nothing() {
        let root = Root::with(&["bitnami/zookeeper/data/version-2/log.1"]);
        let variables = [
            ("ZOO_DATA_DIR", "/data"),
            ("ZOO_DATA_LOG_DIR", "/datalog"),
            ("ZOO_CONF_DIR", "/conf"),
        ];
        assert_eq!(root.choose(&variables, None, &[]).as_deref(), Ok(BITNAMI));
    }
}
