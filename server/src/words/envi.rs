//! `envi`: the machine and the user. Java's own keys stay, with `<NA>` where there is no Java.

use std::os::unix::fs::MetadataExt as _;
use std::{env, fs};

use super::VERSION;

/// What a system does not tell.
const UNKNOWN: &str = "<NA>";

/// All keys, in Java's order.
pub(super) fn envi() -> String {
    let (user, home) = user();
    let memory = Memory::now();
    let current = env::current_dir().map_or(UNKNOWN.to_owned(), |dir| dir.display().to_string());
    let pairs = [
        ("zookeeper.version", VERSION.to_owned()),
        ("host.name", system("/proc/sys/kernel/hostname")),
        ("java.version", UNKNOWN.to_owned()),
        ("java.vendor", UNKNOWN.to_owned()),
        ("java.home", UNKNOWN.to_owned()),
        ("java.class.path", UNKNOWN.to_owned()),
        ("java.library.path", UNKNOWN.to_owned()),
        ("java.io.tmpdir", env::temp_dir().display().to_string()),
        ("java.compiler", UNKNOWN.to_owned()),
        ("os.name", if cfg!(target_os = "linux") { "Linux" } else { env::consts::OS }.to_owned()),
        ("os.arch", architecture().to_owned()),
        ("os.version", system("/proc/sys/kernel/osrelease")),
        ("user.name", user),
        ("user.home", home),
        ("user.dir", current),
        ("os.memory.free", format!("{}MB", memory.max_mb.saturating_sub(memory.used_mb))),
        ("os.memory.max", format!("{}MB", memory.max_mb)),
        ("os.memory.total", format!("{}MB", memory.used_mb)),
    ];
    let lines = pairs.map(|(key, value)| format!("{key}={value}\n"));
    format!("Environment:\n{}", lines.concat())
}

fn system(path: &str) -> String {
    fs::read_to_string(path).map_or(UNKNOWN.to_owned(), |text| text.trim().to_owned())
}

/// The machine as Java calls it.
fn architecture() -> &'static str {
    match env::consts::ARCH {
        "x86_64" => "amd64",
        other => other,
    }
}

/// Name and home of the user that the process runs as.
fn user() -> (String, String) {
    let id = fs::metadata("/proc/self").map_or(0, |metadata| metadata.uid());
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    user_of(&users, id).unwrap_or_else(|| ("?".to_owned(), "?".to_owned()))
}

fn user_of(users: &str, id: u32) -> Option<(String, String)> {
    let id = id.to_string();
    users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find_map(|fields| {
        let [name, _, user_id, _, _, home, ..] = fields.as_slice() else { return None };
        (*user_id == id).then(|| ((*name).to_owned(), (*home).to_owned()))
    })
}

/// Memory in MiB. Java tells of its heap; here it is the process and what it may have.
#[derive(Clone, Copy, Debug)]
struct Memory {
    used_mb: u64,
    max_mb: u64,
}

impl Memory {
    fn now() -> Self {
        let field = |path, name| {
            let text = fs::read_to_string(path).unwrap_or_default();
            kibibytes(&text, name).unwrap_or(0) / 1024
        };
        let machine_mb = field("/proc/meminfo", "MemTotal:");
        let container = fs::read_to_string("/sys/fs/cgroup/memory.max").unwrap_or_default();
        let container_mb = container.trim().parse::<u64>().map_or(u64::MAX, |bytes| bytes >> 20);
        Self { used_mb: field("/proc/self/status", "VmRSS:"), max_mb: machine_mb.min(container_mb) }
    }
}

/// A field of a file of `/proc`, in KiB.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\nzk:x:1000:1000::/home/zk:/bin/sh\nbroken";
        let pair = |name: &str, home: &str| Some((name.to_owned(), home.to_owned()));
        assert_eq!(user_of(users, 0), pair("root", "/root"));
        assert_eq!(user_of(users, 1000), pair("zk", "/home/zk"));
        assert_eq!(user_of(users, 7), None);
    }

    #[test]
    fn memory_is_read_from_what_the_system_writes() {
        assert_eq!(kibibytes("Name: x\nVmRSS:\t   2048 kB\n", "VmRSS:"), Some(2048));
        assert_eq!(kibibytes("VmRSS: much\n", "VmRSS:"), None);
    }

    #[test]
    fn every_key_has_a_value() {
        for line in envi().lines().skip(1) {
            let (key, value) = line.split_once('=').unwrap();
            assert!(!value.is_empty(), "{key}");
        }
    }
}
