//! Says every ten seconds what a member that is in no quorum waits for: nobody has to guess at three in the morning.
//!
//! It only looks; nothing here decides anything.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::info;
use zk_core::RoleName;
use zk_wire::ServerId;

use super::dialer::{Endpoint, shown};
use crate::shell::Shell;

/// Another member, where it takes votes, and whether there is a connection for them.
pub(crate) struct Other {
    pub(crate) id: ServerId,
    pub(crate) places: Vec<Endpoint>,
    pub(crate) is_reached: bool,
}

/// Looks until the task is ended.
pub(crate) async fn tell(shell: Rc<RefCell<Shell>>) {
    let mut since = None;
    loop {
        let waiting = {
            let shell = shell.borrow();
            sentence(&shell).map(|sentence| (shell.peer.role(), sentence))
        };
        match waiting {
            None => since = None,
            Some((role, sentence)) => {
                let since = *since.get_or_insert_with(Instant::now);
                let waited = since.elapsed();
                if waited >= PAUSE {
                    info!("{role} for {} s, not in a quorum: {sentence}", waited.as_secs());
                }
            }
        }
        sleep(PAUSE).await;
    }
}

/// What a member that is in no quorum waits for; `None` of any other server.
pub(crate) fn sentence(shell: &Shell) -> Option<String> {
    let role = shell.peer.waiting()?;
    let others = shell.ensemble.as_ref()?.election().others();
    Some(told(role, shell.peer.leader(), shell.peer.is_blank(), &others))
}

fn told(role: RoleName, leader: Option<ServerId>, is_blank: bool, others: &[Other]) -> String {
    let wanted = match (role, leader) {
        (RoleName::Leading, _) => "a quorum that follows it".to_owned(),
        (_, Some(leader)) => format!("what leader server.{leader} has"),
        (_, None) => "a leader".to_owned(),
    };
    let names = |is_reached: bool| {
        let some = others.iter().filter(|other| other.is_reached == is_reached);
        let names: Vec<_> = match is_reached {
            true => some.map(|other| format!("server.{}", other.id)).collect(),
            false => some
                .map(|other| format!("server.{} ({})", other.id, shown(&other.places)))
                .collect(),
        };
        if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
    };
    let blank = if is_blank {
        "; its database is empty, so it has no vote before all voters have been heard"
    } else {
        ""
    };
    format!("waiting for {wanted}; reached {}; not reached {}{blank}", names(true), names(false))
}

/// How often it looks. Whatever is awaited is told so often.
pub(crate) const PAUSE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_who_is_not_there() {
        let other = |id, is_reached| Other {
            id: ServerId(id),
            places: vec![Endpoint { host: format!("zk-{}.zk-hs", id - 1), port: 3888 }],
            is_reached,
        };
        assert_eq!(
            told(RoleName::Looking, None, true, &[other(2, true), other(3, false)]),
            "waiting for a leader; reached server.2; not reached server.3 (zk-2.zk-hs:3888); its database is empty, so it has no vote before all voters have been heard"
        );
        assert_eq!(
            told(RoleName::Following, Some(ServerId(2)), false, &[other(2, true)]),
            "waiting for what leader server.2 has; reached server.2; not reached nobody"
        );
    }
}
