//! The shell with a person at it: a line that can be edited, a history that outlives the shell, events
//! above the line.
//!
//! Lines that hold credentials stay in the history of this shell and never go into the file.
//!
//! Java: `ZooKeeperMain.run` with JLine.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{CompletionType, Config, Editor};

use crate::completion::Completion;
use crate::shell::Shell;

/// Reads and runs lines until `quit` or Ctrl-D.
pub(crate) fn run(shell: &mut Shell) -> rustyline::Result<()> {
    let config = Config::builder().completion_type(CompletionType::List).build();
    let mut editor: Editor<Completion, DefaultHistory> = Editor::with_config(config)?;
    let file = history_file();
    for line in file.as_deref().map(last_lines).unwrap_or_default() {
        editor.add_history_entry(line)?;
    }
    shell.console.print_above(Box::new(editor.create_external_printer()?));
    if let Some(client) = shell.last_client() {
        // The first prompt shows the state that it will have in a moment.
        client.await_connection(FIRST_PROMPT);
    }
    while !shell.is_over {
        editor.set_helper(Some(Completion::new(shell.last_client())));
        match editor.readline(&shell.prompt()) {
            Ok(line) => {
                editor.add_history_entry(&line)?;
                if let Some(file) = file.as_deref().filter(|_| is_kept(&line)) {
                    // A history that cannot be written is no reason not to work.
                    let _ = append(file, &line);
                }
                shell.execute_line(&line);
            }
            // Ctrl-C gives up the line and not the shell.
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// `.zkcli_history` of the home folder, or the file that `ZKCLI_HISTORY` names; an empty name is none.
fn history_file() -> Option<PathBuf> {
    let file = match std::env::var_os("ZKCLI_HISTORY") {
        Some(file) => PathBuf::from(file),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".zkcli_history"),
    };
    (!file.as_os_str().is_empty()).then_some(file)
}

fn last_lines(file: &Path) -> Vec<String> {
    let text = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines[lines.len().saturating_sub(HISTORY_MAX)..].to_vec()
}

fn is_kept(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with("addauth")
}

/// One more line in a file that only its owner reads.
fn append(file: &Path, line: &str) -> io::Result<()> {
    let mut options = File::options();
    let mut file = options.create(true).append(true).mode(0o600).open(file)?;
    writeln!(file, "{line}")
}

const HISTORY_MAX: usize = 1000;
const FIRST_PROMPT: Duration = Duration::from_millis(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_keeps_lines_but_no_credentials() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("history");
        for line in ["ls /", "addauth digest u:p", " ", "get /a"] {
            if is_kept(line) {
                append(&file, line).unwrap();
            }
        }
        assert_eq!(last_lines(&file), ["ls /", "get /a"]);
        assert_eq!(last_lines(&folder.path().join("absent")), [""; 0]);
    }
}
