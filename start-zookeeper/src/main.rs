//! Container entry point: host name and flags to zoo.cfg and myid, then exec of the server.

fn main() {}
