//! The join guard: on for every ensemble that is started here and does not say itself what an empty
//! volume means.
//!
//! A property and no line of zoo.cfg, which stays what the other images' scripts write.
//!
//! Invariant: `joinGuard.enabled` or `db.autocreate`, given anywhere, has the last word.

use zk_config::{Config, Mode, Role};

/// What the server is passed; nothing where no other voter could have what this one lacks.
pub(crate) fn property(config: &Config) -> Option<(String, String)> {
    let servers = config.quorum.ensemble.servers.values();
    let voters = servers.filter(|server| server.role == Role::Participant).count();
    let is_said = config
        .effective()
        .iter()
        .any(|line| SETTINGS.contains(&line.key.as_str()) && !line.from_default);
    let is_wanted = config.mode == Mode::Replicated && voters > 1 && !is_said;
    is_wanted.then(|| (format!("zookeeper.{GUARD}"), "true".to_owned()))
}

const GUARD: &str = "joinGuard.enabled";

/// Java's own means against empty volumes is the other one.
const SETTINGS: [&str; 2] = [GUARD, "db.autocreate"];

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
        property(&parsed.config).is_some()
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
        for key in SETTINGS {
            for value in ["true", "false"] {
                assert!(!is_guarded(&format!("{TWO}{key}={value}\n"), &[]), "{key}");
                assert!(!is_guarded(TWO, &[(key, value)]), "{key}");
            }
        }
    }
}
