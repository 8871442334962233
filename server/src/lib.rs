//! The shell around the pure core: sockets, threads, four-letter words.
