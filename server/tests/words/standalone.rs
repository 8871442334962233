//! A server that stands alone.

use crate::server::{Config, Kind, Server};
use crate::visitor::{Visitor, word};
use crate::{COUNTED_ALIKE, check_metrics, check_words, has_java};

/// Ours and Java's with a visitor each; none where Java is missing. Both run before a session begins: it
/// must not expire while the other starts.
fn both() -> Option<[(Server, Visitor); 2]> {
    if !has_java() {
        return None;
    }
    let servers = [Kind::Ours, Kind::Java].map(|kind| Server::new(kind, &Config::default()));
    Some(servers.map(|server| {
        word(server.address(), b"srst");
        let visitor = Visitor::new(server.address(), "app");
        (server, visitor)
    }))
}

#[test]
fn every_word_is_answered_in_javas_form() {
    let Some(both) = both() else { return };
    check_words(both.each_ref().map(|(server, _)| server.address()));
}

#[test]
fn mntr_misses_no_name_and_counts_alike() {
    let Some(both) = both() else { return };
    check_metrics(both.each_ref().map(|(server, _)| server.address()), COUNTED_ALIKE);
}
