//! Standalone or replicated, and who this server is in the ensemble.
//!
//! The rules look at what is listed, not at what can be reached.
//!
//! Java: `QuorumPeerConfig.parseDynamicConfig`, `setupMyId`, `setupClientPort`, `setupPeerType`,
//! `checkValidity`.

use std::path::PathBuf;

use crate::config::{Clients, Mode, Quorum};
use crate::ensemble::Listed;
use crate::error::{Error, Origin};
use crate::member_error::MemberError;
use crate::reader::Reader;
use crate::server_spec::{ClientAddress, Role, ServerId, is_any};
use crate::warning::{Caution, Warning};

/// The file `myid` of the data folder.
#[derive(Debug, Clone)]
pub(crate) enum MyId {
    /// Nobody looked.
    NotLookedFor,
    /// It does not exist.
    Missing(PathBuf),
    /// It does.
    Found(PathBuf, Vec<u8>),
}

/// Decides how the server runs, by the numbers of voters and observers.
pub(crate) fn decide(r: &mut Reader, listed: &Listed, standalone_enabled: bool) -> Mode {
    let voters = listed.ensemble.participants().count();
    let voter = listed.ensemble.participants().next().map(|server| server.id);
    let observer = listed.ensemble.observers().next().map(|server| server.id);
    let place = |id: &ServerId| listed.places[id].clone();
    match (voters, observer, standalone_enabled) {
        (0, _, false) => {
            r.refuse(MemberError::NoParticipants { at: r.origin("standaloneEnabled") });
            Mode::Standalone
        }
        (0, None, true) => Mode::Standalone,
        (0, Some(id), true) => {
            r.refuse(MemberError::ObserversOnly { at: place(&id), id });
            Mode::Standalone
        }
        (1, observer, true) => {
            if let Some(id) = voter {
                warn_of(r, place(&id), id, Caution::OneServer);
            }
            if let Some(id) = observer {
                r.refuse(MemberError::ObserversWithoutQuorum { at: place(&id), id });
            }
            Mode::Standalone
        }
        (_, _, _) => {
            let caution = match voters {
                ..=2 => Some(Caution::NoFailureTolerated),
                _ if voters.is_multiple_of(2) => Some(Caution::EvenVoters { voters }),
                _ => None,
            };
            if let (Some(caution), Some(id)) = (caution, voter) {
                warn_of(r, place(&id), id, caution);
            }
            Mode::Replicated
        }
    }
}

fn warn_of(r: &mut Reader, at: Origin, id: ServerId, caution: Caution) {
    r.warnings.push(Warning { at, key: format!("server.{id}"), caution });
}

/// What a replicated server cannot do without.
pub(crate) fn check_replicated(r: &mut Reader, quorum: &Quorum, listed: &Listed, my_id: &MyId) {
    for key in ["initLimit", "syncLimit"] {
        if r.int(key) == 0 {
            let remedy = "an ensemble needs it, in ticks of 1 or more, such as 10";
            r.refuse(Error::NotSet { at: r.origin(key), key, remedy });
        }
    }
    let path = match my_id {
        MyId::NotLookedFor => return,
        MyId::Missing(path) | MyId::Found(path, _) => path.display().to_string(),
    };
    let at = Origin::file(&path);
    match quorum.my_id {
        // A number that cannot be read was reported already.
        None if matches!(my_id, MyId::Missing(_)) => r.refuse(MemberError::MyIdMissing { at }),
        None => {}
        // Compat: Java has this number for "none".
        Some(ServerId(-1)) => r.refuse(MemberError::MyIdMissing { at }),
        Some(id) if !listed.ensemble.servers.contains_key(&id) => {
            let members: Vec<String> =
                listed.ensemble.servers.keys().map(ServerId::to_string).collect();
            r.refuse(MemberError::MyIdNotAMember { at, id, members: members.join(", ") });
        }
        Some(_) => {}
    }
    let key = "extendedTypesEnabled";
    let too_large = quorum.my_id.filter(|id| id.0 > 254);
    if let Some(id) = too_large.filter(|_| r.boolean(key)) {
        r.refuse(MemberError::ServerIdTooLarge { at: r.origin(key), id });
    }
}

/// The number in `myid`, also of a standalone server.
pub(crate) fn read_my_id(r: &mut Reader, my_id: &MyId) -> Option<ServerId> {
    let MyId::Found(path, text) = my_id else { return None };
    let at = Origin { file: path.display().to_string(), line: 1 };
    let text = String::from_utf8_lossy(text);
    let line = text.split('\n').next().unwrap_or_default();
    let id = line.trim().parse().ok();
    match id {
        None => {
            // Compat: the word that Java prints for an empty file.
            let value = if text.is_empty() { "null" } else { line.trim() }.to_owned();
            r.refuse(MemberError::MyIdNotANumber { at, value });
        }
        Some(_) if line != line.trim() => {
            r.warnings.push(Warning { at, key: "myid".to_owned(), caution: Caution::MyIdBlanks });
        }
        Some(_) => {}
    }
    id
}

/// Makes the client address of the own line and the one of `clientPort` one.
pub(crate) fn settle_client_address(
    r: &mut Reader,
    clients: &mut Clients,
    mode: Mode,
    my_id: Option<ServerId>,
    listed: &mut Listed,
) {
    let own = match (my_id, mode, clients.port) {
        (Some(id), _, _) => listed.ensemble.servers.get_mut(&id),
        // The only line of a standalone server is its own, whatever its number. Java needs myid
        // to see that, and starts without a client port if there is none.
        (None, Mode::Standalone, None) => {
            let mut servers = listed.ensemble.servers.values_mut();
            servers.next().filter(|_| servers.next().is_none())
        }
        (None, Mode::Standalone, Some(_)) | (None, Mode::Replicated, _) => None,
    };
    let Some(own) = own else { return };
    let fixed = clients.port.map(|port| {
        let host = clients.address.clone().unwrap_or_else(|| ClientAddress::ANY.to_owned());
        ClientAddress { host, port }
    });
    match (&own.client, fixed) {
        (None, fixed) => {
            own.client = fixed;
            own.client_from_static = true;
        }
        (Some(_), Some(_)) if clients.is_advertised => {}
        (Some(listed), fixed) => {
            if let Some(fixed) = fixed.filter(|fixed| contradicts(fixed, listed)) {
                let at = r.origin("clientPort");
                let (id, fixed, listed) = (own.id, fixed.to_string(), listed.to_string());
                r.refuse(MemberError::ClientAddresses { at, id, fixed, listed });
            }
            clients.port = Some(listed.port);
            clients.address = Some(listed.host.clone()).filter(|host| !is_any(host));
        }
    }
}

fn contradicts(fixed: &ClientAddress, listed: &ClientAddress) -> bool {
    if fixed.is_any() { fixed.port != listed.port } else { fixed != listed }
}

/// The role of this server: its line counts for more than `peerType`, and alone it has but one.
pub(crate) fn settle_peer_type(r: &mut Reader, quorum: &mut Quorum, mode: Mode, listed: &Listed) {
    let own = quorum.my_id.and_then(|id| listed.ensemble.servers.get(&id));
    let list = match (own, mode) {
        (Some(server), _) => server.role,
        (None, Mode::Standalone) => Role::Participant,
        (None, Mode::Replicated) => return,
    };
    if list != quorum.peer_type {
        r.warn("peerType", Caution::PeerType { list, key: quorum.peer_type });
        r.settle("peerType", list);
        quorum.peer_type = list;
    }
}
