//! The rules of the repository that no compiler checks, each a function from its text to findings.
//!
//! A rule never changes a file and never looks outside what git knows.

mod code;
mod documents;
mod manifests;
mod sources;
mod walls;

use std::fmt;

use crate::repository::Repository;

/// A place that breaks a rule, and the rule.
#[derive(Debug, PartialEq)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    why: String,
}

/// All that is wrong, in the order of the rules.
pub(crate) fn findings(repository: &Repository) -> Vec<Finding> {
    RULES.iter().flat_map(|rule| rule(repository)).collect()
}

type Rule = fn(&Repository) -> Vec<Finding>;

const RULES: &[Rule] = &[
    sources::opens_with_its_purpose,
    sources::is_of_readable_length,
    sources::has_no_banned_words,
    sources::awaits_conditions,
    sources::names_no_machine,
    walls::core_is_pure,
    walls::core_modules_know_their_place,
    manifests::clippy_files_repeat_the_root,
    manifests::dependencies_are_used,
    documents::readme_names_what_exists,
];

impl Finding {
    fn new(path: &str, line: usize, why: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, why: why.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.why)
    }
}

/// Runs one rule over files made up for the test; gives back `path:line: why` of each finding.
#[cfg(test)]
fn check(rule: Rule, files: &[(&str, &str)]) -> Vec<String> {
    let file = |(path, text): &(&str, &str)| crate::repository::File {
        path: (*path).to_owned(),
        text: (*text).to_owned(),
    };
    let repository = Repository { files: files.iter().map(file).collect() };
    rule(&repository).iter().map(Finding::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        let repository = Repository::read(&Repository::root()).expect("git lists the files");
        let findings: Vec<_> = findings(&repository).iter().map(Finding::to_string).collect();
        assert!(findings.is_empty(), "\n{}", findings.join("\n"));
    }
}
