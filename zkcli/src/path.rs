//! Paths of nodes: what Java's client lets pass, and how they are taken apart.

use thiserror::Error;

/// A path that no node can have; the texts are Java's. Java: `PathUtils.validatePath`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum PathError {
    #[error("Path length must be > 0")]
    Empty,
    #[error("Path must start with / character")]
    NoSlash,
    #[error("Path must not end with / character")]
    TrailingSlash,
    #[error("Invalid path string \"{path}\" caused by {fault} @{at}")]
    Invalid { path: String, fault: &'static str, at: usize },
}

/// Whether a node can have this path.
pub(crate) fn check(path: &str) -> Result<(), PathError> {
    if path.is_empty() {
        return Err(PathError::Empty);
    }
    if !path.starts_with('/') {
        return Err(PathError::NoSlash);
    }
    if path.len() > 1 && path.ends_with('/') {
        return Err(PathError::TrailingSlash);
    }
    match fault(path) {
        Some((fault, at)) => Err(PathError::Invalid { path: path.to_owned(), fault, at }),
        None => Ok(()),
    }
}

/// Compat: offsets count UTF-16 units, as Java's strings do.
fn fault(path: &str) -> Option<(&'static str, usize)> {
    let units: Vec<u16> = path.encode_utf16().collect();
    let slash = u16::from(b'/');
    let dot = u16::from(b'.');
    for at in 1..units.len() {
        let unit = units[at];
        let ends_name = units.get(at + 1).is_none_or(|next| *next == slash);
        let fault = match unit {
            0 => "null character not allowed",
            _ if unit == slash && units[at - 1] == slash => "empty node name specified",
            _ if unit == dot && ends_name && units[at - 1] == slash => "relative paths not allowed",
            _ if unit == dot
                && ends_name
                && units[at - 1] == dot
                && at >= 2
                && units[at - 2] == slash =>
            {
                "relative paths not allowed"
            }
            0x01..=0x1f | 0x7f..=0x9f | 0xd800..=0xf8ff | 0xfff0..=0xffff => "invalid character",
            _ => continue,
        };
        return Some((fault, at));
    }
    None
}

/// The path of a child.
pub(crate) fn join(parent: &str, name: &str) -> String {
    if parent == "/" { format!("/{name}") } else { format!("{parent}/{name}") }
}

/// The path of the node above; `None` for the root.
pub(crate) fn parent(path: &str) -> Option<&str> {
    match path.rfind('/')? {
        0 if path.len() == 1 => None,
        0 => Some("/"),
        slash => Some(&path[..slash]),
    }
}

/// The last part of a path.
pub(crate) fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_paths_are_refused_with_javas_words() {
        let cases = [
            ("", "Path length must be > 0"),
            ("a", "Path must start with / character"),
            ("/a/", "Path must not end with / character"),
            ("/a//b", "Invalid path string \"/a//b\" caused by empty node name specified @3"),
            ("/a/../b", "Invalid path string \"/a/../b\" caused by relative paths not allowed @4"),
            ("/a/.", "Invalid path string \"/a/.\" caused by relative paths not allowed @3"),
            ("/a\u{1}", "Invalid path string \"/a\u{1}\" caused by invalid character @2"),
        ];
        for (path, expected) in cases {
            assert_eq!(check(path).unwrap_err().to_string(), expected);
        }
        for path in ["/", "/a", "/a/...", "/a/b.", "/é", "/..a"] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn paths_are_put_together_and_taken_apart() {
        assert_eq!((join("/", "a"), join("/a", "b")), ("/a".into(), "/a/b".into()));
        assert_eq!((parent("/a/b"), parent("/a"), parent("/")), (Some("/a"), Some("/"), None));
        assert_eq!((name("/a/b"), name("/")), ("b", ""));
    }
}
