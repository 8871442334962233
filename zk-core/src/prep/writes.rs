//! Each single write: its checks in Java's order, then its txn and the changes to come.

use zk_wire::{
    Acl, CreateFlags, CreateKind, CreateRequest, CreateTxn, ErrorCode, NodeDigest, Op, Perms,
    StatPersisted, Txn,
};

use super::outstanding::Pending;
use super::{Desk, Write};
use crate::apply::new_stat;
use crate::path;
use crate::quorum::Members;
use crate::quota::{self, Allowance};
use crate::tree::NodeKind;

/// A create whose op, flags and ttl fit together.
#[derive(Clone, Copy, Debug)]
pub(super) struct CreateMode {
    pub(super) kind: CreateKind,
    pub(super) is_ephemeral: bool,
    pub(super) is_sequential: bool,
}

impl CreateMode {
    /// Containers and TTL nodes belong to no session, whatever the flags say.
    pub(super) fn new(kind: CreateKind, flags: CreateFlags) -> Self {
        let may_be_ephemeral = matches!(kind, CreateKind::Create | CreateKind::Create2);
        Self {
            kind,
            is_ephemeral: flags.is_ephemeral() && may_be_ephemeral,
            is_sequential: flags.is_sequential(),
        }
    }
}

impl Desk<'_> {
    /// The txn of a write that is no multi.
    pub(super) fn write(&mut self, write: &Write<'_>) -> Result<Txn, ErrorCode> {
        match write {
            Write::CreateSession { timeout_ms } => {
                Ok(Txn::CreateSession { timeout_ms: *timeout_ms })
            }
            Write::CloseSession => Ok(self.close_session()),
            Write::Create(request) => {
                let mode = self.create_mode(request)?;
                self.create(mode, request)
            }
            Write::Delete { path, version } => self.delete(*path, *version),
            Write::DeleteContainer { path } => self.delete_container(path),
            Write::SetData { path, data, version } => self.set_data(*path, *data, *version),
            Write::SetAcl { path, acl, version } => self.set_acl(*path, *acl, *version),
            Write::Multi(ops) => Ok(self.multi(ops)),
            Write::Reconfig(_) if !self.options.reconfig => Err(ErrorCode::ReconfigDisabled),
            Write::Reconfig(Ok(members)) => self.reconfig(members),
            Write::Reconfig(Err(code)) => Err(*code),
            Write::Refused(code) => Err(*code),
        }
    }

    /// What decides the kind of node is the op; flags only add suffix and owner.
    fn create_mode(&self, request: &CreateRequest<'_>) -> Result<CreateMode, ErrorCode> {
        let flags = CreateFlags::from_code(request.flags).ok_or(ErrorCode::BadArguments)?;
        let is_ttl = flags.is_ttl();
        if is_ttl && !self.options.extended_types {
            return Err(ErrorCode::Unimplemented);
        }
        let ttl_fits = if is_ttl {
            (1..=NodeKind::TTL_MAX_MS).contains(&request.ttl_ms)
        } else {
            // Java lets op 21 with plain flags and ttl -1 through here, and dies applying it.
            request.ttl_ms < 0 && request.op != Op::CreateTtl
        };
        if !ttl_fits {
            return Err(ErrorCode::BadArguments);
        }
        let kind = match request.op {
            Op::CreateContainer => CreateKind::Container,
            Op::CreateTtl => CreateKind::Ttl { ttl_ms: request.ttl_ms },
            Op::Create2 => CreateKind::Create2,
            _ => CreateKind::Create,
        };
        Ok(CreateMode::new(kind, flags))
    }

    pub(super) fn create(
        &mut self,
        mode: CreateMode,
        request: &CreateRequest<'_>,
    ) -> Result<Txn, ErrorCode> {
        let wish = request.path.as_deref().ok_or(ErrorCode::MarshallingError)?;
        if !path::is_plausible(wish) {
            return Err(ErrorCode::BadArguments);
        }
        let acl = self.options.auth.normalise(request.acl.as_deref(), self.ids)?;
        let (parent_path, _) = path::split(wish).expect("a plausible path has a slash");
        let parent = self.look(parent_path)?;
        self.check_right(&parent.acl, Perms::CREATE)?;
        let path = if mode.is_sequential {
            format!("{wish}{:010}", parent.counter)
        } else {
            wish.to_owned()
        };
        if !path::is_valid(&path) {
            return Err(ErrorCode::BadArguments);
        }
        if self.outstanding.look(self.database, &path).is_some() {
            return Err(ErrorCode::NodeExists);
        }
        if matches!(parent.kind, NodeKind::Ephemeral(_)) {
            return Err(ErrorCode::NoChildrenForEphemerals);
        }
        self.check_quota(&path, request.data.map_or(0, quota::len), 1)?;

        let counter = parent.counter.wrapping_add(1);
        let mut raised = Pending { counter, children: parent.children + 1, ..parent.clone() };
        if counter > parent.stat.cversion {
            raised.stat.cversion = counter;
            raised.stat.pzxid = self.header.zxid.0;
        }
        self.outstanding.stage(parent_path, Some(&parent), Some(raised));
        let kind = match mode.kind {
            CreateKind::Container => NodeKind::Container,
            CreateKind::Ttl { ttl_ms } => NodeKind::Ttl { ttl_ms },
            _ if mode.is_ephemeral => NodeKind::Ephemeral(self.header.session),
            _ => NodeKind::Persistent,
        };
        let node = Pending {
            stat: new_stat(self.header, kind),
            kind,
            children: 0,
            counter: 0,
            acl: acl.as_slice().into(),
            digest: NodeDigest::new(&path, request.data),
        };
        self.outstanding.stage(&path, None, Some(node));
        Ok(Txn::Create(CreateTxn {
            kind: mode.kind,
            path,
            data: request.data.map(<[u8]>::to_vec),
            acl,
            ephemeral: mode.is_ephemeral,
            parent_cversion: counter,
        }))
    }

    pub(super) fn delete(&mut self, path: Option<&str>, version: i32) -> Result<Txn, ErrorCode> {
        let path = path.ok_or(ErrorCode::MarshallingError)?;
        if !path::is_plausible(path) || path::is_undeletable(path) {
            return Err(ErrorCode::BadArguments);
        }
        let (parent_path, _) = path::split(path).expect("a plausible path has a slash");
        let parent = self.look(parent_path)?;
        self.check_right(&parent.acl, Perms::DELETE)?;
        let node = self.look(path)?;
        check_version(version, node.stat.version)?;
        if node.children > 0 {
            return Err(ErrorCode::NotEmpty);
        }
        self.stage_deletion(path, &node);
        Ok(Txn::Delete { path: path.to_owned(), container: false })
    }

    fn delete_container(&mut self, path: &str) -> Result<Txn, ErrorCode> {
        let node = self.look(path)?;
        if node.children > 0 {
            return Err(ErrorCode::NotEmpty);
        }
        // Java deletes a persistent node here, made anew since the reaper looked.
        if matches!(node.kind, NodeKind::Persistent | NodeKind::Ephemeral(_)) {
            return Err(ErrorCode::BadVersion);
        }
        self.stage_deletion(path, &node);
        Ok(Txn::Delete { path: path.to_owned(), container: true })
    }

    pub(super) fn set_data(
        &mut self,
        path: Option<&str>,
        data: Option<&[u8]>,
        version: i32,
    ) -> Result<Txn, ErrorCode> {
        let path = valid(path)?;
        let node = self.look(path)?;
        self.check_right(&node.acl, Perms::WRITE)?;
        let tree = self.database.tree();
        let applied = tree.lookup(path).and_then(|id| tree.node(id).data).map_or(0, quota::len);
        self.check_quota(path, data.map_or(0, quota::len) - applied, 0)?;
        check_version(version, node.stat.version)?;
        let version = node.stat.version.wrapping_add(1);
        let stat = StatPersisted {
            version,
            mzxid: self.header.zxid.0,
            mtime: self.header.time_ms,
            ..node.stat
        };
        let changed = Pending { stat, digest: NodeDigest::new(path, data), ..node.clone() };
        self.outstanding.stage(path, Some(&node), Some(changed));
        let data = data.map(<[u8]>::to_vec);
        Ok(Txn::SetData { path: path.to_owned(), data, version, reconfig: false })
    }

    /// The zxid of the txn is the version of the configuration.
    fn reconfig(&mut self, members: &Members) -> Result<Txn, ErrorCode> {
        let node = self.look(path::CONFIG)?;
        self.check_right(&node.acl, Perms::WRITE)?;
        let zxid = self.header.zxid.0;
        let data = members.with_version(zxid).text().as_bytes().to_vec();
        let stat = StatPersisted {
            version: CONFIG_NODE_VERSION,
            mzxid: zxid,
            mtime: self.header.time_ms,
            ..node.stat
        };
        let digest = NodeDigest::new(path::CONFIG, Some(&data));
        self.outstanding.stage(
            path::CONFIG,
            Some(&node),
            Some(Pending { stat, digest, ..node.clone() }),
        );
        let path = path::CONFIG.to_owned();
        Ok(Txn::SetData { path, data: Some(data), version: CONFIG_NODE_VERSION, reconfig: true })
    }

    fn set_acl(
        &mut self,
        path: Option<&str>,
        acl: Option<&[Acl]>,
        version: i32,
    ) -> Result<Txn, ErrorCode> {
        let path = valid(path)?;
        let acl = self.options.auth.normalise(acl, self.ids)?;
        let node = self.look(path)?;
        self.check_right(&node.acl, Perms::ADMIN)?;
        check_version(version, node.stat.aversion)?;
        let version = node.stat.aversion.wrapping_add(1);
        let stat = StatPersisted { aversion: version, ..node.stat };
        let changed = Pending { stat, acl: acl.as_slice().into(), ..node.clone() };
        self.outstanding.stage(path, Some(&node), Some(changed));
        Ok(Txn::SetAcl { path: path.to_owned(), acl, version })
    }

    pub(super) fn check(&mut self, path: Option<&str>, version: i32) -> Result<Txn, ErrorCode> {
        let path = valid(path)?;
        let node = self.look(path)?;
        self.check_right(&node.acl, Perms::READ)?;
        check_version(version, node.stat.version)?;
        let version = node.stat.version.wrapping_add(1);
        Ok(Txn::Check { path: path.to_owned(), version })
    }

    fn close_session(&mut self) -> Txn {
        let paths = self.outstanding.ephemerals(self.database, self.header.session);
        for path in &paths {
            if let Some(node) = self.outstanding.look(self.database, path) {
                self.stage_deletion(path, &node);
            }
        }
        Txn::CloseSession { paths: Some(paths) }
    }

    fn stage_deletion(&mut self, path: &str, node: &Pending) {
        let (parent_path, _) = path::split(path).expect("a node's path has a slash");
        if let Some(parent) = self.outstanding.look(self.database, parent_path) {
            let stat = StatPersisted { pzxid: self.header.zxid.0, ..parent.stat };
            let left = Pending { stat, children: parent.children - 1, ..parent.clone() };
            self.outstanding.stage(parent_path, Some(&parent), Some(left));
        }
        self.outstanding.stage(path, Some(node), None);
    }

    fn look(&self, path: &str) -> Result<Pending, ErrorCode> {
        self.outstanding.look(self.database, path).ok_or(ErrorCode::NoNode)
    }

    fn check_right(&self, acl: &[Acl], wanted: Perms) -> Result<(), ErrorCode> {
        let is_allowed = self.options.auth.allows(acl, wanted, self.ids);
        if is_allowed { Ok(()) } else { Err(ErrorCode::NoAuth) }
    }

    /// Hard limits against the applied totals: writes in flight do not see each other, as in Java.
    fn check_quota(&self, path: &str, bytes: i64, nodes: i64) -> Result<(), ErrorCode> {
        if !self.options.enforce_quota || (bytes == 0 && nodes == 0) {
            return Ok(());
        }
        let tree = self.database.tree();
        let Some(allowance) =
            self.database.quotas.covering(path).and_then(|covering| Allowance::of(tree, covering))
        else {
            return Ok(());
        };
        let limits = allowance.limits.map_err(|()| ErrorCode::MarshallingError)?;
        let Some(totals) = allowance.totals else { return Ok(()) };
        let totals = totals.map_err(|()| ErrorCode::MarshallingError)?;
        let passes = |hard: i64, total: i64, more: i64| {
            hard > -1 && more != 0 && total.saturating_add(more) > hard
        };
        if passes(limits.count_hard, totals.count, nodes)
            || passes(limits.bytes_hard, totals.bytes, bytes)
        {
            return Err(ErrorCode::QuotaExceeded);
        }
        Ok(())
    }
}

/// Java never counts the versions of the node that shows the configuration.
const CONFIG_NODE_VERSION: i32 = -1;

fn valid(path: Option<&str>) -> Result<&str, ErrorCode> {
    path.filter(|path| path::is_valid(path)).ok_or(ErrorCode::BadArguments)
}

/// -1 matches any version.
fn check_version(expected: i32, current: i32) -> Result<(), ErrorCode> {
    if expected == -1 || expected == current { Ok(()) } else { Err(ErrorCode::BadVersion) }
}
