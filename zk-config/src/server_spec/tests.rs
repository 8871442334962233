//! Tests of the grammar of `server.N` lines. Java 3.8.0 gives the same answers.

use super::*;

/// The canonical form of a line of server 1, or its fault.
fn check(text: &str, expected: &str) {
    let outcome = ServerSpec::parse(ServerId(1), text);
    let outcome = outcome.map_or_else(|fault| fault.to_string(), |spec| spec.to_string());
    assert_eq!(outcome, expected, "{text}");
}

#[test]
fn a_line_prints_in_its_canonical_form() {
    let cases = [
        ("h:1:2", "h:1:2:participant"),
        ("h:1:2:OBSERVER", "h:1:2:observer"),
        ("h:1:2:Participant;3", "h:1:2:participant;0.0.0.0:3"),
        ("h:1:2;k:3", "h:1:2:participant;k:3"),
        ("h:1:2;127.0.0.1:0", "h:1:2:participant;127.0.0.1:0"),
        (
            "[::1]:2888:3888;[::1]:2181",
            "[0:0:0:0:0:0:0:1]:2888:3888:participant;[0:0:0:0:0:0:0:1]:2181",
        ),
        (
            "[fe80::1%eth0]:1:2;[::]:3",
            "[fe80:0:0:0:0:0:0:1%eth0]:1:2:participant;[0:0:0:0:0:0:0:0]:3",
        ),
        ("[::ffff:1.2.3.4]:1:2", "1.2.3.4:1:2:participant"),
        ("[h]:1:2", "h:1:2:participant"),
        ("b:1:2|a:3:4", "a:3:4|b:1:2:participant"),
        ("b:1:2:observer|a:3:4", "a:3:4|b:1:2:observer"),
        ("b:1:2|b:1:2", "b:1:2:participant"),
        ("x:1:2|x:3:4", "x:1:2|x:3:4:participant"),
        (":1:2", "localhost:1:2:participant"),
        ("h:1:2:", "h:1:2:participant"),
        ("h:1:2;", "h:1:2:participant"),
        ("h:+1:02", "h:1:2:participant"),
        ("  h:1:2 ; 3 ", "h:1:2:participant;0.0.0.0:3"),
    ];
    for (text, canonical) in cases {
        check(text, canonical);
        check(canonical, canonical);
    }
}

#[test]
fn a_line_of_another_form_is_shown_the_form() {
    let lines = [
        "",
        "h",
        "h:1",
        "h:1:2:participant:x",
        "h:1:2;3;4",
        "h:1:2;;3",
        "h:1:2;a:3:c",
        "[::1]",
        "[::1]x1:2",
        "|b:1:2",
        ";3",
        ":",
        "h:1:2;[::1]",
    ];
    for text in lines {
        check(
            text,
            &format!(
                "{text} does not have the form server_config or server_config;client_config where \
                 server_config is the pipe separated list of host:port:port or \
                 host:port:port:type and client_config is port or host:port"
            ),
        );
    }
}

#[test]
fn each_fault_of_a_field_is_named() {
    let cases = [
        ("[::1", "[::1 starts with '[' but has no matching ']:'"),
        ("[::1]:", "[::1]: doesn't have a port after colon"),
        ("h:x:2", "Address unresolved: h:x; allowed: a port from 0 to 65535"),
        (
            "h:1:",
            "h:1: does not have the form server_config or server_config;client_config where server_config is the pipe separated list of host:port:port or host:port:port:type and client_config is port or host:port",
        ),
        ("h:1:2;xx", "Address unresolved: 0.0.0.0:xx; allowed: a port from 0 to 65535"),
        ("h:-1:2", "port out of range:-1; allowed: 0 to 65535"),
        ("h:1:2;99999", "port out of range:99999; allowed: 0 to 65535"),
        ("h:1:2:voter", "Unrecognised peertype: voter; allowed: participant, observer"),
        (
            "h:2888:2888",
            "Client and election port must be different! Please update the configuration file on \
             server.1; both are 2888",
        ),
        (
            "b:1:2:observer|a:3:4:participant",
            "Multiple addresses should have similar roles: observer vs participant",
        ),
        (
            "a b:1:2",
            "a b is no host; allowed: a name, an IPv4 address, an IPv6 address in brackets",
        ),
    ];
    for (text, fault) in cases {
        check(text, fault);
    }
}

#[test]
fn a_client_part_from_client_port_is_not_printed() {
    let mut spec = ServerSpec::parse(ServerId(1), "h:1:2").unwrap();
    spec.client = Some(ClientAddress { host: ClientAddress::ANY.to_owned(), port: 2181 });
    spec.client_from_static = true;
    assert_eq!(spec.to_string(), "h:1:2:participant");
}

#[test]
fn a_server_id_is_any_64_bit_number() {
    for (text, id) in [("1", Some(1)), ("-5", Some(-5)), ("+7", Some(7)), ("300", Some(300))] {
        assert_eq!(text.parse().ok().map(|ServerId(id)| id), id, "{text}");
    }
    let fault = "one".parse::<ServerId>().unwrap_err().to_string();
    assert_eq!(fault, "For input string: \"one\"; allowed: server. and a whole number");
    assert!("9223372036854775808".parse::<ServerId>().is_err());
}

#[test]
fn the_wildcard_is_known_in_both_families() {
    for (host, any) in [("0.0.0.0", true), ("::", true), ("0:0:0:0:0:0:0:0", true), ("h", false)] {
        assert_eq!(is_any(host), any, "{host}");
    }
}
