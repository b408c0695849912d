//! Parses the body of a push by collectd: an array of lists of values.

use serde::Deserialize;
use serde_json::Value as Json;
use shared::problem::FieldError;
use shared::{Declared, Millis, Number, Value};

use super::name::Identifier;
use crate::http::problem::ApiError;
use crate::ingest::batch_builder::{Batch, BatchBuilder, MAX_LISTED};
use crate::ingest::elements;
use crate::ingest::fields::{Acceptance, Wrong};
use crate::log::PointTime;

/// The result of reading a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The valid values; perhaps none.
    pub batch: Batch,
    /// The number of wrong values and lists.
    pub wrong: usize,
    /// The number of those whose series the sender may not push to.
    pub forbidden: usize,
    /// The errors of the first of them.
    pub listed: Vec<FieldError>,
}

/// A list of values, as the plugin `write_http` writes it. Lists of notifications and others have no values.
#[derive(Deserialize)]
struct ValueList {
    values: Vec<Option<f64>>,
    dstypes: Vec<String>,
    dsnames: Vec<String>,
    /// Seconds since 1970.
    time: f64,
    host: String,
    plugin: String,
    #[serde(default)]
    plugin_instance: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    type_instance: String,
}

/// Reads a body into `builder`, one list at a time.
///
/// # Errors
/// [`ApiError::Malformed`] if it is not a JSON array, [`ApiError::LimitReached`] if there are too many values.
pub fn read(body: &[u8], accepted: Acceptance, builder: BatchBuilder<'_>) -> Result<Reading, ApiError> {
    let text = std::str::from_utf8(body).map_err(|error| ApiError::Malformed(format!("no UTF-8: {error}")))?;
    let mut lists = Lists { accepted, builder, wrong: 0, forbidden: 0, listed: Vec::new() };
    let malformed = "expected the JSON of collectd's write_http (Format \"JSON\")";
    elements::each(text, malformed, |number, json| lists.list(number, json))?;
    let Lists { builder, wrong, forbidden, listed, .. } = lists;
    let batch = if builder.is_empty() { Batch::default() } else { builder.finish()? };
    Ok(Reading { batch, wrong, forbidden, listed })
}

struct Lists<'a> {
    accepted: Acceptance,
    builder: BatchBuilder<'a>,
    wrong: usize,
    forbidden: usize,
    listed: Vec<FieldError>,
}

impl Lists<'_> {
    /// Adds the values of a list, which is counted from 1.
    fn list(&mut self, number: usize, json: Json) -> Result<(), ApiError> {
        let expected = "values, dstypes, dsnames, time, host, plugin and type, as write_http writes them";
        let list = match serde_json::from_value::<ValueList>(json) {
            Ok(list) => list,
            Err(error) => {
                self.refuse(Wrong::new("list", expected, error.to_string()).at(number));
                return Ok(());
            }
        };
        if list.values.len() != list.dstypes.len() || list.values.len() != list.dsnames.len() {
            let counts = [list.values.len(), list.dstypes.len(), list.dsnames.len()];
            self.refuse(Wrong::new("values", "as many as dstypes and dsnames", format!("{counts:?}")).at(number));
            return Ok(());
        }
        let time = match self.time(list.time) {
            Ok(time) => time,
            Err(wrong) => {
                self.refuse(wrong.at(number));
                return Ok(());
            }
        };
        let ValueList { values, dstypes, dsnames, host, plugin, plugin_instance, kind, type_instance, .. } = &list;
        let of = Identifier { host, plugin, plugin_instance, kind, type_instance };
        for ((value, kind), source) in values.iter().zip(dstypes).zip(dsnames) {
            // The value is unknown to collectd.
            let Some(value) = *value else { continue };
            let name = of.series(source, values.len());
            let Some(finite) = Number::new(value) else {
                self.refuse(Wrong::new("values", "finite numbers", value.to_string()).at(number));
                continue;
            };
            match self.builder.look().point(&name, time, Value::Number(finite)) {
                Ok(point) => self.builder.take(number, Ok(point.declaring(declared(kind, value))))?,
                Err(wrong) => {
                    self.forbidden += usize::from(wrong.is_forbidden());
                    self.refuse(wrong.at(number));
                }
            }
        }
        Ok(())
    }

    fn time(&self, seconds: f64) -> Result<PointTime, Wrong> {
        let time = point_time(seconds);
        let checked = self.accepted.check(time.ts, "a time in seconds since 1970; in milliseconds that is");
        checked.map(|_| time)
    }

    fn refuse(&mut self, error: FieldError) {
        self.wrong += 1;
        if self.listed.len() < MAX_LISTED {
            self.listed.push(error);
        }
    }
}

/// Returns the nearest millisecond, and the nanoseconds that distinguish times within one millisecond.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates, and NaN is 0")]
fn point_time(seconds: f64) -> PointTime {
    let ms = (seconds * 1e3).round() as u64;
    let nanos = (seconds * 1e9).round() as u64 % 1_000_000;
    PointTime::of_sender(Millis(ms), u32::try_from(nanos).unwrap_or_default())
}

/// Returns the metric type of a data source. `derive` and `counter` are counts since some start; with
/// `StoreRates true` they are rates, which are mostly not whole numbers. `absolute` is the count since the value before.
fn declared(kind: &str, value: f64) -> Option<Declared> {
    match kind {
        "derive" | "counter" if value.fract() == 0.0 => Some(Declared::Counter),
        "derive" | "counter" | "gauge" | "absolute" => Some(Declared::Gauge),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::push_memory::Share;
    use crate::log::Pushed;
    use crate::store::Directory;
    use shared::Point;

    const ACCEPTED: Acceptance = Acceptance { now: Millis(1_732_399_200_123), late_ms: 86_400_000 };

    fn read(body: &str) -> Result<Reading, ApiError> {
        let (directory, mut share) = (Directory::default(), Share::unbounded());
        super::read(body.as_bytes(), ACCEPTED, BatchBuilder::by_default(&directory, &mut share))
    }

    fn point(series: &str, value: f64, declares: Declared) -> Pushed {
        let value = Value::Number(Number::new(value).unwrap());
        let point = Point { series: series.parse().unwrap(), ts: Millis(1_732_399_199_123), value };
        let nanos = point_time(1_732_399_199.123).set_by.nanos().unwrap();
        Pushed::from(point).sent(nanos).declaring(Some(declares))
    }

    /// Lists as collectd 5.12 wrote them, with other times.
    const LISTS: &str = r#"[
        {"values":[942923776],"dstypes":["gauge"],"dsnames":["value"],"time":1732399199.123,"interval":1.000,"host":"web-1",
         "plugin":"memory","plugin_instance":"","type":"memory","type_instance":"used"},
        {"values":[10,null],"dstypes":["derive","derive"],"dsnames":["rx","tx"],"time":1732399199.123,"interval":1.000,
         "host":"web-1","plugin":"interface","plugin_instance":"eth0","type":"if_octets","type_instance":"",
         "meta":{"network:received":true}}
    ]"#;

    #[test]
    fn values_are_points_of_series_that_collectd_would_name_so() {
        let reading = read(LISTS).unwrap();
        assert_eq!((reading.wrong, reading.batch.lines.as_slice()), (0, &[1, 2][..]));
        assert_eq!(
            reading.batch.points,
            [
                point("web-1/memory/memory-used", 942_923_776.0, Declared::Gauge),
                point("web-1/interface-eth0/if_octets/rx", 10.0, Declared::Counter),
            ]
        );
    }

    #[test]
    fn derive_and_counter_count_unless_they_are_rates() {
        assert_eq!(declared("derive", 17.0), Some(Declared::Counter));
        assert_eq!(declared("counter", 0.0), Some(Declared::Counter));
        assert_eq!(declared("derive", 0.25), Some(Declared::Gauge));
        assert_eq!(declared("gauge", 17.0), Some(Declared::Gauge));
        assert_eq!(declared("absolute", 17.0), Some(Declared::Gauge));
        assert_eq!(declared("other", 17.0), None);
    }

    #[test]
    fn wrong_lists_are_named_and_the_others_kept() {
        let list = |time: &str, rest: &str| {
            format!(
                r#"{{"values":[1],"dstypes":["gauge"],"dsnames":["value"],"time":{time},"host":"h","plugin":"p","type":"t"{rest}}}"#
            )
        };
        let now = "1732399199.5";
        let body = [
            list(now, ""),
            list("17", ""),
            list(now, r#","values":[1,2]"#),
            "7".to_owned(),
            r#"{"labels":{"severity":"warning"}}"#.to_owned(),
            list(now, r#","type_instance":"x""#),
        ];
        let reading = read(&format!("[{}]", body.join(","))).unwrap();
        assert_eq!((reading.batch.points.len(), reading.wrong), (2, 4));
        let places: Vec<_> = reading.listed.iter().map(|error| (error.line.unwrap(), error.field.as_str())).collect();
        assert_eq!(places, [(2, "ts"), (3, "values"), (4, "list"), (5, "list")]);
        assert_eq!(read("[]").unwrap(), Reading::default());
        for broken in ["", "{}", "[", "[{]", "put 1"] {
            assert!(matches!(read(broken), Err(ApiError::Malformed(_))), "{broken}");
        }
    }
}
