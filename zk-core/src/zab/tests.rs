//! Scenarios of one leader or one learner. Each that is named after an issue of ZooKeeper's tracker fails
//! when the guard against that bug is taken away.

mod leader;
mod learner;

use std::fmt::Write as _;

use zk_wire::{
    Encoder, Epoch, Naming, QuorumPacket, SessionId, Txn, TxnHeader, TxnRecord, Xid, Zxid,
};

use super::{Act, Activation, LinkId};

/// `epoch:counter`.
fn zxid(text: &str) -> Zxid {
    let (epoch, counter) = text.split_once(':').expect("epoch:counter");
    Zxid::new(Epoch(epoch.parse().unwrap()), counter.parse().unwrap())
}

fn shown(zxid: Zxid) -> String {
    format!("{}:{}", zxid.epoch().0, zxid.counter())
}

/// The bytes of some txn.
fn txn(zxid: Zxid) -> Vec<u8> {
    let header = TxnHeader { session: SessionId(1), cxid: Xid(1), zxid, time_ms: 5 };
    let record = TxnRecord { header, txn: Txn::Error { code: -101 }, digest: None };
    let mut bytes = Vec::new();
    record.encode(&mut Encoder::new(&mut bytes));
    bytes
}

/// What was wanted, a line each; links are told only where there are several.
fn lines(acts: Vec<Act>, name: impl Fn(LinkId) -> String) -> String {
    let mut text = String::new();
    for act in acts {
        match act {
            Act::Send(link, mut bytes) => {
                while let Some((packet, len)) = QuorumPacket::decode(&bytes, 1 << 20).unwrap() {
                    writeln!(text, "send {}{}", name(link), packet_line(&packet)).unwrap();
                    bytes = bytes.slice(len..);
                }
            }
            Act::Close(link) => writeln!(text, "close {}", name(link)).unwrap(),
            Act::StoreAccepted(epoch) => writeln!(text, "store acceptedEpoch {epoch}").unwrap(),
            Act::StoreCurrent(epoch) => writeln!(text, "store currentEpoch {epoch}").unwrap(),
            Act::StoreNaming(naming) => writeln!(text, "store {}", named(naming)).unwrap(),
            Act::Log(record, _) => writeln!(text, "log {}", shown(record.header.zxid)).unwrap(),
            Act::Truncate(zxid) => writeln!(text, "truncate to {}", shown(zxid)).unwrap(),
            Act::Load => writeln!(text, "load the snapshot").unwrap(),
            Act::Replay(record) => writeln!(text, "apply {}", shown(record.header.zxid)).unwrap(),
            Act::Save => writeln!(text, "save the tree").unwrap(),
            Act::Commit(zxid) => writeln!(text, "commit {}", shown(zxid)).unwrap(),
            Act::Propose(config) => writeln!(text, "members to come: {config}").unwrap(),
            Act::Activate(Activation { text: config, leader, .. }) => {
                let leader = leader.map_or("whoever leads".to_owned(), |sid| sid.to_string());
                writeln!(text, "members {config}, led by {leader}").unwrap();
            }
            Act::ReadLog(read) => {
                let (above, until) = (shown(read.above), shown(read.until));
                let to = name(read.link);
                writeln!(text, "read the log above {above} up to {until} for {to}").unwrap();
            }
            Act::Stream(link) => writeln!(text, "stream {}", name(link)).unwrap(),
            Act::Serve => writeln!(text, "serve").unwrap(),
            Act::Follow(sid) => writeln!(text, "follow {sid}").unwrap(),
            Act::Retired => writeln!(text, "retired").unwrap(),
            Act::GiveUp(why) => writeln!(text, "give up: {why}").unwrap(),
        }
    }
    text
}

fn named(naming: Naming) -> String {
    match naming {
        Naming::Unknown => "no id".to_owned(),
        Naming::Proposed { id, epoch } => format!("id {:x} proposed in epoch {epoch}", id.0),
        Naming::Settled(id) => format!("id {:x}", id.0),
    }
}

fn packet_line(packet: &QuorumPacket<'_>) -> String {
    let name = packet.name();
    match packet {
        QuorumPacket::Proposal { zxid, .. }
        | QuorumPacket::Ack { zxid }
        | QuorumPacket::Commit { zxid }
        | QuorumPacket::Inform { zxid, .. }
        | QuorumPacket::NewLeader { zxid, .. }
        | QuorumPacket::FollowerInfo { zxid, .. }
        | QuorumPacket::ObserverInfo { zxid, .. }
        | QuorumPacket::Diff { zxid }
        | QuorumPacket::Trunc { zxid }
        | QuorumPacket::Snap { zxid }
        | QuorumPacket::LeaderInfo { zxid, .. } => format!("{name} {}", shown(*zxid)),
        QuorumPacket::AckEpoch { zxid, epoch } => {
            let epoch = epoch.map_or("none".to_owned(), |epoch| epoch.to_string());
            format!("{name} {} epoch {epoch}", shown(*zxid))
        }
        QuorumPacket::CommitAndActivate { zxid, leader } => {
            format!("{name} {} led by {leader}", shown(*zxid))
        }
        QuorumPacket::HandOver { leader } => format!("{name} {leader}"),
        QuorumPacket::Ensemble { naming } => format!("{name} {}", named(*naming)),
        _ => name.to_owned(),
    }
}
