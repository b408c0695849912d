//! Parses the body of a write: the points of the valid lines, and the errors of the wrong ones.

use std::borrow::Cow;
use std::collections::HashSet;

use shared::Value;
use shared::name::MAX_SEGMENT_LEN;
use shared::point::MAX_TEXT_LEN;

use super::line::{Line, Lines};
use super::naming::Naming;
use super::precision::Precision;
use super::warnings::Warnings;
use crate::http::problem::ApiError;
use crate::ingest::batch_builder::{Batch, BatchBuilder, WrongLines};
use crate::ingest::fields::{Acceptance, echo};

/// The most fields of a line that are compared in pairs to find a repeated key.
const MAX_PAIRED: usize = 32;

/// The result of reading a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The points of all valid lines, perhaps none.
    pub batch: Batch,
    /// The wrong lines.
    pub wrong: WrongLines,
    /// Warnings about points that differ from those that were sent.
    pub warnings: Warnings,
}

/// Reads lines into `builder`. Their times are in the unit of `precision`.
///
/// # Errors
/// [`ApiError::LimitReached`] as soon as there are more points than `builder` takes, or no memory for them.
pub fn read(
    body: &[u8],
    precision: Precision,
    accepted: Acceptance,
    mut builder: BatchBuilder<'_>,
) -> Result<Reading, ApiError> {
    let (text, damaged) = match std::str::from_utf8(body) {
        Ok(text) => (Cow::Borrowed(text), None),
        Err(_) => {
            builder.reserve(body.len())?;
            (Cow::Owned(repaired(body)), Some(body))
        }
    };
    builder.expect(text.len());
    let mut lines = Lines::new(&text, damaged);
    let mut warnings = Warnings::default();
    let mut line = Line::default();
    let mut naming = Naming::default();
    loop {
        (lines.room, lines.only_counts) = (builder.room(), builder.only_counts());
        let Some(read) = lines.next(&mut line) else { break };
        let number = lines.number;
        let time = read.and_then(|()| precision.moment(line.time, accepted, lines.only_counts));
        let time = match time {
            Ok(time) => time,
            Err(wrong) => {
                builder.take(number, Err(wrong))?;
                continue;
            }
        };
        warn(&line, number, &mut warnings);
        drop_repeated(&mut line.fields, number, &mut warnings);
        naming.line(&line.measurement, &line.tags);
        for (field, value) in line.fields.drain(..) {
            let (name, source) = naming.field(&field);
            let point = builder.look().point_of(name, source, time, value);
            builder.take(number, point)?;
        }
    }
    let (batch, wrong) = builder.finish_partly()?;
    Ok(Reading { batch, wrong, warnings })
}

/// Converts the body to text, with `?` for each byte that is not UTF-8.
fn repaired(body: &[u8]) -> String {
    let mut text = String::with_capacity(body.len());
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(std::iter::repeat_n('?', chunk.invalid().len()));
    }
    text
}

/// Warns of texts and names of a line that are too long.
fn warn(line: &Line<'_>, number: usize, warnings: &mut Warnings) {
    for &(at, len) in &line.cut {
        let key = &line.fields[at].0;
        warnings
            .add(|| format!("line {number}: the text of {} has {len} bytes and was cut to {MAX_TEXT_LEN}", echo(key)));
    }
    let parts = std::iter::once(&line.measurement)
        .chain(line.tags.iter().map(|(_, value)| value))
        .chain(line.fields.iter().map(|(key, _)| key));
    for part in parts.filter(|part| part.len() > MAX_SEGMENT_LEN && part.chars().count() > MAX_SEGMENT_LEN) {
        warnings.add(|| {
            let most = MAX_SEGMENT_LEN;
            format!("line {number}: {} has over {most} characters and was cut in the name of its series", echo(part))
        });
    }
}

/// Keeps the last field of each key, as InfluxDB does.
fn drop_repeated(fields: &mut Vec<(Cow<'_, str>, Value)>, number: usize, warnings: &mut Warnings) {
    let is_repeated = if fields.len() <= MAX_PAIRED {
        (1..fields.len()).any(|at| fields[..at].iter().any(|(key, _)| *key == fields[at].0))
    } else {
        let mut keys = HashSet::with_capacity(fields.len());
        !fields.iter().all(|(key, _)| keys.insert(&**key))
    };
    if !is_repeated {
        return;
    }
    let mut keys: HashSet<String> = HashSet::with_capacity(fields.len());
    let mut is_last: Vec<bool> = fields.iter().rev().map(|(key, _)| keys.insert(key.clone().into_owned())).collect();
    fields.retain(|(key, _)| {
        let is_last = is_last.pop() == Some(true);
        if !is_last {
            warnings.add(|| format!("line {number}: the field {} comes again, and its last value counts", echo(key)));
        }
        is_last
    });
}
