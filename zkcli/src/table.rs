//! The table of commands: names, options and usage lines, from which parsing, usage, `help` and
//! completion come.
//!
//! Invariants
//! - A command stands here once. Those of Java's shell have its usage lines, byte for byte.

use crate::cmd::{
    acl, children, config, copy, delete, export, find, follow, import, nodes, quota, session, tree,
    watches,
};
use crate::failure::Failure;
use crate::options::Given;
use crate::shell::Shell;

/// One command.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) name: &'static str,
    /// What follows the name in the usage line.
    pub(crate) arguments: &'static str,
    pub(crate) options: &'static [Opt],
    pub(crate) choice: Choice,
    /// How many arguments there must be.
    pub(crate) required: usize,
    pub(crate) kind: Kind,
    /// What it is for, in `help NAME`.
    pub(crate) summary: &'static str,
    pub(crate) run: fn(&mut Shell, &Given) -> Result<(), Failure>,
}

/// One option of a command.
#[derive(Debug)]
pub(crate) struct Opt {
    pub(crate) name: &'static str,
    pub(crate) takes_value: bool,
    pub(crate) help: &'static str,
}

/// How many of a command's options may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Any,
    AtMostOne,
    One,
}

/// Where a command comes from, and what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Java's, over a session.
    Java,
    /// Java's, and its usage lists the options too.
    JavaWithOptions,
    /// Java's, of the shell itself: works without a session and takes words as they are.
    Shell,
    /// Ours, over a session.
    Ours,
    /// Ours, of the shell itself.
    OurShell,
}

impl Command {
    pub(crate) fn option(&self, name: &str) -> Option<&'static Opt> {
        self.options.iter().find(|option| option.name == name)
    }

    /// Whether it works without a session.
    pub(crate) fn is_of_shell(&self) -> bool {
        matches!(self.kind, Kind::Shell | Kind::OurShell)
    }

    /// The usage: Java's line, and the options where Java lists them.
    pub(crate) fn usage(&self) -> String {
        let line = format!("{} {}", self.name, self.arguments);
        match self.kind {
            Kind::Java | Kind::Shell | Kind::OurShell => line,
            Kind::JavaWithOptions | Kind::Ours => {
                format!("{line}\n{}", option_lines(self.options))
            }
        }
    }
}

/// The options, one a line. Java: commons-cli's `HelpFormatter.printOptions`.
pub(crate) fn option_lines(options: &[Opt]) -> String {
    let mut options: Vec<_> = options.iter().collect();
    options.sort_by_key(|option| option.name.to_lowercase());
    let form = |option: &Opt| {
        format!(" -{}{}", option.name, if option.takes_value { " <arg>" } else { "" })
    };
    let width = options.iter().map(|option| form(option).len()).max().unwrap_or_default();
    let lines = options.iter().map(|o| format!("{:width$}   {}\n", form(o), o.help));
    lines.collect()
}

/// The command of this name.
pub(crate) fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

/// What is shown for a word that is no command.
pub(crate) fn list() -> String {
    let mut lines: Vec<_> =
        COMMANDS.iter().map(|c| format!("\t{} {}", c.name, c.arguments)).collect();
    lines.sort();
    format!("{HEAD}\n{}", lines.join("\n"))
}

const HEAD: &str = "ZooKeeper -server host:port -client-configuration properties-file cmd args";

const fn flag(name: &'static str, help: &'static str) -> Opt {
    Opt { name, takes_value: false, help }
}

const fn value(name: &'static str, help: &'static str) -> Opt {
    Opt { name, takes_value: true, help }
}

const STAT: Opt = flag("s", "stats");

/// A command of Java's with the usual traits; fields that differ are given.
macro_rules! command {
    ($kind:ident $name:literal, $arguments:literal, $required:literal, $run:expr, $summary:literal
     $(, $field:ident: $given:expr)* $(; $($option:expr),*)?) => {{
        #[allow(unused_mut, reason = "most commands have only the usual traits")]
        let mut command = Command {
            name: $name,
            arguments: $arguments,
            options: &[$($($option),*)?],
            choice: Choice::Any,
            required: $required,
            kind: Kind::$kind,
            summary: $summary,
            run: $run,
        };
        $(command.$field = $given;)*
        command
    }};
}

/// All commands.
pub(crate) const COMMANDS: &[Command] = &[
    command!(Java "addWatch", "[-m mode] path # optional mode is one of [PERSISTENT, \
        PERSISTENT_RECURSIVE] - default is PERSISTENT_RECURSIVE", 1, watches::add,
        "Watches a node, or all below it too, until it is told otherwise.";
        value("m", "")),
    command!(Java "addauth", "scheme auth", 1, session::addauth,
        "Gives credentials, for example `addauth digest user:password`."),
    command!(Java "close", "", 0, session::close, "Ends the session."),
    command!(Java "config", "[-c] [-w] [-s]", 0, config::config,
        "Shows the members of the ensemble.";
        STAT, flag("w", "watch"), flag("c", "client connection string")),
    command!(Shell "connect", "host:port", 0, session::connect,
        "Opens a new session, with other servers if they are named."),
    command!(Java "create", "[-s] [-e] [-c] [-t ttl] path [data] [acl]", 1, nodes::create,
        "Creates a node.";
        flag("e", "ephemeral"), flag("s", "sequential"), flag("c", "container"),
        value("t", "ttl")),
    command!(Java "delete", "[-v version] path", 1, delete::delete,
        "Deletes a node that has no children."; value("v", "version")),
    command!(Java "deleteall", "path [-b batch size]", 1, delete::deleteall,
        "Deletes a node and all below it."; value("b", "batch size")),
    command!(Java "delquota", "[-n|-b|-N|-B] path", 1, quota::delquota,
        "Removes a node's quota, or one limit of it.", choice: Choice::AtMostOne;
        flag("n", "num soft quota"), flag("b", "bytes soft quota"), flag("N", "num hard quota"),
        flag("B", "bytes hard quota")),
    command!(JavaWithOptions "get", "[-s] [-w] [-b] [-x] path", 1, nodes::get,
        "Shows a node's data.";
        flag("s", "Print znode stats additionally"), flag("w", "Watch for changes on the znode"),
        flag("b", "Output data in base64 format"), flag("x", "Output data in hexdump format")),
    command!(Java "getAcl", "[-s] path", 1, acl::get, "Shows who may do what with a node."; STAT),
    command!(Java "getAllChildrenNumber", "path", 1, children::count,
        "Counts the nodes below a node."),
    command!(Java "getEphemerals", "path", 0, children::ephemerals,
        "Lists the ephemeral nodes of this session."),
    command!(Shell "history", "", 0, session::history, "Lists the last commands."),
    command!(Java "listquota", "path", 1, quota::listquota, "Shows a node's quota and its use."),
    command!(Java "ls", "[-s] [-w] [-R] path", 0, children::ls, "Lists the children of a node.";
        flag("?", "help"), flag("s", "stat"), flag("w", "watch"), flag("R", "recurse")),
    command!(Shell "printwatches", "on|off", 0, session::printwatches,
        "Says whether events are printed, or changes it."),
    command!(Shell "quit", "", 0, session::quit, "Ends the session and the shell."),
    command!(Java "reconfig", "[-s] [-v version] [[-file path] | [-members \
        serverID=host:port1:port2;port3[,...]*]] | [-add serverId=host:port1:port2;port3[,...]]* \
        [-remove serverId[,...]*]", 0, config::reconfig, "Changes the members of the ensemble.";
        STAT, value("v", "required current config version"),
        value("file", "path of config file to parse for membership"),
        value("members", "comma-separated list of config strings for non-incremental reconfig"),
        value("add", "comma-separated list of config strings for new servers"),
        value("remove", "comma-separated list of server IDs to remove")),
    command!(Shell "redo", "cmdno", 0, session::redo, "Runs a command of the history again."),
    command!(Java "removewatches", "path [-c|-d|-a] [-l]", 1, watches::remove,
        "Removes the watches of a node.";
        flag("c", "child watcher type"), flag("d", "data watcher type"),
        flag("p", "persistent watcher type"), flag("r", "persistent recursive watcher type"),
        flag("a", "any watcher type"), flag("l", "remove locally when there is no server connection")),
    command!(JavaWithOptions "set", "path data [-s] [-v version] [-b]", 2, nodes::set,
        "Changes a node's data.";
        flag("s", "Print znode stats additionally"), value("v", "Set with an expected version"),
        flag("b", "Supply data in base64 format")),
    command!(Java "setAcl", "[-s] [-v version] [-R] path acl", 2, acl::set,
        "Changes who may do what with a node, or with all below it too.";
        STAT, value("v", "version"), flag("R", "recursive")),
    command!(Java "setquota", "-n|-b|-N|-B val path", 1, quota::setquota,
        "Limits the nodes or bytes at and below a node.", choice: Choice::One;
        value("n", "num soft quota"), value("b", "bytes soft quota"),
        value("N", "num hard quota"), value("B", "bytes hard quota")),
    command!(Java "stat", "[-w] path", 1, nodes::stat, "Shows a node's metadata.";
        flag("w", "watch")),
    command!(Java "sync", "path", 1, session::sync,
        "Waits until the server knows what the leader knows."),
    command!(Java "version", "", 0, session::version, "Shows the version of this shell."),
    command!(Java "whoami", "", 0, session::whoami, "Shows who the server takes you for."),
    command!(Ours "cp", "[-f] source target", 2, copy::copy,
        "Copies a node and all below it, with data, ACLs and TTLs.";
        flag("f", "Change nodes that the target has already")),
    command!(Ours "du", "[-d depth] path", 1, tree::du,
        "Counts nodes and bytes at and below each child.";
        value("d", "How deep to list; 1 without it")),
    command!(Ours "export", "[-o file] path", 1, export::export,
        "Writes a node and all below it, with data, ACLs and TTLs, one JSON line a node.";
        value("o", "Write this file instead of standard output")),
    command!(Ours "find", "[-name pattern] [-data text] [-e] path", 1, find::find,
        "Lists the nodes at and below a node that match.";
        value("name", "Last part of the path; * and ? stand for any letters and any letter"),
        value("data", "Text in the data"), flag("e", "Ephemeral nodes only")),
    command!(OurShell "help", "[command]", 0, session::help,
        "Lists the commands, or tells what one does."),
    command!(Ours "import", "[-f] [-i file] [path]", 0, import::import,
        "Creates what `export` wrote, below another path if one is given.";
        flag("f", "Change nodes that are there already"),
        value("i", "Read this file instead of standard input")),
    command!(Ours "tree", "[-d depth] [-l] path", 1, tree::tree, "Draws a node and all below it.";
        value("d", "How deep to go"), flag("l", "Show sizes and versions")),
    command!(Ours "watch", "[-n count] path", 1, follow::watch,
        "Follows the changes of a node and all below it until Ctrl-C.";
        value("n", "End after so many changes")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_lists_options_as_java_does() {
        let expected = "set path data [-s] [-v version] [-b]\n -b         Supply data in base64 format\n \
                        -s         Print znode stats additionally\n -v <arg>   Set with an expected \
                        version\n";
        assert_eq!(find("set").unwrap().usage(), expected);
        assert_eq!(find("version").unwrap().usage(), "version ");
    }

    #[test]
    fn every_command_stands_once_and_in_the_list() {
        for command in COMMANDS {
            assert_eq!(COMMANDS.iter().filter(|c| c.name == command.name).count(), 1);
            assert!(list().contains(&format!("\n\t{} ", command.name)));
            assert!(command.summary.ends_with('.'), "{}", command.name);
        }
    }
}
