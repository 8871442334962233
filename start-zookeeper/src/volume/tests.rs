//! What a volume may hold when a server is to start on it.

use super::*;

/// A scratch folder with the files that `files` names, folders made on the way.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a scratch folder");
    for (path, content) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("made");
        fs::write(path, content).expect("written");
    }
    folder
}

fn check_myid(content: Option<&str>) -> Result<Myid, String> {
    let files = content.map(|content| [("myid", content)]);
    let folder = folder(files.as_ref().map_or(&[], |files| files.as_slice()));
    let expected = Expected { id: 1, who: "zk-0" };
    let result = myid(folder.path(), expected, |id| format!(" (zk-{})", id - 1));
    let after = fs::read_to_string(folder.path().join("myid")).ok();
    assert_eq!(after.as_deref(), content, "myid is only read");
    let shown = folder.path().display().to_string();
    result.map_err(|problem| problem.to_string().replace(&shown, "/data"))
}

#[test]
fn a_myid_is_missing_or_right() {
    assert_eq!(check_myid(None), Ok(Myid::Missing));
    for content in ["1", "1\n", " 1 \r\n", "01"] {
        assert_eq!(check_myid(Some(content)), Ok(Myid::Right), "{content:?}");
    }
}

#[test]
fn the_myid_of_another_server_says_whose_volume_it_is() {
    let message = "/data/myid: holds 3, but zk-0 is server 1: this is the volume of server 3 \
                   (zk-2); attach the volume of zk-0, nothing was changed";
    assert_eq!(check_myid(Some("3\n")), Err(message.to_owned()));
}

#[test]
fn an_empty_or_broken_myid_is_never_taken_for_a_missing_one() {
    let long = "1".repeat(1000);
    for (content, shown) in [
        ("", ""),
        ("\n", "\\n"),
        ("x1", "x1"),
        ("1 2", "1 2"),
        ("\u{7}", "\\u{7}"),
        (long.as_str(), &long[..64]),
    ] {
        let message = format!(
            "/data/myid: holds \"{shown}\" and not the number of a server; if this is the volume \
             of zk-0, write 1 into it"
        );
        assert_eq!(check_myid(Some(content)), Err(message), "{content:?}");
    }
}

#[test]
fn a_myid_that_cannot_be_read_is_named() {
    let folder = folder(&[("myid/in-the-way", "")]);
    let expected = Expected { id: 1, who: "zk-0" };
    let problem = myid(folder.path(), expected, |_| String::new()).expect_err("a folder");
    assert!(problem.to_string().contains("/myid: "), "{problem}");
    assert_eq!(id_on_disk(folder.path()), None);
}

#[test]
fn the_number_on_disk_is_read_if_there_is_one() {
    assert_eq!(id_on_disk(folder(&[("myid", "7\n")]).path()), Some(7));
    assert_eq!(id_on_disk(folder(&[("myid", "x")]).path()), None);
    assert_eq!(id_on_disk(folder(&[]).path()), None);
}

/// Starts with the log in `chosen`; gives back the place where a newer one lies.
fn check_logs(files: &[(&str, &str)], chosen: &str) -> Option<String> {
    let folder = folder(files);
    let data = folder.path().join("data");
    let places = [data.join("log"), folder.path().join("log"), data];
    let problem = logs_newer_than(&folder.path().join(chosen), places)?;
    let shown = format!("{}/", folder.path().display());
    Some(problem.to_string().replace(&shown, "/"))
}

#[test]
fn a_log_in_another_default_place_stops_the_start() {
    let message = "/data/log: has the newest transaction log (log.1a), the chosen place has none: \
                   starting in /log would lose what is in it; give --data_log_dir=/data/log, or \
                   move the files";
    let logs = [("data/log/version-2/log.1a", ""), ("data/log/version-2/log.2", "")];
    assert_eq!(check_logs(&logs, "log").as_deref(), Some(message));
    let script = check_logs(&[("log/version-2/log.1", "")], "data/log").expect("found");
    assert!(script.starts_with("/log: has the newest transaction log (log.1)"), "{script}");
    let beside = check_logs(&[("data/version-2/log.1", "")], "data/log").expect("found");
    assert!(beside.starts_with("/data: has the newest"), "{beside}");
}

#[test]
fn of_two_places_with_logs_the_newest_counts() {
    let logs = [("data/log/version-2/log.200000001", ""), ("log/version-2/log.10000ffff", "")];
    assert_eq!(check_logs(&logs, "data/log"), None);
    let message = check_logs(&logs, "log").expect("older");
    assert!(message.contains("newer than log.10000ffff of the chosen place"), "{message}");
}

#[test]
fn a_start_without_logs_or_with_those_of_the_chosen_place_goes_on() {
    assert_eq!(check_logs(&[], "log"), None);
    assert_eq!(check_logs(&[("data/version-2/snapshot.5", "")], "log"), None);
    assert_eq!(check_logs(&[("log/version-2/log.1", "")], "log"), None);
    assert_eq!(
        check_logs(&[("data/log/version-2/log.x", ""), ("data/log/log.1", "")], "log"),
        None
    );
}

#[test]
fn one_place_under_two_names_is_one_place() {
    let folder = folder(&[("log/version-2/log.1", "")]);
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(folder.path().join("log"), &link).expect("linked");
    assert!(logs_newer_than(&link, [folder.path().join("log")]).is_none());
}

#[test]
fn a_folder_that_is_there_or_can_be_made_is_no_problem() {
    let folder = folder(&[]);
    let paths = [folder.path().to_owned(), folder.path().join("a/b/c")];
    assert!(access_problems(&paths).is_empty());
}

#[test]
fn a_file_in_the_way_is_a_problem_and_told_once() {
    let folder = folder(&[("data", "")]);
    let file = folder.path().join("data");
    let problems = access_problems(&[file.clone(), file.join("log")]);
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    let message = problem.to_string();
    let start = format!("{}: cannot be written (ENOTDIR", file.display());
    assert!(message.starts_with(&start), "{message}");
    assert!(
        message.contains("it is uid ") && message.contains("this process is uid "),
        "{message}"
    );
}

#[test]
fn the_deepest_mount_that_holds_a_path_is_named() {
    let mountinfo = "1 0 0:1 / / ro,relatime - overlay overlay rw\n\
                     2 1 8:1 /x /data rw,noatime shared:1 master:2 - ext4 /dev/sda rw\n\
                     3 1 0:9 / /data/log ro - nfs4 host:/log rw\n\
                     half a line\n";
    for (path, expected) in [
        ("/data/version-2", "ext4 at /data"),
        ("/data/log", "read-only nfs4 at /data/log"),
        ("/database", "read-only overlay at /"),
    ] {
        assert_eq!(mount(Path::new(path), mountinfo).as_deref(), Some(expected));
    }
    assert_eq!(mount(Path::new("/"), ""), None);
}
