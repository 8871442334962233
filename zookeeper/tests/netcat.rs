//! `nc` as probes call it: a word in, the answer out, and an exit code.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Output, Stdio};
use std::thread;

/// Runs `nc` with this input against a server that takes the word and answers `imok` to `ruok`.
fn netcat(flags: &[&str], input: &str) -> Output {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let port = listener.local_addr().expect("bound").port().to_string();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("nc connects");
        let mut word = String::new();
        // A client that sends nothing may be gone already.
        let _ = stream.read_to_string(&mut word);
        if word.trim() == "ruok" {
            stream.write_all(b"imok").expect("nc reads");
        }
    });
    let mut child = command(flags, &port).spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("piped");
    // With -z nobody reads it.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    server.join().expect("the server had a connection");
    output
}

fn command(flags: &[&str], port: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zookeeper"));
    command.arg("nc").args(flags).args(["localhost", port]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn a_word_gets_its_answer_with_the_flags_that_probes_have() {
    for flags in [&[][..], &["-w", "2"], &["-w2", "-q1"], &["-q", "-1", "-N"], &["-n", "-4"]] {
        let output = netcat(flags, "ruok\n");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "imok", "{flags:?}");
        assert!(output.status.success(), "{flags:?}");
    }
}

#[test]
fn with_z_only_the_connection_counts() {
    let output = netcat(&["-zv", "-w", "2"], "ruok");
    assert!(output.status.success());
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).ends_with("succeeded!\n"));
}

#[test]
fn nobody_there_is_exit_code_1_and_one_line() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let port = listener.local_addr().expect("bound").port().to_string();
    drop(listener);
    let output = command(&["-4"], &port).output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.starts_with(&format!("nc: localhost {port}: Connection refused")), "{stderr}");
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let port = listener.local_addr().expect("bound").port().to_string();
    let output = command(&["-4", "-w", "1"], &port).output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}
