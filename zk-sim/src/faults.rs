//! What breaks: power, process, disk, network and clocks.

use zk_storage::{Crash, purge};

use crate::scene::Event;
use crate::violation::{Property, Violation};
use crate::world::World;

const EIO: i32 = 5;
const ENOSPC: i32 = 28;
const RETAINED: usize = 3;

impl World {
    pub(crate) fn on_fault(&mut self) -> Result<(), Violation> {
        if self.is_ending {
            return Ok(());
        }
        let faults = self.scene.knobs.faults;
        let us = 1 + self.scene.delay(2 * faults.pause_us);
        self.scene.after(us, Event::Fault);
        let mut hit = |weight: u64| self.scene.random.chance(weight);
        if hit(faults.power) {
            let crash = self.draw_crash();
            self.scene.note(|| format!("power is lost: {crash:?}"), &[10]);
            self.die(Some(crash));
        } else if hit(faults.kill) {
            self.scene.note(|| "kill -9".to_owned(), &[11]);
            self.die(None);
        } else if hit(faults.terminate) {
            self.scene.note(|| "SIGTERM".to_owned(), &[12]);
            return self.serve(|process, _, _| {
                process.stop();
                Ok(())
            });
        } else if hit(faults.disk) {
            let after = self.scene.random.below(12);
            let errno = self.scene.random.pick(&[EIO, ENOSPC]);
            self.scene.note(|| format!("the disk fails after {after} changes"), &[13]);
            self.is_disk_failing = true;
            self.disk.fail_after(after, errno);
        } else if hit(faults.cut) {
            self.cut(false);
        } else if hit(faults.half_open) {
            self.cut(true);
        } else if hit(faults.clock) {
            let jump = self.scene.random.between(0, 200_000);
            self.scene.wall_skew_ms = 100_000 - i64::try_from(jump).expect("it is small");
        } else if hit(faults.stall) {
            self.stall();
        } else if hit(faults.purge) {
            return self.purge();
        }
        Ok(())
    }

    pub(crate) fn draw_crash(&mut self) -> Crash {
        let kinds = [Crash::LoseAll, Crash::Prefix, Crash::Scatter, Crash::Scatter, Crash::KeepAll];
        self.scene.random.pick(&kinds)
    }

    /// Cuts a connection: bytes on the way are lost; with `is_mute` nobody is told.
    fn cut(&mut self, is_mute: bool) {
        let links: Vec<_> = self.wires.keys().copied().collect();
        if links.is_empty() {
            return;
        }
        let link = links[self.scene.random.index(links.len())];
        self.scene.note(|| format!("{link:?} is cut, mute: {is_mute}"), &[14]);
        let Some(wire) = self.wires.get_mut(&link) else { return };
        wire.is_cut = true;
        wire.is_mute |= is_mute;
        for stream in [&mut wire.up, &mut wire.down] {
            let n = self.scene.random.index(stream.len() + 1);
            stream.cut(n);
        }
        if !is_mute {
            let (up, down) = (self.scene.delay(20_000), self.scene.delay(20_000));
            self.scene.after(up, Event::UpEnd(link));
            self.scene.after(down, Event::DownEnd(link));
        }
    }

    /// The whole machine stands still: everything that was due comes late.
    fn stall(&mut self) {
        let us = self.scene.delay(1000 * self.scene.knobs.session_timeout_min_ms);
        self.scene.note(|| format!("all stands still for {us} us"), &[15]);
        self.scene.now_us += us;
    }

    fn purge(&mut self) -> Result<(), Violation> {
        self.scene.note(|| "purge".to_owned(), &[16]);
        match purge(&self.disk, self.dirs(), RETAINED) {
            Err(error) if !self.is_disk_failing => {
                Err(Property::Starts.broken(format!("purge fails: {error}")))
            }
            _ => Ok(()),
        }
    }
}
