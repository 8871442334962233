//! Reading a part of the log for a learner, a few txns at a time, while everything else goes on.

use zk_core::{Input, LinkId};
use zk_storage::{LogRange, MemDisk, RecoverOptions, Wanted};

use super::{End, Process};
use crate::event::Work;
use crate::scene::Scene;
use crate::tally::Operation;

/// A part of the log on its way to a learner.
#[derive(Debug)]
pub(super) enum Reading {
    /// Nobody has looked for it yet.
    Wanted(Wanted),
    /// It is there.
    Found(LogRange<MemDisk>),
}

impl Process {
    /// Begins to read beside the log thread.
    pub(super) fn read_log(&mut self, scene: &mut Scene, link: LinkId, wanted: Wanted) {
        let node = self.node;
        scene.note(|| format!("{node} reads its log for link {}: {wanted:?}", link.0), 23);
        self.readings.insert(link, Reading::Wanted(wanted));
        let us = self.disk_us(scene);
        self.wake(scene, us, Work::LogRead(link));
    }

    /// The reading goes on. Whatever goes wrong with it, the learner gets a snapshot instead.
    pub(crate) fn on_reading(&mut self, scene: &mut Scene, link: LinkId) -> Result<(), End> {
        let Some(reading) = self.readings.remove(&link) else { return Ok(()) };
        let range = match reading {
            Reading::Found(range) => Some(range),
            Reading::Wanted(wanted) => {
                let length_max = RecoverOptions::default().length_max;
                LogRange::open(&self.disk, self.dirs.log(), wanted, length_max).ok().flatten()
            }
        };
        let Some((range, txns)) = range.and_then(|mut range| {
            let txns = range.read(scene.random.index(300)).ok().flatten()?;
            Some((range, txns))
        }) else {
            let node = self.node;
            scene.note(|| format!("{node} has no log for link {}", link.0), 24);
            return self.step(scene, Input::LogUnfit { link }, None);
        };
        if !range.is_over() {
            self.readings.insert(link, Reading::Found(range));
            let us = self.disk_us(scene);
            self.wake(scene, us, Work::LogRead(link));
        }
        scene.tally.count(Operation::LogRead);
        self.step(scene, Input::LogRead { link, txns: &txns }, None)
    }
}
