//! The real binary in a scratch folder that stands for a container, with a script for a server.

mod cluster;
mod entry;
mod pod;
mod refusals;
mod scaling;
mod starts;
