//! The join guard: on for every ensemble that is started here and does not say itself what an empty
//! volume means.
//!
//! It is Java's own, `db.autocreate=false`, by which an empty volume has no vote without the marker
//! `initialize`, and `joinGuard.enabled`, by which voters that have all said that they are empty need no
//! marker: nobody could tell from one empty volume alone whether there is something to lose. The marker is
//! made by hand, with `zkServer-initialize.sh`.
//!
//! Properties and no lines of zoo.cfg, which stays what the other images' scripts write.
//!
//! Invariant: either of the two, given anywhere, has the last word.

use zk_config::{Config, Mode, Role};

/// What the server is passed; nothing where no other voter could have what this one lacks.
pub(crate) fn properties(config: &Config) -> Vec<(String, String)> {
    let servers = config.quorum.ensemble.servers.values();
    let voters = servers.filter(|server| server.role == Role::Participant).count();
    let is_said = config
        .effective()
        .iter()
        .any(|line| !line.from_default && SETTINGS.iter().any(|(setting, _)| line.key == *setting));
    if config.mode != Mode::Replicated || voters < 2 || is_said {
        return Vec::new();
    }
    SETTINGS.map(|(key, value)| (format!("zookeeper.{key}"), value.to_owned())).into()
}

const SETTINGS: [(&str, &str); 2] = [("db.autocreate", "false"), ("joinGuard.enabled", "true")];

#[cfg(test)]
mod tests {
    use super::*;

    fn is_guarded(lines: &str, properties: &[(&str, &str)]) -> bool {
        let text = format!("dataDir=/d\nclientPort=2181\ninitLimit=5\nsyncLimit=2\n{lines}");
        let properties: Vec<_> = properties
            .iter()
            .map(|(key, value)| (format!("zookeeper.{key}"), (*value).to_owned()))
            .collect();
        let parsed = Config::parse("zoo.cfg", text.as_bytes(), &properties).expect("good");
        !super::properties(&parsed.config).is_empty()
    }

    const TWO: &str = "server.1=a:2888:3888\nserver.2=b:2888:3888\n";

    #[test]
    fn more_than_one_voter_is_guarded() {
        assert!(is_guarded(TWO, &[]));
        assert!(!is_guarded("", &[]));
        let alone = "standaloneEnabled=false\nserver.1=a:2888:3888\n";
        assert!(!is_guarded(&format!("{alone}server.2=b:2888:3888:observer\n"), &[]));
    }

    #[test]
    fn whoever_says_what_an_empty_volume_means_has_the_last_word() {
        for (key, _) in SETTINGS {
            for value in ["true", "false"] {
                assert!(!is_guarded(&format!("{TWO}{key}={value}\n"), &[]), "{key}");
                assert!(!is_guarded(TWO, &[(key, value)]), "{key}");
            }
        }
    }
}
