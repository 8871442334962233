//! What is going to happen: the text of zoo.cfg, what it means, and what stands in the way.
//!
//! [`Plan::make`] only looks; [`Launch::write`] is the only place that changes anything.
//!
//! Invariants
//! - A plan's zoo.cfg is one that the server takes: `zk_config` has read it.
//! - Folders are those that zoo.cfg names, also where a template or `--config` has its own.
//! - There is a [`Launch`] or there are obstacles.

use std::fs;
use std::path::{Path, PathBuf};

use zk_config::{Config, Mode, Parsed, ServerId, Warning};

use crate::atomic;
use crate::data_files;
use crate::entry::layout;
use crate::failure::Failure;
use crate::flags::Flags;
use crate::guard;
use crate::host::Host;
use crate::kept::Kept;
use crate::member::Place;
use crate::memory;
use crate::problem::Problem;
use crate::render::{self, TEMPLATE};
use crate::server::{self, Server};
use crate::settings::{DEFAULT_DATA_DIR, Settings};
use crate::text;
use crate::volume::{self, Expected, Myid};

/// All that is decided before anything is written.
pub(crate) struct Plan {
    pub(crate) settings: Settings,
    pub(crate) place: Place,
    /// The text of zoo.cfg.
    pub(crate) zoo_cfg: String,
    pub(crate) config: Config,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) notes: Vec<Warning>,
    /// Where zoo.cfg is or will be.
    pub(crate) path: PathBuf,
    /// Why zoo.cfg goes to `dataDir` and not to `--conf_dir`.
    pub(crate) detour: Option<Problem>,
    /// What is to be done, or what this machine has against it. `--dry-run` needs neither.
    pub(crate) launch: Result<Launch, Vec<Problem>>,
}

/// What is left to do once nothing stands in the way.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) server: Server,
    pub(crate) arguments: Vec<String>,
    folders: Vec<PathBuf>,
    files: Vec<(PathBuf, String)>,
}

impl Launch {
    /// Makes the folders and writes `myid` and zoo.cfg.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        self.folders.iter().try_for_each(|folder| atomic::create_folder(folder))?;
        self.files.iter().try_for_each(|(path, content)| atomic::write(path, content))
    }
}

impl Plan {
    /// Looks at everything, or tells every problem of the flags, the host and zoo.cfg.
    pub(crate) fn make(flags: &Flags, host: &Host) -> Result<Self, Vec<Problem>> {
        let (settings, mut problems) = Settings::check(flags);
        let draft = match &flags.config {
            Some(path) => Draft::of_file(path),
            None => Draft::rendered(flags, &settings, host, problems.is_empty()),
        };
        let draft = match draft {
            Ok(draft) if problems.is_empty() => draft,
            Ok(_) => return Err(problems),
            Err(more) => {
                problems.extend(more);
                return Err(problems);
            }
        };
        let mut properties =
            server::properties(&draft.text, settings.log_level, &flags.server_args);
        let file = draft.named.display().to_string();
        let Parsed { mut config, warnings, notes } =
            Config::parse(&file, draft.text.as_bytes(), &properties)
                .map_err(|errors| errors.0.into_iter().map(Problem::Config).collect::<Vec<_>>())?;
        if let Some(kept) =
            draft.kept.as_ref().filter(|_| config.quorum.dynamic_config_file.is_some())
        {
            config.quorum.ensemble = kept.ensemble.clone();
        }
        properties.extend(guard::properties(&config));
        let place = draft.place(&settings, host, &config)?;
        let mut obstacles = Vec::new();
        let (path, detour) = match &flags.config {
            Some(path) => (path.clone(), None),
            None => target(&draft.named, &config, flags.force_config, &mut obstacles),
        };
        let is_written = flags.config.is_none();
        let (folders, myid) = volume(&config, &path, is_written, &place, &mut obstacles);
        let server = Server::find(flags.server_bin.as_deref());
        let launch = match (server, obstacles.is_empty()) {
            (Ok(server), true) => {
                let zoo_cfg = is_written.then(|| (path.clone(), draft.text.clone()));
                let arguments = server::arguments(&properties, &flags.server_args, &path);
                let files = myid.into_iter().chain(zoo_cfg).collect();
                Ok(Launch { server, arguments, folders, files })
            }
            (server, _) => {
                obstacles.extend(server.err());
                Err(obstacles)
            }
        };
        let zoo_cfg = draft.text;
        Ok(Self { settings, place, zoo_cfg, config, warnings, notes, path, detour, launch })
    }
}

/// A zoo.cfg that nobody has checked yet.
struct Draft {
    text: String,
    /// What messages call it.
    named: PathBuf,
    /// `None` if the members are known only once the text has been read.
    place: Option<Place>,
    /// What the text may name for its members, which the server reads and this program shows.
    kept: Option<Kept>,
}

impl Draft {
    fn of_file(path: &Path) -> Result<Self, Vec<Problem>> {
        let text = read("--config", path).map_err(|problem| vec![problem])?;
        Ok(Self { text, named: path.to_owned(), place: None, kept: None })
    }

    /// Derives the place first, whose problems are of use even if the settings have some too.
    fn rendered(
        flags: &Flags,
        settings: &Settings,
        host: &Host,
        settings_are_good: bool,
    ) -> Result<Self, Vec<Problem>> {
        let template = match &flags.template {
            Some(path) => read("--template", path),
            None => Ok(TEMPLATE.to_owned()),
        };
        let kept = match settings.scalable {
            true => Kept::newest(&settings.data_dir).map_err(|problem| vec![problem])?,
            false => None,
        };
        let (place, template) = match (Place::derive(settings, host, kept.as_ref()), template) {
            (Ok(place), Ok(template)) => (place, template),
            (place, template) => {
                let problems = place.err().unwrap_or_default();
                return Err(problems.into_iter().chain(template.err()).collect());
            }
        };
        let named = settings.zoo_cfg();
        if !settings_are_good {
            return Ok(Self { text: String::new(), named, place: Some(place), kept: None });
        }
        let text = render::render(&template, settings, &place).map_err(|source| {
            let path = flags.template.clone().unwrap_or_else(|| PathBuf::from("zoo.cfg.tera"));
            vec![Problem::Template { path, source }]
        })?;
        Ok(Self { text, named, place: Some(place), kept })
    }

    /// Finds this host among the members that the text has.
    fn place(
        &self,
        settings: &Settings,
        host: &Host,
        config: &Config,
    ) -> Result<Place, Vec<Problem>> {
        let place = match &self.place {
            Some(place) => place.clone(),
            None => {
                let is_replicated = config.mode == Mode::Replicated;
                let on_disk = volume::id_on_disk(&config.storage.data_dir);
                Place::of_config(settings, host, is_replicated, on_disk)
                    .map_err(|problem| vec![problem])?
            }
        };
        let servers = &config.quorum.ensemble.servers;
        if !servers.is_empty() && !servers.contains_key(&ServerId(place.id)) {
            let (path, id, who) = (self.named.clone(), place.id, place.who);
            return Err(vec![Problem::NotAMember { path, id, who }]);
        }
        Ok(place)
    }
}

/// Where zoo.cfg is to be written: in `--conf_dir`, or where data is if that is read-only.
fn target(
    named: &Path,
    config: &Config,
    force_config: bool,
    obstacles: &mut Vec<Problem>,
) -> (PathBuf, Option<Problem>) {
    let detour = named.parent().and_then(volume::access_problem);
    let aside = config.storage.data_dir.join("zoo.cfg");
    let is_foreign = |path: &Path| {
        let is_ours = fs::read(path)
            .is_ok_and(|text| text::is_autogenerated(&String::from_utf8_lossy(&text)));
        path.symlink_metadata().is_ok() && !is_ours
    };
    let targets = [Some(named), detour.as_ref().map(|_| aside.as_path())];
    for path in targets.into_iter().flatten().filter(|path| !force_config && is_foreign(path)) {
        obstacles.push(Problem::ForeignConfig { path: path.to_owned() });
    }
    let path = if detour.is_some() { aside } else { named.to_owned() };
    (path, detour)
}

/// Looks at all that is to be written to: the folders to make, and `myid` if it is missing.
fn volume(
    config: &Config,
    path: &Path,
    is_written: bool,
    place: &Place,
    obstacles: &mut Vec<Problem>,
) -> (Vec<PathBuf>, Option<(PathBuf, String)>) {
    let (data_dir, data_log_dir) = (&config.storage.data_dir, &config.storage.data_log_dir);
    let conf_dir = path.parent().filter(|_| is_written);
    let folders = [Some(data_dir.as_path()), Some(data_log_dir), conf_dir];
    let folders: Vec<_> = folders.into_iter().flatten().map(Path::to_owned).collect();
    obstacles.extend(volume::access_problems(&folders));
    obstacles.extend(volume::logs_elsewhere(data_dir, data_log_dir));
    // The default says nothing: manifests name it too. Another folder is what somebody wants.
    if data_dir == Path::new(DEFAULT_DATA_DIR) {
        let other = layout::data_elsewhere(Path::new("/"), data_dir);
        let (chosen, has_data) = (data_dir.clone(), data_files::is_used(data_dir));
        obstacles.extend(other.map(|other| match has_data {
            true => Problem::DataTwice { other, chosen },
            false => Problem::DataElsewhere { other, chosen },
        }));
    }
    obstacles.extend(memory::problem(data_dir));
    let expected = Expected { id: place.id, who: &place.who };
    let myid = match volume::myid(data_dir, expected, |id| place.owner(id)) {
        Ok(Myid::Missing) => Some((data_dir.join("myid"), format!("{}\n", place.id))),
        Ok(Myid::Right) => None,
        Err(problem) => {
            obstacles.push(problem);
            None
        }
    };
    (folders, myid)
}

fn read(flag: &'static str, path: &Path) -> Result<String, Problem> {
    fs::read_to_string(path).map_err(Problem::unreadable(flag, path))
}
