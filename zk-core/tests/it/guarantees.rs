//! The guarantees of zookeeperInternals, each under its own name, where no scenario is about it.

use crate::settings::Settings;
use crate::world::World;

/// Plays lines on a server with a slow disk and gives back what its clients saw.
fn seen(lines: &[&str]) -> Vec<String> {
    let mut settings = Settings::new();
    settings.slow_disk = true;
    let mut world = World::new(settings);
    lines.iter().for_each(|line| world.command(line));
    world.lines.retain(|line| line.contains(" <- ") && !line.contains("session of"));
    world.lines
}

fn check(lines: &[&str], expected: &[&str]) {
    assert_eq!(seen(lines), expected, "{lines:#?}");
}

#[test]
fn sequential_consistency_a_clients_writes_are_applied_in_the_order_sent() {
    let mut lines = vec!["connect A".to_owned(), "persisted".to_owned()];
    lines.push("A create /n".to_owned());
    lines.extend((0..100).map(|n| format!("A set /n {n} v={n}")));
    lines.push("A ping".to_owned());
    lines.push("persisted".to_owned());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let seen = seen(&lines);
    assert_eq!(seen.len(), 102);
    assert!(seen.iter().all(|line| line.contains(" ok")), "{seen:#?}");
    assert_eq!(seen.last().unwrap(), "A <- -2 zxid=102 ok", "the ping comes last");
}

#[test]
fn atomicity_nobody_sees_half_a_multi() {
    check(
        &[
            "connect A",
            "connect B",
            "persisted",
            "A multi [create /a; create /b]",
            "B ls /",
            "persisted",
            "B ls /",
        ],
        &[
            "B <- 1 zxid=2 ok [zookeeper]",
            "A <- 1 zxid=3 ok [create /a; create /b]",
            "B <- 2 zxid=3 ok [a b zookeeper]",
        ],
    );
}

#[test]
fn reliability_what_was_acknowledged_is_there_after_a_crash() {
    check(
        &[
            "connect A",
            "persisted",
            "A create /kept x",
            "persisted",
            "A set /kept y",
            "restart",
            "reattach A",
            "A get /kept",
        ],
        &["A <- 1 zxid=2 ok /kept", "A <- 1 zxid=2 ok 'x' c=2 m=2 p=2 v=0/0/0 length=1"],
    );
}

#[test]
fn timeliness_a_sync_comes_behind_the_writes_of_its_session() {
    check(
        &["connect A", "persisted", "A create /a", "A sync /a", "A get /a", "persisted"],
        &["A <- 1 zxid=2 ok /a", "A <- 2 zxid=2 ok /a", "A <- 3 zxid=2 ok '' c=2 m=2 p=2 v=0/0/0"],
    );
}

#[test]
fn watches_are_ordered_with_events_of_all_sessions_and_replies() {
    check(
        &[
            "connect A",
            "connect B",
            "persisted",
            "A addWatch / 1",
            "B create /one",
            "A create /two",
            "B create /three",
            "A ls /",
            "persisted",
        ],
        &[
            "A <- 1 zxid=2 ok 0",
            "A <- event zxid=3 NodeCreated /one",
            "A <- event zxid=4 NodeCreated /two",
            "A <- 2 zxid=4 ok /two",
            "A <- 3 zxid=4 ok [one two zookeeper]",
            "A <- event zxid=5 NodeCreated /three",
            "B <- 1 zxid=3 ok /one",
            "B <- 2 zxid=5 ok /three",
        ],
    );
}

#[test]
fn conditional_updates_of_two_clients_let_one_win() {
    check(
        &[
            "connect A",
            "connect B",
            "persisted",
            "A create /n",
            "persisted",
            "A set /n a v=0",
            "B set /n b v=0",
            "persisted",
        ],
        &[
            "A <- 1 zxid=3 ok /n",
            "A <- 2 zxid=4 ok c=3 m=4 p=3 v=1/0/0 length=1",
            "B <- 1 zxid=5 BADVERSION -103",
        ],
    );
}
