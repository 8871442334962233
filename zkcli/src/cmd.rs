//! The commands: each takes what was given, asks the server, and prints.
//!
//! They stand in `table.rs`; a command never reads options that its row does not list.

pub(crate) mod acl;
pub(crate) mod children;
pub(crate) mod config;
pub(crate) mod copy;
pub(crate) mod delete;
pub(crate) mod export;
pub(crate) mod find;
pub(crate) mod follow;
pub(crate) mod import;
pub(crate) mod nodes;
pub(crate) mod quota;
pub(crate) mod session;
pub(crate) mod tree;
pub(crate) mod watches;

use crate::failure::Failure;
use crate::options::Given;
use crate::path;

/// The path that is the argument at this place, checked.
fn path_at(given: &Given, place: usize) -> Result<&str, Failure> {
    let path = given.argument(place).ok_or_else(|| Failure::Usage(given.command.usage()))?;
    path::check(path)?;
    Ok(path)
}

/// The value of an option that is a number.
fn number<T: std::str::FromStr>(given: &Given, option: &str) -> Result<Option<T>, Failure> {
    let Some(value) = given.value(option) else { return Ok(None) };
    let refused = || Failure::Refused(format!("-{option} {value}: expected a number"));
    value.parse().map(Some).map_err(|_| refused())
}

/// The version that must still hold; any will do without `-v`.
fn version(given: &Given) -> Result<i32, Failure> {
    Ok(number(given, "v")?.unwrap_or(-1))
}

/// A list as Java prints one.
fn list(items: &[String]) -> String {
    format!("[{}]", items.join(", "))
}
