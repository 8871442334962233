//! The shell on a terminal: prompt, completion, events above the line, Ctrl-C and Ctrl-D, questions.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::pty::{Winsize, openpty};
use tempfile::TempDir;

use crate::deadline::within;
use crate::server::Server;
use crate::zkcli::{BINARY, ended, one_shot};

/// A shell with a terminal of its own.
struct Terminal {
    shell: Child,
    keys: File,
    screen: Arc<Mutex<String>>,
    /// How much of the screen was looked at.
    seen: usize,
    server: String,
    home: Arc<TempDir>,
}

impl Terminal {
    fn open(server: &Server) -> Self {
        let home = TempDir::with_prefix_in("home-", env!("CARGO_TARGET_TMPDIR"));
        Self::open_athome(server, Arc::new(home.expect("the build folder is writable")))
    }

    fn open_athome(server: &Server, home: Arc<TempDir>) -> Self {
        let size = Winsize { ws_row: 50, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None).expect("the system has terminals");
        // The shell must not hold its own terminal open.
        fcntl(&pty.master, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).expect("a handle has flags");
        let stdio = || Stdio::from(pty.slave.try_clone().expect("a handle can be doubled"));
        // A session of its own: keys such as Ctrl-C become signals of the shell.
        let shell = Command::new("setsid")
            .args(["--ctty", "--wait", BINARY, "-server", &server.address()])
            .env("HOME", home.path())
            .env("TERM", "xterm")
            .env_remove("ZKCLI_HISTORY")
            .stdin(stdio())
            .stdout(stdio())
            .stderr(stdio())
            .spawn()
            .expect("setsid of util-linux starts");
        drop(pty.slave);
        let master = pty.master.try_clone().expect("a handle can be doubled");
        let screen = watch(master);
        let server = server.address();
        let keys = File::from(pty.master);
        Self { shell, keys, screen, seen: 0, server, home }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    /// Waits until `text` stands on the screen behind what was seen before.
    fn shows(&mut self, text: &str) -> String {
        let found = within(LIMIT, || {
            let screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
            let plain = without_escapes(&screen);
            let at = plain[self.seen..].find(text)?;
            let end = self.seen + at + text.len();
            Some((plain[self.seen..end].to_owned(), end))
        });
        let (shown, end) = found.unwrap_or_else(|| {
            let screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
            panic!("{text:?} is not shown behind {:?}", &without_escapes(&screen)[self.seen..])
        });
        self.seen = end;
        shown
    }

    /// Waits for the prompt of the command with this number.
    fn prompts(&mut self, number: usize) -> String {
        self.shows(&format!("[zk: {}(CONNECTED) {number}] ", self.server))
    }

    /// Ends the shell with these keys and gives its exit code.
    fn end(mut self, keys: &str) -> Option<i32> {
        self.press(keys);
        ended(&mut self.shell)
    }
}

/// Collects what is written to a terminal.
fn watch(master: OwnedFd) -> Arc<Mutex<String>> {
    let screen = Arc::new(Mutex::new(String::new()));
    let shared = Arc::clone(&screen);
    std::thread::spawn(move || {
        let mut master = File::from(master);
        let mut bytes = [0; 4096];
        // A terminal whose other side is gone gives an error: that is its end.
        while let Ok(count @ 1..) = master.read(&mut bytes) {
            let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
            shared.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
        }
    });
    screen
}

/// What was written, without the sequences that move the cursor.
fn without_escapes(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\x1b') {
        plain.push_str(&rest[..at]);
        let sequence = &rest[at + 1..];
        let is_end = |letter: char| letter.is_ascii_alphabetic() || letter == '~';
        let end = sequence.find(is_end).map_or(sequence.len(), |end| end + 1);
        rest = &sequence[end..];
    }
    plain.push_str(rest);
    plain
}

#[test]
fn the_prompt_shows_server_state_and_number() {
    let server = Server::ours();
    let mut terminal = Terminal::open(&server);
    let greeting = terminal.prompts(0);
    assert!(greeting.starts_with("Connecting to "), "{greeting}");
    assert!(greeting.contains("Welcome to ZooKeeper!\r\nJLine support is enabled\r\n"));
    assert!(greeting.contains("WATCHER::"), "{greeting}");
    terminal.press("ls /\r");
    assert!(terminal.prompts(1).contains("[zookeeper]\r\n"));
    // An empty line is no command.
    terminal.press("\r");
    terminal.prompts(1);
    terminal.press("get /absent\r");
    let shown = terminal.prompts(2);
    assert!(shown.contains("Node does not exist: /absent\r\n"), "{shown}");
    assert!(shown.contains("/ has 1 children, none called so\r\n"), "advice for a person: {shown}");
    terminal.press("close\r");
    terminal.shows("(CLOSED) 3] ");
    terminal.press("connect\r");
    terminal.shows("4] ");
    assert_eq!(terminal.end("nonsense\rquit\r"), Some(127), "the last command before quit decides");
}

#[test]
fn tab_completes_commands_options_and_nodes() {
    let server = Server::ours();
    for path in ["/apples", "/apples/red one", "/apricots"] {
        assert_eq!(one_shot(&server.address(), &["create", path, "x"]).code, Some(0));
    }
    let mut terminal = Terminal::open(&server);
    terminal.prompts(0);
    terminal.press("getAll\t/app\t\r");
    let shown = terminal.prompts(1);
    assert!(shown.contains("getAllChildrenNumber /apples\r"), "{shown}");
    assert!(shown.contains("\r\n1\r\n"), "{shown}");
    terminal.press("ls /ap\t\t");
    terminal.shows("apples");
    terminal.shows("apricots");
    terminal.press("r\t\r");
    terminal.shows("/apricots");
    assert!(terminal.prompts(2).contains("[]\r\n"));
    terminal.press("reconfig -me\t");
    terminal.shows("-members ");
    // Ctrl-C gives up the line.
    terminal.press("\x03");
    terminal.prompts(2);
    assert_eq!(terminal.end("\x04"), Some(0));
}

#[test]
fn an_event_comes_above_the_line_that_is_typed() {
    let server = Server::ours();
    assert_eq!(one_shot(&server.address(), &["create", "/w", "old"]).code, Some(0));
    let mut terminal = Terminal::open(&server);
    terminal.prompts(0);
    terminal.press("get -w /w\r");
    terminal.prompts(1);
    terminal.press("get /");
    terminal.shows("get /");
    assert_eq!(one_shot(&server.address(), &["set", "/w", "new"]).code, Some(0));
    terminal.shows("WATCHER::");
    terminal.shows("type:NodeDataChanged path:/w");
    // The line is there again, and goes on where it was.
    let drawn = terminal.prompts(1);
    assert!(drawn.contains("zxid: "), "{drawn}");
    terminal.shows("get /");
    terminal.press("w\r");
    assert!(terminal.prompts(2).contains("new\r\n"));
    assert_eq!(terminal.end("quit\r"), Some(0));
}

#[test]
fn the_history_outlives_the_shell_but_credentials_do_not() {
    let server = Server::ours();
    let mut terminal = Terminal::open(&server);
    let home = Arc::clone(&terminal.home);
    terminal.prompts(0);
    terminal.press("addauth digest u:secret\r");
    terminal.prompts(1);
    terminal.press("create /kept yes\r");
    terminal.prompts(2);
    assert_eq!(terminal.end("\x04"), Some(0));
    let file = home.path().join(".zkcli_history");
    let text = std::fs::read_to_string(file).expect("the history is written");
    assert_eq!(text, "create /kept yes\n");
    let mut terminal = Terminal::open_athome(&server, home);
    terminal.prompts(0);
    // Up, and the line of the other shell is there.
    terminal.press("\x1b[A\r");
    assert!(terminal.prompts(1).contains("Node already exists: /kept"));
    assert_eq!(terminal.end("\x04"), Some(1));
}

#[test]
fn ctrl_c_ends_a_command_and_not_the_shell() {
    let server = Server::ours();
    let mut terminal = Terminal::open(&server);
    terminal.prompts(0);
    terminal.press("watch /\r");
    terminal.shows("Ctrl-C ends");
    assert_eq!(one_shot(&server.address(), &["create", "/seen", "x"]).code, Some(0));
    terminal.shows("NodeCreated /seen (version 0) x");
    terminal.press("\x03");
    terminal.prompts(1);
    // A command that waits for a server that does not answer.
    server.signal(nix::sys::signal::Signal::SIGSTOP);
    terminal.press("ls /\r");
    terminal.shows("ls /\r\n");
    terminal.press("\x03");
    terminal.shows("Interrupted");
    server.signal(nix::sys::signal::Signal::SIGCONT);
    terminal.prompts(2);
    terminal.press("ls /\r");
    assert!(terminal.prompts(3).contains("[seen, zookeeper]"));
    assert_eq!(terminal.end("quit\r"), Some(0));
}

#[test]
fn deleteall_asks_before_it_deletes_a_thousand_nodes() {
    let server = Server::ours();
    let lines: String = (0..1_000).map(|n| format!("create /many/n{n}\n")).collect();
    let mut command = Command::new(BINARY);
    command.args(["-server", &server.address()]);
    let made = crate::zkcli::run(&mut command, &format!("create /many\n{lines}"));
    assert_eq!(made.code, Some(0));
    let mut terminal = Terminal::open(&server);
    terminal.prompts(0);
    for (answer, left) in [("n\r", "1000"), ("\x03", "1000"), ("y\r", "")] {
        terminal.press("deleteall /many\r");
        terminal.shows("/many has 1001 nodes with all below it. Delete them? [y/N] ");
        terminal.press(answer);
        terminal.shows("CONNECTED) ");
        let counted = one_shot(&server.address(), &["getAllChildrenNumber", "/many"]);
        assert_eq!(counted.answer().trim_end(), left);
    }
    assert_eq!(terminal.end("quit\r"), Some(0));
}

#[test]
fn a_long_command_shows_how_far_it_is() {
    let server = Server::ours();
    let mut terminal = Terminal::open(&server);
    let file = terminal.home.path().join("nodes");
    let lines: String = (0..200_000).map(|n| format!("{{\"path\":\"/n{n}\"}}\n")).collect();
    std::fs::write(&file, lines).expect("the scratch folder is writable");
    terminal.prompts(0);
    terminal.press(&format!("import -i {} /\r", file.display()));
    terminal.shows(" nodes created, ");
    terminal.shows(" a second");
    terminal.shows("200000 nodes created, 0 changed\r\n");
    terminal.prompts(1);
    assert_eq!(terminal.end("quit\r"), Some(0));
}

/// Each line, and what must stand on the screen before the next prompt.
const EVERY_COMMAND: &[(&str, &str)] = &[
    ("create /a data", "Created /a"),
    ("create -e /a/e", "Created /a/e"),
    ("ls -s /a", "numChildren = 1"),
    ("get -s /a", "dataLength = 4"),
    ("get -x /a", "64 61 74 61"),
    ("get -b /a", "ZGF0YQ=="),
    ("set -b -s /a AP8=", "dataLength = 2"),
    ("get /a", "get -b /a gives base64"),
    ("set /a text -v 1", ""),
    ("stat -w /a", "dataVersion = 2"),
    ("getAcl /a", "'world,'anyone"),
    ("setAcl -s /a world:anyone:cdrwa", "aclVersion = 1"),
    ("getEphemerals", "[/a/e]"),
    ("getAllChildrenNumber /a", "1"),
    ("addWatch /a", ""),
    ("removewatches /a", "PersistentWatchRemoved path:/a"),
    ("printwatches", "printwatches is on"),
    ("sync /a", "Sync is OK"),
    ("whoami", "ip: 127.0.0.1"),
    ("config", ""),
    ("reconfig -remove 3", "KeeperErrorCode = Reconfig is disabled"),
    ("setquota -n 5 /a", ""),
    ("listquota /a", "Output quota for /a count=5"),
    ("delquota /a", ""),
    ("version", "ZooKeeper CLI version: 3.9"),
    ("history", "25 - history"),
    ("redo 16", "printwatches is on"),
    ("help ls", "Lists the children of a node."),
    ("help", "\twhoami "),
    ("tree /a", "└── e"),
    ("du /a", "nodes"),
    ("find -name e /", "/a/e"),
    ("cp /a /b", "1 nodes created, 0 changed"),
    ("export /b", "{\"data\":\"text\",\"path\":\"/\"}"),
    ("watch -n 0 /", "Ctrl-C ends"),
    ("import -i /nowhere /", "/nowhere: No such file"),
    ("delete /b", ""),
    ("deleteall /a", ""),
    ("addauth digest u:p", ""),
    ("close", "state:Closed"),
    ("connect", ""),
];

#[test]
fn every_command_works_on_a_terminal() {
    let server = Server::ours();
    let mut terminal = Terminal::open(&server);
    terminal.prompts(0);
    for (number, (line, expected)) in EVERY_COMMAND.iter().enumerate() {
        terminal.press(line);
        terminal.press("\r");
        let shown = terminal.shows(&format!(") {}] ", number + 1));
        assert!(shown.contains(expected), "{line}: {shown}");
    }
    assert_eq!(terminal.end("quit\r"), Some(0));
}

const LIMIT: Duration = Duration::from_secs(20);
