//! `--mode=why-not-ready`: what a member is, what it waits for, what the others are, and what to look at. For people:
//! the text may change.

use std::fmt::Write;

use crate::conversation::{Conversation, NoAnswer};
use crate::ensemble::{Ensemble, Member, State, counts};
use crate::probe::{NotReady, role};

/// What there is to say.
#[derive(Debug)]
pub struct Report {
    /// Whether the member serves.
    pub is_ready: bool,
    /// Some lines.
    pub text: String,
}

/// Asks the member, then all others.
pub fn report(conversation: &Conversation) -> Report {
    let own = role(conversation);
    let text = match (&own, Ensemble::of(conversation)) {
        (_, Ok(ensemble)) if !ensemble.members.is_empty() => {
            of_member(&ensemble, &own, &ensemble.others(conversation))
        }
        (Ok(role), Ok(_)) => format!("ready: {role}\n"),
        (Ok(role), Err(why)) => format!("ready: {role}; the others are not known: {why}\n"),
        (Err(why), _) => format!("not ready: {why}\n{}", look_at(why)),
    };
    Report { is_ready: own.is_ok(), text }
}

fn of_member(ensemble: &Ensemble, own: &State, others: &[(&Member, State)]) -> String {
    let me = ensemble.me;
    let mut text = match (own, &ensemble.waiting) {
        (Ok(role), _) => format!("server.{me} is ready: {role}\n"),
        (Err(_), Some(waiting)) => {
            format!("server.{me} is not ready: {}, {waiting}\n", ensemble.role)
        }
        (Err(why), None) => format!("server.{me} is not ready: {}, {why}\n", ensemble.role),
    };
    for member in &ensemble.members {
        let kind = if member.is_voter { "voter" } else { "observer" };
        let _ = write!(text, "  server.{} {kind} {}:{}  ", member.id, member.host, member.port);
        let other = others.iter().find(|(other, _)| other.id == member.id);
        let (state, is_own) = other.map_or((own, " (this server)"), |(_, state)| (state, ""));
        let _ = match state {
            Ok(role) => writeln!(text, "{role}{is_own}"),
            Err(why) => writeln!(text, "{why}{is_own}"),
        };
    }
    if own.is_err() {
        text += &advice(ensemble, others);
    }
    text
}

fn advice(ensemble: &Ensemble, others: &[(&Member, State)]) -> String {
    let serving = others.iter().filter(|other| counts(other)).count();
    let (quorum, voters) = (ensemble.quorum(), ensemble.voters());
    if ensemble.is_majority && serving >= quorum {
        return "The others have a quorum. This member synchronizes, or cannot reach the leader: if that \
                lasts, see whether ports 2888 and 3888 are open between the pods.\n"
            .to_owned();
    }
    let is_unresolved = |(_, state): &(&Member, State)| {
        matches!(state, Err(NotReady::NoAnswer(NoAnswer::Unresolved { .. })))
    };
    let mut text = format!("A quorum is {quorum} of {voters} voters: more of them must be up.\n");
    if others.iter().any(is_unresolved) {
        text += "Names without an address: their pods do not run, or the headless service lacks \
                 `publishNotReadyAddresses: true`.\n";
    }
    text
}

fn look_at(why: &NotReady) -> &'static str {
    match why {
        NotReady::NoAnswer(NoAnswer::Unreachable { .. }) => {
            "Nothing listens there: the server has ended or has not got so far, or its client port is \
             another. The end of its log says which.\n"
        }
        NotReady::NoAnswer(NoAnswer::TooLate { .. }) => {
            "It takes connections and does not answer: it stands still, or its disk does.\n"
        }
        _ => "",
    }
}
