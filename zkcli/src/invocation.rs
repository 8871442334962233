//! The words behind `zkcli`: options of the shell, then perhaps one command.
//!
//! Java's options and its silence about unknown ones hold; ours begin with two dashes. Java:
//! `MyCommandOptions.parseOptions`, `ZKClientConfig`.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::client::{ConnectString, ConnectStringError, Options};
use crate::console::Form;

/// What the shell is to do.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) server: String,
    timeout: String,
    pub(crate) read_only: bool,
    pub(crate) wait_for_connection: bool,
    pub(crate) form: Form,
    /// Advice behind errors also where no person is looking.
    pub(crate) explain: bool,
    /// `--help` was given.
    pub(crate) help: bool,
    configuration: Option<PathBuf>,
    /// An option that had no value.
    pub(crate) incomplete: Option<String>,
    /// A command and its words; none for the interactive shell.
    pub(crate) command: Vec<String>,
}

/// What makes it impossible to begin.
#[derive(Debug, Error)]
pub(crate) enum InvocationError {
    #[error("-timeout {0}: expected milliseconds, a number from 1 to 2147483647")]
    Timeout(String),
    #[error("--output {0}: expected `text` or `json`")]
    Output(String),
    #[error("-server {0}")]
    Server(#[from] ConnectStringError),
    #[error("no thread for a session: {0}")]
    Thread(std::io::Error),
    #[error("-client-configuration {path}: {error}")]
    Configuration { path: PathBuf, error: std::io::Error },
    #[error("-client-configuration {path}: {key}={value}: expected a number of bytes")]
    Number { path: PathBuf, key: &'static str, value: String },
    #[error(
        "-client-configuration {path}: zookeeper.client.secure=true: this shell cannot speak TLS \
         yet; use a port without TLS"
    )]
    Secure { path: PathBuf },
}

impl Invocation {
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, InvocationError> {
        let mut invocation = Self {
            server: "localhost:2181".to_owned(),
            timeout: "30000".to_owned(),
            read_only: false,
            wait_for_connection: false,
            form: Form::Text,
            explain: false,
            help: false,
            configuration: None,
            incomplete: None,
            command: Vec::new(),
        };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let mut value = || {
                let value = words.next();
                if value.is_none() {
                    invocation.incomplete = Some(word.clone());
                }
                value
            };
            match word.as_str() {
                "-server" => set(&mut invocation.server, value()),
                "-timeout" => set(&mut invocation.timeout, value()),
                "-client-configuration" => invocation.configuration = value().map(PathBuf::from),
                "--output" => match value().as_deref() {
                    Some("json") => invocation.form = Form::Json,
                    Some("text") | None => invocation.form = Form::Text,
                    Some(other) => return Err(InvocationError::Output(other.to_owned())),
                },
                "-r" => invocation.read_only = true,
                "-waitforconnection" => invocation.wait_for_connection = true,
                "--explain" => invocation.explain = true,
                "--help" => invocation.help = true,
                // Compat: any other option is passed over.
                option if option.starts_with('-') => {}
                _ => {
                    invocation.command.push(word);
                    invocation.command.extend(words);
                    break;
                }
            }
        }
        Ok(invocation)
    }

    /// What a session with these servers is opened with.
    pub(crate) fn session(&self, server: &str) -> Result<Options, InvocationError> {
        let timeout_ms = self.timeout.parse().ok().filter(|ms| (1..=TIMEOUT_MAX).contains(ms));
        Ok(Options {
            servers: ConnectString::parse(server)?,
            timeout_ms: timeout_ms.ok_or(InvocationError::Timeout(self.timeout.clone()))?,
            read_only: self.read_only,
            packet_max: self.packet_max()?,
        })
    }

    fn packet_max(&self) -> Result<usize, InvocationError> {
        let Some(path) = &self.configuration else { return Ok(PACKET_MAX) };
        let text = std::fs::read_to_string(path)
            .map_err(|error| InvocationError::Configuration { path: path.clone(), error })?;
        if property(&text, "zookeeper.client.secure")
            .is_some_and(|v| v.eq_ignore_ascii_case("true"))
        {
            return Err(InvocationError::Secure { path: path.clone() });
        }
        let key = "jute.maxbuffer";
        match property(&text, key) {
            None => Ok(PACKET_MAX),
            Some(value) => parse_bytes(value).ok_or_else(|| InvocationError::Number {
                path: path.clone(),
                key,
                value: value.to_owned(),
            }),
        }
    }
}

impl InvocationError {
    /// Compat: a bad client configuration is an invalid invocation.
    pub(crate) fn exit_code(&self) -> u8 {
        2
    }
}

/// Whether the program was called by the name that it has in Java.
pub(crate) fn name(program: Option<&str>) -> &'static str {
    let file = program.map(Path::new).and_then(Path::file_name);
    if file.is_some_and(|file| file == "zkCli.sh") { "zkCli.sh" } else { "zkcli" }
}

fn set(option: &mut String, value: Option<String>) {
    if let Some(value) = value {
        *option = value;
    }
}

/// Compat: as in Java, a hexadecimal number is a number too.
fn parse_bytes(value: &str) -> Option<usize> {
    match value.strip_prefix("0x") {
        Some(hex) => usize::from_str_radix(hex, 16).ok(),
        None => value.parse().ok(),
    }
}

/// The value of a key in a properties file.
fn property<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', '!']));
    let pairs = lines.filter_map(|line| line.split_once(['=', ':']));
    pairs.filter(|(name, _)| name.trim() == key).map(|(_, value)| value.trim()).next_back()
}

const TIMEOUT_MAX: u32 = i32::MAX.unsigned_abs();

/// Far above what a server lets into a node, far below what hurts: a list of a million children fits.
const PACKET_MAX: usize = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Invocation {
        Invocation::parse(crate::words::split(line)).unwrap()
    }

    #[test]
    fn options_end_where_the_command_begins() {
        let invocation = parse("-server a:1 -timeout 7 -r -secure -x ls -s /");
        assert_eq!((invocation.server.as_str(), invocation.read_only), ("a:1", true));
        assert_eq!(invocation.session("a:1").unwrap().timeout_ms, 7);
        assert_eq!(invocation.command, ["ls", "-s", "/"]);
        assert_eq!(parse("-r").command, [""; 0]);
    }

    #[test]
    fn an_option_without_its_value_is_named() {
        let invocation = parse("-r -server");
        assert_eq!(invocation.incomplete.as_deref(), Some("-server"));
        assert_eq!(invocation.server, "localhost:2181");
    }

    #[test]
    fn numbers_that_are_none_are_refused() {
        for timeout in ["0", "x", "-1", "2147483648"] {
            let error = parse(&format!("-timeout {timeout}")).session("a").unwrap_err();
            assert!(error.to_string().starts_with(&format!("-timeout {timeout}: ")), "{error}");
        }
    }

    #[test]
    fn the_name_is_java_s_or_ours() {
        assert_eq!(name(Some("/opt/bin/zkCli.sh")), "zkCli.sh");
        assert_eq!(name(Some("zkcli")), "zkcli");
        assert_eq!(name(None), "zkcli");
    }

    #[test]
    fn the_last_value_of_a_property_holds() {
        let text = "# a=1\na = 2\nb:3\na=4\n";
        assert_eq!((property(text, "a"), property(text, "b")), (Some("4"), Some("3")));
        assert_eq!(
            (parse_bytes("0x10"), parse_bytes("16"), parse_bytes("-")),
            (Some(16), Some(16), None)
        );
    }
}
