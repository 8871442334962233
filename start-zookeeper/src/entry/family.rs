//! Whose variables a container was started with: one table an image.
//!
//! Each line of zoo.cfg that an image's script writes stands here once, with its variable and the
//! script's default. Which image it is follows from the variables that only one of them has.
//!
//! Compat: `ZOO_*` is the prefix of two images that do not mean the same by all of them.

use std::fmt;

use zk_config::spelling::distance;

use super::environment::Environment;
use super::problem::EntryProblem;
use super::{bitnami, confluent, official};

/// An image whose users come from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// The Docker official image.
    Official,
    /// Bitnami's.
    Bitnami,
    /// Confluent's cp-zookeeper.
    Confluent,
}

/// A line of zoo.cfg and the variable that decides it.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) key: &'static str,
    pub(crate) variable: &'static str,
    /// What is written without the variable; `None` for no line at all.
    pub(crate) default: Option<&'static str>,
    pub(crate) form: Form,
}

/// How a variable's text becomes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it is.
    Text,
    /// `yes`, `true` and `1` are true; `no`, `false` and `0` are not.
    YesNo,
}

/// A line whose value is the variable's text.
pub(crate) const fn text(
    key: &'static str,
    variable: &'static str,
    default: Option<&'static str>,
) -> Line {
    Line { key, variable, default, form: Form::Text }
}

/// A line whose variable says yes or no.
pub(crate) const fn yes_no(
    key: &'static str,
    variable: &'static str,
    default: &'static str,
) -> Line {
    Line { key, variable, default: Some(default), form: Form::YesNo }
}

impl Family {
    /// Finds out by the variables, or tells which two contradict each other. `None` if there are
    /// none that would say.
    pub(crate) fn of(environment: &Environment) -> Result<Option<Self>, EntryProblem> {
        let all = [Self::Official, Self::Bitnami, Self::Confluent];
        let mut found: Option<(Self, String)> = None;
        for family in all {
            let Some(evidence) = family.evidence(environment) else { continue };
            if let Some((one, variable)) = found {
                return Err(EntryProblem::TwoFamilies {
                    one: variable,
                    one_image: one.name(),
                    other: evidence,
                    other_image: family.name(),
                });
            }
            found = Some((family, evidence));
        }
        Ok(found.map(|(family, _)| family))
    }

    /// A variable that is set and that no other image has.
    fn evidence(self, environment: &Environment) -> Option<String> {
        let is_own =
            |name: &str| self.knows(name) && !self.others().iter().any(|other| other.knows(name));
        let set = environment.names().filter(|name| !environment.is_service_link(name));
        let own = set.into_iter().find(|name| is_own(name)).map(|name| environment.called(name));
        own.or_else(|| {
            let servers = environment.get("ZOO_SERVERS")?;
            let is_officials = servers.contains("server.");
            let is_meant = match self {
                Self::Official => is_officials,
                Self::Bitnami => !is_officials,
                Self::Confluent => false,
            };
            is_meant.then(|| environment.called("ZOO_SERVERS"))
        })
    }

    fn others(self) -> [Self; 2] {
        match self {
            Self::Official => [Self::Bitnami, Self::Confluent],
            Self::Bitnami => [Self::Official, Self::Confluent],
            Self::Confluent => [Self::Official, Self::Bitnami],
        }
    }

    /// The lines that its script writes, in its order.
    pub(crate) fn lines(self) -> &'static [Line] {
        match self {
            Self::Official => official::LINES,
            Self::Bitnami => bitnami::LINES,
            Self::Confluent => confluent::LINES,
        }
    }

    /// Variables that are no line of zoo.cfg by themselves.
    fn others_than_lines(self) -> &'static [&'static str] {
        match self {
            Self::Official => official::OTHERS,
            Self::Bitnami => bitnami::OTHERS,
            Self::Confluent => confluent::OTHERS,
        }
    }

    /// Variables that ask for nothing that this server has, and why.
    pub(crate) fn unneeded(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Official => official::UNNEEDED,
            Self::Bitnami => bitnami::UNNEEDED,
            Self::Confluent => confluent::UNNEEDED,
        }
    }

    /// All that it has.
    pub(crate) fn variables(self) -> impl Iterator<Item = &'static str> {
        let lines = self.lines().iter().map(|line| line.variable);
        let unneeded = self.unneeded().iter().map(|(name, _)| *name);
        lines.chain(self.others_than_lines().iter().copied()).chain(unneeded)
    }

    /// Whether a variable is one of its own; `ZOO_CFG_x_y` of Bitnami's is any key.
    pub(crate) fn knows(self, name: &str) -> bool {
        self.variables().any(|known| known == name)
            || self == Self::Bitnami && bitnami::key_of(name).is_some()
    }

    /// What its variables begin with.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Official | Self::Bitnami => "ZOO_",
            Self::Confluent => "ZOOKEEPER_",
        }
    }

    /// For messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Official => "the official image",
            Self::Bitnami => "Bitnami's image",
            Self::Confluent => "Confluent's image",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether any image has a variable of this name.
pub(crate) fn is_known(name: &str) -> bool {
    [Family::Official, Family::Bitnami, Family::Confluent].iter().any(|family| family.knows(name))
}

/// The variables of the family's prefix that nobody has, each with the nearest that there is.
pub(crate) fn unknown(
    family: Family,
    environment: &Environment,
) -> Vec<(String, Option<&'static str>)> {
    let is_unknown = |name: &&str| {
        name.starts_with(family.prefix())
            && !environment.is_service_link(name)
            && !is_known(name)
            && !name.strip_suffix("_FILE").is_some_and(is_known)
    };
    let names = environment.names().filter(is_unknown);
    names.map(|name| (name.to_owned(), nearest(name, family.variables()))).collect()
}

/// The candidate with the fewest letters to change, if these are few.
fn nearest(name: &str, candidates: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    // A name of any length must not make the comparison slow.
    let name: Vec<u8> = name.bytes().take(NAME_BYTES_MAX).collect();
    let limit = name.len() / 4;
    let near =
        |candidate: &'static str| Some((distance(&name, candidate.as_bytes(), limit)?, candidate));
    candidates.filter_map(near).min().map(|(_, candidate)| candidate)
}

const NAME_BYTES_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&str, &str)], expected: Result<Option<Family>, &str>) {
        let environment: Environment = pairs.iter().copied().collect();
        let found = Family::of(&environment).map_err(|problem| problem.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{pairs:?}");
    }

    #[test]
    fn the_variables_that_one_image_alone_has_tell_which_it_is() {
        check(&[], Ok(None));
        check(&[("ZOO_TICK_TIME", "2000"), ("JVMFLAGS", "-Xmx1g")], Ok(None));
        check(&[("ZOO_MY_ID", "2")], Ok(Some(Family::Official)));
        check(&[("ZOO_SERVERS", "server.1=a:2888:3888;2181")], Ok(Some(Family::Official)));
        check(&[("ZOO_SERVERS", "a:2888:3888,b:2888:3888")], Ok(Some(Family::Bitnami)));
        check(&[("ZOO_CFG_snapCount", "9")], Ok(Some(Family::Bitnami)));
        check(&[("ZOO_CFG_EXTRA", "a=b")], Ok(Some(Family::Official)));
        check(&[("ZOOKEEPER_CLIENT_PORT", "2181")], Ok(Some(Family::Confluent)));
        check(&[("ZOOKEEPER_PORT", "tcp://10.0.0.1:2181")], Ok(None));
    }

    #[test]
    fn variables_of_two_images_are_refused_with_one_of_each() {
        check(
            &[("ZOO_MY_ID", "1"), ("ZOO_SERVER_ID", "2")],
            Err("ZOO_MY_ID is a variable of the official image, ZOO_SERVER_ID one of Bitnami's \
                 image: give those of one image"),
        );
    }

    #[test]
    fn a_slip_of_the_pen_is_told_with_what_was_meant() {
        let pairs = [("ZOO_TICKTIME", "1"), ("ZOO_NOTHING_OF_THE_KIND", "1"), ("OTHER", "1")];
        let environment: Environment = pairs.into_iter().collect();
        let nothing = ("ZOO_NOTHING_OF_THE_KIND".to_owned(), None);
        let slip = ("ZOO_TICKTIME".to_owned(), Some("ZOO_TICK_TIME"));
        assert_eq!(unknown(Family::Official, &environment), [nothing, slip]);
    }

    #[test]
    fn a_variable_stands_once_in_each_image() {
        for family in [Family::Official, Family::Bitnami, Family::Confluent] {
            let mut names: Vec<_> = family.variables().collect();
            names.sort_unstable();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count, "{family}");
        }
    }
}
