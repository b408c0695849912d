//! Tests of whole bodies, from bytes to points. The law: every line is stored as InfluxDB would hold it, or is named
//! in an error.

mod retries;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use shared::{Millis, Number, Text, Value};
use std::io::Write as _;

use super::naming::Naming;
use super::read::{Reading, read};
use super::{MAX_BODY, Precision};
use crate::http::problem::ApiError;
use crate::ingest::batch_builder::BatchBuilder;
use crate::ingest::fields::Acceptance;
use crate::ingest::intake::Intake;
use crate::limits::push_memory::Share;
use crate::limits::{Limit, Limits};
use crate::log::{PointTime, Pushed};
use crate::store::Directory;

const NOW: u64 = 1_732_399_200_123;
const ACCEPTED: Acceptance = Acceptance { now: Millis(NOW), late_ms: 86_400_000 };

fn reading(body: impl AsRef<[u8]>, precision: Precision) -> Reading {
    let (directory, mut share) = (Directory::default(), Share::unbounded());
    read(body.as_ref(), precision, ACCEPTED, BatchBuilder::by_default(&directory, &mut share)).unwrap()
}

/// Creates the point of a series with these tags, which are in the order of their keys.
fn tagged(measurement: &str, tags: &[(&str, &str)], field: &str, time: PointTime, value: Value) -> Pushed {
    let tags: Vec<_> = tags.iter().map(|&(key, value)| (key.into(), value.into())).collect();
    let (directory, mut naming) = (Directory::default(), Naming::default());
    naming.line(measurement, &tags);
    let (name, source) = naming.field(field);
    directory.look().point_of(name, source, time, value).unwrap()
}

/// Creates the point of a line without tags and time.
fn point(measurement: &str, field: &str, value: Value) -> Pushed {
    tagged(measurement, &[], field, PointTime::of_server(Millis(NOW)), value)
}

fn number(value: f64) -> Value {
    Value::Number(Number::new(value).unwrap())
}

fn text(text: &str) -> Value {
    Value::Text(Text::new(text.to_owned()).unwrap())
}

fn wrong_lines(reading: &Reading) -> Vec<usize> {
    reading.wrong.listed.iter().map(|error| error.line.unwrap()).collect()
}

#[test]
fn each_field_is_a_point_at_the_time_of_its_line() {
    let body = "cpu,host=a usage=1.5,count=3i 1732399200000999999\n\nlog,host=a line=\"up\"\n";
    let Reading { batch, wrong, warnings } = reading(body, Precision::Nanos);
    let sent = PointTime::of_sender(Millis(1_732_399_200_000), 999_999);
    assert_eq!(
        batch.points,
        [
            tagged("cpu", &[("host", "a")], "usage", sent, number(1.5)),
            tagged("cpu", &[("host", "a")], "count", sent, number(3.0)),
            tagged("log", &[("host", "a")], "line", PointTime::of_server(Millis(NOW)), text("up")),
        ]
    );
    assert_eq!(batch.lines, [1, 1, 3]);
    assert_eq!((wrong.count, warnings.summary()), (0, None));
}

#[test]
fn wrong_lines_are_named_and_the_others_are_taken() {
    let reading = reading("a x=1\na x=oops\nb\na x=1 1732399200\nb y=2\na x=1 -5\n", Precision::Nanos);
    let places: Vec<_> = reading.wrong.listed.iter().map(|e| (e.line.unwrap(), e.field.as_str())).collect();
    assert_eq!(places, [(2, "field"), (3, "field"), (4, "ts"), (6, "ts")]);
    assert_eq!(reading.batch.points, [point("a", "x", number(1.0)), point("b", "y", number(2.0))]);
    assert_eq!(reading.batch.lines, [1, 5]);
}

#[test]
fn nothing_between_a_cr_and_the_next_lf_is_lost() {
    let three = [point("a", "x", number(1.0)), point("b", "x", number(2.0)), point("c", "x", number(3.0))];
    for body in [
        "a x=1\rb x=2\rc x=3",
        "a x=1\r\nb x=2\r\nc x=3\r\n",
        "a x=1\n\rb x=2\n\rc x=3\n\r",
        "\ra x=1\r\rb x=2\r \n\r\nc x=3\r",
        "# x\ra x=1\r#\nb x=2\r# \"\r\nc x=3",
    ] {
        let reading = reading(body, Precision::Nanos);
        assert_eq!((&reading.batch.points[..], reading.wrong.count), (&three[..], 0), "{body:?}");
    }
    let reading = reading("a x=1\rjunk\nb x=2", Precision::Nanos);
    assert_eq!((reading.batch.points.len(), wrong_lines(&reading)), (2, vec![2]));
}

#[test]
fn a_body_without_points_is_one() {
    for body in ["", "\n", "\r\n\r\n", " \n\t", "# comments\n#only", "\0"] {
        assert_eq!(reading(body, Precision::Nanos), Reading::default(), "{body:?}");
    }
}

#[test]
fn bytes_that_are_no_utf8_spoil_only_their_line() {
    let body = b"a x=1\nb,t=\xff x=1\n# \xff\nc x=2\nd y=\"\xc3\n\",z=1\ne x=3 \xff";
    let reading = reading(body, Precision::Nanos);
    assert_eq!(reading.batch.points, [point("a", "x", number(1.0)), point("c", "x", number(2.0))]);
    let wrong: Vec<_> = reading.wrong.listed.iter().map(ToString::to_string).collect();
    assert_eq!(wrong[0], "line 2: line: expected UTF-8, got other bytes, here as ?, in \"b,t=? x=1\"");
    assert_eq!(wrong_lines(&reading), [2, 5, 7]);
}

#[test]
fn what_is_too_long_is_cut_with_a_warning_and_a_field_that_comes_again_counts_once() {
    let body = format!("a x=1,t=\"{}\",x=2\n{} y=1\n", "ü".repeat(2_100), "m".repeat(65));
    let reading = reading(body, Precision::Nanos);
    assert_eq!(reading.batch.points.len(), 3);
    assert_eq!(reading.batch.points[0], point("a", "t", text(&"ü".repeat(2_048))));
    assert_eq!(reading.batch.points[1], point("a", "x", number(2.0)));
    let summary = reading.warnings.summary().unwrap();
    assert!(
        summary.starts_with(
            "line 1: the text of \"t\" has 4200 bytes and was cut to 4096; line 1: the field \"x\" comes again"
        ),
        "{summary}"
    );
    assert!(summary.contains("line 2: \"mmm") && summary.ends_with("was cut in the name of its series"), "{summary}");
    let many: Vec<_> = (0..100).map(|n| format!("f{}={n}", n % 50)).collect();
    let reading = self::reading(format!("a {}", many.join(",")), Precision::Nanos);
    assert_eq!(reading.batch.points.len(), 50);
    assert_eq!(reading.batch.points[0], point("a", "f0", number(50.0)));
}

#[test]
fn reading_stops_at_the_first_field_over_the_bound_also_within_a_line() {
    let read = |body: &str| {
        let (directory, mut share) = (Directory::default(), Share::unbounded());
        read(
            body.as_bytes(),
            Precision::Nanos,
            ACCEPTED,
            BatchBuilder::new(crate::ingest::lookup::SeriesLookup::unrestricted(&directory), 3, &mut share),
        )
    };
    assert_eq!(read("a x=1,y=2\nb x=3").unwrap().batch.points.len(), 3);
    for body in ["a x=1\nb x=1\na y=1\na x=1", "a x=1,y=2,z=3,u=4", "a x=1,y=2\na x=1,y=2 broken and more"] {
        assert_eq!(read(body).unwrap_err().limit(), Some(Limit::Points), "{body}");
    }
}

#[test]
fn all_errors_are_counted_and_a_thousand_listed() {
    for line in ["x\n", ",\n", "=\n", "a,b c=1\n", "a x=\n", "a x=1 y\n", "a x=1 5\n", "a,t=1,t=2 x=1\n", "a x=\"\n"] {
        // Two lines with an open quote make one text of two lines, which is closed.
        let count = if line.contains('"') { 0 } else { 3_000 };
        let reading = reading(line.repeat(3_000), Precision::Nanos);
        assert_eq!((reading.wrong.count, reading.wrong.listed.len()), (count, count.min(1_000)), "{line}");
        assert!(reading.wrong.listed.iter().all(|error| !error.got.is_empty()), "a listed error has the received text");
    }
}

/// A part of a name or a text: its value, and its escaped form.
type Part = (&'static str, &'static str);

/// Parts of names. None has a quote before the end of a name: that would close an open text of an earlier line.
const NAME_PARTS: [Part; 12] = [
    ("a", "a"),
    ("B7", "B7"),
    ("-._:", "-._:"),
    (",", "\\,"),
    (" ", "\\ "),
    ("=", "\\="),
    ("\\n", "\\n"),
    ("\\\\x", "\\\\x"),
    ("\"q", "\"q"),
    ("#", "#"),
    ("東京", "東京"),
    ("/", "/"),
];

/// Parts of texts.
const TEXT_PARTS: [Part; 11] = [
    ("y", "y"),
    ("\n", "\n"),
    ("\r\n", "\r\n"),
    ("\r", "\r"),
    ("\"", "\\\""),
    ("\\", "\\\\"),
    ("\\n", "\\n"),
    (" b c=1 5", " b c=1 5"),
    (",", ","),
    ("# ", "# "),
    ("ü", "ü"),
];

/// Numbers and booleans, and their written forms.
const NUMBERS: [(f64, &str); 12] = [
    (1.5, "1.5"),
    (-2.0, "-2i"),
    (7.0, "7u"),
    (1_000.0, "1e3"),
    (0.5, ".5"),
    (5.0, "5."),
    (-0.001, "-1E-3"),
    (1.0, "t"),
    (1.0, "True"),
    (0.0, "FALSE"),
    (0.0, "f"),
    (9_223_372_036_854_775_807.0, "9223372036854775807i"),
];

/// Lines that InfluxDB drops.
const WRONG: [&[u8]; 20] = [
    b"a",
    b"a x",
    b"a x=",
    b"a x=,y=1",
    b"a x=1,",
    b"a,t y=1",
    b"a,t= y=1",
    b"a,=1 y=1",
    b",t=1 y=1",
    b"a,t=1,t=2 x=1",
    b"a x=nan",
    b"a x=-Inf",
    b"a x=1.5i",
    b"a x=-1u",
    b"a x=1 now",
    b"a x=1 5 5",
    b"a\tx=1",
    b"a x=\"open",
    b"a x=\"xo\"pen",
    b"a,t=\xff\xfe x=1",
];

#[derive(Clone, Debug)]
struct GoodLine {
    measurement: Vec<usize>,
    tags: Vec<(Vec<usize>, Vec<usize>)>,
    fields: Vec<(Vec<usize>, Field)>,
    /// Seconds before now.
    ago: Option<u32>,
    blank_before: &'static str,
    blank_behind: &'static str,
}

#[derive(Clone, Debug)]
enum Field {
    Number(usize),
    Text(Vec<usize>),
}

#[derive(Clone, Debug)]
enum Item {
    Good(GoodLine),
    Wrong(usize),
    /// Older than the server accepts.
    Late,
    Comment(&'static str),
    Blank(&'static str),
}

fn name() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..NAME_PARTS.len(), 1..4)
}

fn good_line() -> impl Strategy<Value = GoodLine> {
    let field = prop_oneof![
        (0..NUMBERS.len()).prop_map(Field::Number),
        prop::collection::vec(0..TEXT_PARTS.len(), 0..5).prop_map(Field::Text),
    ];
    let blank = || prop::sample::select(vec!["", " ", "  \t", "\0"]);
    (
        name(),
        prop::collection::vec((name(), name()), 0..4),
        prop::collection::vec((name(), field), 1..4),
        prop::option::of(0..80_000_u32),
        blank(),
        blank(),
    )
        .prop_map(|(measurement, tags, fields, ago, blank_before, blank_behind)| GoodLine {
            measurement,
            tags,
            fields,
            ago,
            blank_before,
            blank_behind,
        })
}

fn item() -> impl Strategy<Value = Item> {
    prop_oneof![
        4 => good_line().prop_map(Item::Good),
        2 => (0..WRONG.len()).prop_map(Item::Wrong),
        1 => Just(Item::Late),
        1 => prop::sample::select(vec!["#", "# a x=1", "#\"q", " # b=\"q", "#\\"]).prop_map(Item::Comment),
        1 => prop::sample::select(vec!["", " ", "\t"]).prop_map(Item::Blank),
    ]
}

/// The body that a client writes, and the points that InfluxDB would hold of it.
#[derive(Debug, Default)]
struct Model {
    /// Begins each measurement of a good line.
    prefix: String,
    body: Vec<u8>,
    points: Vec<Pushed>,
    /// Measurement, tags and field of each point, with its time and value.
    held: Vec<(String, PointTime, Value)>,
    wrong: Vec<usize>,
}

impl Model {
    fn of(prefix: &str, items: &[(Item, &str)], precision: Precision) -> Self {
        let mut model = Self { prefix: prefix.to_owned(), ..Self::default() };
        for (item, end) in items {
            model.add(item, precision);
            model.body.extend_from_slice(end.as_bytes());
        }
        model
    }

    /// Returns the number of the line that begins here.
    fn line(&self) -> usize {
        let text = String::from_utf8_lossy(&self.body).replace("\r\n", "\n").replace('\r', "\n");
        1 + text.matches('\n').count()
    }

    fn add(&mut self, item: &Item, precision: Precision) {
        match item {
            Item::Good(line) => self.add_good(line, precision),
            Item::Wrong(which) => {
                self.wrong.push(self.line());
                self.body.extend_from_slice(WRONG[*which]);
            }
            Item::Late => {
                self.wrong.push(self.line());
                self.body.extend_from_slice(format!("a x=1 {}", time(90_000, precision)).as_bytes());
            }
            Item::Comment(text) | Item::Blank(text) => self.body.extend_from_slice(text.as_bytes()),
        }
    }

    fn add_good(&mut self, line: &GoodLine, precision: Precision) {
        let raw = |parts: &[usize]| parts.iter().map(|&part| NAME_PARTS[part].0).collect::<String>();
        let written = |parts: &[usize]| parts.iter().map(|&part| NAME_PARTS[part].1).collect::<String>();
        let mut text = line.blank_before.to_owned();
        // A measurement needs no escape before =, and a line that begins with # is a comment.
        text += &format!("{}{}", self.prefix, written(&line.measurement).replace("\\=", "="));
        let measurement = format!("{}{}", self.prefix, raw(&line.measurement));
        let mut tags: Vec<(String, String)> = Vec::new();
        for (key, value) in &line.tags {
            if tags.iter().all(|(known, _)| *known != raw(key)) {
                tags.push((raw(key), raw(value)));
                text += &format!(",{}={}", written(key), written(value));
            }
        }
        tags.sort();
        text += " ";
        let mut fields: Vec<(String, Value)> = Vec::new();
        for (at, (key, field)) in line.fields.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            let (value, value_text) = match field {
                Field::Number(which) => (number(NUMBERS[*which].0), NUMBERS[*which].1.to_owned()),
                Field::Text(parts) => {
                    let raw: String = parts.iter().map(|&part| TEXT_PARTS[part].0).collect();
                    let written: String = parts.iter().map(|&part| TEXT_PARTS[part].1).collect();
                    // Each text begins with a letter, so that an open text of an earlier line does not end here.
                    (self::text(&format!("x{raw}")), format!("\"x{written}\""))
                }
            };
            text += &format!("{comma}{}={value_text}", written(key));
            // Of fields with the same key, the last one counts, at its own place.
            fields.retain(|(known, _)| *known != raw(key));
            fields.push((raw(key), value));
        }
        let sent = line.ago.map(|ago| {
            let ms = NOW / 3_600_000 * 3_600_000 - u64::from(ago) / 3_600 * 3_600_000;
            let nanos = match precision {
                Precision::Nanos => 999_999,
                Precision::Micros => 7_000,
                _ => 0,
            };
            PointTime::of_sender(Millis(ms), nanos)
        });
        let moment = sent.unwrap_or_else(|| PointTime::of_server(Millis(NOW)));
        if let Some(ago) = line.ago {
            text += &format!(" {}", time(ago / 3_600 * 3_600, precision));
        }
        text += line.blank_behind;
        if line.blank_behind.starts_with('\0') && line.ago.is_none() {
            // Directly after a value, only a space ends it.
            text.pop();
        }
        self.body.extend_from_slice(text.as_bytes());
        let tags: Vec<_> = tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        for (key, value) in fields {
            self.held.push((format!("{measurement:?} {tags:?} {key:?}"), moment, value.clone()));
            self.points.push(tagged(&measurement, &tags, &key, moment, value));
        }
    }
}

/// Returns the time that was `ago` seconds before the last full hour, in the unit of a request.
fn time(ago: u32, precision: Precision) -> u64 {
    let ms = NOW / 3_600_000 * 3_600_000 - u64::from(ago) * 1_000;
    match precision {
        Precision::Nanos => ms * 1_000_000 + 999_999,
        Precision::Micros => ms * 1_000 + 7,
        Precision::Millis | Precision::Auto => ms,
        Precision::Seconds => ms / 1_000,
        Precision::Minutes => ms / 60_000,
        Precision::Hours => ms / 3_600_000,
    }
}

/// The form in which a client sends a body.
#[derive(Clone, Copy, Debug)]
struct Encoding {
    mark: Mark,
    /// The name of gzip, if the body is packed.
    gzip: Option<&'static str>,
}

/// The byte order mark of a body.
#[derive(Clone, Copy, Debug)]
enum Mark {
    None,
    Utf8,
    Utf16(fn(u16) -> [u8; 2]),
}

fn encoding() -> impl Strategy<Value = Encoding> {
    let marks = [Mark::None, Mark::None, Mark::Utf8, Mark::Utf16(u16::to_le_bytes), Mark::Utf16(u16::to_be_bytes)];
    let gzip = prop::option::of(prop::sample::select(vec!["gzip", "GZIP", "x-gzip", "identity, gzip"]));
    (prop::sample::select(marks.to_vec()), gzip).prop_map(|(mark, gzip)| Encoding { mark, gzip })
}

impl Encoding {
    fn of(self, body: &[u8]) -> Vec<u8> {
        let body = match (self.mark, std::str::from_utf8(body)) {
            (Mark::Utf16(bytes), Ok(text)) => format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect(),
            (Mark::Utf8, _) => [b"\xef\xbb\xbf", body].concat(),
            (Mark::None | Mark::Utf16(_), _) => body.to_vec(),
        };
        if self.gzip.is_none() {
            return body;
        }
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&body).unwrap();
        gzip.finish().unwrap()
    }
}

/// Reads a body as it comes in a request.
fn read_request(
    body: &[u8],
    encoding: Encoding,
    precision: Precision,
    directory: Directory,
) -> Result<Reading, ApiError> {
    let body = encoding.of(body);
    let gzip = encoding.gzip.map(|gzip| (header::CONTENT_ENCODING, HeaderValue::from_static(gzip)));
    let headers: HeaderMap = gzip.into_iter().collect();
    let parse = move |text: &[u8], share: &mut Share| {
        read(text, precision, ACCEPTED, BatchBuilder::by_default(&directory, share))
    };
    let intake = Intake::new(&Limits::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime
        .block_on(intake.read(
            Body::from(body),
            &headers,
            crate::limits::client::LimitedClient::default(),
            MAX_BODY,
            parse,
        ))
        .map(|(reading, _)| reading)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn every_line_is_held_as_influxdb_holds_it_or_named(
        items in prop::collection::vec((item(), prop::sample::select(vec!["\n", "\r\n", "\r", "\n\r"])), 0..8),
        precision in prop::sample::select(vec![
            Precision::Nanos, Precision::Micros, Precision::Millis, Precision::Seconds, Precision::Minutes,
            Precision::Hours, Precision::Auto,
        ]),
        encoding in encoding(),
    ) {
        // With `Precision::Auto`, the unit must follow from the size of the time.
        let mut model = Model::of("m", &items, precision);
        if let Some((_, end)) = items.last() {
            model.body.truncate(model.body.len() - end.len());
        }
        let reading = read_request(&model.body, encoding, precision, Directory::default()).unwrap();
        let shown = String::from_utf8_lossy(&model.body).into_owned();
        prop_assert_eq!(wrong_lines(&reading), model.wrong, "{:?}", shown);
        prop_assert_eq!(reading.batch.points, model.points, "{:?}", shown);
    }

    #[test]
    fn any_bytes_are_read_and_each_line_is_stored_or_named(body in prop::collection::vec(
        prop::sample::select(b"a,x= 1\"\\\n\r#\t\0i-.\xff\xc3\xbc".to_vec()), 0..60
    )) {
        let reading = reading(&body, Precision::Nanos);
        // In a body without quotes, each line that is neither blank nor a comment is stored or named in an error.
        let lines = body.split(|byte| matches!(byte, b'\n' | b'\r'));
        let is_some = |line: &[u8]| line.iter().find(|byte| !matches!(byte, b' ' | b'\t' | 0)).is_some_and(|&byte| byte != b'#');
        if !body.contains(&b'"') {
            let count = lines.filter(|line| is_some(line)).count();
            let mut stored = reading.batch.lines.clone();
            stored.dedup();
            prop_assert_eq!(stored.len() + reading.wrong.count, count);
        }
    }
}
