//! Container entry point: which member this host is, what its zoo.cfg says, and then the server.
//!
//! The replacement of the shell script of the same name, flag by flag, with its bugs repaired. It
//! decides and checks everything first, then writes, then becomes the server.
//!
//! Invariants
//! - With a problem nothing has been written, and every problem is told at once.
//! - A name that does not resolve never keeps the server from starting.
//! - An existing `myid`, and a zoo.cfg that is not ours, stay as they are.

pub mod advertised;
pub mod atomic;
pub mod cluster;
pub mod command;
mod contents;
mod data_files;
pub mod entry;
pub mod failure;
pub mod flags;
pub mod guard;
pub mod host;
pub mod kept;
pub mod member;
mod memory;
pub mod names;
mod origins;
mod plan;
pub mod problem;
pub mod render;
mod screen;
pub mod server;
pub mod settings;
pub mod text;
pub mod volume;

use std::io::Write;

use cluster::Wish;
use failure::Failure;
use flags::Flags;
use host::Host;
use member::{Ensemble, Place};
use plan::Plan;
use settings::Settings;
use tracing::info;

/// Does all that the flags ask for. Comes back after `--dry-run`, which prints to `out`, or with a
/// failure; otherwise this process is the server from here on. `echo` gets zoo.cfg as written.
pub fn run(flags: &Flags, out: &mut dyn Write, echo: &mut dyn Write) -> Result<(), Failure> {
    if flags.leave || flags.leave_if_scaled_away {
        return leave(flags);
    }
    let host = Host::read(flags).map_err(|problem| Failure::Problems(vec![problem]))?;
    let plan = Plan::make(flags, &host).map_err(Failure::Problems)?;
    let silence = match screen::show(flags, &host, &plan) {
        Err(Failure::Problems(silence)) => silence,
        shown => shown.map(|()| Vec::new())?,
    };
    let launch: Result<_, Vec<_>> = match plan.launch {
        Ok(launch) if silence.is_empty() => Ok(launch),
        launch => Err(silence.into_iter().chain(launch.err().unwrap_or_default()).collect()),
    };
    if flags.dry_run {
        if let Err(obstacles) = &launch {
            screen::warn_of(obstacles);
        }
        out.write_all(plan.zoo_cfg.as_bytes())?;
        return Ok(());
    }
    let launch = launch.map_err(Failure::Problems)?;
    launch.write()?;
    echo.write_all(text::redacted(&plan.zoo_cfg).as_bytes())?;
    screen::starting(&launch);
    launch.server.exec(&launch.arguments).map(|never| match never {})
}

/// Marks this member as one that goes for good. The server looks for the file when it is told to end.
fn leave(flags: &Flags) -> Result<(), Failure> {
    let (settings, problems) = Settings::check(flags);
    if !problems.is_empty() {
        return Err(Failure::Problems(problems));
    }
    if !flags.leave && !is_scaled_away(flags, &settings)? {
        return Ok(());
    }
    let marker = settings.data_dir.join("leave");
    atomic::write(&marker, "")?;
    info!(
        "{}: the server leaves the ensemble at SIGTERM; remove the file to stay",
        marker.display()
    );
    Ok(())
}

fn is_scaled_away(flags: &Flags, settings: &Settings) -> Result<bool, Failure> {
    let host = Host::read(flags).map_err(|problem| Failure::Problems(vec![problem]))?;
    let settings = Settings { scalable: true, ..settings.clone() };
    let place = Place::derive(&settings, &host, None).map_err(Failure::Problems)?;
    let Some(Ensemble { name, ordinal, .. }) = place.ensemble else { return Ok(false) };
    if ordinal.value < settings.servers {
        return Ok(false);
    }
    let wish = cluster::wish(&flags.service_account, &name.value, ordinal.value)?;
    Ok(wish == Wish::Goes)
}
