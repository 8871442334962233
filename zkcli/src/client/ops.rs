//! The requests of a session, each with the reply it gets.
//!
//! Those that commands send many of come as `*_ahead`: they are sent at once and waited for later.

use std::borrow::Cow;

use zk_wire::{
    Acl, AddWatchMode, CreateFlags, CreateRequest, DecodeError, Decoder, ErrorCode, Id, MultiOp,
    Op, Request, Stat, WatcherType,
};

use super::session::Call;
use super::watches::Registration;
use super::{Client, Error, Pending};

/// A node that is to be created.
#[derive(Clone, Debug)]
pub(crate) struct NewNode<'a> {
    pub(crate) path: &'a str,
    pub(crate) data: Option<&'a [u8]>,
    pub(crate) acl: &'a [Acl],
    pub(crate) flags: CreateFlags,
    /// Of the TTL kinds, in ms.
    pub(crate) ttl_ms: i64,
}

/// What a node holds; `None` is Java's null.
pub(crate) type Data = Option<Vec<u8>>;

/// The op of a multi for which none of them was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FailedDelete {
    pub(crate) at: usize,
    pub(crate) error: Error,
}

impl Client {
    /// Creates a node and gives its path, which has a number behind it if it is sequential.
    pub(crate) fn create(&self, node: &NewNode<'_>) -> Result<String, Error> {
        self.create_ahead(node).wait().map(|path| self.relative(path))
    }

    /// As [`Client::create`]; the path is the server's own.
    pub(crate) fn create_ahead(&self, node: &NewNode<'_>) -> Pending<String> {
        let op = match node.flags {
            CreateFlags::Container => Op::CreateContainer,
            CreateFlags::PersistentWithTtl | CreateFlags::PersistentSequentialWithTtl => {
                Op::CreateTtl
            }
            CreateFlags::Persistent
            | CreateFlags::Ephemeral
            | CreateFlags::PersistentSequential
            | CreateFlags::EphemeralSequential => Op::Create,
        };
        let create = CreateRequest {
            op,
            path: self.full(node.path),
            data: node.data,
            acl: Some(node.acl.to_vec()),
            flags: flags_code(node.flags),
            ttl_ms: node.ttl_ms,
        };
        self.submit(&Request::Create(create), None, text)
    }

    pub(crate) fn delete(&self, path: &str, version: i32) -> Result<(), Error> {
        let request = Request::Delete { path: self.full(path), version };
        self.submit(&request, None, nothing).wait()
    }

    /// Deletes all these nodes or none, whatever their version; gives the first that could not go.
    pub(crate) fn delete_all_ahead(&self, paths: &[String]) -> Pending<Option<FailedDelete>> {
        let ops = paths.iter().map(|path| MultiOp::Delete { path: self.full(path), version: -1 });
        let ops = ops.collect();
        self.submit(&Request::Multi(ops), None, failed_delete)
    }

    /// The node's stat, or `None` if there is no such node.
    pub(crate) fn exists(&self, path: &str, watch: bool) -> Result<Option<Stat>, Error> {
        let request = Request::Exists { path: self.full(path), watch };
        let registration = watch.then(|| Registration::Exist(self.full_owned(path)));
        match self.submit(&request, registration, Stat::decode).wait() {
            Ok(stat) => Ok(Some(stat)),
            Err(error) if error.is_no_node() => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn get(&self, path: &str, watch: bool) -> Result<(Data, Stat), Error> {
        self.get_ahead(path, watch).wait()
    }

    pub(crate) fn get_ahead(&self, path: &str, watch: bool) -> Pending<(Data, Stat)> {
        let request = Request::GetData { path: self.full(path), watch };
        let registration = watch.then(|| Registration::Data(self.full_owned(path)));
        self.submit(&request, registration, data_and_stat)
    }

    pub(crate) fn set(&self, path: &str, data: Option<&[u8]>, version: i32) -> Result<Stat, Error> {
        let request = Request::SetData { path: self.full(path), data, version };
        self.submit(&request, None, Stat::decode).wait()
    }

    pub(crate) fn children(&self, path: &str, watch: bool) -> Result<(Vec<String>, Stat), Error> {
        self.children_ahead(path, watch).wait()
    }

    pub(crate) fn children_ahead(&self, path: &str, watch: bool) -> Pending<(Vec<String>, Stat)> {
        let request = Request::GetChildren { path: self.full(path), watch, with_stat: true };
        let registration = watch.then(|| Registration::Child(self.full_owned(path)));
        self.submit(&request, registration, names_and_stat)
    }

    pub(crate) fn acl(&self, path: &str) -> Result<(Vec<Acl>, Stat), Error> {
        self.acl_ahead(path).wait()
    }

    pub(crate) fn acl_ahead(&self, path: &str) -> Pending<(Vec<Acl>, Stat)> {
        self.submit(&Request::GetAcl { path: self.full(path) }, None, acl_and_stat)
    }

    pub(crate) fn set_acl(&self, path: &str, acl: &[Acl], version: i32) -> Result<Stat, Error> {
        let request = Request::SetAcl { path: self.full(path), acl: Some(acl.to_vec()), version };
        self.submit(&request, None, Stat::decode).wait()
    }

    pub(crate) fn sync(&self, path: &str) -> Result<(), Error> {
        self.submit(&Request::Sync { path: self.full(path) }, None, nothing).wait()
    }

    /// Text and stat of the ensemble's configuration; it lies outside of any chroot.
    pub(crate) fn config(&self, watch: bool) -> Result<(Data, Stat), Error> {
        let request = Request::GetData { path: Some(CONFIG.into()), watch };
        let registration = watch.then(|| Registration::Data(CONFIG.to_owned()));
        self.submit(&request, registration, data_and_stat).wait()
    }

    /// Changes the members; gives the new configuration.
    pub(crate) fn reconfigure(
        &self,
        joining: Option<&str>,
        leaving: Option<&str>,
        new_members: Option<&str>,
        config_id: i64,
    ) -> Result<(Data, Stat), Error> {
        let request = Request::Reconfig {
            joining: joining.map(Into::into),
            leaving: leaving.map(Into::into),
            new_members: new_members.map(Into::into),
            config_id,
        };
        self.submit(&request, None, data_and_stat).wait()
    }

    /// The session's ephemeral nodes below a prefix.
    pub(crate) fn ephemerals(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let request = Request::GetEphemerals { prefix: self.full(prefix) };
        let paths = self.submit(&request, None, texts).wait()?;
        Ok(paths.into_iter().map(|path| self.relative(path)).collect())
    }

    /// How many nodes are below this one.
    pub(crate) fn descendants(&self, path: &str) -> Result<i32, Error> {
        let request = Request::GetAllChildrenNumber { path: self.full(path) };
        self.submit(&request, None, |d| d.int()).wait()
    }

    /// Who the server takes this connection for: scheme and user of each id.
    pub(crate) fn who_am_i(&self) -> Result<Vec<Id>, Error> {
        self.submit(&Request::WhoAmI, None, ids).wait()
    }

    /// Credentials; if the server refuses them the session is over, which shows later.
    pub(crate) fn add_auth(&self, scheme: &str, auth: Option<&[u8]>) {
        let auth = auth.map(<[u8]>::to_vec);
        self.send(Call::Auth { scheme: scheme.to_owned(), auth });
    }

    pub(crate) fn add_watch(&self, path: &str, mode: AddWatchMode) -> Result<(), Error> {
        let request = Request::AddWatch { path: self.full(path), mode };
        let full = self.full_owned(path);
        let registration = match mode {
            AddWatchMode::Persistent => Registration::Persistent(full),
            AddWatchMode::PersistentRecursive => Registration::Recursive(full),
        };
        self.submit(&request, Some(registration), nothing).wait()
    }

    /// Removes watches; with `locally` they are forgotten here even if no server can be told.
    pub(crate) fn remove_watches(
        &self,
        path: &str,
        watcher_type: WatcherType,
        locally: bool,
    ) -> Result<(), Error> {
        let request = Request::RemoveWatches { path: self.full(path), watcher_type };
        let path = self.full_owned(path);
        let registration = Registration::Remove { path, kind: watcher_type, locally };
        self.submit(&request, Some(registration), nothing).wait()
    }

    fn full<'p>(&self, path: &'p str) -> Option<Cow<'p, str>> {
        Some(match (self.chroot.as_str(), path) {
            ("", path) => Cow::Borrowed(path),
            (chroot, "/") => Cow::Owned(chroot.to_owned()),
            (chroot, path) => Cow::Owned(format!("{chroot}{path}")),
        })
    }

    fn full_owned(&self, path: &str) -> String {
        self.full(path).map(Cow::into_owned).unwrap_or_default()
    }

    /// A path of the server's as the chroot shows it.
    fn relative(&self, path: String) -> String {
        match path.strip_prefix(self.chroot.as_str()) {
            Some("") => "/".to_owned(),
            Some(rest) if rest.starts_with('/') => rest.to_owned(),
            _ => path,
        }
    }
}

fn flags_code(flags: CreateFlags) -> i32 {
    match flags {
        CreateFlags::Persistent => 0,
        CreateFlags::Ephemeral => 1,
        CreateFlags::PersistentSequential => 2,
        CreateFlags::EphemeralSequential => 3,
        CreateFlags::Container => 4,
        CreateFlags::PersistentWithTtl => 5,
        CreateFlags::PersistentSequentialWithTtl => 6,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it stands beside decoders that can fail")]
fn nothing(_: &mut Decoder<'_>) -> Result<(), DecodeError> {
    Ok(())
}

fn text(d: &mut Decoder<'_>) -> Result<String, DecodeError> {
    Ok(d.text()?.map(Cow::into_owned).unwrap_or_default())
}

fn texts(d: &mut Decoder<'_>) -> Result<Vec<String>, DecodeError> {
    Ok(d.texts("path")?.into_iter().map(Cow::into_owned).collect())
}

fn data_and_stat(d: &mut Decoder<'_>) -> Result<(Data, Stat), DecodeError> {
    Ok((d.buffer()?.map(<[u8]>::to_vec), Stat::decode(d)?))
}

fn names_and_stat(d: &mut Decoder<'_>) -> Result<(Vec<String>, Stat), DecodeError> {
    Ok((texts(d)?, Stat::decode(d)?))
}

fn acl_and_stat(d: &mut Decoder<'_>) -> Result<(Vec<Acl>, Stat), DecodeError> {
    Ok((d.vector(Acl::decode)?.unwrap_or_default(), Stat::decode(d)?))
}

fn ids(d: &mut Decoder<'_>) -> Result<Vec<Id>, DecodeError> {
    Ok(d.vector(Id::decode)?.unwrap_or_default())
}

/// The first delete that failed, if one did. The others of a multi that failed have a code of their own,
/// which says only that they were not tried or were taken back.
fn failed_delete(d: &mut Decoder<'_>) -> Result<Option<FailedDelete>, DecodeError> {
    let mut failed = None;
    for at in 0.. {
        let (kind, done) = (d.int()?, d.boolean()?);
        d.int()?;
        if done {
            break;
        }
        if kind == MULTI_ERROR {
            let code = d.int()?;
            let is_cause = code != 0 && code != ErrorCode::RuntimeInconsistency.code();
            if is_cause && failed.is_none() {
                failed = Some(FailedDelete { at, error: Error::from_code(code) });
            }
        }
    }
    Ok(failed)
}

/// The `type` of an op's result in a multi that failed.
const MULTI_ERROR: i32 = -1;
const CONFIG: &str = "/zookeeper/config";
