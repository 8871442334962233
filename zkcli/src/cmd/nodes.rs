//! One node: create, get, set, stat.

use serde_json::json;
use zk_wire::{Acl, CreateFlags, ErrorCode};

use super::{path_at, version};
use crate::client::{Error, NewNode};
use crate::failure::{Deed, Failure, generic};
use crate::options::Given;
use crate::shell::Shell;
use crate::{acl, path, view};

/// `create`
pub(crate) fn create(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let (flags, ttl_ms) = kind(given)?;
    let node_path = given.argument(0).unwrap_or_default();
    let entries = match given.argument(2) {
        Some(text) => acl::parse(text, |line| shell.console.complain(line)),
        None => vec![Acl::open()],
    };
    // A sequential node gets its last name from the server.
    let checked =
        if flags.is_sequential() { format!("{node_path}1") } else { node_path.to_owned() };
    path::check(&checked)?;
    let data = given.argument(1).map(str::as_bytes);
    let node = NewNode { path: node_path, data, acl: &entries, flags, ttl_ms };
    let created = shell.client()?.create(&node).map_err(|error| {
        let path = if entries.is_empty() { None } else { Some(node_path.to_owned()) };
        match error {
            Error::Server(ErrorCode::InvalidAcl) => {
                shell.console.notice(&generic(error, path.as_deref()));
            }
            Error::Server(ErrorCode::EphemeralOnLocalSession) => {
                shell.console.notice("Unable to create ephemeral node on a local session");
            }
            Error::Interrupted => return Failure::Interrupted,
            _ => return Failure::request(error, node_path, Deed::Create),
        }
        Failure::Request { error, path, deed: Deed::Create }
    })?;
    shell.leaves_session |= flags.is_ephemeral();
    if shell.console.is_json() {
        return shell.console.line(&json!({ "created": created }).to_string());
    }
    shell.console.complain(&format!("Created {created}"));
    Ok(())
}

/// What kind of node the options make.
fn kind(given: &Given) -> Result<(CreateFlags, i64), Failure> {
    let refuse = |text: &str| Err(Failure::Refused(text.to_owned()));
    let (is_ephemeral, is_sequential) = (given.has("e"), given.has("s"));
    if given.has("c") && (is_ephemeral || is_sequential) {
        return refuse(
            "-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.",
        );
    }
    let ttl = match given.value("t").map(str::parse::<i64>) {
        Some(Err(_)) => return refuse("-t argument must be a long value"),
        Some(Ok(ttl)) => Some(ttl),
        None => None,
    };
    if ttl.is_some() && is_ephemeral {
        return refuse("TTLs cannot be used with Ephemeral znodes");
    }
    if ttl.is_some() && given.has("c") {
        return refuse("TTLs cannot be used with Container znodes");
    }
    if ttl.is_some_and(|ttl| !(1..=TTL_MAX_MS).contains(&ttl)) {
        return Err(Failure::Refused(format!(
            "ttl must be positive and cannot be larger than: {TTL_MAX_MS}"
        )));
    }
    let flags = match (is_ephemeral, is_sequential, ttl.is_some()) {
        (true, true, _) => CreateFlags::EphemeralSequential,
        (true, false, _) => CreateFlags::Ephemeral,
        (false, true, true) => CreateFlags::PersistentSequentialWithTtl,
        (false, true, false) => CreateFlags::PersistentSequential,
        (false, false, true) => CreateFlags::PersistentWithTtl,
        (false, false, false) if given.has("c") => CreateFlags::Container,
        (false, false, false) => CreateFlags::Persistent,
    };
    Ok((flags, ttl.unwrap_or(-1)))
}

/// `get`
pub(crate) fn get(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let path = path_at(given, 0)?;
    let watch = given.has("w") || is_old_watch(shell, given, "get path", "get [-s] [-w] path");
    let (data, stat) = shell.client()?.get(path, watch).map_err(Failure::at(path, Deed::Read))?;
    let console = &shell.console;
    if console.is_json() {
        let mut answer = json!({ "path": path, "stat": view::stat_json(&stat) });
        match &data {
            Some(bytes) if given.has("b") => answer["base64"] = json!(view::base64(bytes)),
            _ => view::put_data(&mut answer, data.as_deref()),
        }
        return console.line(&answer.to_string());
    }
    let bytes = data.as_deref().unwrap_or(b"null");
    let shows_hex =
        given.has("x") || (console.is_terminal() && !given.has("b") && !view::is_text(bytes));
    let text = match () {
        () if shows_hex => view::hex(bytes),
        () if given.has("b") => view::base64(bytes),
        () => view::text(data.as_deref()),
    };
    console.line(&text)?;
    if shows_hex && !given.has("x") {
        let length = bytes.len();
        console.notice(&format!("these {length} bytes are no text; get -b {path} gives base64"));
    }
    if given.has("s") {
        console.line(&view::stat(&stat))?;
    }
    Ok(())
}

/// `set`
pub(crate) fn set(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let path = path_at(given, 0)?;
    let text = given.argument(1).unwrap_or_default();
    let data = if given.has("b") {
        let decoded = view::from_base64(text);
        decoded.ok_or_else(|| Failure::Refused(format!("`{text}` is no base64")))?
    } else {
        text.as_bytes().to_vec()
    };
    let changed = shell.client()?.set(path, Some(&data), version(given)?);
    let stat = changed.map_err(Failure::at(path, Deed::Write))?;
    if shell.console.is_json() {
        let answer = json!({ "path": path, "stat": view::stat_json(&stat) });
        return shell.console.line(&answer.to_string());
    }
    if given.has("s") { shell.console.line(&view::stat(&stat)) } else { Ok(()) }
}

/// `stat`
pub(crate) fn stat(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let path = path_at(given, 0)?;
    let watch = given.has("w") || is_old_watch(shell, given, "stat path", "stat [-w] path");
    let found = shell.client()?.exists(path, watch).map_err(Failure::at(path, Deed::Read))?;
    let absent = || Failure::request(Error::Server(ErrorCode::NoNode), path, Deed::Read);
    let stat = found.ok_or_else(absent)?;
    let json = || json!({ "path": path, "stat": view::stat_json(&stat) });
    shell.console.answer(|| view::stat(&stat), json)
}

/// Whether a second argument stands for `-w`, as it did long ago.
pub(super) fn is_old_watch(shell: &Shell, given: &Given, old: &str, new: &str) -> bool {
    let is_old = given.argument(1).is_some();
    if is_old {
        let line = format!("'{old} [watch]' has been deprecated. Please use '{new}' instead.");
        shell.console.notice(&line);
    }
    is_old
}

/// Compat: `EphemeralType.TTL`, 40 bits.
const TTL_MAX_MS: i64 = 0xff_ffff_ffff;
