//! Logs: one line a request, and lines of what goes on beside requests. Never a secret, a cookie, a query or a body. Every
//! line of a process goes out by [`Lines`], which cuts whatever has the form of a credential: a key may have been pasted
//! into any text.

mod request;

pub(crate) use request::request;

use std::fmt;
use std::io::{self, Write};
use std::sync::OnceLock;

use store::author::Clock;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// JSON, with metrics in the lines of requests: for what reads logs.
    Json,
    /// For whoever sits before them.
    Readable {
        /// Whether a line's status has a colour.
        colour: bool,
    },
}

/// That of this process; none, where nobody asked for a log.
static FORM: OnceLock<Form> = OnceLock::new();

/// Standard error behind the mask. Each call of `write` is a line, whole.
struct Lines;

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        io::stderr().lock().write_all(auth::mask(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Writes a line beside those of `tracing`.
fn line(text: &str) {
    // A log that can't be written to is nothing to fail for.
    let _ = Lines.write_all(format!("{text}\n").as_bytes());
}

/// Writes a line that only a machine reads.
pub(crate) fn machine_line(text: &str) {
    if FORM.get() == Some(&Form::Json) {
        line(text);
    }
}

/// The time of day, in UTC.
struct TimeOfDay;

impl FormatTime for TimeOfDay {
    fn format_time(&self, to: &mut Writer<'_>) -> fmt::Result {
        to.write_str(time_of_day(&Clock::default().now().to_string()))
    }
}

/// `12:34:56.789` of `2026-01-31T12:34:56.789Z`.
fn time_of_day(time: &str) -> &str {
    time.split_once('T').map_or(time, |(_, time)| time.trim_end_matches('Z'))
}

/// Sends the log to standard error in this form, from `INFO` up, and what is said of panics with it.
pub fn init(form: Form) {
    let lines = tracing_subscriber::fmt().with_target(false).with_max_level(tracing::Level::INFO);
    let lines = lines.with_ansi(false).with_writer(|| Lines);
    let begun = match form {
        Form::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(false).with_span_list(false);
            lines.finish().try_init()
        }
        Form::Readable { .. } => lines.compact().with_timer(TimeOfDay).finish().try_init(),
    };
    // A second call, as from tests that share a process, changes nothing.
    if begun.is_ok() {
        let _ = FORM.set(form);
        std::panic::set_hook(Box::new(|panic| {
            let (at, said) = (panic.location().map(ToString::to_string), panic.payload_as_str());
            tracing::error!(at, said, "a panic, which is a bug: one request or batch failed, the instance goes on");
        }));
    }
}
