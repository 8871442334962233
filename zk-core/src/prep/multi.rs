//! A multi: all of its ops or none, in one txn.

use zk_wire::{CreateFlags, CreateKind, CreateRequest, ErrorCode, MultiOp, Op, Txn};

use super::writes::CreateMode;
use super::{Desk, error};
use crate::tree::NodeKind;

impl Desk<'_> {
    /// The txn of a multi; the parts before a failing one keep their bodies, as Java logs them.
    pub(super) fn multi(&mut self, ops: &[MultiOp<'_>]) -> Txn {
        // Compat: 3.9 validates creates while it decodes the request, before anything is looked at.
        if !ops.iter().all(is_well_formed) {
            return error(ErrorCode::MarshallingError);
        }
        let mut parts = Vec::with_capacity(ops.len());
        let mut failure = None;
        for op in ops {
            let part = match failure {
                None => self.part(op).unwrap_or_else(|code| {
                    failure = Some(code);
                    error(code)
                }),
                Some(_) => error(ErrorCode::RuntimeInconsistency),
            };
            parts.push(part);
        }
        if failure.is_some() {
            self.outstanding.drop_staged();
        }
        Txn::Multi(parts)
    }

    fn part(&mut self, op: &MultiOp<'_>) -> Result<Txn, ErrorCode> {
        match op {
            MultiOp::Create(request) => {
                let mode = self.part_mode(request)?;
                self.create(mode, request)
            }
            MultiOp::Delete { path, version } => self.delete(path.as_deref(), *version),
            MultiOp::SetData { path, data, version } => {
                self.set_data(path.as_deref(), *data, *version)
            }
            MultiOp::Check(check) => self.check(check.path.as_deref(), check.version),
            MultiOp::GetData { .. } | MultiOp::GetChildren { .. } => {
                Err(ErrorCode::MarshallingError)
            }
        }
    }

    /// Unlike a single create, a part of a multi is a container by its flags too, and op 21 with plain
    /// flags is a plain create.
    fn part_mode(&self, request: &CreateRequest<'_>) -> Result<CreateMode, ErrorCode> {
        let flags = CreateFlags::from_code(request.flags).ok_or(ErrorCode::BadArguments)?;
        if flags.is_ttl() {
            if !self.options.extended_types {
                return Err(ErrorCode::Unimplemented);
            }
            if !(1..=NodeKind::TTL_MAX_MS).contains(&request.ttl_ms) {
                return Err(ErrorCode::BadArguments);
            }
        }
        let kind = match request.op {
            _ if flags == CreateFlags::Container => CreateKind::Container,
            Op::CreateContainer => CreateKind::Container,
            Op::CreateTtl if flags.is_ttl() => CreateKind::Ttl { ttl_ms: request.ttl_ms },
            Op::Create2 => CreateKind::Create2,
            _ => CreateKind::Create,
        };
        Ok(CreateMode::new(kind, flags))
    }
}

fn is_well_formed(op: &MultiOp<'_>) -> bool {
    let MultiOp::Create(request) = op else { return true };
    request.acl.is_some()
        && CreateFlags::from_code(request.flags)
            .is_some_and(|flags| !flags.is_ttl() || request.op == Op::CreateTtl)
}
