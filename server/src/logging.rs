//! Log lines: in the layout that people's eyes and pipelines know, or as JSON.

use std::fmt;

use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;
use zk_config::config::{LogFormat, LogLevel, Logging};

use crate::clock::wall_ms;
use crate::date::Date;

/// Sends log lines to standard output from now on. Does nothing the second time.
pub fn start(logging: &Logging) {
    let level = match logging.level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // A line that cannot be written, as on a full disk, is lost: the server goes on.
    let lines =
        tracing_subscriber::fmt().with_max_level(level).with_ansi(false).log_internal_errors(false);
    // A second start keeps the first one's settings.
    let _ = match logging.format {
        LogFormat::Human => {
            tracing::subscriber::set_global_default(lines.event_format(JavaLayout).finish())
        }
        LogFormat::Json => {
            tracing::subscriber::set_global_default(lines.json().flatten_event(true).finish())
        }
    };
}

/// `2026-11-22 06:48:41,167 [myid:] - INFO  [main:module] - message`.
struct JavaLayout;

impl<S, N> FormatEvent<S, N> for JavaLayout
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = match *event.metadata().level() {
            Level::ERROR => "ERROR",
            Level::WARN => "WARN ",
            Level::INFO => "INFO ",
            Level::DEBUG => "DEBUG",
            Level::TRACE => "TRACE",
        };
        let thread = std::thread::current();
        write!(
            writer,
            "{} [myid:] - {level} [{}:{}] - ",
            Date::from_wall_ms(wall_ms()),
            thread.name().unwrap_or("main"),
            event.metadata().target()
        )?;
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}
