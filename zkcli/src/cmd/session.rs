//! The session and the shell itself.

use serde_json::{Value, json};

use super::path_at;
use crate::failure::{Deed, Failure};
use crate::options::Given;
use crate::shell::Shell;
use crate::{acl, table, words};

/// `addauth`
pub(crate) fn addauth(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    // Compat: the usage names both, Java takes one.
    let scheme = given.argument(0).unwrap_or_default();
    shell.add_auth(scheme, given.argument(1).map(str::as_bytes))
}

/// `whoami`
pub(crate) fn whoami(shell: &mut Shell, _: &Given) -> Result<(), Failure> {
    let ids = shell.client()?.who_am_i().map_err(Failure::at("", Deed::Session))?;
    let line = |id: &zk_wire::Id| {
        let (scheme, user) = (id.scheme.as_deref(), id.id.as_deref());
        format!("\n{}: {}", scheme.unwrap_or_default(), user.unwrap_or_default())
    };
    let text = || format!("Auth scheme: User{}", ids.iter().map(line).collect::<String>());
    shell.console.answer(text, || ids.iter().map(|id| Value::from(acl::id(id))).collect())
}

/// `sync`
pub(crate) fn sync(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let path = path_at(given, 0)?;
    shell.client()?.sync(path).map_err(Failure::at(path, Deed::Read))?;
    shell.console.answer(|| "Sync is OK".to_owned(), || json!({ "synced": path }))
}

/// `version`
pub(crate) fn version(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    if given.argument(0).is_some() {
        return Err(Failure::Usage(given.command.usage()));
    }
    let text = || format!("ZooKeeper CLI version: {VERSION}");
    shell.console.answer(text, || json!({ "version": VERSION }))
}

/// `close`
pub(crate) fn close(shell: &mut Shell, _: &Given) -> Result<(), Failure> {
    shell.close();
    Ok(())
}

/// `connect`
pub(crate) fn connect(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let host = given.argument(0).unwrap_or(&shell.host).to_owned();
    shell.connect(&host).map_err(|error| Failure::Refused(error.to_string()))
}

/// `quit`
pub(crate) fn quit(shell: &mut Shell, _: &Given) -> Result<(), Failure> {
    shell.close();
    shell.is_over = true;
    Ok(())
}

/// `history`
pub(crate) fn history(shell: &mut Shell, _: &Given) -> Result<(), Failure> {
    if shell.history.is_empty() {
        // Compat: a one-shot command has no number and no line.
        return shell.console.text("0 - null");
    }
    let first = shell.history.len().saturating_sub(HISTORY);
    for (number, line) in shell.history.iter().enumerate().skip(first) {
        let text = || format!("{number} - {line}");
        shell.console.answer(text, || json!({ "number": number, "line": line }))?;
    }
    Ok(())
}

/// `redo`
pub(crate) fn redo(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let Some(word) = given.argument(0) else { return Ok(()) };
    let refuse = |text: String| Err(Failure::Refused(text));
    let Ok(number) = word.parse::<i64>() else {
        return refuse(format!("`{word}` is no number of a command; `history` lists them"));
    };
    let this = shell.history.len().saturating_sub(1);
    let line = usize::try_from(number).ok().filter(|n| *n < this).map(|n| &shell.history[n]);
    let Some(line) = line.cloned() else {
        return refuse("Command index out of range".to_owned());
    };
    let words = words::split(&line);
    if words.first().is_some_and(|name| name == "redo") {
        return refuse("No redoing redos".to_owned());
    }
    if let Some(last) = shell.history.last_mut() {
        last.clone_from(&line);
    }
    shell.run(&words)
}

/// `printwatches`
pub(crate) fn printwatches(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    match given.argument(0) {
        Some(word) => {
            shell.console.set_print_watches(word == "on");
            Ok(())
        }
        None => {
            let is_on = shell.console.prints_watches();
            let text = || format!("printwatches is {}", if is_on { "on" } else { "off" });
            shell.console.answer(text, || json!({ "printwatches": is_on }))
        }
    }
}

/// `help`
pub(crate) fn help(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let Some(name) = given.argument(0) else {
        return shell.console.line(&table::list());
    };
    let command = table::find(name).ok_or_else(|| Failure::NotFound(name.to_owned()))?;
    let mut text = format!("{} {}\n{}", command.name, command.arguments, command.summary);
    if !command.options.is_empty() {
        text.push('\n');
        text.push_str(table::option_lines(command.options).trim_end());
    }
    shell.console.line(&text)
}

/// What tools parse: a version of Java's, then ours.
const VERSION: &str = concat!("3.9.5-rust-", env!("CARGO_PKG_VERSION"));

/// Compat: the last ten and the current one.
const HISTORY: usize = 11;
