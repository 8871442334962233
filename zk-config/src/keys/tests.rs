//! Tests of the key table itself.

use super::*;
use crate::value;

#[test]
fn every_default_is_read_by_its_own_kind() {
    for key in KEYS.iter().filter(|key| !key.default.is_empty()) {
        let value = value::parse(key.kind, key.default);
        assert!(value.is_ok(), "{key}: {:?} gives {value:?}", key.default);
    }
}

#[test]
fn no_key_stands_twice() {
    let mut names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    names.sort_unstable();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn every_row_is_documented_and_manual_names_lead_to_rows() {
    for key in KEYS {
        assert!(!key.doc.is_empty() && !key.section.is_empty(), "{key}");
        if let State::ManualName(real) = key.state {
            let real = find(real).unwrap();
            assert!(!matches!(real.state, State::ManualName(_)), "{key} leads to {real}");
            assert_eq!(real.kind, key.kind, "{key}");
        }
    }
}

#[test]
fn common_keys_all_have_an_effect_or_are_named_as_missing() {
    for key in KEYS.iter().filter(|key| key.priority < Priority::P3) {
        assert!(matches!(key.state, State::Honoured | State::NotYet), "{key}");
    }
}

#[test]
fn a_family_is_found_by_its_beginning_and_a_key_by_its_name() {
    let cases = [
        ("server.1", Some("server.")),
        ("server.realm", Some("server.realm")),
        ("group.1", Some("group")),
        ("groupX", Some("group")),
        ("weight", Some("weight")),
        ("authProvider.sasl", Some("authProvider.")),
        ("superUser", Some("superUser")),
        ("superUser.2", Some("superUser.")),
        ("snapcount", None),
        ("", None),
    ];
    for (name, row) in cases {
        assert_eq!(find(name).map(|key| key.name), row, "{name}");
    }
}

#[test]
fn a_key_knows_its_system_property() {
    let property = |name| find(name).unwrap().property();
    assert_eq!(property("snapCount").as_deref(), Some("zookeeper.snapCount"));
    assert_eq!(property("jute.maxbuffer").as_deref(), Some("jute.maxbuffer"));
    assert_eq!(property("tickTime"), None);
}

#[test]
fn a_misspelt_key_has_a_neighbour_and_a_foreign_one_has_none() {
    let cases = [
        ("autopurge.purgeInteval", Some("autopurge.purgeInterval")),
        ("autopurge.snapRetaincount", Some("autopurge.snapRetainCount")),
        ("snapcount", Some("snapCount")),
        ("tick_time", Some("tickTime")),
        ("ticktime", Some("tickTime")),
        ("dataLogdir", Some("dataLogDir")),
        ("zookeeper.snapCount", Some("snapCount")),
        ("zookeeper.server.1", Some("server.1")),
        ("sever.1", Some("server.1")),
        ("wieght.1", None),
        ("4lw.command.whitelist", Some("4lw.commands.whitelist")),
        ("fooBar", None),
        ("x", None),
        ("", None),
        ("electionPort", None),
    ];
    for (unknown, hint) in cases {
        assert_eq!(nearest(unknown).as_deref(), hint, "{unknown}");
    }
}

#[test]
fn secrets_are_known_by_their_names() {
    for name in ["ssl.keyStore.password", "ssl.quorum.trustStore.passwordPath", "my.SECRET"] {
        assert!(is_secret(name), "{name}");
    }
    assert!(is_secret("DigestAuthenticationProvider.superDigest"));
    assert!(!is_secret("DigestAuthenticationProvider.digestAlg"));
}
