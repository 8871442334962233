//! A server that asks to become a voter, or to be none any more, by itself.
//!
//! - `autoJoin.enabled=true`: who does not vote by the configuration becomes a voter as soon as it serves, so once it
//!   has everything. It asks once a start: who is taken out afterwards stays out.
//! - A file `leave` in the data directory: at SIGTERM the server leaves the configuration first, and the file is
//!   gone. Without it no end is taken for one for good: the members stay who they are.
//!
//! Both are reconfigurations like any other, through this server's leader; nothing here decides who may be a member.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tracing::{info, warn};
use zk_config::{Role, ServerSpec};
use zk_wire::ServerId;

use crate::own_client::{OwnClient, OwnError};
use crate::settings::me;
use crate::shell::Shell;

/// Waits until this server votes, and sees to it.
pub(crate) async fn join(shell: Rc<RefCell<Shell>>) {
    let Some(entry) = own_entry(&shell) else { return };
    let mut told = String::new();
    while !is_voter(&shell) {
        if shell.borrow().peer.is_serving() {
            match reconfigure(&shell, Some(&entry), None).await {
                Ok(()) => return info!("joined the ensemble: {entry}"),
                Err(error) if error.to_string() == told => {}
                Err(error) => {
                    info!("asked to join as {entry}: {error}; asking again until it is done");
                    told = error.to_string();
                }
            }
        }
        sleep(PAUSE).await;
    }
}

/// What is to be done before this server ends, if it is to end for good.
pub(crate) fn leaving(shell: &Rc<RefCell<Shell>>) -> Option<impl Future<Output = ()> + use<>> {
    let marker = marker(shell)?;
    let shell = shell.clone();
    Some(async move {
        let id = me(&shell.borrow().settings.config);
        let left = timeout(LEAVE_TIME, leave(&shell, id)).await;
        if left.is_err() {
            return warn!(
                "still a member after {LEAVE_TIME:?}: `reconfig -remove {id}` takes this server out from elsewhere"
            );
        }
        info!("left the ensemble, as {} asks", marker.display());
        if let Err(error) = fs::remove_file(&marker) {
            warn!(
                "cannot remove {}: {error}; the next end would leave the ensemble too",
                marker.display()
            );
        }
    })
}

/// The file, if it is there and this server can be taken out of something.
fn marker(shell: &Rc<RefCell<Shell>>) -> Option<PathBuf> {
    let shell = shell.borrow();
    shell.ensemble.as_ref()?;
    let path = shell.settings.config.storage.data_dir.join("leave");
    match path.symlink_metadata() {
        Ok(_) => Some(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            warn!(
                "cannot see whether {} is there: {error}; this server stays a member",
                path.display()
            );
            None
        }
    }
}

async fn leave(shell: &Rc<RefCell<Shell>>, id: ServerId) {
    while is_member(shell, id) {
        if shell.borrow().peer.is_serving()
            && let Err(error) = reconfigure(shell, None, Some(&id.to_string())).await
            && is_member(shell, id)
        {
            info!("asked to leave the ensemble: {error}");
        }
        sleep(PAUSE_BRIEF).await;
    }
}

async fn reconfigure(
    shell: &Rc<RefCell<Shell>>,
    joining: Option<&str>,
    leaving: Option<&str>,
) -> Result<(), OwnError> {
    let asking = async {
        let client = OwnClient::open(shell).await?;
        client.reconfigure(joining, leaving).await?;
        client.close().await
    };
    timeout(ANSWER_TIME, asking).await.unwrap_or(Err(OwnError::Lost))
}

/// This server as a voter, as a reconfiguration names it.
fn own_entry(shell: &Rc<RefCell<Shell>>) -> Option<String> {
    let shell = shell.borrow();
    let config = &shell.settings.config;
    let quorum = &config.quorum;
    let id = quorum.my_id?;
    let own = quorum.ensemble.servers.get(&id)?.clone();
    let entry = ServerSpec { role: Role::Participant, client_from_static: false, ..own };
    Some(format!("server.{id}={entry}"))
}

fn is_voter(shell: &Rc<RefCell<Shell>>) -> bool {
    let shell = shell.borrow();
    let me = me(&shell.settings.config);
    shell.peer.members().is_some_and(|members| members.is_voter(me))
}

fn is_member(shell: &Rc<RefCell<Shell>>, id: ServerId) -> bool {
    let shell = shell.borrow();
    shell.peer.members().is_some_and(|members| members.is_voter(id) || members.is_observer(id))
}

/// Between attempts to join.
const PAUSE: Duration = Duration::from_millis(500);
/// Between attempts to leave: others may leave at the same time.
const PAUSE_BRIEF: Duration = Duration::from_millis(50);
/// How long one attempt may take.
const ANSWER_TIME: Duration = Duration::from_secs(5);
/// How long a server that is to end tries; Kubernetes waits 30 s before it kills.
const LEAVE_TIME: Duration = Duration::from_secs(10);
