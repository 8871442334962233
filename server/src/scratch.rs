//! A server's parts on a scratch folder, for tests.

use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use zk_config::Config;
use zk_core::Database;
use zk_storage::TxnLog;
use zk_wire::{
    Acl, CreateKind, CreateTxn, Encoder, SessionId, Txn, TxnHeader, TxnRecord, Xid, Zxid,
};

use crate::log_thread::{LogFiles, LogThread, Report, WriterOptions};
use crate::progress::Progress;
use crate::settings::{Settings, log_options};
use crate::startup::{self, History, StartPolicy};

/// A folder, and the settings that have the data in it.
pub(crate) struct Scratch {
    pub(crate) config: Config,
    _folder: TempDir,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self { config: Config::embedded_default(folder.path()), _folder: folder }
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings::new(&self.config)
    }

    /// What the files have.
    pub(crate) fn database(&self) -> Database {
        let files = self.settings().files;
        let history = History::new(&self.config, &files, 1);
        startup::load(&files, &history, StartPolicy::of(&self.config), &Progress::default())
            .unwrap()
            .database
    }

    /// A thread that writes the files; `is_member` gives it epochs.
    pub(crate) fn start_log(&self, is_member: bool) -> (LogThread, UnboundedReceiver<Report>) {
        let files = self.settings().files;
        let database = self.database();
        let log = TxnLog::new(files.disk, &files.dirs, log_options(&self.config));
        let history = History::new(&self.config, &files, 1);
        let epochs = is_member.then(|| startup::load_epochs(&files, &database).unwrap());
        let options = WriterOptions {
            slow_flush: Duration::from_secs(1),
            flush_delay: Duration::ZERO,
            poll_time: Duration::ZERO,
            batch_max: None,
            file_len_max: None,
        };
        let (sender, reports) = unbounded_channel();
        let naming = startup::load_naming(&files).unwrap();
        let files = LogFiles { log, history, epochs, naming };
        (LogThread::start(files, sender, options).unwrap(), reports)
    }
}

/// A txn that makes a node.
pub(crate) fn create(zxid: Zxid, path: &str) -> TxnRecord {
    let header = TxnHeader { session: SessionId(1), cxid: Xid(1), zxid, time_ms: 1 };
    let txn = Txn::Create(CreateTxn {
        kind: CreateKind::Create,
        path: path.to_owned(),
        data: Some(b"data".to_vec()),
        acl: vec![Acl::open()],
        ephemeral: false,
        parent_cversion: -1,
    });
    TxnRecord { header, txn, digest: None }
}

/// The same as the log has it.
pub(crate) fn create_bytes(zxid: Zxid, path: &str) -> bytes::Bytes {
    let mut bytes = Vec::new();
    create(zxid, path).encode(&mut Encoder::new(&mut bytes));
    bytes.into()
}
