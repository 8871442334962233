//! Bytes that real Java servers and clients wrote: read, then written again, they are the same.
//!
//! Each file of `testdata` is named `<record>-<case>.hex`; its first line says who wrote it.
//! What this crate only reads (requests) or leaves to its users (bodies of replies) is written
//! here, from what was read.

#![allow(clippy::unwrap_used, reason = "nothing here runs outside tests")]

mod damage;
mod quorum;
mod requests;

use std::fs;
use std::path::Path;

use zk_wire::{
    Acl, ConnectRequest, ConnectResponse, DecodeError, Decoder, Encoder, FileHeader, ReplyHeader,
    Stat, TxnRecord, WatchEventType, WatcherEvent,
};

/// A file of `testdata`.
pub(crate) struct Golden {
    /// Such as `reply`.
    pub(crate) record: String,
    /// Such as `getData_watch`.
    pub(crate) case: String,
    pub(crate) bytes: Vec<u8>,
}

/// Every golden file, in the order of the names.
pub(crate) fn golden() -> Vec<Golden> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort_unstable();
    paths.iter().map(|path| Golden::read(path)).collect()
}

impl Golden {
    fn read(path: &Path) -> Self {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let (record, case) = name.split_once('-').unwrap();
        let text = fs::read_to_string(path).unwrap();
        let (origin, hex) = text.split_once('\n').unwrap();
        assert!(origin.starts_with("# Java 3."), "{name} does not say who wrote it");
        let digits: Vec<_> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
        let byte = |pair: &[u32]| u8::try_from(pair[0] << 4 | pair[1]).unwrap();
        let bytes = digits.chunks(2).map(byte).collect();
        Self { record: record.to_owned(), case: case.to_owned(), bytes }
    }

    /// The op that the case starts with, as the protocol calls it.
    fn op(&self) -> &str {
        self.case.split('_').next().unwrap()
    }
}

#[test]
fn what_java_wrote_is_read_and_written_the_same() {
    let golden = golden();
    assert!(golden.len() > 100, "only {} golden files", golden.len());
    for file in &golden {
        let mut out = Vec::new();
        let e = &mut Encoder::new(&mut out);
        let written = match file.record.as_str() {
            "connect_request" => ConnectRequest::decode(&file.bytes).map(|r| r.encode(e)),
            "connect_response" => ConnectResponse::decode(&file.bytes).map(|r| {
                r.encode(e);
            }),
            "request" => requests::rewrite(&file.bytes, e),
            "reply" => rewrite_reply(file, e),
            "event" => rewrite_event(&file.bytes, e),
            "txn" => TxnRecord::decode(&file.bytes).map(|record| record.encode(e)),
            "file_header" => {
                FileHeader::decode(&mut Decoder::new(&file.bytes)).map(|header| header.encode(e))
            }
            "quorum_port" => {
                e.raw(&quorum::rewrite(&file.bytes));
                Ok(())
            }
            record => panic!("no reader for {record}"),
        };
        assert_eq!(written, Ok(()), "{}-{}", file.record, file.case);
        assert_eq!(hex(&out), hex(&file.bytes), "{}-{}", file.record, file.case);
    }
}

#[test]
fn every_txn_type_is_among_the_golden_files() {
    for kind in [
        "create",
        "create2",
        "createContainer",
        "createTTL",
        "delete",
        "deleteContainer",
        "setData",
        "setACL",
        "multi",
        "reconfig",
        "error",
        "createSession",
        "closeSession",
    ] {
        assert!(golden().iter().any(|file| file.record == "txn" && file.op() == kind), "{kind}");
    }
}

#[test]
fn golden_txns_hold_what_their_logs_do() {
    let txns: Vec<_> = golden().into_iter().filter(|file| file.record == "txn").collect();
    for file in txns {
        let record = TxnRecord::decode(&file.bytes).unwrap();
        assert!(record.header.zxid.0 > 0 && record.header.time_ms > 1_600_000_000_000);
        // Only errors and the making of sessions change no node; digests stand behind all but errors.
        assert_eq!(record.digest.is_none(), file.op() == "error", "{}", file.case);
    }
}

fn rewrite_event(bytes: &[u8], e: &mut Encoder<'_>) -> Result<(), DecodeError> {
    let d = &mut Decoder::new(bytes);
    let header = ReplyHeader::decode(d)?;
    let (kind, state) = (d.int()?, d.int()?);
    assert_eq!(state, 3);
    let event = [
        WatchEventType::NodeCreated,
        WatchEventType::NodeDeleted,
        WatchEventType::NodeDataChanged,
        WatchEventType::NodeChildrenChanged,
    ]
    .into_iter()
    .find(|event| event.code() == kind)
    .expect("a known event");
    let path = d.text()?.expect("events have a path");
    WatcherEvent { event, path: &path }.encode(header.zxid, e);
    Ok(())
}

fn rewrite_reply(file: &Golden, e: &mut Encoder<'_>) -> Result<(), DecodeError> {
    let d = &mut Decoder::new(&file.bytes);
    let header = ReplyHeader::decode(d)?;
    header.encode(e);
    if header.err != 0 {
        return Ok(());
    }
    match file.op() {
        "create" | "sync" => rewrite_text(d, e),
        "create2" | "createContainer" | "createTTL" => {
            rewrite_text(d, e)?;
            rewrite_stat(d, e)
        }
        "exists" | "setData" | "setACL" => rewrite_stat(d, e),
        "getData" => {
            e.buffer(d.buffer()?);
            rewrite_stat(d, e)
        }
        "getACL" => {
            Acl::encode_list(&d.vector(Acl::decode)?.expect("never null"), e);
            rewrite_stat(d, e)
        }
        "getChildren" | "getEphemerals" => rewrite_texts(d, e),
        "getChildren2" => {
            rewrite_texts(d, e)?;
            rewrite_stat(d, e)
        }
        "addWatch" | "getAllChildrenNumber" => {
            e.int(d.int()?);
            Ok(())
        }
        "whoAmI" => {
            let pairs = d.vector(|d| Ok([d.text()?, d.text()?]))?.expect("never null");
            e.count(pairs.len());
            for text in pairs.iter().flatten() {
                e.text_or_null(text.as_deref());
            }
            Ok(())
        }
        "multi" | "multiRead" => rewrite_results(d, e),
        "delete" | "auth" | "ping" | "checkWatches" | "removeWatches" | "setWatches2"
        | "closeSession" => Ok(()),
        op => panic!("no reader for replies to {op}"),
    }
}

fn rewrite_results(d: &mut Decoder<'_>, e: &mut Encoder<'_>) -> Result<(), DecodeError> {
    loop {
        let (kind, done, err) = (d.int()?, d.boolean()?, d.int()?);
        e.int(kind).boolean(done).int(err);
        if done {
            return Ok(());
        }
        match kind {
            -1 => {
                e.int(d.int()?);
            }
            1 => rewrite_text(d, e)?,
            2 | 13 => {}
            4 => {
                e.buffer(d.buffer()?);
                rewrite_stat(d, e)?;
            }
            5 => rewrite_stat(d, e)?,
            8 => rewrite_texts(d, e)?,
            15 => {
                rewrite_text(d, e)?;
                rewrite_stat(d, e)?;
            }
            _ => panic!("no result has the type {kind}"),
        }
    }
}

fn rewrite_text(d: &mut Decoder<'_>, e: &mut Encoder<'_>) -> Result<(), DecodeError> {
    e.text_or_null(d.text()?.as_deref());
    Ok(())
}

fn rewrite_texts(d: &mut Decoder<'_>, e: &mut Encoder<'_>) -> Result<(), DecodeError> {
    let texts = d.texts("paths")?;
    e.count(texts.len());
    for text in &texts {
        e.text(text);
    }
    Ok(())
}

fn rewrite_stat(d: &mut Decoder<'_>, e: &mut Encoder<'_>) -> Result<(), DecodeError> {
    Stat::decode(d)?.encode(e);
    Ok(())
}

/// Lines of 32 bytes, so that a difference shows its place.
fn hex(bytes: &[u8]) -> Vec<String> {
    let line = |chunk: &[u8]| chunk.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.chunks(32).map(line).collect()
}
