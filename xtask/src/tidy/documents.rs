//! Rules for the documents: what they point at exists.

use super::Finding;
use crate::repository::Repository;

/// Every Markdown file that the README names is in the repository.
pub(super) fn readme_names_what_exists(repository: &Repository) -> Vec<Finding> {
    let Some(readme) = repository.file("README.md") else {
        return vec![Finding::new("README.md", 1, "is missing")];
    };
    let mut findings = Vec::new();
    for (number, line) in readme.lines() {
        let is_path = |char: char| char.is_ascii_alphanumeric() || "/._-".contains(char);
        for word in line.split(|char| !is_path(char)) {
            let path = word.trim_start_matches("./").trim_end_matches('.');
            if path.ends_with(".md") && repository.file(path).is_none() {
                findings.push(Finding::new(
                    &readme.path,
                    number,
                    format!("`{path}` does not exist"),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check;

    #[test]
    fn a_document_that_the_readme_names_must_exist() {
        let readme =
            "# X\nSee [the map](ARCHITECTURE.md), `./zk-storage/FORMAT.md`.\nAnd GONE.md.\n";
        let files = [("README.md", readme), ("ARCHITECTURE.md", ""), ("zk-storage/FORMAT.md", "")];
        assert_eq!(
            check(readme_names_what_exists, &files),
            ["README.md:3: `GONE.md` does not exist"]
        );
    }
}
