//! A client that writes and keeps account: what was issued, what was acknowledged.
//!
//! Its creates go out in order on one session, so whatever happens to the server, what is left must be
//! the first `n` nodes, with `n` between the number acknowledged and the number issued.

use std::net::SocketAddr;

use zk_wire::Op;

use crate::client::{Client, NewNode};

/// A session that creates `/load-<number>/0`, `/load-<number>/1` and so on.
pub(crate) struct Load {
    client: Client,
    top: String,
    size: usize,
    issued: usize,
    acknowledged: usize,
}

impl Load {
    /// A new session whose nodes have `size` bytes each.
    pub(crate) fn new(address: SocketAddr, number: usize, size: usize) -> Self {
        let top = format!("/load-{number}");
        let mut client = Client::connect(address).expect("the server serves");
        client.create(&NewNode::new(&top, None)).expect("the top is new");
        Self { client, top, size, issued: 0, acknowledged: 0 }
    }

    /// Creates so many nodes, each acknowledged.
    pub(crate) fn write(&mut self, count: usize) {
        for _ in 0..count {
            assert!(self.window(1), "the server serves");
        }
    }

    /// Creates nodes, several in flight, until the connection is lost; calls back after each window.
    pub(crate) fn write_until_lost(&mut self, mut written: impl FnMut(usize)) {
        while self.window(WINDOW) {
            written(self.acknowledged);
        }
    }

    /// Sends so many creates and takes their replies; false when the connection is lost.
    fn window(&mut self, count: usize) -> bool {
        let mut is_lost = false;
        for _ in 0..count {
            let data = self.data(self.issued);
            let node = NewNode::new(format!("{}/{}", self.top, self.issued), data.as_slice());
            // A connection that is lost while this is sent may still have carried it.
            self.issued += 1;
            is_lost = self.client.send(Op::Create, |encoder| node.encode(encoder)).is_err();
            if is_lost {
                break;
            }
        }
        // What was answered before the loss is acknowledged all the same.
        while self.acknowledged < self.issued {
            if self.client.reply().is_err() {
                return false;
            }
            self.acknowledged += 1;
        }
        !is_lost
    }

    fn data(&self, number: usize) -> Vec<u8> {
        format!("{number} ").bytes().cycle().take(self.size).collect()
    }

    /// How many nodes were acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        self.acknowledged
    }

    /// Takes the session up again, and sees that no acknowledged node is lost or changed.
    pub(crate) fn check(&mut self, address: SocketAddr) {
        self.client = self.client.reattach(address).expect("the session lives on");
        let names = self.client.children(&self.top).expect("the top is acknowledged");
        let mut numbers: Vec<usize> = names.iter().map(|name| name.parse().unwrap()).collect();
        numbers.sort_unstable();
        let found = numbers.len();
        assert!(numbers.into_iter().eq(0..found), "{}: nodes are missing between others", self.top);
        assert!(
            (self.acknowledged..=self.issued).contains(&found),
            "{}: {found} nodes of {} acknowledged and {} issued",
            self.top,
            self.acknowledged,
            self.issued
        );
        for number in 0..found {
            let (data, _) = self.client.get(&format!("{}/{number}", self.top)).unwrap();
            assert_eq!(data, Some(self.data(number)), "{}/{number}", self.top);
        }
        (self.issued, self.acknowledged) = (found, found);
    }
}

const WINDOW: usize = 8;
