//! All decisions of a server, pure: tree, watches, sessions, ACLs, quotas, preparation, order.
