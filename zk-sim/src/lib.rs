//! Deterministic simulator: servers, clients, network, disks and clocks from one seed.
