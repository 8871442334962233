//! The server's shell: sockets, threads, four-letter words, main.

fn main() {}
