//! `nc HOST PORT`: what people's probes send four-letter words through, where the base image has none.
//!
//! One connection: the standard input goes out, what comes back is printed. It is no more than that,
//! and takes the flags that such probes have.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::{ArgAction, Parser};

use crate::EXIT_NO;

/// Sends its standard input to a server and prints the answer.
#[derive(Debug, Parser)]
#[command(name = "nc", version)]
struct Flags {
    /// Name or address of the server
    host: String,
    /// Its port
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// Give up when nothing has come for so many seconds
    #[arg(short = 'w', value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..))]
    wait: Option<u16>,
    /// Accepted: the answer is read to its end
    #[arg(short = 'q', value_name = "SECONDS", allow_negative_numbers = true)]
    quit: Option<i32>,
    /// Connect, and send nothing
    #[arg(short = 'z')]
    zero: bool,
    /// Say that the connection was made
    #[arg(short = 'v', action = ArgAction::Count)]
    verbose: u8,
    /// Accepted: it is done anyway
    #[arg(short = 'N')]
    shut: bool,
    /// Accepted: an address is never looked up
    #[arg(short = 'n')]
    numeric: bool,
    /// IPv4 only
    #[arg(short = '4', conflicts_with = "six")]
    four: bool,
    /// IPv6 only
    #[arg(short = '6')]
    six: bool,
}

/// The whole program, from the command line with the program's name to the exit code.
pub fn main(command_line: impl IntoIterator<Item = OsString>) -> ExitCode {
    let flags = Flags::parse_from(command_line);
    match converse(&flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nc: {} {}: {error}", flags.host, flags.port);
            ExitCode::from(EXIT_NO)
        }
    }
}

fn converse(flags: &Flags) -> io::Result<()> {
    let limit = flags.wait.map(|seconds| Duration::from_secs(seconds.into()));
    let mut stream = connect(flags, limit)?;
    if flags.verbose > 0 {
        eprintln!("Connection to {} {} port [tcp/*] succeeded!", flags.host, flags.port);
    }
    if flags.zero {
        return Ok(());
    }
    stream.set_read_timeout(limit)?;
    let mut writer = stream.try_clone()?;
    // Its end is not waited for: an answer may come, and the server hang up, before the input ends.
    thread::spawn(move || {
        let sent = io::copy(&mut io::stdin(), &mut writer);
        // Whatever became of it, the reader sees by the answer.
        let _ = sent.and_then(|_| writer.shutdown(Shutdown::Write));
    });
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return io::stdout().flush(),
            Ok(length) => io::stdout().write_all(&buffer[..length])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// To the first address that takes it.
fn connect(flags: &Flags, limit: Option<Duration>) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in (flags.host.as_str(), flags.port).to_socket_addrs()? {
        if flags.four && !address.is_ipv4() || flags.six && !address.is_ipv6() {
            continue;
        }
        let connected = match limit {
            Some(limit) => TcpStream::connect_timeout(&address, limit),
            None => TcpStream::connect(address),
        };
        match connected {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}
