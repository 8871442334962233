//! The command line, and the Java properties that come with it or with the environment.

use std::path::PathBuf;

use clap::Parser;

/// A ZooKeeper server.
#[derive(Debug, Parser)]
#[command(
    name = "zookeeper-server",
    version,
    after_help = "Exit codes: 0 stopped in order, 1 internal failure or port in use, 2 bad \
                  configuration or arguments, 3 data directory not usable."
)]
pub struct Args {
    /// The path of a zoo.cfg; without it: standalone, client port 2181, data in ./data.
    pub config: Option<PathBuf>,
    /// Check the configuration, print what counts, and exit.
    #[arg(long)]
    pub check: bool,
    /// A Java system property such as zookeeper.snapCount=1000; lines of the file beat it.
    #[arg(short = 'D', value_name = "KEY=VALUE")]
    pub define: Vec<String>,
}

impl Args {
    /// All properties: those of `JVMFLAGS` and `SERVER_JVMFLAGS`, then those of the command line.
    pub fn properties(
        &self,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Vec<(String, String)> {
        let flags = ["JVMFLAGS", "SERVER_JVMFLAGS"].into_iter().filter_map(environment);
        let of_environment: Vec<String> = flags
            .flat_map(|flags| flags.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
            .filter_map(|flag| flag.strip_prefix("-D").map(str::to_owned))
            .collect();
        of_environment
            .iter()
            .chain(&self.define)
            .map(|pair| match pair.split_once('=') {
                Some((key, value)) => (key.to_owned(), value.to_owned()),
                None => (pair.clone(), String::new()),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_come_from_the_environment_first() {
        let args =
            Args::parse_from(["zookeeper-server", "-Djute.maxbuffer=9", "-D", "a=b", "zoo.cfg"]);
        let environment = |name: &str| {
            (name == "JVMFLAGS")
                .then(|| "-Xmx1g -Dzookeeper.snapCount=5 -Djute.maxbuffer=1".to_owned())
        };
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            args.properties(environment),
            [
                pair("zookeeper.snapCount", "5"),
                pair("jute.maxbuffer", "1"),
                pair("jute.maxbuffer", "9"),
                pair("a", "b"),
            ]
        );
    }
}
