//! The images as people run them: built from the Dockerfile, started by a real container engine.

mod alerts;
mod bake;
mod bases;
mod binary;
mod buildah;
mod builders;
mod components;
mod compose;
mod container;
#[path = "../../../server/tests/it/deadline.rs"]
mod deadline;
mod engine;
mod ensemble;
mod field;
mod growth;
mod images;
mod layers;
mod liveness;
mod load;
mod manifests;
mod memory;
mod monitoring;
mod names;
mod official;
mod pods;
mod python;
mod refusals;
mod scaling;
mod shells;
mod statefulset;
mod takeover;
mod tools;
mod volumes;
