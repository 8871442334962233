//! The images as people run them: built from the Dockerfile, started by a real container engine.

mod compose;
mod container;
mod deadline;
mod engine;
mod ensemble;
mod layers;
mod manifests;
mod official;
mod pods;
mod python;
mod shells;
mod tools;
mod volumes;
