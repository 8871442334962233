//! A stream of nodes back into a tree: import.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

use serde_json::{Value, json};
use zk_wire::Acl;

use super::path_at;
use crate::failure::Failure;
use crate::options::Given;
use crate::plant::{Plant, Seedling};
use crate::progress::Progress;
use crate::shell::Shell;
use crate::{acl, path, view};

/// `import`
pub(crate) fn import(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let root = if given.argument(0).is_some() { path_at(given, 0)? } else { "/" };
    let (name, input) = open(given.value("i"))?;
    let client = shell.client()?;
    let mut plant = Plant::new(&client, given.has("f"));
    let mut progress = Progress::new(&shell.console, "nodes created");
    for (at, line) in input.lines().enumerate() {
        let broken = |error| Failure::File { path: PathBuf::from(&name), error };
        let line = line.map_err(broken)?;
        if line.trim().is_empty() {
            continue;
        }
        let seedling = read(root, &line);
        let seedling = seedling.map_err(|why| Failure::Record {
            file: name.clone(),
            line: at + 1,
            why: why.to_owned(),
        })?;
        progress.step();
        plant.put(seedling)?;
    }
    let planted = plant.end()?;
    progress.end();
    let text = || format!("{} nodes created, {} changed", planted.created, planted.changed);
    let json = || json!({ "created": planted.created, "changed": planted.changed });
    shell.console.answer(text, json)
}

fn open(file: Option<&str>) -> Result<(String, Box<dyn BufRead>), Failure> {
    match file {
        None => Ok(("standard input".to_owned(), Box::new(io::stdin().lock()))),
        Some(name) => {
            let file = File::open(name)
                .map_err(|error| Failure::File { path: PathBuf::from(name), error })?;
            Ok((name.to_owned(), Box::new(BufReader::new(file))))
        }
    }
}

/// One line of an export.
fn read(root: &str, line: &str) -> Result<Seedling, &'static str> {
    let record: Value = serde_json::from_str(line).map_err(|_| "this is no JSON object")?;
    let below = record["path"].as_str().ok_or("`path` is missing")?;
    path::check(below).map_err(|_| "`path` is no path of a node")?;
    let data = view::take_data(&record);
    let acl = match &record["acl"] {
        Value::Null => vec![Acl::open()],
        list => acl::from_json(list).ok_or("`acl` is no list of scheme, id and perms")?,
    };
    let ttl_ms = match &record["ttl_ms"] {
        Value::Null => None,
        ttl => Some(ttl.as_i64().filter(|ttl| *ttl > 0).ok_or("`ttl_ms` is no positive number")?),
    };
    Ok(Seedling {
        path: place(root, below),
        data: data.ok_or("`data` is no text, or `base64` no base64")?,
        acl,
        ttl_ms,
    })
}

/// Where a node goes that was at `below` its root.
pub(super) fn place(root: &str, below: &str) -> String {
    match (root, below) {
        ("/", below) => below.to_owned(),
        (root, "/") => root.to_owned(),
        (root, below) => format!("{root}{below}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_node_says_why() {
        let cases = [
            ("x", "this is no JSON object"),
            ("{}", "`path` is missing"),
            (r#"{"path":"a"}"#, "`path` is no path of a node"),
            (r#"{"path":"/a","data":7}"#, "`data` is no text, or `base64` no base64"),
            (r#"{"path":"/a","base64":"?"}"#, "`data` is no text, or `base64` no base64"),
            (r#"{"path":"/a","acl":"x"}"#, "`acl` is no list of scheme, id and perms"),
            (r#"{"path":"/a","ttl_ms":0}"#, "`ttl_ms` is no positive number"),
        ];
        for (line, expected) in cases {
            assert_eq!(read("/", line).map(|seedling| seedling.path), Err(expected), "{line}");
        }
        assert_eq!(read("/r", r#"{"path":"/"}"#).unwrap().path, "/r");
        assert_eq!(read("/r", r#"{"path":"/a","base64":"/w=="}"#).unwrap().data, Some(vec![0xff]));
    }
}
