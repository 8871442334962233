//! The shell itself: which session it has, what was typed, how the last command ended.
//!
//! It knows no command; those are in `cmd`, and `table.rs` tells which there are.
//!
//! Java: `ZooKeeperMain`.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use crate::advice;
use crate::client::{Client, Notice, State};
use crate::console::Console;
use crate::failure::Failure;
use crate::invocation::{Invocation, InvocationError};
use crate::options::Given;
use crate::{table, words};

/// A shell at work.
pub(crate) struct Shell {
    pub(crate) console: Arc<Console>,
    pub(crate) invocation: Invocation,
    /// The connect string of the session.
    pub(crate) host: String,
    client: Option<Arc<Client>>,
    /// What was typed, by its number.
    pub(crate) history: Vec<String>,
    exit_code: u8,
    /// Whether a person types.
    pub(crate) is_interactive: bool,
    /// Whether `quit` was given.
    pub(crate) is_over: bool,
    /// Whether the session has ephemeral nodes: those that a script made outlive the shell.
    pub(crate) leaves_session: bool,
    explains: bool,
    /// What the session was given by `addauth`.
    credentials: Vec<(String, Option<Vec<u8>>)>,
}

impl Shell {
    pub(crate) fn new(invocation: Invocation, console: Console, is_interactive: bool) -> Self {
        let explains = invocation.explain || io::stderr().is_terminal() || console.is_json();
        Self {
            console: Arc::new(console),
            host: invocation.server.clone(),
            invocation,
            client: None,
            history: Vec::new(),
            exit_code: 0,
            is_interactive,
            is_over: false,
            leaves_session: false,
            explains,
            credentials: Vec::new(),
        }
    }

    /// Opens a session with these servers; one that there was ends first.
    pub(crate) fn connect(&mut self, host: &str) -> Result<(), InvocationError> {
        let options = self.invocation.session(host)?;
        if let Some(client) = self.client.take().filter(|client| !client.state().is_over()) {
            client.close();
        }
        self.leaves_session = false;
        self.credentials.clear();
        host.clone_into(&mut self.host);
        let console = Arc::clone(&self.console);
        let ends_alone = !self.is_interactive;
        let listener = move |notice: Notice| match &notice {
            Notice::Event(event) => console.event(event),
            // Nothing was running that could end, and nobody is there to type on.
            Notice::Interrupt { was_busy: false } if ends_alone => std::process::exit(INTERRUPTED),
            Notice::Interrupt { .. } => {}
        };
        let client = Client::open(options, Box::new(listener)).map_err(InvocationError::Thread)?;
        self.client = Some(Arc::new(client));
        Ok(())
    }

    /// A second session with the same servers and credentials whose notices come to `told` instead of the console.
    pub(crate) fn listening_session(&self, told: Sender<Notice>) -> Result<Client, Failure> {
        let refused = |error: InvocationError| Failure::Refused(error.to_string());
        let options = self.invocation.session(&self.host).map_err(refused)?;
        // Whoever listens no more has ended.
        let listener = Box::new(move |notice| drop(told.send(notice)));
        let client = Client::open(options, listener).map_err(InvocationError::Thread);
        let client = client.map_err(refused)?;
        for (scheme, auth) in &self.credentials {
            client.add_auth(scheme, auth.as_deref());
        }
        Ok(client)
    }

    /// Gives credentials to the session, and to those that commands open beside it.
    pub(crate) fn add_auth(&mut self, scheme: &str, auth: Option<&[u8]>) -> Result<(), Failure> {
        self.client()?.add_auth(scheme, auth);
        self.credentials.push((scheme.to_owned(), auth.map(<[u8]>::to_vec)));
        Ok(())
    }

    /// The session, if it still works.
    pub(crate) fn client(&self) -> Result<Arc<Client>, Failure> {
        self.client.clone().filter(|client| !client.state().is_over()).ok_or(Failure::NotConnected)
    }

    /// The session in whatever state.
    pub(crate) fn last_client(&self) -> Option<Arc<Client>> {
        self.client.clone()
    }

    /// Ends the session, if there is one.
    pub(crate) fn close(&self) {
        if let Ok(client) = self.client() {
            client.close();
        }
    }

    /// Ends what a shell leaves behind.
    pub(crate) fn end(&mut self) {
        self.console.end();
        match self.client() {
            Ok(client) if self.leaves_session && !self.is_interactive => client.abandon(),
            Ok(client) => client.close(),
            Err(_) => {}
        }
        self.client = None;
    }

    pub(crate) fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// What stands before the line that is typed.
    pub(crate) fn prompt(&self) -> String {
        let state = self.client.as_ref().map_or(State::Closed, |client| client.state());
        format!("[zk: {}({}) {}] ", self.host, state.name(), self.history.len())
    }

    /// Runs a line that was typed.
    pub(crate) fn execute_line(&mut self, line: &str) {
        let words = words::split(line);
        if words.is_empty() {
            return;
        }
        self.history.push(line.to_owned());
        self.execute(&words);
    }

    /// Runs a command and keeps how it ended.
    pub(crate) fn execute(&mut self, words: &[String]) {
        let ended = self.run(words).and_then(|()| self.console.flush());
        self.exit_code = match ended {
            // The last command before `quit` decides.
            Ok(()) if self.is_over => self.exit_code,
            Ok(()) => 0,
            Err(failure) => {
                self.complain(&failure);
                failure.exit_code()
            }
        };
    }

    /// Runs a command.
    pub(crate) fn run(&mut self, words: &[String]) -> Result<(), Failure> {
        let Some((name, rest)) = words.split_first() else { return Ok(()) };
        let Some(command) = table::find(name) else {
            self.console.notice(&table::list());
            return Err(Failure::NotFound(name.clone()));
        };
        if !command.is_of_shell() {
            self.client()?;
        }
        let given = match command.kind {
            // Compat: the shell's own commands take any word as it is.
            table::Kind::Shell => Given::plain(command, rest),
            _ => Given::parse(command, rest)?,
        };
        if given.arguments.len() < command.required {
            return Err(Failure::Usage(command.usage()));
        }
        (command.run)(self, &given)?;
        // Compat: Java looks for a session behind these, too.
        if command.kind == table::Kind::Shell && !self.is_over && self.client().is_err() {
            self.console.text("Not connected")?;
        }
        Ok(())
    }

    /// Says why a command failed, and what can be done about it.
    pub(crate) fn complain(&self, failure: &Failure) {
        if failure.is_closed_output() {
            return;
        }
        let advice = if self.explains { advice::about(self, failure) } else { None };
        if self.console.is_json() {
            self.console.complain(&failure.json(advice.as_deref()).to_string());
            return;
        }
        match failure {
            // Compat: the one complaint of Java's that stands on standard output.
            Failure::NotConnected => drop(self.console.text("Not connected")),
            failure => self.console.complain(&failure.to_string()),
        }
        if let Some(advice) = advice {
            self.console.complain(&advice);
        }
        // What the session's thread prints next must stand behind it.
        let _ = self.console.flush();
    }
}

/// What a shell says that was ended by Ctrl-C.
const INTERRUPTED: i32 = 130;
