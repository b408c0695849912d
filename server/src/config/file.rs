//! The configuration file: its values become the defaults of the flags of the same names.

use std::error::Error;
use std::ffi::OsString;
use std::num::ParseIntError;
use std::ops::Range;
use std::path::Path;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Args as _, Command};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::ConfigError;
use super::flags::{CONFIG, Flags};

/// A file whose keys and values are valid, each by itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SettingsFile {
    /// The id of each flag that the file sets, with its values as on the command line.
    defaults: Vec<(String, Vec<String>)>,
}

impl SettingsFile {
    /// Makes the values of the file the defaults of `serve`.
    pub(super) fn add_defaults(self, serve: Command) -> Command {
        self.defaults
            .into_iter()
            .fold(serve, |serve, (id, values)| serve.mut_arg(id, |flag| flag.default_values(values)))
    }
}

/// A mistake in the file, and its place.
struct Mistake {
    at: Range<usize>,
    message: String,
}

/// Reads the file.
///
/// # Errors
/// [`ConfigError::Unreadable`], [`ConfigError::Wrong`].
pub(super) fn read(file: &Path) -> Result<SettingsFile, ConfigError> {
    let text =
        std::fs::read_to_string(file).map_err(|source| ConfigError::Unreadable { file: file.to_owned(), source })?;
    parse(&text, file)
}

/// Parses the text of the file.
///
/// # Errors
/// [`ConfigError::Wrong`], which names the first mistake.
pub(super) fn parse(text: &str, file: &Path) -> Result<SettingsFile, ConfigError> {
    settings(text).map_err(|Mistake { at, message }| {
        let start = at.start.min(text.len());
        let line = 1 + text.as_bytes()[..start].iter().filter(|&&byte| byte == b'\n').count();
        // The error must be one line; the parser's message may have several.
        let lines: Vec<_> = message.lines().map(str::trim).collect();
        ConfigError::Wrong { file: file.to_owned(), line, message: lines.join(", ") }
    })
}

fn settings(text: &str) -> Result<SettingsFile, Mistake> {
    let table = DeTable::parse(text)
        .map_err(|error| Mistake { at: error.span().unwrap_or_default(), message: error.message().to_owned() })?;
    let serve = Flags::augment_args(Command::new("serve")).no_binary_name(true);
    // In the order of the file, so that the first mistake is named.
    let mut keys: Vec<_> = table.get_ref().iter().collect();
    keys.sort_by_key(|(key, _)| key.span().start);
    let mut defaults = Vec::with_capacity(keys.len());
    for (key, value) in keys {
        let name: &str = key.get_ref();
        let flag = serve.get_arguments().find(|flag| key_of(flag).as_deref() == Some(name));
        let flag = flag.ok_or_else(|| Mistake { at: key.span(), message: unknown(name, &serve) })?;
        let values = texts(flag, value)
            .map_err(|message| Mistake { at: value.span(), message: format!("{message} (key {name})") })?;
        for text in &values {
            let wrong = |message| Mistake { at: value.span(), message: format!("{message} (key {name})") };
            check(&serve, flag, text).map_err(wrong)?;
        }
        defaults.push((flag.get_id().to_string(), values));
    }
    Ok(SettingsFile { defaults })
}

/// Returns the key of a flag; `None` if the file cannot have it.
fn key_of(flag: &Arg) -> Option<String> {
    let name = flag.get_long().filter(|&name| name != CONFIG && !flag.is_hide_set())?;
    Some(name.replace('-', "_"))
}

/// The least Jaro-Winkler similarity of a key that may be meant, from 0 to 1. It favours words that begin alike.
const ALIKE: f64 = 0.75;

/// Describes an unknown key, and names the known one that is most like it.
fn unknown(name: &str, serve: &Command) -> String {
    let known = serve.get_arguments().filter_map(key_of).map(|known| (strsim::jaro_winkler(&known, name), known));
    match known.max_by(|(one, _), (other, _)| one.total_cmp(other)) {
        Some((likeness, known)) if likeness >= ALIKE => format!("there is no key {name:?}; is {known} meant?"),
        _ => format!("there is no key {name:?}; the keys are the flags of `pulseboard serve --help`, with _ for -"),
    }
}

/// Returns the values of a key as on the command line.
fn texts(flag: &Arg, value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, String> {
    let is_list = flag.get_value_delimiter().is_some();
    match value.get_ref() {
        DeValue::Array(values) if is_list => values.iter().map(|value| text(value.get_ref())).collect(),
        DeValue::Array(_) => Err("a list, where one value is expected".to_owned()),
        value => Ok(vec![text(value)?]),
    }
}

/// Returns a single value as on the command line.
fn text(value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(|number| number.to_string())
            .map_err(|_| format!("{number} is too large")),
        DeValue::Boolean(value) => Ok(value.to_string()),
        DeValue::Float(number) => Ok(number.to_string()),
        value => Err(format!("{}, where a text, a number, true or false is expected", described(value))),
    }
}

fn described(value: &DeValue<'_>) -> String {
    format!("a value of the type {}", value.type_str())
}

/// Checks a value as if it came from the command line.
fn check(serve: &Command, flag: &Arg, text: &str) -> Result<(), String> {
    let argument = format!("--{}={text}", flag.get_long().unwrap_or_default());
    let Err(error) = serve.clone().try_get_matches_from([OsString::from(argument)]) else { return Ok(()) };
    if error.source().is_some_and(<dyn Error>::is::<ParseIntError>) {
        return Err(format!("{text:?} is not a whole number"));
    }
    if let Some(source) = error.source() {
        return Err(source.to_string());
    }
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(valid)) => Err(format!("{text:?} is not {}", valid.join(" or "))),
        _ => Err(format!("{text:?} is not valid: {}", error.kind())),
    }
}
