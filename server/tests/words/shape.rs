//! Answers without what differs from run to run: numbers, dates, folders, the order of lists.

/// An answer without what differs from run to run, its lines sorted: Java's lists have no order.
pub(crate) fn shape(word: &[u8], answer: &str) -> Vec<String> {
    let mut lines: Vec<_> = answer
        .lines()
        .map(|line| match (word, line.split_once('=')) {
            (b"envi", Some((key, _))) => key.to_owned(),
            (b"conf", Some((key, value))) if value.starts_with('/') => {
                format!("{key}=…{}", &value[value.rfind("/data/").unwrap_or(0)..])
            }
            (b"conf", Some((key, value))) if key.starts_with("server.") => {
                format!("{key}={}", without_numbers(value))
            }
            (b"conf", Some(_)) if !line.contains("Port=") && !line.contains("Size=") => {
                line.to_owned()
            }
            _ if line.starts_with("Zookeeper version: ") => "Zookeeper version".to_owned(),
            _ => match line.split_once(" expire at ") {
                // Such as `Tue Nov 24 18:40:22 UTC 2026:`
                Some((_, date)) => format!("expire at {}", letters(date)),
                None => without_numbers(line),
            },
        })
        .collect();
    lines.sort_unstable();
    if word == b"dump" {
        // How many moments there are depends on when who came.
        lines.dedup();
    }
    lines.push(format!("ends with a line feed: {}", answer.ends_with('\n')));
    lines
}

/// The lengths of the words of a date.
fn letters(date: &str) -> String {
    date.split(' ').map(|word| format!("{} ", word.len())).collect()
}

/// The line with `#` for each number, decimal or hexadecimal, with or without a fraction.
fn without_numbers(line: &str) -> String {
    let mut out = String::new();
    let mut in_hex = false;
    for c in line.chars() {
        let goes_on = out.ends_with('#') && (c == '.' || (in_hex && c.is_ascii_hexdigit()));
        match c {
            _ if goes_on => {}
            'x' if out.ends_with('#') => in_hex = true,
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => {
                out.push('#');
                in_hex = false;
            }
            _ => {
                out.push(c);
                in_hex = false;
            }
        }
    }
    out
}
