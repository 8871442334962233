//! What a shell printed, without what differs from run to run.

/// One stream of a shell: what it answered in order, and the events that came in between.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lines {
    pub(crate) answers: Vec<String>,
    /// Sorted: Java prints them from a thread of their own, at any moment.
    pub(crate) events: Vec<String>,
}

/// Takes a stream apart.
pub(crate) fn normal(text: &str) -> Lines {
    let mut lines = Lines { answers: Vec::new(), events: Vec::new() };
    let mut zxids = Vec::new();
    for line in text.lines() {
        if let Some(event) = line.strip_prefix("WatchedEvent ") {
            // 3.8 does not know zxids of events.
            let event = event.split(" zxid: ").next().unwrap_or(event);
            lines.events.push(event.to_owned());
        } else if !["", "WATCHER::"].contains(&line) && !line.starts_with("SLF4J:") {
            lines.answers.push(without_chance(line, &mut zxids));
        }
    }
    lines.events.sort();
    lines
}

/// A line without what differs from run to run. Of zxids it stays visible which are equal.
fn without_chance(line: &str, zxids: &mut Vec<String>) -> String {
    let Some((name, value)) = line.split_once(" = ") else {
        return line.to_owned();
    };
    match name {
        "ctime" | "mtime" if !value.contains(" 1970") => format!("{name} = a time"),
        "ephemeralOwner" if value != "0x0" => format!("{name} = a session"),
        "cZxid" | "mZxid" | "pZxid" if value != "0x0" => {
            let known = zxids.iter().position(|zxid| zxid == value);
            let number = known.unwrap_or_else(|| {
                zxids.push(value.to_owned());
                zxids.len() - 1
            });
            format!("{name} = zxid {number}")
        }
        _ => line.to_owned(),
    }
}

#[test]
fn what_differs_from_run_to_run_is_hidden() {
    let text = "\nWATCHER::\n\nWatchedEvent state:SyncConnected type:None path:null zxid: -1\n[a]\n\
                cZxid = 0x2a\nmZxid = 0x2b\npZxid = 0x2a\nctime = Sun Nov 22 07:28:33 UTC 2026\n\
                ephemeralOwner = 0x1000\nKeeperErrorCode = X\n";
    let expected = [
        "[a]",
        "cZxid = zxid 0",
        "mZxid = zxid 1",
        "pZxid = zxid 0",
        "ctime = a time",
        "ephemeralOwner = a session",
        "KeeperErrorCode = X",
    ];
    let lines = normal(text);
    assert_eq!(lines.answers, expected);
    assert_eq!(lines.events, ["state:SyncConnected type:None path:null"]);
}
