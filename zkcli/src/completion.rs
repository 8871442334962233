//! What Tab makes of the word at the cursor: commands, options, nodes.
//!
//! Java: `JLineZNodeCompleter`.

use std::sync::Arc;

use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use crate::client::{Client, State};
use crate::{path, table};

/// Completes words of one line.
pub(crate) struct Completion {
    client: Option<Arc<Client>>,
}

impl Completion {
    /// With the nodes that this session sees.
    pub(crate) fn new(client: Option<Arc<Client>>) -> Self {
        Self { client }
    }

    fn candidates(&self, before: &str, word: &str) -> Vec<Pair> {
        let mut words = before.split_whitespace();
        if word.starts_with('/') {
            return self.nodes(word);
        }
        match words.next() {
            None | Some("help") => commands(word),
            Some(command) if word.starts_with('-') => options(command, word),
            Some(_) => Vec::new(),
        }
    }

    fn nodes(&self, word: &str) -> Vec<Pair> {
        let Some((folder, start)) = word.rsplit_once('/') else { return Vec::new() };
        let folder = if folder.is_empty() { "/" } else { folder };
        let is_up = |client: &&Arc<Client>| {
            matches!(client.state(), State::Connected | State::ConnectedReadOnly)
        };
        let Some(client) = self.client.as_ref().filter(is_up) else { return Vec::new() };
        let Ok((mut names, _)) = client.children(folder, false) else { return Vec::new() };
        names.retain(|name| name.starts_with(start));
        names.sort();
        let pair = |name: String| Pair { replacement: path::join(folder, &name), display: name };
        names.into_iter().map(pair).collect()
    }
}

fn commands(word: &str) -> Vec<Pair> {
    let names = table::COMMANDS.iter().map(|command| command.name);
    let mut names: Vec<_> = names.filter(|name| name.starts_with(word)).collect();
    names.sort_unstable();
    let pair = |name: &str| Pair { display: name.to_owned(), replacement: format!("{name} ") };
    names.into_iter().map(pair).collect()
}

fn options(command: &str, word: &str) -> Vec<Pair> {
    let options = table::find(command).map_or(&[][..], |command| command.options);
    let named = options.iter().filter(|option| format!("-{}", option.name).starts_with(word));
    let pair = |option: &table::Opt| Pair {
        display: format!("-{} {}", option.name, option.help),
        replacement: format!("-{} ", option.name),
    };
    named.map(pair).collect()
}

impl Completer for Completion {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        cursor: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = &line[..cursor];
        let start = typed.rfind(char::is_whitespace).map_or(0, |blank| blank + 1);
        Ok((start, self.candidates(&typed[..start], &typed[start..])))
    }
}

impl Hinter for Completion {
    type Hint = String;
}

impl Highlighter for Completion {}
impl Validator for Completion {}
impl Helper for Completion {}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, word: &str, expected: &[&str]) {
        let pairs = Completion::new(None).candidates(before, word);
        let found: Vec<_> = pairs.iter().map(|pair| pair.replacement.as_str()).collect();
        assert_eq!(found, expected, "{before}{word}");
    }

    #[test]
    fn commands_and_options_are_completed() {
        check("", "getA", &["getAcl ", "getAllChildrenNumber "]);
        check("help ", "setq", &["setquota "]);
        check("ls ", "-", &["-? ", "-s ", "-w ", "-R "]);
        check("reconfig ", "-re", &["-remove "]);
        check("ls ", "x", &[]);
        check("nonsense ", "-", &[]);
        check("ls ", "/", &[]);
    }
}
