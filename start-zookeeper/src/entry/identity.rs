//! The number of this server, and how much is logged, as variables have it.

use super::environment::Environment;
use super::problem::EntryProblem;
use crate::host::ordinal_at_end;
use crate::settings::LogLevel;

/// A number and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Identity {
    pub(crate) id: i64,
    /// The variable that says so; `None` if none does.
    pub(crate) variable: Option<String>,
}

impl Identity {
    /// Compat: without a variable a server is number 1, a standalone one too. `auto`, which no
    /// image has, is the number at the end of the host name and one.
    pub(crate) fn of(environment: &Environment, hostname: &str) -> Result<Self, EntryProblem> {
        let Some(name) = VARIABLES.iter().find(|name| environment.get(name).is_some()) else {
            return Ok(Self { id: 1, variable: None });
        };
        let variable = environment.called(name);
        let text = environment.get(name).unwrap_or_default().trim();
        let id = if text == "auto" {
            let short = hostname.split('.').next().unwrap_or_default();
            let Some(ordinal) = ordinal_at_end(short) else {
                return Err(EntryProblem::NoOrdinal { variable, hostname: hostname.to_owned() });
            };
            i64::try_from(ordinal).ok().and_then(|ordinal| ordinal.checked_add(1))
        } else {
            text.parse().ok().filter(|id| *id >= 0)
        };
        match id {
            Some(id) => Ok(Self { id, variable: Some(variable) }),
            None => Err(EntryProblem::Id { variable, value: text.to_owned() }),
        }
    }
}

/// The level that a variable asks for, with its name. Compat: `ZOO_LOG4J_PROP` has appenders behind
/// its first comma; a level that log4j does not know is passed over, as there.
pub(crate) fn log_level(environment: &Environment) -> Option<(LogLevel, String)> {
    LEVELS.iter().find_map(|name| {
        let text = environment.get(name)?.split(',').next()?.trim();
        Some((LogLevel::parse(text)?, environment.called(name)))
    })
}

const VARIABLES: &[&str] = &["ZOO_MY_ID", "ZOO_SERVER_ID", "ZOOKEEPER_SERVER_ID"];

const LEVELS: &[&str] = &["ZOO_LOG_LEVEL", "ZOO_LOG4J_PROP", "ZOOKEEPER_LOG4J_ROOT_LOGLEVEL"];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&str, &str)], hostname: &str, expected: Result<i64, &str>) {
        let environment: Environment = pairs.iter().copied().collect();
        let found = Identity::of(&environment, hostname).map(|identity| identity.id);
        let found = found.map_err(|problem| problem.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{pairs:?}");
    }

    #[test]
    fn a_number_is_given_or_that_of_the_host_name_or_one() {
        check(&[], "zk-2", Ok(1));
        check(&[("ZOO_MY_ID", "3")], "zk-0", Ok(3));
        check(&[("ZOOKEEPER_SERVER_ID", " 7 ")], "zk-0", Ok(7));
        check(&[("ZOO_MY_ID", "auto")], "zk-2.zk-hs.default", Ok(3));
        check(&[("ZOO_SERVER_ID", "auto")], "zoo3", Ok(4));
        let problem = "ZOO_MY_ID=auto: host name zk does not end in a number, as zk-0 does; give \
                       the number itself";
        check(&[("ZOO_MY_ID", "auto")], "zk", Err(problem));
        let problem = "ZOO_MY_ID=one: give the number of this server, or auto for the ordinal of \
                       its host name and one";
        check(&[("ZOO_MY_ID", "one")], "zk-0", Err(problem));
    }

    #[test]
    fn the_level_is_the_first_word_of_log4js_property() {
        let environment = [("ZOO_LOG4J_PROP", "DEBUG,CONSOLE")].into_iter().collect();
        let expected = (LogLevel::Debug, "ZOO_LOG4J_PROP".to_owned());
        assert_eq!(log_level(&environment), Some(expected));
    }
}
