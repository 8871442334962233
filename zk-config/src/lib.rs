//! zoo.cfg, dynamic configuration and myid: parsed, checked, rendered; the one table of keys.
