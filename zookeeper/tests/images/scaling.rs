//! What `kubectl scale` does to the variant `scalable`: pods come and go under load, and the ensemble follows.

use std::thread;
use std::time::Duration;

use crate::container::Container;
use crate::deadline::await_until;
use crate::engine::Engine;
use crate::images::Image;
use crate::load::Load;
use crate::pods::Set;

#[test]
fn a_set_of_fixed_size_becomes_scalable_and_is_scaled_to_five_and_back() {
    let Some(engine) = Engine::get() else { return };
    let Some(mut set) = Set::new(engine, Image::Scratch) else { return };
    let mut pods: Vec<_> = (0..3).map(|ordinal| set.pod(ordinal)).collect();
    pods.iter().for_each(|pod| set.await_ready(pod));
    let Some(load) = Load::start(&pods, 0) else { return };
    let Some(scalable) = Set::of_variant(engine, Image::Scratch, "scalable") else { return };
    set.spec = scalable.spec.clone();
    for ordinal in [2, 1, 0] {
        restart(&set, &mut pods, ordinal);
    }

    pods.extend([3, 4].map(|ordinal| set.pod(ordinal)));
    await_voters(&pods, 5);
    pods.iter().for_each(|pod| set.await_ready(pod));
    // A pod that is restarted is the member that it was, also one that was there from the beginning.
    for ordinal in [4, 0] {
        restart(&set, &mut pods, ordinal);
        assert_eq!(voters(&pods[ordinal]), Some(5), "nobody leaves by ending");
    }

    // There is no cluster to say who is one too many: the hook says so, and nobody is marked.
    let hook = set.hook("preStop");
    let hook: Vec<_> = hook.iter().map(String::as_str).collect();
    let told = pods[4].exec(&hook);
    let why = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(why.contains("not marked as leaving: KUBERNETES_SERVICE_HOST is not set"), "{why}");
    for pod in &pods[3..] {
        pod.say(&["start-zookeeper", "--leave"]);
    }
    let gone = pods.split_off(3);
    thread::scope(|scope| {
        for pod in &gone {
            scope.spawn(|| {
                let (took, code) = pod.stop();
                assert_eq!(code, 0, "{}", pod.log());
                assert!(took < Duration::from_secs(5), "it took {took:?} to leave\n{}", pod.log());
            });
        }
    });
    drop(gone);
    await_voters(&pods, 3);

    // It has the volume of a former member.
    pods.push(set.pod(3));
    await_voters(&pods, 4);
    load.finish();
}

/// As the controller does it in a rolling update.
fn restart(set: &Set, pods: &mut Vec<Container>, ordinal: usize) {
    let old = pods.remove(ordinal);
    assert_eq!(old.stop().1, 0, "{}", old.log());
    drop(old);
    pods.insert(ordinal, set.pod(u64::try_from(ordinal).expect("few")));
    set.await_ready(&pods[ordinal]);
}

fn await_voters(pods: &[Container], count: usize) {
    for pod in pods {
        await_until(&format!("{} knows of {count} voters", pod.name), LIMIT, || {
            assert!(pod.is_running(), "{}", pod.log());
            (voters(pod) == Some(count)).then_some(())
        });
    }
}

/// As the member sees the configuration that holds.
fn voters(pod: &Container) -> Option<usize> {
    let output = pod.exec(&["zkCli.sh", "-server", "127.0.0.1:2181", "get", "/zookeeper/config"]);
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(text.lines().filter(|line| line.contains(":participant")).count())
}

const LIMIT: Duration = Duration::from_secs(60);
