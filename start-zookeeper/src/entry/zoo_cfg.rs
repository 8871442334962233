//! From variables to the text of zoo.cfg, with where each value came from.
//!
//! Pure. A value goes into its line as it came, since that is what the images' scripts do and what
//! people wrote their escapes for; only what would end the line is refused.

use std::path::Path;

use super::environment::Environment;
use super::family::{Family, Form, Line};
use super::problem::EntryProblem;
use super::{bitnami, confluent, official};

/// A zoo.cfg that nobody has checked yet.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    lines: Vec<(String, String)>,
    /// Key, value and variable of what was asked for.
    pub(crate) asked: Vec<Asked>,
    /// What was taken but is not as it should be.
    pub(crate) cautions: Vec<String>,
    pub(crate) problems: Vec<EntryProblem>,
}

/// A setting that a variable asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) variable: String,
}

impl Draft {
    /// All that the family's variables ask for, with these folders.
    pub(crate) fn of(
        family: Family,
        environment: &Environment,
        data_dir: &Path,
        data_log_dir: Option<&Path>,
    ) -> Self {
        let mut draft = Self::default();
        draft.line("dataDir", &data_dir.display().to_string(), None);
        if let Some(folder) = data_log_dir {
            draft.line("dataLogDir", &folder.display().to_string(), None);
        }
        for line in family.lines() {
            draft.setting(line, environment);
        }
        match family {
            Family::Official => official::finish(&mut draft, environment),
            Family::Bitnami => bitnami::finish(&mut draft, environment),
            Family::Confluent => confluent::finish(&mut draft, environment),
        }
        draft
    }

    /// The text of the file.
    pub(crate) fn text(&self) -> String {
        self.lines.iter().map(|(key, line)| format!("{key}{line}\n")).collect()
    }

    /// One more line, of a variable if there is one to name.
    pub(super) fn line(&mut self, key: &str, value: &str, variable: Option<&str>) {
        if value.chars().any(char::is_control) {
            let variable = variable.unwrap_or(key).to_owned();
            self.problems.push(EntryProblem::Control { variable });
            return;
        }
        self.lines.push((key.to_owned(), format!("={value}")));
        if let Some(variable) = variable {
            self.asked.push(Asked {
                key: key.to_owned(),
                value: value.to_owned(),
                variable: variable.to_owned(),
            });
        }
    }

    /// A whole line that a variable has.
    pub(super) fn raw(&mut self, variable: Option<&str>, line: &str) {
        match line.split_once('=') {
            Some((key, value)) => self.line(key, value, variable),
            None if line.chars().any(char::is_control) => {
                let variable = variable.unwrap_or(line).to_owned();
                self.problems.push(EntryProblem::Control { variable });
            }
            None => self.lines.push((line.to_owned(), String::new())),
        }
    }

    /// Takes lines of this key out again.
    pub(super) fn remove(&mut self, key: &str) {
        self.lines.retain(|(name, _)| name != key);
        self.asked.retain(|asked| asked.key != key);
    }

    pub(super) fn caution(&mut self, text: String) {
        self.cautions.push(text);
    }

    pub(super) fn problem(&mut self, problem: EntryProblem) {
        self.problems.push(problem);
    }

    /// Whether a variable says yes; what says neither is a problem.
    pub(super) fn asks_for(&mut self, environment: &Environment, name: &str) -> bool {
        let Some(value) = environment.get(name) else { return false };
        is_yes(value).unwrap_or_else(|| {
            let (variable, value) = (environment.called(name), value.to_owned());
            self.problems.push(EntryProblem::YesNo { variable, value });
            false
        })
    }

    fn setting(&mut self, line: &Line, environment: &Environment) {
        let given = environment.get(line.variable);
        let called = given.map(|_| environment.called(line.variable));
        match (line.form, given.or(line.default)) {
            (_, None) => {}
            (Form::Text, Some(value)) => self.line(line.key, value, called.as_deref()),
            (Form::YesNo, Some(value)) => match is_yes(value) {
                Some(is_yes) => self.line(line.key, &is_yes.to_string(), called.as_deref()),
                None => {
                    let variable = environment.called(line.variable);
                    let value = value.to_owned();
                    self.problems.push(EntryProblem::YesNo { variable, value });
                }
            },
        }
    }
}

/// What people and scripts write for it.
fn is_yes(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Some(true),
        "no" | "false" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
