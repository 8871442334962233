//! Access lists as people write and read them.
//!
//! Java: `AclParser`, `ZKUtil.getPermString`.

use serde_json::{Value, json};
use zk_wire::{Acl, Id, Perms};

/// The entries of `scheme:id:perms,…`. What is no entry, or no permission, is told to `complain` and left
/// out, as in Java.
pub(crate) fn parse(text: &str, mut complain: impl FnMut(&str)) -> Vec<Acl> {
    let mut entries = Vec::new();
    // Compat: Java's split drops what is empty at the end.
    for entry in text.trim_end_matches(',').split(',') {
        let parts = entry.split_once(':').and_then(|(scheme, rest)| {
            let (id, perms) = rest.rsplit_once(':')?;
            Some((scheme, id, perms))
        });
        match parts {
            Some((scheme, id, letters)) => {
                let perms = parse_perms(letters, &mut complain);
                entries.push(Acl { perms, id: Id::new(scheme, id) });
            }
            None => complain(&format!("{entry} does not have the form scheme:id:perm")),
        }
    }
    entries
}

fn parse_perms(letters: &str, complain: &mut impl FnMut(&str)) -> Perms {
    letters.chars().fold(Perms(0), |perms, letter| {
        match PERMS.iter().find(|(known, _)| *known == letter) {
            Some((_, perm)) => perms.or(*perm),
            None => {
                complain(&format!("Unknown perm type: {letter}"));
                perms
            }
        }
    })
}

/// The letters of permissions, in Java's order.
pub(crate) fn letters(perms: Perms) -> String {
    PERMS.iter().filter(|(_, perm)| perms.meets(*perm)).map(|(letter, _)| letter).collect()
}

/// Scheme and id as they stand in an entry.
pub(crate) fn id(id: &Id) -> String {
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    format!("{}:{}", part(&id.scheme), part(&id.id))
}

/// An access list as programs read it.
pub(crate) fn json(entries: &[Acl]) -> Value {
    let entry = |acl: &Acl| json!({ "scheme": acl.id.scheme, "id": acl.id.id, "perms": letters(acl.perms) });
    entries.iter().map(entry).collect()
}

/// The access list of [`json`]'s form.
pub(crate) fn from_json(value: &Value) -> Option<Vec<Acl>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let entry = |value: &Value| {
        let mut is_good = true;
        let perms = parse_perms(value["perms"].as_str()?, &mut |_: &str| is_good = false);
        let id = Id { scheme: text(&value["scheme"]), id: text(&value["id"]) };
        is_good.then_some(Acl { perms, id })
    };
    value.as_array()?.iter().map(entry).collect()
}

const PERMS: [(char, Perms); 5] = [
    ('c', Perms::CREATE),
    ('d', Perms::DELETE),
    ('r', Perms::READ),
    ('w', Perms::WRITE),
    ('a', Perms::ADMIN),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_and_bad_ones_are_named() {
        let mut complaints = Vec::new();
        let entries = parse("world:anyone:rq,bad,digest:u:p=:cdrwa,", |line| {
            complaints.push(line.to_owned());
        });
        let shown: Vec<_> = entries.iter().map(|e| (id(&e.id), letters(e.perms))).collect();
        let expected =
            [("world:anyone".to_owned(), "r".to_owned()), ("digest:u:p=".into(), "cdrwa".into())];
        assert_eq!(shown, expected);
        let told = ["Unknown perm type: q", "bad does not have the form scheme:id:perm"];
        assert_eq!(complaints, told);
    }

    #[test]
    fn json_holds_all_of_a_list() {
        let entries = vec![Acl::open(), Acl::world_readable()];
        assert_eq!(from_json(&json(&entries)), Some(entries));
        assert_eq!(from_json(&json!([{ "scheme": "a", "id": "b", "perms": "x" }])), None);
        assert_eq!(from_json(&json!({})), None);
    }
}
