//! What a member knows of its ensemble, and what the other members say of themselves.
//!
//! The member is asked `memb`, a word of our servers only; the others `srvr`, all at once and within the
//! same deadline, so that one that is out of reach costs no other its answer.

use std::thread;

use crate::answer;
use crate::conversation::Conversation;
use crate::probe::{NotReady, role, unexpected};

/// An ensemble as one of its members sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ensemble {
    /// What the member is: `LOOKING`, `FOLLOWING`, `LEADING`, `OBSERVING` or `STANDALONE`.
    pub role: String,
    /// What it waits for, if it is in no quorum.
    pub waiting: Option<String>,
    /// Whether every participant's vote counts the same.
    pub is_majority: bool,
    /// Its number.
    pub me: i64,
    /// All members of the configuration that it goes by; none for a standalone server.
    pub members: Vec<Member>,
}

/// A member by the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its number.
    pub id: i64,
    /// Whether it votes.
    pub is_voter: bool,
    /// Where clients find it.
    pub host: String,
    /// Its client port.
    pub port: u16,
}

/// What another member is: its role, or why it serves nobody.
pub type State = Result<String, NotReady>;

impl Ensemble {
    /// Asks a member of ours.
    ///
    /// # Errors
    /// It does not answer, or is not one of ours.
    pub fn of(conversation: &Conversation) -> Result<Self, NotReady> {
        let text = conversation.ask("memb")?;
        if text.is_empty() || answer::is_refusal("memb", &text) {
            return Err(NotReady::NotOurs);
        }
        Self::parse(&text).ok_or_else(|| unexpected("memb", &text))
    }

    fn parse(text: &str) -> Option<Self> {
        if text.contains(|c: char| c.is_control() && c != '\n' && c != '\t') {
            return None;
        }
        let mut ensemble = Self::default();
        for line in text.lines() {
            match line.split('\t').collect::<Vec<_>>()[..] {
                ["role", role] => ensemble.role = role.to_owned(),
                ["waiting", sentence] => ensemble.waiting = Some(sentence.to_owned()),
                ["quorum", kind] => ensemble.is_majority = kind == "majority",
                ["me", id] => ensemble.me = id.parse().ok()?,
                ["member", id, role, host, port] => ensemble.members.push(Member {
                    id: id.parse().ok()?,
                    is_voter: role == "participant",
                    host: host.to_owned(),
                    port: port.parse().ok()?,
                }),
                // A later version says more.
                [_, _, ..] => {}
                _ => return None,
            }
        }
        (!ensemble.role.is_empty()).then_some(ensemble)
    }

    /// Asks every other member what it is.
    pub fn others<'e>(&'e self, conversation: &Conversation) -> Vec<(&'e Member, State)> {
        let others = self.members.iter().filter(|member| member.id != self.me);
        thread::scope(|scope| {
            let asked: Vec<_> = others
                .map(|member| {
                    let conversation = conversation.with(&member.host, member.port);
                    (member, scope.spawn(move || role(&conversation)))
                })
                .collect();
            let answer = |(member, asked): (&'e Member, thread::ScopedJoinHandle<'_, State>)| {
                (member, asked.join().expect("asking does not panic"))
            };
            asked.into_iter().map(answer).collect()
        })
    }

    /// How many vote.
    pub fn voters(&self) -> usize {
        self.members.iter().filter(|member| member.is_voter).count()
    }

    /// How many of them are a quorum.
    pub fn quorum(&self) -> usize {
        self.voters() / 2 + 1
    }

    /// Whether the member that was asked votes.
    pub fn is_voter(&self) -> bool {
        self.members.iter().any(|member| member.id == self.me && member.is_voter)
    }
}

/// Whether this is a voter that takes part in the quorum.
pub fn counts((member, state): &(&Member, State)) -> bool {
    let is_role = |role: &str| role == "leader" || role == "follower";
    member.is_voter && state.as_ref().is_ok_and(|role| is_role(role))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_member_says_is_read() {
        let text = "role\tLOOKING\nwaiting\twaiting for a leader; reached nobody\nquorum\tmajority\nme\t2\n\
                    member\t1\tparticipant\tzk-0.zk-hs\t2181\nmember\t2\tparticipant\tzk-1.zk-hs\t2181\n\
                    member\t3\tobserver\tfd00::3\t12181\nnews\tof later\n";
        let ensemble = Ensemble::parse(text).expect("it is an answer");
        assert_eq!(
            (ensemble.role.as_str(), ensemble.me, ensemble.is_majority),
            ("LOOKING", 2, true)
        );
        assert_eq!((ensemble.voters(), ensemble.quorum(), ensemble.is_voter()), (2, 2, true));
        let last = Member { id: 3, is_voter: false, host: "fd00::3".to_owned(), port: 12181 };
        assert_eq!(ensemble.members.last(), Some(&last));
    }

    #[test]
    fn what_is_no_answer_is_not_read() {
        for text in [
            "",
            "imok",
            "role\tLOOKING\nme\tx\n",
            "quorum\tmajority\n",
            "role\t\x1b[2J\n",
            "member\t1\n",
        ] {
            assert_eq!(Ensemble::parse(text), None, "{text:?}");
        }
    }
}
