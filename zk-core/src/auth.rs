//! Who a connection is and what an access list lets it do.
//!
//! Identities are only ever added. Nothing here looks a name up: an address is text that came with
//! the connection.
//!
//! Java: `ZooKeeperServer.checkACL`, `PrepRequestProcessor.fixupACL`, the providers in `server.auth`.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use zk_wire::{Acl, ErrorCode, Id, Perms};

use crate::ip;

/// Settings of authentication and access control.
#[derive(Clone, Debug, Default)]
pub struct AuthOptions {
    /// `skipACL=yes`: every check of rights passes; lists are still validated.
    pub skip_acl: bool,
    /// `DigestAuthenticationProvider.superDigest`: who has every right.
    pub super_digest: Option<String>,
    /// `DigestAuthenticationProvider.enabled=false`.
    pub digest_disabled: bool,
    /// `enforce.auth.schemes`: one of these before anything else; empty: no such rule.
    pub enforced_schemes: Vec<String>,
}

/// What became of an auth packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authenticated {
    /// The connection has these identities too.
    As(Vec<Id>),
    /// AUTHFAILED, and the connection is closed.
    Failed,
}

impl AuthOptions {
    /// Handles an auth packet of a connection from `address`.
    pub fn authenticate(&self, scheme: &str, auth: Option<&[u8]>, address: &str) -> Authenticated {
        match (scheme, auth) {
            ("ip", _) => Authenticated::As(vec![Id::new("ip", address)]),
            ("digest", Some(credentials)) if !self.digest_disabled => {
                let id = digest(&String::from_utf8_lossy(credentials));
                let mut ids = vec![Id::new("digest", &id)];
                if self.super_digest.as_ref().is_some_and(|super_id| same(super_id, &id)) {
                    ids.push(Id::new("super", ""));
                }
                Authenticated::As(ids)
            }
            _ => Authenticated::Failed,
        }
    }

    /// Whether a connection with `ids` may do something that `wanted` (any bit of it) allows.
    pub fn allows(&self, acl: &[Acl], wanted: Perms, ids: &[Id]) -> bool {
        if self.skip_acl || acl.is_empty() || is_super(ids) {
            return true;
        }
        acl.iter().any(|entry| entry.perms.meets(wanted) && self.matches(&entry.id, ids))
    }

    fn matches(&self, entry: &Id, ids: &[Id]) -> bool {
        let (Some(scheme), Some(id)) = (entry.scheme.as_deref(), entry.id.as_deref()) else {
            return false;
        };
        let of_scheme = ids
            .iter()
            .filter(|who| who.scheme.as_deref() == Some(scheme))
            .filter_map(|who| who.id.as_deref());
        match scheme {
            "world" => id == "anyone",
            "ip" => of_scheme.into_iter().any(|address| ip::matches(id, address)),
            "digest" if !self.digest_disabled => of_scheme.into_iter().any(|who| who == id),
            _ => false,
        }
    }

    /// The list that is stored for one that a client sent: duplicates removed, `auth` replaced by the
    /// connection's identities.
    ///
    /// # Errors
    /// INVALIDACL for an empty list or a bad entry; MARSHALLINGERROR where Java fails inside.
    pub fn normalise(&self, acl: Option<&[Acl]>, ids: &[Id]) -> Result<Vec<Acl>, ErrorCode> {
        let mut kept: Vec<&Acl> = Vec::new();
        for entry in acl.unwrap_or_default() {
            if kept.contains(&entry) {
                // Compat: Java compares null ids of otherwise equal entries and fails.
                if entry.id.id.is_none() {
                    return Err(ErrorCode::MarshallingError);
                }
                continue;
            }
            kept.push(entry);
        }
        if kept.is_empty() {
            return Err(ErrorCode::InvalidAcl);
        }
        let mut stored = Vec::with_capacity(kept.len());
        for entry in kept {
            self.normalise_entry(entry, ids, &mut stored)?;
        }
        Ok(stored)
    }

    fn normalise_entry(
        &self,
        entry: &Acl,
        ids: &[Id],
        stored: &mut Vec<Acl>,
    ) -> Result<(), ErrorCode> {
        let scheme = entry.id.scheme.as_deref().ok_or(ErrorCode::InvalidAcl)?;
        if scheme == "auth" {
            let before = stored.len();
            let who = ids.iter().filter(|id| id.scheme.as_deref() == Some("digest"));
            stored.extend(who.map(|id| Acl { perms: entry.perms, id: id.clone() }));
            return if stored.len() == before { Err(ErrorCode::InvalidAcl) } else { Ok(()) };
        }
        // Compat: a null id is dereferenced by Java's check of world.
        let Some(id) = entry.id.id.as_deref() else {
            return Err(match scheme {
                "world" => ErrorCode::MarshallingError,
                _ => ErrorCode::InvalidAcl,
            });
        };
        let is_valid = match scheme {
            "world" => id == "anyone",
            "ip" => ip::is_valid_pattern(id),
            "digest" => !self.digest_disabled && is_valid_digest_id(id),
            _ => false,
        };
        if !is_valid {
            return Err(ErrorCode::InvalidAcl);
        }
        stored.push(entry.clone());
        Ok(())
    }

    /// Whether a connection must still authenticate before it may do anything.
    pub fn must_authenticate(&self, ids: &[Id]) -> bool {
        !self.enforced_schemes.is_empty()
            && !ids.iter().any(|id| {
                id.scheme.as_ref().is_some_and(|scheme| self.enforced_schemes.contains(scheme))
            })
    }

    /// A list as a client sees it who may read but not administer: digests hidden.
    pub fn redacted(acl: &[Acl]) -> Vec<Acl> {
        acl.iter()
            .map(|entry| match (entry.id.scheme.as_deref(), entry.id.id.as_deref()) {
                (Some("digest"), Some(id)) => {
                    let user = id.split(':').next().unwrap_or_default();
                    Acl { perms: entry.perms, id: Id::new("digest", &format!("{user}:x")) }
                }
                _ => entry.clone(),
            })
            .collect()
    }
}

/// Whether one of the identities has every right.
pub(crate) fn is_super(ids: &[Id]) -> bool {
    ids.iter().any(|id| id.scheme.as_deref() == Some("super"))
}

/// `user:base64(SHA1(user:password))` of `user:password`.
pub fn digest(credentials: &str) -> String {
    let user = credentials.split(':').next().unwrap_or_default();
    format!("{user}:{}", STANDARD.encode(Sha1::digest(credentials.as_bytes())))
}

/// The user part by which whoAmI names an identity.
pub(crate) fn user_name(id: &Id) -> &str {
    let name = id.id.as_deref().unwrap_or_default();
    if id.scheme.as_deref() == Some("digest") {
        name.split(':').next().unwrap_or_default()
    } else {
        name
    }
}

/// Adds identities that are not there yet.
pub(crate) fn add(ids: &mut Arc<[Id]>, more: Vec<Id>) {
    let new: Vec<Id> = more.into_iter().filter(|id| !ids.contains(id)).collect();
    if !new.is_empty() {
        *ids = ids.iter().cloned().chain(new).collect();
    }
}

/// Compares without telling by its time how much was equal.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
}

/// Compat: Java splits at `:` and drops empty parts at the end; exactly two must remain.
fn is_valid_digest_id(id: &str) -> bool {
    id.trim_end_matches(':').split(':').count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> AuthOptions {
        AuthOptions { super_digest: Some(digest("super:test")), ..AuthOptions::default() }
    }

    #[test]
    fn digests_are_javas() {
        assert_eq!(digest("u1:p1"), "u1:fpT/y03U+EjItKZOSLGvjnJlyng=");
        assert_eq!(digest("super:test"), "super:D/InIHSb7yEEbrWz8b9l71RjZJU=");
    }

    #[test]
    fn the_super_user_has_every_right_on_every_list() {
        let Authenticated::As(ids) = options().authenticate("digest", Some(b"super:test"), "")
        else {
            panic!("digest never fails with data");
        };
        let nobody = [Acl { perms: Perms(0), id: Id::new("world", "anyone") }];
        assert!(options().allows(&nobody, Perms::ADMIN, &ids));
        assert!(!options().allows(&nobody, Perms::ADMIN, &ids[..1]));
    }

    #[test]
    fn ids_are_valid_as_in_java() {
        let check = |scheme: &str, id: &str, expected: Result<(), ErrorCode>| {
            let acl = [Acl { perms: Perms::ALL, id: Id::new(scheme, id) }];
            assert_eq!(options().normalise(Some(&acl), &[]).map(|_| ()), expected, "{scheme}:{id}");
        };
        let bad = Err(ErrorCode::InvalidAcl);
        for id in ["a", "a:", "a:b:c", "", ":"] {
            check("digest", id, bad);
        }
        for id in ["a:b", ":b", "a:b:"] {
            check("digest", id, Ok(()));
        }
        for (scheme, id) in [("world", "foo"), ("sasl", "bob"), ("super", ""), ("auth", "")] {
            check(scheme, id, bad);
        }
        check("world", "anyone", Ok(()));
    }

    #[test]
    fn auth_stands_for_who_is_authenticated_and_duplicates_go() {
        let me = Id::new("digest", "a:b");
        let auth = Acl { perms: Perms::ALL, id: Id { scheme: Some("auth".into()), id: None } };
        let other = Acl { perms: Perms::READ, ..auth.clone() };
        let ids = [Id::new("ip", "127.0.0.1"), me.clone()];
        let stored = options().normalise(Some(&[auth.clone(), other]), &ids).unwrap();
        assert_eq!(
            stored.iter().map(|acl| acl.perms).collect::<Vec<_>>(),
            [Perms::ALL, Perms::READ]
        );
        assert!(stored.iter().all(|acl| acl.id == me));
        let twice = options().normalise(Some(&[auth.clone(), auth]), &ids);
        assert_eq!(twice, Err(ErrorCode::MarshallingError));
    }
}
