//! The environment as the entry point reads it: variables, and the files that stand for them.
//!
//! `X_FILE` names a file that holds the value of `X`, so that a secret need not stand in a manifest.
//!
//! Invariant: an empty variable is one that is not set, as it is for the images' scripts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{env, fs, io};

use super::problem::EntryProblem;

/// Variables by name, with where each value came from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    values: BTreeMap<String, Value>,
}

#[derive(Clone, Debug)]
struct Value {
    text: String,
    /// The variable that was really set: the name itself, or that with `_FILE` behind it.
    variable: String,
}

impl Environment {
    /// The environment of this process.
    pub(crate) fn of_process() -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
    }

    /// The value of a variable that is set to something.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.text.as_str())
    }

    /// What to call the variable in messages: its own name, or that of the file.
    pub(crate) fn called(&self, name: &str) -> String {
        self.values.get(name).map_or_else(|| name.to_owned(), |value| value.variable.clone())
    }

    /// The same, for a variable that is set.
    pub(crate) fn source(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.variable.as_str())
    }

    /// The names of all variables, files not resolved included.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Puts the content of each file in its variable's place. `is_known` says which names are
    /// variables: one that ends in `_FILE` itself is no file of another.
    pub(crate) fn read_files(&mut self, is_known: impl Fn(&str) -> bool) -> Vec<EntryProblem> {
        let mut problems = Vec::new();
        let files: Vec<String> =
            self.values.keys().filter(|name| !is_known(name)).cloned().collect();
        for variable in files {
            let Some(name) = variable.strip_suffix("_FILE").filter(|name| is_known(name)) else {
                continue;
            };
            let Some(path) = self.values.remove(&variable).map(|value| PathBuf::from(value.text))
            else {
                continue;
            };
            if self.values.contains_key(name) {
                problems.push(EntryProblem::TwoSources { name: name.to_owned(), variable });
                continue;
            }
            match read(&path) {
                Ok(text) if text.is_empty() => {}
                Ok(text) => {
                    self.values.insert(name.to_owned(), Value { text, variable });
                }
                Err(source) => problems.push(EntryProblem::SecretFile { variable, path, source }),
            }
        }
        problems
    }

    /// Whether a cluster made the variable for a service of that name: `ZOO_SERVICE_HOST`,
    /// `ZOOKEEPER_PORT=tcp://…`. Nobody set it, and nobody means it as a setting.
    pub(crate) fn is_service_link(&self, name: &str) -> bool {
        let is_link = ["_SERVICE_HOST", "_SERVICE_PORT"].iter().any(|part| name.contains(part));
        let is_port =
            name.ends_with("_PORT") && self.get(name).is_some_and(|text| text.contains("://"));
        let is_part = ["_TCP", "_UDP", "_SCTP"].iter().any(|part| {
            name.split_once("_PORT_").is_some_and(|(_, rest)| {
                let digits = rest.split('_').next().unwrap_or_default();
                digits.bytes().all(|byte| byte.is_ascii_digit()) && rest.contains(part)
            })
        });
        is_link || is_port || is_part
    }
}

impl<N: Into<String>, T: Into<String>> FromIterator<(N, T)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, T)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter().map(|(name, text)| (name.into(), text.into()));
        let values = pairs
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| (name.clone(), Value { text, variable: name }));
        Self { values: values.collect() }
    }
}

/// The text without the line break that editors put at the end.
fn read(path: &PathBuf) -> io::Result<String> {
    let text = fs::read_to_string(path)?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_not_set() {
        let environment: Environment = [("A", ""), ("B", "b")].into_iter().collect();
        assert_eq!((environment.get("A"), environment.get("B")), (None, Some("b")));
    }

    #[test]
    fn a_file_stands_for_its_variable_and_the_message_names_it() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let secret = folder.path().join("secret");
        fs::write(&secret, "swordfish\n").expect("written");
        let path = secret.display().to_string();
        let pairs = [("A_FILE", path.as_str()), ("B_FILE", &path), ("C_FILE_FILE", "/none")];
        let mut environment: Environment = pairs.into_iter().collect();
        let problems = environment.read_files(|name| ["A", "B_FILE", "C_FILE"].contains(&name));
        assert_eq!(environment.get("A"), Some("swordfish"));
        assert_eq!(environment.called("A"), "A_FILE");
        assert_eq!(environment.get("B_FILE"), Some(path.as_str()), "a variable of its own");
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("C_FILE_FILE=/none: No such file"), "{problems:?}");
    }

    #[test]
    fn a_variable_and_its_file_are_one_too_many() {
        let mut environment: Environment = [("A", "1"), ("A_FILE", "/none")].into_iter().collect();
        let problems = environment.read_files(|name| name == "A");
        assert_eq!(problems.len(), 1);
        assert!(problems[0].to_string().starts_with("A and A_FILE are both set"));
    }

    #[test]
    fn what_a_cluster_sets_for_its_services_is_told_from_settings() {
        for (name, value, expected) in [
            ("ZOO_SERVICE_HOST", "10.0.0.1", true),
            ("ZOOKEEPER_SERVICE_PORT_CLIENT", "2181", true),
            ("ZOOKEEPER_PORT", "tcp://10.0.0.1:2181", true),
            ("ZOOKEEPER_PORT_2181_TCP_ADDR", "10.0.0.1", true),
            ("ZOOKEEPER_CLIENT_PORT", "2181", false),
            ("ZOO_PORT_NUMBER", "2181", false),
            ("ZOOKEEPER_ADMIN_SERVER_PORT", "8080", false),
        ] {
            let environment: Environment = [(name, value)].into_iter().collect();
            assert_eq!(environment.is_service_link(name), expected, "{name}");
        }
    }
}
