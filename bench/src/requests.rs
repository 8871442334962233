//! The requests of a workload, encoded once and stamped with xid and node number when sent.
//!
//! All nodes are `/bench/n` and fourteen digits: 22 characters, as in the memory figures.
//!
//! Invariants
//! - Appending a request copies one template and writes at most eighteen bytes into the copy.
//! - A create never repeats a name.

use zk_wire::{Acl, Encoder, Op, RequestHeader, Xid, begin_frame, end_frame};

/// What a workload asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mix {
    Get,
    Set,
    /// Writes of next to nothing.
    SetSmall,
    Create,
    /// Nine reads, then a write.
    NinetyTen,
}

/// Whether a request goes through the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    Write,
}

/// An endless row of requests.
#[derive(Debug)]
pub(crate) struct Requests {
    mix: Mix,
    get: Template,
    set: Template,
    create: Template,
    nodes: u64,
    sent: u64,
    next_name: u64,
}

impl Requests {
    /// Reads and writes go to the first `nodes` nodes; creates count up from `first_name`.
    pub(crate) fn new(mix: Mix, nodes: u64, first_name: u64) -> Self {
        let set = match mix {
            Mix::SetSmall => &DATA[..SMALL],
            Mix::Get | Mix::Set | Mix::Create | Mix::NinetyTen => &DATA[..],
        };
        Self {
            mix,
            get: Template::new(Op::GetData, |e| {
                e.boolean(false);
            }),
            set: Template::new(Op::SetData, |e| {
                e.buffer(Some(set)).int(-1);
            }),
            create: Template::new(Op::Create, |e| {
                e.buffer(Some(&DATA));
                Acl::encode_list(&[Acl::open()], e);
                e.int(0);
            }),
            nodes,
            sent: 0,
            next_name: first_name,
        }
    }

    /// Appends the next request to `out`.
    pub(crate) fn append(&mut self, xid: i32, out: &mut Vec<u8>) -> Kind {
        self.sent += 1;
        // A step that shares no factor with the count visits every node, in no order that a
        // cache could foresee.
        let node = self.sent.wrapping_mul(STEP) % self.nodes;
        let kind = match self.mix {
            Mix::Get => Kind::Read,
            Mix::NinetyTen if !self.sent.is_multiple_of(10) => Kind::Read,
            Mix::Set | Mix::SetSmall | Mix::Create | Mix::NinetyTen => Kind::Write,
        };
        match (kind, self.mix) {
            (Kind::Read, _) => self.get.append(xid, node, out),
            (Kind::Write, Mix::Create) => {
                self.create.append(xid, self.next_name, out);
                self.next_name += 1;
            }
            (Kind::Write, _) => self.set.append(xid, node, out),
        }
        kind
    }
}

/// The path of a node.
pub(crate) fn path(number: u64) -> String {
    format!("{PARENT}/n{number:0DIGITS$}")
}

/// What every node holds.
pub(crate) const DATA: [u8; 100] = [b'z'; 100];

/// How many bytes of it a small write has.
const SMALL: usize = 8;

/// The parent of every node.
pub(crate) const PARENT: &str = "/bench";

#[derive(Debug)]
struct Template {
    frame: Vec<u8>,
}

impl Template {
    /// The frame of `op` on a node; `rest` writes what follows the path.
    fn new(op: Op, rest: impl FnOnce(&mut Encoder<'_>)) -> Self {
        let mut frame = Vec::new();
        let start = begin_frame(&mut frame);
        let mut encoder = Encoder::new(&mut frame);
        RequestHeader { xid: Xid(0), op: op.code() }.encode(&mut encoder);
        encoder.text(&path(0));
        rest(&mut encoder);
        end_frame(&mut frame, start);
        Self { frame }
    }

    fn append(&self, xid: i32, number: u64, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.frame);
        let copy = &mut out[start..];
        copy[XID_AT..XID_AT + 4].copy_from_slice(&xid.to_be_bytes());
        let mut rest = number;
        for digit in copy[DIGITS_AT..DIGITS_AT + DIGITS].iter_mut().rev() {
            if rest == 0 {
                break;
            }
            *digit += u8::try_from(rest % 10).expect("a digit is below 10");
            rest /= 10;
        }
    }
}

const XID_AT: usize = 4;
const DIGITS: usize = 14;
/// Behind length, xid, op, the path's length, its parent and `/n`.
const DIGITS_AT: usize = 4 + 4 + 4 + 4 + PARENT.len() + 2;
const STEP: u64 = 618_033_989;

#[cfg(test)]
mod tests {
    use super::*;
    use zk_wire::{Decoder, Frames, Request};

    fn sent(mix: Mix, count: i32) -> Vec<String> {
        let mut requests = Requests::new(mix, 10, 12_345);
        let mut out = Vec::new();
        for xid in 0..count {
            requests.append(xid, &mut out);
        }
        let mut frames = Frames::new(&out, 1000);
        let mut texts = Vec::new();
        while let Some(frame) = frames.next_frame().unwrap() {
            let mut decoder = Decoder::new(frame);
            let header = RequestHeader::decode(&mut decoder).unwrap();
            let request = Request::decode(Op::from_code(header.op).unwrap(), &mut decoder).unwrap();
            let (name, path) = match request {
                Request::GetData { path, watch: false } => ("get", path),
                Request::SetData { path, version: -1, data: Some(data) } if data == DATA => {
                    ("set", path)
                }
                Request::SetData { path, version: -1, data: Some(b"zzzzzzzz") } => ("small", path),
                Request::Create(create) => ("create", create.path),
                other => panic!("unexpected {other:?}"),
            };
            texts.push(format!("{} {name} {}", header.xid.0, path.unwrap()));
            assert!(decoder.rest().is_empty());
        }
        assert_eq!(frames.consumed(), out.len());
        texts
    }

    #[test]
    fn a_path_has_22_characters() {
        assert_eq!(path(42), "/bench/n00000000000042");
        assert_eq!(path(42).len(), 22);
    }

    #[test]
    fn creates_count_up() {
        assert_eq!(
            sent(Mix::Create, 2),
            ["0 create /bench/n00000000012345", "1 create /bench/n00000000012346"]
        );
    }

    #[test]
    fn a_small_write_has_eight_bytes() {
        assert_eq!(sent(Mix::SetSmall, 1), ["0 small /bench/n00000000000009"]);
    }

    #[test]
    fn a_mix_has_one_write_in_ten() {
        let sent = sent(Mix::NinetyTen, 20);
        let writes: Vec<_> = sent.iter().filter(|text| text.contains("set")).collect();
        assert_eq!(writes, ["9 set /bench/n00000000000000", "19 set /bench/n00000000000000"]);
    }

    #[test]
    fn reads_visit_every_node() {
        let mut paths: Vec<_> =
            sent(Mix::Get, 10).iter().map(|text| text[text.len() - 2..].to_owned()).collect();
        paths.sort();
        assert_eq!(paths, ["00", "01", "02", "03", "04", "05", "06", "07", "08", "09"]);
    }
}
