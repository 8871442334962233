//! The one table of metrics: every name that a server has, and where its value comes from.
//!
//! `NoCounter`, `NoBasic` and `NoAdvanced` are parts of Java's server without a counterpart here: queues
//! between its threads, response caches, the request throttler, Netty, and timings of single proposals.
//! They stand at 0, as Java's do while they have nothing to tell, so that no dashboard misses a name.
//!
//! Invariant: names are Java's of 3.9.5, each once, in the order of its documentation.

use zk_core::{Peer, Stats, Summary};

use super::Source::{
    self, Advanced, Basic, Counter, Gauge, Leader, Learner, Member, NoAdvanced, NoBasic, NoCounter,
    NoLearner, Ratio,
};
use super::mean;

/// Names without a prefix, as Prometheus knows them.
pub(crate) const METRICS: &[(&str, Source)] = &[
    ("avg_latency", Ratio(|f| mean(f.peer.stats().latency))),
    ("max_latency", Gauge(|f| signed(f.peer.stats().latency.max))),
    ("min_latency", Gauge(|f| signed(f.peer.stats().latency.min))),
    ("packets_received", Gauge(|f| signed(f.peer.stats().packets_received))),
    ("packets_sent", Gauge(|f| signed(f.peer.stats().packets_sent))),
    ("num_alive_connections", Gauge(|f| f.connections.into())),
    ("outstanding_requests", Gauge(|f| size(Some(f.peer.outstanding())))),
    ("uptime", Gauge(|f| signed(f.uptime_ms))),
    ("znode_count", Gauge(|f| signed(node_count(f.peer)))),
    ("watch_count", Gauge(|f| size(Some(f.peer.watches().count())))),
    ("ephemerals_count", Gauge(|f| size(Some(ephemerals(f.peer))))),
    ("approximate_data_size", Gauge(|f| signed(f.peer.database().tree().data_size()))),
    ("global_sessions", Gauge(|f| size(Some(f.peer.session_count())))),
    ("local_sessions", Gauge(|_| 0)),
    ("open_file_descriptor_count", Gauge(|f| f.descriptors.open)),
    ("max_file_descriptor_count", Gauge(|f| f.descriptors.limit)),
    ("connection_drop_probability", Ratio(|_| 0.0)),
    ("last_client_response_size", Gauge(|f| size(f.peer.stats().last_response_size))),
    ("max_client_response_size", Gauge(|f| size(f.peer.stats().max_response_size))),
    ("min_client_response_size", Gauge(|f| size(f.peer.stats().min_response_size))),
    ("outstanding_tls_handshake", Gauge(|_| 0)),
    ("auth_failed_count", Gauge(|f| signed(f.peer.stats().auth_failed))),
    ("non_mtls_remote_conn_count", Gauge(|_| 0)),
    ("non_mtls_local_conn_count", Gauge(|_| 0)),
    ("quorum_size", Member(|members| size(Some(members.voters().count())))),
    ("learners", Leader(|_, reign| size(Some(reign.learners.len())))),
    ("synced_followers", Leader(|_, reign| size(Some(reign.synced_followers)))),
    ("synced_non_voting_followers", Leader(|_, r| size(Some(r.synced_non_voting_followers)))),
    ("synced_observers", Leader(|_, reign| size(Some(reign.synced_observers)))),
    ("pending_syncs", Leader(|_, reign| size(Some(reign.pending_syncs)))),
    ("leader_uptime", Leader(|_, reign| signed(reign.age_ms))),
    ("last_proposal_size", Leader(|f, _| proposal_sizes(f.peer.stats())[0])),
    ("max_proposal_size", Leader(|f, _| proposal_sizes(f.peer.stats())[2])),
    ("min_proposal_size", Leader(|f, _| proposal_sizes(f.peer.stats())[1])),
    ("fsynctime", Basic(|f| f.counts.flushes.summary())),
    ("snapshottime", Basic(|f| f.counts.snapshots)),
    ("snapshot_error_count", NoCounter),
    ("snapshot_rate_limited_count", NoCounter),
    ("restore_time", NoBasic),
    ("restore_error_count", NoCounter),
    ("restore_rate_limited_count", NoCounter),
    ("dbinittime", Basic(|f| f.counts.loading)),
    ("readlatency", Advanced(|f| &f.peer.stats().read_latency)),
    ("updatelatency", Advanced(|f| &f.peer.stats().update_latency)),
    ("propagation_latency", NoAdvanced),
    ("follower_sync_time", Basic(|f| f.peer.stats().member.follower_syncs)),
    ("observer_sync_time", Basic(|f| f.peer.stats().member.observer_syncs)),
    ("election_time", Basic(|f| f.peer.stats().member.elections)),
    ("looking_count", Counter(|f| f.peer.stats().member.looked)),
    ("diff_count", Counter(|f| f.peer.stats().member.diffs)),
    ("snap_count", Counter(|f| f.peer.stats().member.snaps)),
    ("commit_count", Counter(|f| f.peer.stats().commits)),
    ("connection_request_count", Counter(|f| f.peer.stats().connection_requests)),
    ("connection_token_deficit", NoBasic),
    ("connection_rejected", Counter(|f| f.peer.stats().connection_rejected)),
    ("inflight_snap_count", NoBasic),
    ("inflight_diff_count", NoBasic),
    ("bytes_received_count", Counter(|f| f.peer.stats().bytes_received)),
    ("unrecoverable_error_count", NoCounter),
    ("node_created_watch_count", Basic(|f| f.peer.stats().fired.created)),
    ("node_deleted_watch_count", Basic(|f| f.peer.stats().fired.deleted)),
    ("node_changed_watch_count", Basic(|f| f.peer.stats().fired.changed)),
    ("node_children_watch_count", Basic(|f| f.peer.stats().fired.children)),
    ("add_dead_watcher_stall_time", NoCounter),
    ("dead_watchers_queued", NoCounter),
    ("dead_watchers_cleared", NoCounter),
    ("dead_watchers_cleaner_latency", NoAdvanced),
    ("response_packet_cache_hits", NoCounter),
    ("response_packet_cache_misses", NoCounter),
    ("response_packet_get_children_cache_hits", NoCounter),
    ("response_packet_get_children_cache_misses", NoCounter),
    ("ensemble_auth_success", NoCounter),
    ("ensemble_auth_fail", NoCounter),
    ("ensemble_auth_skip", NoCounter),
    ("prep_processor_queue_time_ms", NoAdvanced),
    ("prep_processor_queue_size", NoBasic),
    ("prep_processor_request_queued", NoCounter),
    ("outstanding_changes_queued", NoCounter),
    ("outstanding_changes_removed", NoCounter),
    ("prep_process_time", NoBasic),
    ("proposal_process_time", NoBasic),
    ("close_session_prep_time", NoAdvanced),
    ("revalidate_count", NoCounter),
    ("connection_drop_count", Counter(|f| f.peer.stats().connection_drops)),
    ("connection_revalidate_count", Counter(|f| f.peer.stats().connection_revalidated)),
    ("sessionless_connections_expired", Counter(|f| f.peer.stats().sessionless_expired)),
    ("stale_sessions_expired", Counter(|f| f.peer.stats().sessions_expired)),
    ("unavailable_time", Basic(|f| f.peer.stats().member.unavailable)),
    ("leader_unavailable_time", Basic(|f| f.peer.stats().member.leader_unavailable)),
    ("requests_in_session_queue", NoBasic),
    ("pending_session_queue_size", NoBasic),
    ("reads_after_write_in_session_queue", NoBasic),
    ("reads_issued_from_session_queue", NoBasic),
    ("session_queues_drained", NoBasic),
    ("time_waiting_empty_pool_in_commit_processor_read_ms", NoBasic),
    ("write_batch_time_in_commit_processor", NoBasic),
    ("concurrent_request_processing_in_commit_processor", NoBasic),
    ("read_commit_proc_req_queued", NoBasic),
    ("write_commit_proc_req_queued", NoBasic),
    ("commit_commit_proc_req_queued", NoBasic),
    ("request_commit_queued", NoCounter),
    ("read_commit_proc_issued", NoBasic),
    ("write_commit_proc_issued", NoBasic),
    ("throttled_ops", NoCounter),
    ("read_commitproc_time_ms", NoAdvanced),
    ("write_commitproc_time_ms", NoAdvanced),
    ("local_write_committed_time_ms", NoAdvanced),
    ("server_write_committed_time_ms", NoAdvanced),
    ("commit_process_time", NoBasic),
    ("om_proposal_process_time_ms", NoAdvanced),
    ("om_commit_process_time_ms", NoAdvanced),
    ("read_final_proc_time_ms", NoAdvanced),
    ("write_final_proc_time_ms", NoAdvanced),
    ("proposal_latency", NoAdvanced),
    ("proposal_ack_creation_latency", NoAdvanced),
    ("commit_propagation_latency", NoAdvanced),
    ("learner_proposal_received_count", Counter(|f| f.peer.stats().member.proposals_received)),
    ("learner_commit_received_count", Counter(|f| f.peer.stats().member.commits_received)),
    ("learner_handler_qp_size", Learner(|learner| once(learner.packets))),
    ("learner_handler_qp_time_ms", NoLearner),
    ("startup_txns_loaded", Basic(|f| f.counts.replayed)),
    ("startup_txns_load_time", NoBasic),
    ("startup_snap_load_time", NoBasic),
    ("sync_processor_queue_and_flush_time_ms", NoAdvanced),
    ("sync_processor_queue_size", NoBasic),
    ("sync_processor_request_queued", Counter(|f| f.counts.batches.total)),
    ("sync_processor_queue_time_ms", NoAdvanced),
    ("sync_processor_queue_flush_time_ms", Advanced(|f| &f.counts.flushes)),
    ("sync_process_time", NoBasic),
    ("sync_processor_batch_size", Basic(|f| f.counts.batches)),
    ("quorum_ack_latency", NoAdvanced),
    ("proposal_count", Counter(|f| f.peer.stats().member.proposed)),
    ("quit_leading_due_to_disloyal_voter", NoCounter),
    ("stale_requests", NoCounter),
    ("stale_requests_dropped", NoCounter),
    ("stale_replies", NoCounter),
    ("request_throttle_queue_time_ms", NoAdvanced),
    ("request_throttle_wait_count", NoCounter),
    ("large_requests_rejected", Counter(|f| f.counts.large_rejected)),
    ("netty_queued_buffer_capacity", NoBasic),
    ("digest_mismatches_count", Counter(|f| f.peer.database().digest_mismatches())),
    ("learner_request_processor_queue_size", NoBasic),
    ("unsuccessful_handshake", NoCounter),
    ("insecure_admin_count", NoCounter),
    ("tls_handshake_exceeded", NoCounter),
    ("cnxn_closed_without_zk_server_running", NoCounter),
    ("skip_learner_request_to_next_processor_count", NoCounter),
    ("socket_closing_time", NoBasic),
    ("requests_not_forwarded_to_commit_processor", NoCounter),
    ("response_bytes", Counter(|f| f.peer.stats().response_bytes)),
    ("watch_bytes", Counter(|f| f.peer.stats().watch_bytes)),
    ("jvm_pause_time_ms", NoAdvanced),
];

/// Compat: Java counts a nameless root beside the root.
pub(crate) fn node_count(peer: &Peer) -> u64 {
    peer.database().tree().node_count() + 1
}

/// Last, smallest and largest of a leader's proposals; -1 while there is none.
pub(crate) fn proposal_sizes(stats: &Stats) -> [i64; 3] {
    let Summary { last, min, max, count, .. } = stats.member.proposal_sizes;
    if count == 0 { [-1; 3] } else { [last, min, max].map(signed) }
}

/// What is only looked at when somebody asks.
fn once(n: usize) -> Summary {
    let mut summary = Summary::default();
    summary.add(u64::try_from(n).unwrap_or(u64::MAX));
    summary
}

fn ephemerals(peer: &Peer) -> usize {
    peer.database().tree().ephemeral_owners().map(|(_, count)| count).sum()
}

/// A size, -1 while there is none.
fn size(size: Option<usize>) -> i64 {
    size.map_or(-1, |size| i64::try_from(size).unwrap_or(i64::MAX))
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
