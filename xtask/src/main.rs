//! Chores of the repository: test, tidy.

fn main() {}
