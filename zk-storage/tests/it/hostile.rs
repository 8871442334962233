//! Bytes from strangers: any bytes at all must end in records or in an error, at once and in bounds.

use zk_storage::{fuzz_epoch, fuzz_log, fuzz_naming, fuzz_snapshot, logs, snapshots};

use crate::scratch::{Choices, fixture_disk};

/// Changes some bytes, and sometimes cuts or repeats a piece.
fn mutated(bytes: &[u8], choices: &mut Choices) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=choices.below(6) {
        if bytes.is_empty() {
            break;
        }
        let at = choices.below(bytes.len());
        match choices.below(5) {
            0 => bytes[at] = 0xff,
            1 => bytes[at] = 0,
            2 => bytes[at] ^= 1 << choices.below(8),
            3 => bytes.truncate(at),
            _ => {
                let end = (at + 64).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

fn check(seeds: &[Vec<u8>], rounds: usize, run: impl Fn(&[u8])) {
    let mut choices = Choices(7);
    for seed in seeds {
        run(seed);
        for _ in 0..rounds {
            run(&mutated(seed, &mut choices));
        }
    }
}

const NAMES: [&str; 4] = [
    "java-3.8.0/standalone-gz",
    "java-3.8.0/standalone-snappy",
    "java-3.8.0/ensemble-multi-epoch/s3",
    "java-3.9.5/standalone",
];

#[test]
fn mutated_logs_are_read_or_refused() {
    let mut seeds = vec![Vec::new()];
    for name in NAMES {
        let (disk, dirs) = fixture_disk(name);
        for log in logs(&disk, dirs.log()).unwrap() {
            let mut bytes = disk.content(&log.path).unwrap();
            bytes.truncate(6_000);
            seeds.push(bytes);
        }
    }
    check(&seeds, 150, fuzz_log);
}

#[test]
fn mutated_snapshots_are_read_or_refused() {
    let mut seeds = vec![Vec::new()];
    for name in NAMES {
        let (disk, dirs) = fixture_disk(name);
        for snapshot in snapshots(&disk, dirs.snap()).unwrap() {
            seeds.push(disk.content(&snapshot.path).unwrap());
        }
    }
    check(&seeds, 200, fuzz_snapshot);
}

#[test]
fn mutated_epochs_are_read_or_refused() {
    check(&[b"1".to_vec(), b"2147483647\n".to_vec(), Vec::new()], 500, fuzz_epoch);
}

#[test]
fn mutated_ensemble_ids_are_read_or_refused() {
    let id = "00112233-4455-4677-8899-aabbccddeeff\n";
    let proposed = format!("{id}proposed in epoch 3\n");
    check(&[id.into(), proposed.into(), Vec::new()], 500, fuzz_naming);
}
