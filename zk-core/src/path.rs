//! Which strings are paths of znodes, and how a path falls into parent and name.
//!
//! Java: `PathUtils.validatePath`, `PrepRequestProcessor.validatePathForCreate`.

/// Whether `path` may name a node: absolute, normalised, of printable characters below U+F8FF's
/// private use and surrogates.
pub fn is_valid(path: &str) -> bool {
    if path == "/" {
        return true;
    }
    let Some(names) = path.strip_prefix('/') else { return false };
    names.split('/').all(|name| !name.is_empty() && name != "." && name != "..")
        && path.chars().all(is_allowed)
}

/// Whether a write may even look `path` up: it has a slash and no NUL.
pub fn is_plausible(path: &str) -> bool {
    path.contains('/') && !path.contains('\0')
}

/// Parent and name of a path with a slash. The parent of `/x` is `/`.
pub fn split(path: &str) -> Option<(&str, &str)> {
    let (parent, name) = path.rsplit_once('/')?;
    Some((if parent.is_empty() { "/" } else { parent }, name))
}

/// `path` under `parent`, which may be the root.
pub fn join(parent: &str, name: &str) -> String {
    let parent = if parent == "/" { "" } else { parent };
    format!("{parent}/{name}")
}

/// `path` and its ancestors, the deepest first, the root last.
pub fn lineage(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| match split(path) {
        Some((parent, name)) if !name.is_empty() => Some(parent),
        _ => None,
    })
}

/// The node that shows the configuration of the ensemble.
pub(crate) const CONFIG: &str = "/zookeeper/config";

/// Nodes that the server makes and nobody may delete.
pub fn is_undeletable(path: &str) -> bool {
    matches!(path, "/" | "/zookeeper" | "/zookeeper/quota" | CONFIG)
}

fn is_allowed(c: char) -> bool {
    // Compat: PathUtils counts UTF-16 units, so every character outside the BMP is refused.
    !matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_absolute_normalised_and_printable() {
        for path in ["/", "/a", "/a/b", "/a.b/..c", "/é", "/\u{d7ff}", "/\u{f900}", "/a b"] {
            assert!(is_valid(path), "{path:?}");
        }
        for path in [
            "",
            "foo",
            "//",
            "/a/",
            "/a//b",
            "/.",
            "/a/..",
            "/a\0b",
            "/a\u{1}",
            "/a\u{7f}",
            "/\u{80}",
            "/\u{e000}",
            "/\u{fffe}",
            "/\u{1f600}",
        ] {
            assert!(!is_valid(path), "{path:?}");
        }
    }

    #[test]
    fn a_lineage_ends_at_the_root() {
        assert_eq!(lineage("/a/b").collect::<Vec<_>>(), ["/a/b", "/a", "/"]);
        assert_eq!(lineage("/").collect::<Vec<_>>(), ["/"]);
        assert_eq!(lineage("foo").collect::<Vec<_>>(), ["foo"]);
    }

    #[test]
    fn split_and_join_are_inverse() {
        for path in ["/a", "/a/b", "/q/"] {
            let (parent, name) = split(path).unwrap();
            assert_eq!(join(parent, name), path);
        }
    }
}
