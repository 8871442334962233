//! `memb`, a word that Java has not: what a member knows of its ensemble, for `zookeeper-ready --mode=safe-to-stop`
//! and `--mode=why-not-ready`. It is answered with and without a quorum.
//!
//! A line each, fields between tabs:
//! - `role`, and `LOOKING`, `FOLLOWING`, `LEADING`, `OBSERVING` or `STANDALONE`
//! - `waiting`, and a sentence; only of a member that is in no quorum
//! - `quorum`, and `majority` or `hierarchical`
//! - `me`, and its number
//! - `member`, its number, `participant` or `observer`, its host, its client port

use zk_config::{Ensemble, Role, ServerSpec};

use crate::ensemble::members;
use crate::ensemble::waiting;
use crate::settings::Settings;
use crate::shell::Shell;

pub(super) fn memb(shell: &Shell) -> String {
    let mut text = format!("role\t{}\n", shell.peer.role());
    if let Some(sentence) = waiting::sentence(shell) {
        text += &format!("waiting\t{sentence}\n");
    }
    let ensemble = shell.peer.members().and_then(|members| members::read(members.text()));
    ensemble.map_or(text.clone(), |ensemble| text + &of_ensemble(&ensemble, &shell.settings))
}

fn of_ensemble(ensemble: &Ensemble, settings: &Settings) -> String {
    let is_plain = ensemble.groups.is_empty() && ensemble.weights.is_empty();
    let mut text = format!("quorum\t{}\n", if is_plain { "majority" } else { "hierarchical" });
    if let Some(me) = settings.config.quorum.my_id {
        text += &format!("me\t{}\n", me.0);
    }
    for (id, server) in &ensemble.servers {
        let role = match server.role {
            Role::Participant => "participant",
            Role::Observer => "observer",
        };
        let (host, port) = client_place(server, settings);
        text += &format!("member\t{}\t{role}\t{host}\t{port}\n", id.0);
    }
    text
}

/// Where it is asked from another member. A line without that part, or with one that is for clients elsewhere,
/// has the port that all servers have, this one too.
fn client_place(server: &ServerSpec, settings: &Settings) -> (String, u16) {
    let own_host = server.addresses.first().map(|address| address.host.clone()).unwrap_or_default();
    let is_advertised = settings.config.clients.is_advertised;
    match server.client.as_ref().filter(|client| client.is_any() || !is_advertised) {
        Some(client) if client.is_any() => (own_host, client.port),
        Some(client) => (client.host.clone(), client.port),
        None => (own_host, settings.client_port.unwrap_or(CLIENT_PORT)),
    }
}

/// Of a server that tells no port, and that is asked over one that TLS has: what people use.
const CLIENT_PORT: u16 = 2181;
