//! Entry for fuzzing: any bytes as a zoo.cfg, and as what a client asks of a reconfiguration.

use crate::static_file::{moves, with_dynamic_file};
use crate::{Change, ChangeRules, Config, Ensemble, Properties};

/// Parses `bytes` in every way there is; it must neither panic nor take long.
///
/// What is taken must be printable, and members must print to what can be parsed again.
pub fn fuzz_zoo_cfg(bytes: &[u8]) {
    let overrides = [("zookeeper.multiAddress.enabled".to_owned(), "true".to_owned())];
    match Config::parse("fuzz.cfg", bytes, &overrides) {
        Ok(parsed) => {
            for line in parsed.warnings.iter().chain(&parsed.notes) {
                let line = line.to_string();
                assert!(!line.contains(char::is_control), "a warning is one line: {line:?}");
            }
            assert!(!parsed.config.effective().is_empty(), "the defaults are effective");
            check_members(&parsed.config.quorum.ensemble);
        }
        Err(errors) => {
            let lines = errors.to_string();
            assert_eq!(lines.lines().count(), errors.0.len(), "an error is one line: {lines:?}");
        }
    }
    if let Ok(ensemble) = Ensemble::parse("fuzz.dynamic", bytes, true) {
        check_members(&ensemble);
    }
    if let Ok(properties) = Properties::parse("fuzz.properties", bytes) {
        assert!(properties.entries().len() <= bytes.len(), "an entry takes a byte at least");
    }
    if std::str::from_utf8(bytes).is_ok() {
        check_rewritten(bytes);
    }
    let text = String::from_utf8_lossy(bytes);
    let text = Some(text.as_ref());
    for change in [
        Change { joining: text, ..Change::default() },
        Change { leaving: text, ..Change::default() },
        Change { members: text, ..Change::default() },
    ] {
        let rules = ChangeRules { multi_address: true, standalone_enabled: false };
        if let Ok(next) = Ensemble::default().changed(&change, rules) {
            check_members(&next);
        }
    }
}

fn check_rewritten(text: &[u8]) {
    let entries = |text: &[u8]| -> Vec<(String, String)> {
        let properties = Properties::parse_what_can_be("fuzz.cfg", text, &mut Vec::new());
        let entries = properties.entries().iter();
        entries.map(|entry| (entry.key.clone(), entry.value.clone())).collect()
    };
    let mut expected = entries(text);
    expected.retain(|(key, _)| !moves(key.trim(), false));
    expected.push(("dynamicConfigFile".to_owned(), "/d".to_owned()));
    assert_eq!(entries(&with_dynamic_file(text, "/d", false)), expected, "the others stay");
}

fn check_members(ensemble: &Ensemble) {
    let printed = ensemble.to_string();
    let again = Ensemble::parse("printed", printed.as_bytes(), true);
    let again = again.expect("what an ensemble prints can be parsed").to_string();
    assert_eq!(again, printed, "and prints the same again");
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLES: [&[u8]; 5] = [
        b"server.1=[::1]:1:2:observer|h:3:4:observer;[::]:5,server.2=h:5:6;h:7,server.1=a:1:2;3",
        include_bytes!("../testdata/everything.cfg"),
        include_bytes!("../testdata/start-zookeeper.cfg"),
        include_bytes!("../testdata/groups.cfg"),
        b"server.1=[::1]:1:2:observer|h:3:4:observer;[::]:5\nserver.2=h:1:2;h:3\\u0041\n a\\\n b",
    ];

    /// A small generator of numbers (xorshift); the same seed gives the same bytes everywhere.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            let limit = u64::try_from(limit.max(1)).unwrap();
            usize::try_from(self.0 % limit).unwrap()
        }

        fn byte(&mut self) -> u8 {
            u8::try_from(self.below(256)).unwrap()
        }
    }

    #[test]
    fn random_bytes_do_no_harm() {
        let mut numbers = Numbers(0x5eed_0001);
        for _ in 0..300 {
            let length = numbers.below(200);
            let bytes: Vec<u8> = (0..length).map(|_| numbers.byte()).collect();
            fuzz_zoo_cfg(&bytes);
        }
    }

    #[test]
    fn samples_with_changed_bytes_do_no_harm() {
        let mut numbers = Numbers(0x5eed_0002);
        let telling = b"=:\\\n\r #|;[].u0-+x,";
        for round in 0..400 {
            let mut bytes = SAMPLES[round % SAMPLES.len()].to_vec();
            for _ in 0..=numbers.below(8) {
                let at = numbers.below(bytes.len());
                match numbers.below(4) {
                    0 => bytes[at] = numbers.byte(),
                    1 => bytes[at] = telling[numbers.below(telling.len())],
                    2 => bytes.insert(at, telling[numbers.below(telling.len())]),
                    _ => drop(bytes.drain(at..bytes.len().min(at + numbers.below(20)))),
                }
                if bytes.is_empty() {
                    break;
                }
            }
            fuzz_zoo_cfg(&bytes);
        }
    }
}
