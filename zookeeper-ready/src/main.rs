//! Probe: is the server alive, serving, in the quorum?

fn main() {}
