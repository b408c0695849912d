//! The level and the form of the log: `--log`.

use std::fmt;
use std::io::IsTerminal as _;
use std::str::FromStr;

use serde::Deserialize;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::format;

use crate::plain_text::Plain;

/// The words for the levels, from the lowest to the highest.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// The word that selects lines of JSON.
const JSON: &str = "json";

/// The form of a line of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogForm {
    /// Text for people; with colours on a terminal.
    #[default]
    Text,
    /// One JSON object per line, for programs.
    Json,
}

/// The value of `--log`: levels and a form, separated by commas.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Logging {
    /// The form of each line.
    pub form: LogForm,
    /// The levels, as `tracing_subscriber::EnvFilter` reads them.
    filter: String,
}

impl Default for Logging {
    fn default() -> Self {
        Self { form: LogForm::Text, filter: "info".to_owned() }
    }
}

/// The text is not a value of `--log`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot log {0:?}; write error, warn, info, debug, trace or off, for one module such as pulseboard::store=debug, and json \
     for lines of JSON, separated by commas: json,debug"
)]
pub struct LoggingError(String);

impl FromStr for Logging {
    type Err = LoggingError;

    fn from_str(text: &str) -> Result<Self, LoggingError> {
        let mut form = LogForm::Text;
        let mut levels = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            // `EnvFilter` takes a word that is not a level for the name of a module, and then logs nothing else.
            let (module, level) = part.rsplit_once('=').map_or((None, part), |(module, level)| (Some(module), level));
            let is_level = LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level));
            match module {
                None if level.eq_ignore_ascii_case(JSON) => form = LogForm::Json,
                Some(module) if is_level && !module.is_empty() => levels.push(part),
                None if is_level => levels.push(part),
                _ => return Err(LoggingError(part.to_owned())),
            }
        }
        if !levels.iter().any(|level| !level.contains('=')) {
            levels.insert(0, "info");
        }
        let filter = levels.join(",");
        EnvFilter::try_new(&filter).map_err(|_| LoggingError(filter.clone()))?;
        Ok(Self { form, filter })
    }
}

impl TryFrom<String> for Logging {
    type Error = LoggingError;

    fn try_from(text: String) -> Result<Self, LoggingError> {
        text.parse()
    }
}

impl fmt::Display for Logging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = if self.form == LogForm::Json { "json," } else { "" };
        write!(f, "{json}{}", self.filter)
    }
}

impl Logging {
    /// Starts logging to standard error. Must be called once.
    pub fn start(&self) {
        let log = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(&self.filter)).with_writer(std::io::stderr);
        match self.form {
            LogForm::Json => log.json().flatten_event(true).with_current_span(false).with_span_list(false).init(),
            LogForm::Text => {
                // File names and answers of other programs must not look like lines of the log, nor control a terminal.
                let fields = format::debug_fn(|writer, field, value| match field.name() {
                    "message" => write!(writer, "{}", Plain(format_args!("{value:?}"))),
                    name => write!(writer, "{name}={}", Plain(format_args!("{value:?}"))),
                });
                log.with_ansi(std::io::stderr().is_terminal()).fmt_fields(fields.delimited(" ")).init();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_modules_and_the_form_are_read() {
        for (text, form, filter) in [
            ("info", LogForm::Text, "info"),
            ("DEBUG", LogForm::Text, "DEBUG"),
            ("json", LogForm::Json, "info"),
            ("json, debug", LogForm::Json, "debug"),
            ("warn,pulseboard::store=trace,json", LogForm::Json, "warn,pulseboard::store=trace"),
            ("pulseboard=debug", LogForm::Text, "info,pulseboard=debug"),
            ("", LogForm::Text, "info"),
            ("off", LogForm::Text, "off"),
        ] {
            assert_eq!(text.parse(), Ok(Logging { form, filter: filter.to_owned() }), "{text}");
        }
    }

    #[test]
    fn word_that_is_no_level_is_an_error() {
        for text in ["loud", "info,verbose", "pulseboard=loud", "=debug", "yaml", "5", "pulseboard="] {
            let error = text.parse::<Logging>().unwrap_err().to_string();
            assert!(error.contains("write error, warn, info, debug, trace"), "{text}: {error}");
        }
    }
}
