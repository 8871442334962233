//! The shell against real servers, ours and Java's, beside Java's shell and on a real terminal.
//!
//! Nothing here is mocked: every test starts processes and reads what they print.

mod answers;
#[path = "../../../server/tests/it/deadline.rs"]
mod deadline;
mod java_shell;
mod lines;
mod moves;
mod server;
mod terminal;
mod tools;
mod trouble;
mod zkcli;
