//! Access rights as the documents have them: a second, naive version to hold the server's against.

use zk_wire::{Acl, ErrorCode, Id, Perms};

/// The address that all simulated clients come from.
pub(crate) const ADDRESS: &str = "10.1.2.3";
/// The users of the digest scheme: what is sent, and the id that it proves.
pub(crate) const USERS: [(&str, &str); 2] =
    [("u1:p1", "u1:fpT/y03U+EjItKZOSLGvjnJlyng="), ("u2:p2", "u2:o9NxcCGDPOlcV7JVhmKHOf5ctVE=")];
/// The user who may do everything.
pub(crate) const SUPER: (&str, &str) = ("super:test", "super:D/InIHSb7yEEbrWz8b9l71RjZJU=");

/// What a connection is before it authenticates.
pub(crate) fn nobody() -> Vec<Id> {
    vec![Id::new("ip", ADDRESS)]
}

/// The identities after an auth packet; `None` if it fails.
pub(crate) fn after_auth(ids: &[Id], scheme: &str, credentials: &str) -> Option<Vec<Id>> {
    let mut ids = ids.to_vec();
    let mut add = |id: Id| {
        if !ids.contains(&id) {
            ids.push(id);
        }
    };
    match scheme {
        "ip" => add(Id::new("ip", ADDRESS)),
        "digest" => {
            let (_, id) = USERS.iter().chain([&SUPER]).find(|(sent, _)| *sent == credentials)?;
            add(Id::new("digest", id));
            if credentials == SUPER.0 {
                add(Id::new("super", ""));
            }
        }
        _ => return None,
    }
    Some(ids)
}

/// Whether `ids` may do one of the things in `wanted` to a node with this list.
pub(crate) fn allows(acl: &[Acl], wanted: Perms, ids: &[Id]) -> bool {
    let is_super = ids.iter().any(|id| id.scheme.as_deref() == Some("super"));
    is_super
        || acl.iter().any(|entry| {
            entry.perms.0 & wanted.0 != 0
                && match entry.id.scheme.as_deref() {
                    Some("world") => true,
                    Some("ip") => entry.id.id.as_deref() == Some("10.0.0.0/8"),
                    _ => ids.contains(&entry.id),
                }
        })
}

/// The list that is stored for one that was sent.
pub(crate) fn stored(sent: &[Acl], ids: &[Id]) -> Result<Vec<Acl>, ErrorCode> {
    let mut unique: Vec<&Acl> = Vec::new();
    for entry in sent {
        if !unique.contains(&entry) {
            unique.push(entry);
        }
    }
    let mut stored = Vec::new();
    for entry in unique {
        match entry.id.scheme.as_deref() {
            Some("auth") => {
                let mine: Vec<&Id> =
                    ids.iter().filter(|id| id.scheme.as_deref() == Some("digest")).collect();
                if mine.is_empty() {
                    return Err(ErrorCode::InvalidAcl);
                }
                stored.extend(mine.into_iter().map(|id| Acl { id: id.clone(), ..entry.clone() }));
            }
            Some("world" | "digest" | "ip") => stored.push(entry.clone()),
            _ => return Err(ErrorCode::InvalidAcl),
        }
    }
    if stored.is_empty() { Err(ErrorCode::InvalidAcl) } else { Ok(stored) }
}

/// What getACL shows to who may read but not administer.
pub(crate) fn redacted(acl: &[Acl]) -> Vec<Acl> {
    let hide = |entry: &Acl| {
        let user = entry.id.id.as_deref().unwrap_or_default().split(':').next().unwrap_or_default();
        Acl { id: Id::new("digest", &format!("{user}:x")), ..entry.clone() }
    };
    let is_digest = |entry: &Acl| entry.id.scheme.as_deref() == Some("digest");
    acl.iter().map(|entry| if is_digest(entry) { hide(entry) } else { entry.clone() }).collect()
}
