//! What a person can do about a failure: one sentence behind Java's.
//!
//! It may ask the server, and says nothing rather than fail or wait long.

use zk_wire::{Acl, ErrorCode, Perms};

use crate::client::{Client, Error, State};
use crate::failure::{Deed, Failure};
use crate::shell::Shell;
use crate::{acl, path, table};

/// Advice about a failure, if there is any.
pub(crate) fn about(shell: &Shell, failure: &Failure) -> Option<String> {
    match failure {
        Failure::Request { error, path, deed } => {
            let path = path.as_deref().unwrap_or_default();
            about_request(shell, *error, path, *deed)
        }
        Failure::NotFound(name) => {
            Some(match similar(name, table::COMMANDS.iter().map(|c| c.name)) {
                Some(near) => format!("did you mean `{near}`? `help` lists all commands"),
                None => "`help` lists all commands".to_owned(),
            })
        }
        Failure::NotConnected => Some(match shell.last_client().map(|client| client.state()) {
            Some(State::Expired) => {
                "the session expired, its ephemeral nodes are gone; `connect` opens a new one"
                    .into()
            }
            Some(State::AuthFailed) => {
                "the server refused the credentials and ended the session; `connect` opens a new \
                 one, then `addauth digest user:password`"
                    .into()
            }
            _ => "the session is closed; `connect` opens a new one".into(),
        }),
        Failure::Options(_) => Some("`help COMMAND` shows what a command takes".to_owned()),
        _ => None,
    }
}

fn about_request(shell: &Shell, error: Error, path: &str, deed: Deed) -> Option<String> {
    let client = shell.last_client()?;
    match error {
        Error::ConnectionLoss => Some(no_connection(shell, &client)),
        Error::SessionExpired => {
            Some("the session is gone with its ephemeral nodes; try again".into())
        }
        Error::AuthFailed => {
            Some("the server does not know these credentials' scheme or form".into())
        }
        Error::Server(code) => about_refusal(&client, code, path, deed),
        Error::Unknown(_) | Error::Interrupted | Error::Malformed(_) => None,
    }
}

fn no_connection(shell: &Shell, client: &Client) -> String {
    let failure = client.failure();
    let why = if failure.is_empty() { String::new() } else { format!(" ({failure})") };
    let first = shell.host.split([',', '/']).next().unwrap_or_default();
    format!(
        "no server of {} answers{why}; is it running, and is this its client port? `echo srvr | nc \
         {}` tells",
        shell.host,
        first.replace(':', " "),
    )
}

fn about_refusal(client: &Client, code: ErrorCode, path: &str, deed: Deed) -> Option<String> {
    match code {
        ErrorCode::NoAuth => Some(no_auth(client, path, deed)),
        ErrorCode::NoNode => no_node(client, path, deed),
        ErrorCode::NodeExists => Some(format!("`set {path} DATA` changes it")),
        ErrorCode::NotEmpty => {
            let (children, _) = client.children(path, false).ok()?;
            Some(format!("{path} has {} children; `deleteall {path}` deletes all", children.len()))
        }
        ErrorCode::BadVersion => {
            let stat = client.exists(path, false).ok()??;
            let (name, version) = match deed {
                Deed::Admin => ("ACL version", stat.aversion),
                _ => ("version", stat.version),
            };
            Some(format!("the {name} of {path} is {version} now; without -v any version will do"))
        }
        ErrorCode::NoChildrenForEphemerals => {
            Some("an ephemeral node goes with its session, so nothing may be below it".into())
        }
        ErrorCode::InvalidAcl => Some(
            "an ACL is scheme:id:perms, several with commas between them, perms of the letters \
             cdrwa: world:anyone:r,ip:10.0.0.0/8:cdrwa"
                .into(),
        ),
        ErrorCode::QuotaExceeded => Some(format!("`listquota` above {path} shows limit and use")),
        ErrorCode::NotReadOnly => {
            Some("this server has no quorum and only reads; writes work when it has one".into())
        }
        ErrorCode::Unimplemented => {
            Some("TTLs need `extendedTypesEnabled=true` on the servers".into())
        }
        ErrorCode::ReconfigDisabled => {
            Some("members can change when all servers have `reconfigEnabled=true`".into())
        }
        _ => None,
    }
}

/// Who you are, and what you would have to be.
fn no_auth(client: &Client, path: &str, deed: Deed) -> String {
    let (place, right, wanted) = match deed {
        Deed::Read => (path, "READ", Perms::READ),
        Deed::Write => (path, "WRITE", Perms::WRITE),
        Deed::Admin | Deed::Session => (path, "ADMIN", Perms::ADMIN),
        Deed::Create => (path::parent(path).unwrap_or(path), "CREATE", Perms::CREATE),
        Deed::Delete => (path::parent(path).unwrap_or(path), "DELETE", Perms::DELETE),
    };
    if place.is_empty() {
        return "NoAuth: this takes the super user; addauth digest super:PASSWORD".to_owned();
    }
    let mut text = format!("NoAuth: {place} needs {right}");
    if let Ok(ids) = client.who_am_i() {
        let ids: Vec<_> = ids.iter().map(acl::id).collect();
        text.push_str(&format!("; you are {}", ids.join(", ")));
    }
    if let Ok((entries, _)) = client.acl(place) {
        let holds = |entry: &&Acl| entry.perms.meets(wanted);
        let holders: Vec<_> =
            entries.iter().filter(holds).map(|entry| acl::id(&entry.id)).collect();
        let holders = if holders.is_empty() { "nobody".to_owned() } else { holders.join(", ") };
        text.push_str(&format!("; {holders} may"));
    }
    text.push_str("; addauth digest user:password");
    text
}

/// The last node on the way that is there, and a name near to the one that is not.
fn no_node(client: &Client, path: &str, deed: Deed) -> Option<String> {
    let mut missing = path;
    loop {
        let parent = path::parent(missing)?;
        let (children, _) = match client.children(parent, false) {
            Ok(found) => found,
            Err(error) if error.is_no_node() => {
                missing = parent;
                continue;
            }
            Err(_) => return None,
        };
        if deed == Deed::Create {
            return Some(format!("{missing} must be created first"));
        }
        let near = similar(path::name(missing), children.iter().map(String::as_str));
        return Some(match near {
            Some(near) => format!("did you mean {}?", path::join(parent, near)),
            None => format!("{parent} has {} children, none called so", children.len()),
        });
    }
}

/// The name that is one or two slips away.
fn similar<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    let slips_max = if wanted.len() < 4 { 1 } else { 2 };
    let scored = names.map(|candidate| {
        let letters: Vec<char> = candidate.to_lowercase().chars().collect();
        (distance(&wanted, &letters), candidate)
    });
    scored.filter(|(slips, _)| *slips <= slips_max).min().map(|(_, candidate)| candidate)
}

/// How many letters must change, come or go.
fn distance(left: &[char], right: &[char]) -> usize {
    if left.len().abs_diff(right.len()) > 2 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, letter) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, other) in right.iter().enumerate() {
            let change = diagonal + usize::from(letter != other);
            diagonal = row[column + 1];
            row[column + 1] = change.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_name_that_was_meant() {
        let names = ["ls", "get", "getAcl", "set", "deleteall"];
        let find = |name| similar(name, names.into_iter());
        assert_eq!(find("sl"), None);
        assert_eq!(find("getacl"), Some("getAcl"));
        assert_eq!(find("delteall"), Some("deleteall"));
        assert_eq!(find("gt"), Some("get"));
        assert_eq!(find("nonsense"), None);
    }
}
