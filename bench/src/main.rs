//! Load generator and side-by-side comparison with a Java server.

fn main() {}
