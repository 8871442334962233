//! Nodes that match: find.

use serde_json::json;

use super::path_at;
use crate::failure::Failure;
use crate::options::Given;
use crate::path;
use crate::shell::Shell;
use crate::walk::{Walk, Wants};

/// `find`
pub(crate) fn find(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let root = path_at(given, 0)?;
    let client = shell.client()?;
    let wanted = given.value("data").map(str::as_bytes);
    let wants = Wants { data: wanted.is_some(), ..Wants::default() };
    let mut walk = Walk::new(&client, root, wants);
    while let Some(node) = walk.next_node()? {
        let has_name = given.value("name").is_none_or(|p| matches(p, path::name(&node.path)));
        let has_data = wanted.is_none_or(|text| contains(node.data.as_deref(), text));
        let has_kind = !given.has("e") || node.stat.ephemeral_owner != 0;
        if has_name && has_data && has_kind {
            shell.console.answer(|| node.path.clone(), || json!({ "path": node.path }))?;
        }
        walk.descend(node);
    }
    Ok(())
}

fn contains(data: Option<&[u8]>, wanted: &[u8]) -> bool {
    let data = data.unwrap_or_default();
    wanted.is_empty() || data.windows(wanted.len()).any(|window| window == wanted)
}

/// Whether a name matches a pattern in which `*` is any letters and `?` any one.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut in_name) = (0, 0);
    // Where to go on if the last star took one letter too few.
    let mut retry = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some('*') => {
                retry = Some((at, in_name));
                at += 1;
            }
            Some(letter) if *letter == '?' || *letter == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            _ => {
                let Some((star, taken)) = retry else { return false };
                retry = Some((star, taken + 1));
                at = star + 1;
                in_name = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name) in
            [("*", ""), ("a*c", "abbc"), ("a*c", "ac"), ("??", "éb"), ("*x*y", "axbxy"), ("a", "a")]
        {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a", "ab"), ("a*c", "acb"), ("?", ""), ("", "a"), ("*y", "yx")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        assert!(contains(Some(b"abc"), b"bc") && !contains(None, b"a") && contains(None, b""));
    }
}
