//! What a test is given: a server, and a node of its own.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::client::{Client, LONG};
use crate::config::{ALONE, Config};
use crate::request::create;
use crate::server::{Kind, Server};
use crate::wire::Wire;

/// A server and the node that `~` stands for.
pub(crate) struct Scene<'a> {
    pub(crate) server: &'a Server,
    pub(crate) root: String,
}

static ROOTS: AtomicU32 = AtomicU32::new(0);
static TURN: Mutex<()> = Mutex::new(());

impl<'a> Scene<'a> {
    /// A scene on a server; the node does not exist yet.
    pub(crate) fn bare(server: &'a Server) -> Self {
        let number = ROOTS.fetch_add(1, Ordering::Relaxed);
        Self { server, root: format!("/t{number}") }
    }

    /// Runs a test on the server that all tests of `config` share.
    pub(crate) fn run(kind: Kind, config: &'static Config, test: fn(&Scene<'_>)) {
        let alone = (config.name == ALONE.name).then(|| TURN.lock());
        Server::shared(kind, config, |server| test(&Scene::bare(server)));
        drop(alone);
    }

    /// A client with a session; the test's node exists.
    pub(crate) fn client(&self) -> Client {
        let mut client = self.stranger();
        let err = client.call(&create(self.root.as_str())).err;
        assert!(err == 0 || err == -110, "the test's own node cannot be made: {err}");
        client
    }

    /// A client with a session that has not sent anything.
    pub(crate) fn stranger(&self) -> Client {
        self.client_for(LONG)
    }

    /// A client whose session lasts `timeout_ms`.
    pub(crate) fn client_for(&self, timeout_ms: i32) -> Client {
        Client::connect(self.server.address, &self.root, timeout_ms)
    }

    /// A connection without a session.
    pub(crate) fn wire(&self) -> Wire {
        Wire::open(self.server.address)
    }

    /// Whether the server is Java's.
    pub(crate) fn is_java(&self) -> bool {
        self.server.kind == Kind::Java
    }

    /// What differs between 3.8.0 and 3.9.5; ours is held against the latter.
    pub(crate) fn v8_v9<T>(&self, v8: T, v9: T) -> T {
        match self.server.kind {
            Kind::Java => v8,
            Kind::Ours => v9,
        }
    }
}

/// Makes two tests of each function, one a kind of server: `ours::name` and `java::name`.
macro_rules! on_both {
    ($($config:ident: $($name:ident),+;)+) => {
        mod ours {
            $($(#[test] fn $name() {
                $crate::scene::Scene::run(
                    $crate::server::Kind::Ours, &$crate::config::$config, super::$name)
            })+)+
        }
        mod java {
            $($(#[test] fn $name() {
                $crate::scene::Scene::run(
                    $crate::server::Kind::Java, &$crate::config::$config, super::$name)
            })+)+
        }
    };
}

/// Makes a test of each function, for what only ours should do.
macro_rules! on_ours {
    ($($config:ident: $($name:ident),+;)+) => {
        mod ours_alone {
            $($(#[test] fn $name() {
                $crate::scene::Scene::run(
                    $crate::server::Kind::Ours, &$crate::config::$config, super::$name)
            })+)+
        }
    };
}
pub(crate) use {on_both, on_ours};
