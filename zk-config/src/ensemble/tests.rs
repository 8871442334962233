//! Tests of dynamic configurations.

use expect_test::{Expect, expect};

use super::*;

/// What a text prints as, with its version, or its faults.
fn check(text: &str, version_line: VersionLine, expected: Expect) {
    let listed = Listed::parse("zoo.dyn", text.as_bytes(), false, version_line);
    let outcome = if listed.errors.is_empty() {
        format!("{}\nversion {:x}\n", listed.ensemble, listed.ensemble.version)
    } else {
        format!("{}\n", Errors(listed.errors))
    };
    expected.assert_eq(&outcome);
}

#[test]
fn members_print_sorted_as_text() {
    check(
        "server.10=a:1:2\nserver.9=b:1:2;3\nversion=1f",
        VersionLine::Taken,
        expect![[r#"
        server.10=a:1:2:participant
        server.9=b:1:2:participant;0.0.0.0:3
        version 1f
    "#]],
    );
}

#[test]
fn a_hierarchy_prints_a_weight_for_every_participant() {
    check(
        "group.2=2\ngroup.1=1:\nweight.2=3\nserver.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2:observer",
        VersionLine::Taken,
        expect![[r#"
            group.1=1
            group.2=2
            server.1=a:1:2:participant
            server.2=b:1:2:participant
            server.3=c:1:2:observer
            weight.1=1
            weight.2=3
            version 0
        "#]],
    );
}

#[test]
fn other_keys_have_no_place_in_it() {
    check(
        "foo=1\nclientPort=2181\nserver.1=a:1:2",
        VersionLine::Taken,
        expect![[r#"
        zoo.dyn:1: Unrecognised parameter: foo; allowed: server.N, group.N, weight.N
        zoo.dyn:2: Unrecognised parameter: clientPort; allowed: server.N, group.N, weight.N
    "#]],
    );
}

#[test]
fn the_version_is_hexadecimal_and_stands_where_it_belongs() {
    check(
        "version=xyz",
        VersionLine::Taken,
        expect![[r#"
        zoo.dyn:1: version: For input string: "xyz"; allowed: a hexadecimal number
    "#]],
    );
    check(
        "server.1=a:1:2\nversion=1",
        VersionLine::Refused,
        expect![[r#"
        zoo.dyn:2: dynamic file shouldn't have version inside; drop version=1, the file name ends in it
    "#]],
    );
}

#[test]
fn the_version_of_a_file_is_the_end_of_its_name() {
    let cases = [
        ("zoo.cfg.dynamic.300000010", 0x3_0000_0010),
        ("zoo.cfg.dynamic", 0),
        ("/etc/zk.d/members", 0),
        ("members", 0),
        ("x.", 0),
    ];
    for (name, version) in cases {
        assert_eq!(version_of_file_name(name), version, "{name}");
    }
}

#[test]
fn members_are_told_as_java_tells_them() {
    let check = |lines: &str, expected: &str| {
        let ensemble = Ensemble::parse("dynamic", lines.as_bytes(), true).unwrap();
        assert_eq!(ensemble.text(), expected);
        let again = Ensemble::parse("told", expected.as_bytes(), true).unwrap();
        assert_eq!(again.text(), expected);
    };
    check(
        "server.10=h:2:3:observer\nserver.2=127.0.0.1:2888:3888;2181\nserver.3=[::1]:2:3\n",
        "server.2=127.0.0.1:2888:3888:participant;0.0.0.0:2181\n\
         server.3=[0:0:0:0:0:0:0:1]:2:3:participant\nserver.10=h:2:3:observer\nversion=0",
    );
    check(
        "server.1=a:2:3\nserver.2=b:2:3\nserver.3=c:2:3\ngroup.7=3:1:2\nweight.2=4\n\
         version=100000000",
        "server.1=a:2:3:participant\nserver.2=b:2:3:participant\nserver.3=c:2:3:participant\n\
         group.7=1:2:3\nweight.1=1\nweight.2=4\nweight.3=1\nversion=100000000",
    );
}

#[test]
fn faults_of_a_line_are_not_repeated_for_each_of_its_parts() {
    let many: Vec<String> = (0..10_000).map(|id: u32| id.to_string()).collect();
    let faults =
        |text: String| Listed::parse("t", text.as_bytes(), true, VersionLine::Taken).errors;
    assert_eq!(faults(format!("group.1={}", "x:".repeat(10_000))).len(), 1);
    assert_eq!(faults(format!("group.1={}1", "1:".repeat(10_000))).len(), 1);
    assert_eq!(faults(format!("group.1={}", many.join(":"))).len(), 1);
    let lines = many.iter().map(|id| format!("server.{id}=a:1:2\n")).collect::<String>();
    assert_eq!(faults(lines.repeat(2)).len(), 0);
    let addresses = many.iter().map(|id| format!("h{id}:1:2|")).collect::<String>();
    assert_eq!(faults(format!("server.1={addresses}")).len(), 0);
}
