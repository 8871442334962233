//! The words of a command, sorted into options and arguments.
//!
//! Options may stand anywhere, several letters behind one dash, values with a blank, an equals sign or
//! nothing before them. The errors are Java's to the letter. Java: commons-cli's `DefaultParser`.

use thiserror::Error;

use crate::table::{Choice, Command};

/// What was given to a command.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) command: &'static Command,
    /// The words that are neither options nor their values, without the command's name.
    pub(crate) arguments: Vec<String>,
    options: Vec<(&'static str, Option<String>)>,
}

/// Words that make no sense as options; the texts are Java's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum OptionsError {
    #[error("org.apache.commons.cli.UnrecognizedOptionException: Unrecognized option: {0}")]
    Unknown(String),
    #[error("org.apache.commons.cli.MissingArgumentException: Missing argument for option: {0}")]
    NoValue(&'static str),
    #[error(
        "org.apache.commons.cli.AlreadySelectedException: The option '{second}' was specified but \
         an option from this group has already been selected: '{first}'"
    )]
    Several { first: &'static str, second: &'static str },
    #[error("org.apache.commons.cli.MissingOptionException: Missing required option: [{0}]")]
    NoneOf(String),
}

impl Given {
    /// Whether the option was given.
    pub(crate) fn has(&self, option: &str) -> bool {
        self.options.iter().any(|(name, _)| *name == option)
    }

    /// The option's value; the first if it was given twice.
    pub(crate) fn value(&self, option: &str) -> Option<&str> {
        self.options.iter().find(|(name, _)| *name == option)?.1.as_deref()
    }

    /// The argument at this place, counted from 0.
    pub(crate) fn argument(&self, place: usize) -> Option<&str> {
        self.arguments.get(place).map(String::as_str)
    }

    /// All words as arguments.
    pub(crate) fn plain(command: &'static Command, words: &[String]) -> Self {
        Self { command, arguments: words.to_vec(), options: Vec::new() }
    }

    /// Sorts the words that follow the command's name.
    pub(crate) fn parse(command: &'static Command, words: &[String]) -> Result<Self, OptionsError> {
        let mut given = Self { command, arguments: Vec::new(), options: Vec::new() };
        let mut open: Option<&'static str> = None;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--" {
                given.arguments.extend(words.cloned());
                break;
            }
            if let Some(name) = open.filter(|_| !given.is_option(word)) {
                given.put_value(name, word);
                open = None;
            } else if word.len() > 1 && word.starts_with('-') {
                if let Some(name) = open {
                    return Err(OptionsError::NoValue(name));
                }
                open = given.take_options(word)?;
            } else {
                given.arguments.push(word.clone());
            }
        }
        if let Some(name) = open {
            return Err(OptionsError::NoValue(name));
        }
        given.check_choice()?;
        Ok(given)
    }

    /// Takes `-s`, `-sw`, `-v3`, `-v=3`; gives the option that still lacks its value.
    fn take_options(&mut self, word: &str) -> Result<Option<&'static str>, OptionsError> {
        let unknown = || OptionsError::Unknown(word.to_owned());
        let body = &word[1..];
        if let Some(option) = self.command.option(body) {
            self.select(option.name)?;
            return Ok(option.takes_value.then_some(option.name));
        }
        if let Some((name, value)) = body.split_once('=') {
            let option = self.command.option(name).filter(|option| option.takes_value);
            let option = option.ok_or_else(unknown)?;
            self.select(option.name)?;
            self.put_value(option.name, value);
            return Ok(None);
        }
        for (at, letter) in body.char_indices() {
            let behind = at + letter.len_utf8();
            let option = self.command.option(&body[at..behind]).ok_or_else(unknown)?;
            self.select(option.name)?;
            if option.takes_value && behind < body.len() {
                self.put_value(option.name, &body[behind..]);
                return Ok(None);
            }
            if option.takes_value {
                return Ok(Some(option.name));
            }
        }
        Ok(None)
    }

    /// Compat: a word counts as an option, and not as the value of the one before, if its first letter is
    /// one; `-1` is a value.
    fn is_option(&self, word: &str) -> bool {
        let Some(body) = word.strip_prefix('-').filter(|body| !body.is_empty()) else {
            return false;
        };
        if word.parse::<f64>().is_ok() {
            return false;
        }
        let name = body.split('=').next().unwrap_or(body);
        let first = name.chars().next().map(String::from).unwrap_or_default();
        self.command.option(name).is_some() || self.command.option(&first).is_some()
    }

    fn select(&mut self, name: &'static str) -> Result<(), OptionsError> {
        let others = self.options.iter().find(|(selected, _)| *selected != name);
        match others {
            Some((first, _)) if self.command.choice != Choice::Any => {
                Err(OptionsError::Several { first, second: name })
            }
            _ => {
                self.options.push((name, None));
                Ok(())
            }
        }
    }

    fn put_value(&mut self, name: &'static str, value: &str) {
        let last = self.options.iter_mut().rfind(|(selected, _)| *selected == name);
        if let Some((_, slot)) = last {
            *slot = Some(value.to_owned());
        }
    }

    fn check_choice(&self) -> Result<(), OptionsError> {
        if self.command.choice == Choice::One && self.options.is_empty() {
            let options = self.command.options.iter();
            let names: Vec<_> = options.map(|o| format!("-{} {}", o.name, o.help)).collect();
            return Err(OptionsError::NoneOf(names.join(", ")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    fn parse(line: &str) -> Result<Given, OptionsError> {
        let words = crate::words::split(line);
        Given::parse(table::find(&words[0]).unwrap(), &words[1..])
    }

    #[test]
    fn options_stand_anywhere_and_in_any_form() {
        for line in ["set -s -v 3 /a x", "set /a -sv3 x", "set /a x -v=3 -s", "set -v3 /a -s -- x"]
        {
            let given = parse(line).unwrap();
            assert!(given.has("s") && !given.has("b"), "{line}");
            assert_eq!(given.value("v"), Some("3"), "{line}");
            assert_eq!(given.arguments, ["/a", "x"], "{line}");
        }
        let given = parse("set /a - -v -1").unwrap();
        assert_eq!((given.argument(1), given.value("v")), (Some("-"), Some("-1")));
        assert_eq!(parse("create -- /a -5").unwrap().arguments, ["/a", "-5"]);
    }

    #[test]
    fn errors_have_javas_words() {
        let cases = [
            ("get -z /a", "UnrecognizedOptionException: Unrecognized option: -z"),
            ("get -sz /a", "UnrecognizedOptionException: Unrecognized option: -sz"),
            ("create /a -5", "UnrecognizedOptionException: Unrecognized option: -5"),
            ("get --help", "UnrecognizedOptionException: Unrecognized option: --help"),
            ("set -v", "MissingArgumentException: Missing argument for option: v"),
            ("set -v -s /a x", "MissingArgumentException: Missing argument for option: v"),
            (
                "setquota -n 3 -b 4 /a",
                "AlreadySelectedException: The option 'b' was specified but an option from this \
                 group has already been selected: 'n'",
            ),
            (
                "setquota /a",
                "MissingOptionException: Missing required option: [-n num soft quota, -b bytes \
                 soft quota, -N num hard quota, -B bytes hard quota]",
            ),
        ];
        for (line, expected) in cases {
            let error = parse(line).unwrap_err().to_string();
            assert_eq!(error, format!("org.apache.commons.cli.{expected}"), "{line}");
        }
    }
}
