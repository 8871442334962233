//! Quotas: setquota, listquota, delquota.
//!
//! Java: `SetQuotaCommand`, `DelQuotaCommand`, `ListQuotaCommand`.

use serde_json::json;
use zk_wire::{Acl, CreateFlags, ErrorCode};

use super::path_at;
use crate::client::{Client, Error, NewNode};
use crate::failure::{Deed, Failure};
use crate::limits::Limits;
use crate::options::Given;
use crate::path;
use crate::shell::Shell;
use crate::walk::{Walk, Wants};

/// `setquota`
pub(crate) fn setquota(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let path = given.argument(0).unwrap_or_default();
    if path.starts_with(QUOTAS) {
        shell.console.notice(&format!("cannot set a quota under the path: {QUOTAS}"));
        return Ok(());
    }
    let wanted = match wanted(given) {
        Ok(wanted) => wanted,
        // Compat: what is no limit is told, and is no failure.
        Err(complaint) => {
            shell.console.complain(complaint);
            return Ok(());
        }
    };
    path::check(path)?;
    let client = shell.client()?;
    let found = client.exists(path, false).map_err(Failure::at(path, Deed::Read))?;
    if found.is_none() {
        return Err(Failure::Refused(format!("{path} does not exist.")));
    }
    refuse_nested(&client, path)?;
    let (limits, used) = store(&client, path, &wanted)?;
    for line in limits.warnings(&used) {
        shell.console.text(&line)?;
    }
    if shell.console.is_json() {
        let answer = json!({ "path": path, "limits": limits.json(), "used": used.json() });
        return shell.console.line(&answer.to_string());
    }
    Ok(())
}

/// The one limit that was given, or Java's words for one that is none.
fn wanted(given: &Given) -> Result<Limits, &'static str> {
    let mut wanted = Limits::none();
    for (option, key) in LIMITS {
        let Some(value) = given.value(option) else { continue };
        let is_count = option.eq_ignore_ascii_case("n");
        let value: i64 = match value.parse() {
            Ok(value) if !is_count || i32::try_from(value).is_ok() => value,
            _ => return Err("NumberFormatException happens when parsing the option value"),
        };
        if is_count && value <= 0 {
            return Err("the num quota must be greater than zero");
        }
        if value < 0 {
            return Err("the bytes quota must be greater than or equal to zero");
        }
        wanted.set(key, value);
    }
    Ok(wanted)
}

/// A node with a quota may not be above or below another one.
fn refuse_nested(client: &Client, path: &str) -> Result<(), Failure> {
    let root = quota_path(path);
    let mut walk = Walk::new(client, &root, Wants::default());
    loop {
        let node = match walk.next_node() {
            Err(Failure::Request { error, .. }) if error.is_no_node() => break,
            other => other?,
        };
        let Some(node) = node else { break };
        if node.depth > 0 && node.children.iter().any(|child| child == LIMIT_NODE) {
            let child = node.path.strip_prefix(QUOTAS).unwrap_or(&node.path);
            let text = format!("{path} has a child {child} which has a quota");
            return Err(Failure::Refused(text));
        }
        walk.descend(node);
    }
    let mut above = path::parent(path);
    while let Some(parent) = above.filter(|parent| *parent != "/") {
        let limit = path::join(&quota_path(parent), LIMIT_NODE);
        let has = client.exists(&limit, false).map_err(Failure::at(&limit, Deed::Read))?;
        if has.is_some() {
            let text = format!("{path} has a parent {parent} which has a quota");
            return Err(Failure::Refused(text));
        }
        above = path::parent(parent);
    }
    Ok(())
}

/// Writes the limits; gives them, and what is used.
fn store(client: &Client, path: &str, wanted: &Limits) -> Result<(Limits, Limits), Failure> {
    let quota = quota_path(path);
    let (limit_path, stat_path) = (path::join(&quota, LIMIT_NODE), path::join(&quota, STAT_NODE));
    let mut place = QUOTAS.to_owned();
    for name in path.split('/').filter(|name| !name.is_empty()) {
        place = path::join(&place, name);
        create(client, &place, None)?;
    }
    let read = |path: &str| -> Result<Limits, Failure> {
        let (data, _) = client.get(path, false).map_err(Failure::at(path, Deed::Read))?;
        Ok(Limits::parse(data.as_deref().unwrap_or_default()))
    };
    if create(client, &limit_path, Some(wanted.to_string().as_bytes()))? {
        create(client, &stat_path, Some(Limits::unused().to_string().as_bytes()))?;
        return Ok((read(&limit_path)?, read(&stat_path)?));
    }
    let mut limits = read(&limit_path)?;
    limits.take_from(wanted);
    let used = read(&stat_path)?;
    let written = client.set(&limit_path, Some(limits.to_string().as_bytes()), -1);
    written.map_err(Failure::at(&limit_path, Deed::Write))?;
    Ok((limits, used))
}

/// Creates a node unless it is there; whether it had to.
fn create(client: &Client, path: &str, data: Option<&[u8]>) -> Result<bool, Failure> {
    let acl = [Acl::open()];
    let node = NewNode { path, data, acl: &acl, flags: CreateFlags::Persistent, ttl_ms: -1 };
    match client.create(&node) {
        Ok(_) => Ok(true),
        Err(Error::Server(ErrorCode::NodeExists)) => Ok(false),
        Err(error) => Err(Failure::request(error, path, Deed::Create)),
    }
}

/// `listquota`
pub(crate) fn listquota(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let path = given.argument(0).unwrap_or_default();
    let quota = quota_path(path);
    let (limit_path, stat_path) = (path::join(&quota, LIMIT_NODE), path::join(&quota, STAT_NODE));
    shell.console.notice(&format!("absolute path is {limit_path}"));
    path::check(path)?;
    let client = shell.client()?;
    let read = |node: &str| client.get(node, false).map(|(data, _)| data.unwrap_or_default());
    let (limits, used) = match read(&limit_path).and_then(|l| Ok((l, read(&stat_path)?))) {
        Ok((limits, used)) => (Limits::parse(&limits), Limits::parse(&used)),
        // Compat: a node without a quota is no failure.
        Err(error) if error.is_no_node() => {
            shell.console.complain(&format!("quota for {path} does not exist."));
            return Ok(());
        }
        Err(error) => return Err(Failure::request(error, &limit_path, Deed::Read)),
    };
    let text = || format!("Output quota for {path} {limits}\nOutput stat for {path} {used}");
    let json = || json!({ "path": path, "limits": limits.json(), "used": used.json() });
    shell.console.answer(text, json)
}

/// `delquota`
pub(crate) fn delquota(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let path = path_at(given, 0)?;
    let quota = quota_path(path);
    let limit_path = path::join(&quota, LIMIT_NODE);
    let client = shell.client()?;
    let data = match client.get(&limit_path, false) {
        Ok((data, _)) => data.unwrap_or_default(),
        Err(error) if error.is_no_node() => {
            return shell.console.text(&format!("Quota does not exist for {path}"));
        }
        Err(error) => return Err(Failure::request(error, &limit_path, Deed::Read)),
    };
    if let Some((_, key)) = LIMITS.iter().find(|(option, _)| given.has(option)) {
        let mut limits = Limits::parse(&data);
        limits.set(key, -1);
        let written = client.set(&limit_path, Some(limits.to_string().as_bytes()), -1);
        return written.map(drop).map_err(Failure::at(&limit_path, Deed::Write));
    }
    let (names, _) = client.children(&quota, false).map_err(Failure::at(&quota, Deed::Read))?;
    for name in names {
        let child = path::join(&quota, &name);
        client.delete(&child, -1).map_err(Failure::at(&child, Deed::Delete))?;
    }
    trim(&client, &quota)
}

/// Removes what was only there for the quota below it.
fn trim(client: &Client, quota: &str) -> Result<(), Failure> {
    let mut place = Some(quota);
    while let Some(path) = place.filter(|path| *path != QUOTAS) {
        let (children, _) = client.children(path, false).map_err(Failure::at(path, Deed::Read))?;
        if !children.is_empty() {
            break;
        }
        client.delete(path, -1).map_err(Failure::at(path, Deed::Delete))?;
        place = path::parent(path);
    }
    Ok(())
}

fn quota_path(path: &str) -> String {
    format!("{QUOTAS}{path}")
}

const QUOTAS: &str = "/zookeeper/quota";
const LIMIT_NODE: &str = "zookeeper_limits";
const STAT_NODE: &str = "zookeeper_stats";

/// The options, and the keys that they set.
const LIMITS: [(&str, &str); 4] =
    [("n", "count"), ("b", "bytes"), ("N", "countHardLimit"), ("B", "byteHardLimit")];
