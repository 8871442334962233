//! Pods that cannot be what they are asked to be: one sentence, the last line of the log, and an exit code
//! that says the same to who sees no more than that.

use crate::container::{Container, Options};
use crate::engine::Engine;
use crate::images::Image;
use crate::volumes::Volume;

fn check(engine: &'static Engine, options: &Options, words: &[&str], code: i32, sentence: &str) {
    let command = [&["start-zookeeper"], words].concat();
    let options = options.clone().flag("--entrypoint=").command(&command);
    let container = Container::start(engine, Image::Slim, &options);
    let (ended, log) = (container.await_end(), container.log());
    let last = log.lines().last().unwrap_or_default();
    assert!(last.starts_with(&format!("start-zookeeper: {sentence}")), "{log}");
    assert_eq!(ended, code, "{log}");
}

#[test]
fn a_pod_that_is_none_of_the_set_says_why() {
    let Some(engine) = Engine::get() else { return };
    let named = |name: &str| Options::default().flag(format!("--hostname={name}"));
    let domain = "--domain=zk-hs.default.svc.cluster.local";
    let three = ["--servers=3", domain];
    check(engine, &named("web"), &three, 7, "host name web does not end in a dash and an ordinal");
    check(engine, &named("zk-3"), &three, 8, "zk-3 would be server 4, but the ensemble has 3: ");
    let alone = named("zk-0").without_network();
    let words = ["--servers=3", domain, "--dns_wait=1"];
    check(engine, &alone, &words, 9, "no name server answered within 1s (asked for zk-");
}

#[test]
fn a_volume_that_is_not_this_pods_says_whose_it_is() {
    let Some(engine) = Engine::get() else { return };
    let volume = Volume::with_data(engine, "1000");
    let options = Options::default().flag("--user=1000").flag("--hostname=zk-2");
    let foreign = options.clone().flag(volume.at("/data"));
    let sentence = "/data: has data of a server, but --data_dir is /var/lib/zookeeper/data: give";
    check(engine, &foreign, &[], 6, sentence);
    let other = options.flag(volume.at("/var/lib/zookeeper/data"));
    let words = ["--servers=3", "--domain=x.org"];
    let sentence =
        "/var/lib/zookeeper/data/myid: holds 1, but zk-2 is server 3: this is the volume of";
    check(engine, &other, &words, 6, sentence);
}
