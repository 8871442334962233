//! Every byte form of ZooKeeper: jute, client records, txns, frames.
