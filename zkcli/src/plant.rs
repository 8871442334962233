//! Many nodes created one after the other, sent ahead.
//!
//! Invariants
//! - Memory is a window of nodes, however many come.
//! - The first failure ends it, and says how many nodes were created before.

use std::collections::VecDeque;

use zk_wire::{Acl, CreateFlags, ErrorCode};

use crate::client::{Client, Error, NewNode, Pending};
use crate::failure::{Deed, Failure};

/// A node that is to be created.
#[derive(Debug)]
pub(crate) struct Seedling {
    pub(crate) path: String,
    pub(crate) data: Option<Vec<u8>>,
    pub(crate) acl: Vec<Acl>,
    pub(crate) ttl_ms: Option<i64>,
}

/// What became of the nodes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Planted {
    pub(crate) created: u64,
    pub(crate) changed: u64,
}

/// Creates nodes; a parent must come before its children.
pub(crate) struct Plant<'c> {
    client: &'c Client,
    /// Whether nodes that are there are given the new data and access list.
    overwrites: bool,
    ahead: VecDeque<(Seedling, Pending<String>)>,
    bytes_ahead: usize,
    planted: Planted,
}

impl<'c> Plant<'c> {
    pub(crate) fn new(client: &'c Client, overwrites: bool) -> Self {
        let planted = Planted::default();
        Self { client, overwrites, ahead: VecDeque::new(), bytes_ahead: 0, planted }
    }

    /// Sends a node; what was sent long ago is waited for.
    pub(crate) fn put(&mut self, seedling: Seedling) -> Result<(), Failure> {
        let flags = match seedling.ttl_ms {
            Some(_) => CreateFlags::PersistentWithTtl,
            None => CreateFlags::Persistent,
        };
        let pending = self.client.create_ahead(&NewNode {
            path: &seedling.path,
            data: seedling.data.as_deref(),
            acl: &seedling.acl,
            flags,
            ttl_ms: seedling.ttl_ms.unwrap_or(-1),
        });
        self.bytes_ahead += seedling.size();
        self.ahead.push_back((seedling, pending));
        while self.ahead.len() > WINDOW || self.bytes_ahead > WINDOW_BYTES {
            self.harvest()?;
        }
        Ok(())
    }

    /// Waits for all that was sent.
    pub(crate) fn end(mut self) -> Result<Planted, Failure> {
        while !self.ahead.is_empty() {
            self.harvest()?;
        }
        Ok(self.planted)
    }

    fn harvest(&mut self) -> Result<(), Failure> {
        let Some((seedling, pending)) = self.ahead.pop_front() else { return Ok(()) };
        self.bytes_ahead -= seedling.size();
        let path = seedling.path.as_str();
        match pending.wait() {
            Ok(_) => self.planted.created += 1,
            // The root is always there.
            Err(Error::Server(ErrorCode::NodeExists)) if self.overwrites || path == "/" => {
                let changed = self.client.set(path, seedling.data.as_deref(), -1);
                changed.map_err(Failure::at(path, Deed::Write))?;
                let changed = self.client.set_acl(path, &seedling.acl, -1);
                changed.map_err(Failure::at(path, Deed::Admin))?;
                self.planted.changed += 1;
            }
            Err(error) => return Err(Failure::request(error, path, Deed::Create)),
        }
        Ok(())
    }
}

impl Seedling {
    fn size(&self) -> usize {
        self.path.len() + self.data.as_ref().map_or(0, Vec::len)
    }
}

const WINDOW: usize = 256;
const WINDOW_BYTES: usize = 8 << 20;
