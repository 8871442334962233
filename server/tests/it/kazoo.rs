//! kazoo's own tests against one standalone server.

use crate::kazoo_suite;
use crate::server::free_port;

#[test]
fn kazoo_passes_its_own_tests() {
    // Who stands alone opens no ports for learners and votes.
    kazoo_suite::passes(&[[free_port(), 0, 0]], "deselected_alone.txt");
}
