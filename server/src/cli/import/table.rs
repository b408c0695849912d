//! Converts the rows of a CSV file (RFC 4180) into lines for `POST /in`.
//!
//! There are two forms. A long table has a column `series` and a column `value` (or `text`). A wide one has a series
//! in each column except the column of the time. The time is the column `time`, `ts`, `timestamp` or `date`, or else the
//! first one.

use serde_json::{Map, Value as Json};
use shared::Millis;

use super::pieces::Piece;
use super::source::{Format, Input};
use crate::history::time;
use shared::moment::EARLIEST;

/// The possible names of the column of the time.
const TIMES: [&str; 4] = ["time", "ts", "timestamp", "date"];

/// A table, read row by row.
pub(super) struct Table {
    rows: csv::Reader<Input>,
    form: TableLayout,
    time: usize,
    line: u64,
}

enum TableLayout {
    /// The columns of the name and of the value, the field that the value becomes, and the prefix of names.
    Long { series: usize, value: usize, field: &'static str, prefix: String },
    /// The name of each column; `None` for the column of the time.
    Wide(Vec<Option<String>>),
}

impl Table {
    /// Reads the head.
    ///
    /// # Errors
    /// A message that says which columns the head should have.
    pub(super) fn read_head(input: Input, prefix: Option<&str>) -> Result<Self, String> {
        let mut rows = csv::ReaderBuilder::new()
            .flexible(true)
            // The CSV reader counts lines correctly only for this line end. A carriage return before it is trimmed.
            .terminator(csv::Terminator::Any(b'\n'))
            .trim(csv::Trim::All)
            .from_reader(input);
        let head = rows.headers().map_err(|error| format!("its first line is no head of a table: {error}"))?.clone();
        let prefix = prefix.map(|prefix| format!("{}/", prefix.trim_end_matches('/'))).unwrap_or_default();
        let names: Vec<String> = head.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
        let find = |name: &str| names.iter().position(|other| other.eq_ignore_ascii_case(name));
        let time = TIMES.iter().find_map(|name| find(name)).unwrap_or(0);
        if names.len() < 2 {
            return Err(
                "its head has one column; write a time and a series in each other column, or time,series,value"
                    .to_owned(),
            );
        }
        let value = find("value").map(|value| (value, "value")).or_else(|| find("text").map(|text| (text, "text")));
        let form = match (find("series"), value) {
            (Some(series), Some((value, field))) => TableLayout::Long { series, value, field, prefix },
            (Some(_), None) => return Err("its head has a column series and no column value or text".to_owned()),
            (None, _) => {
                let name = |(column, name): (usize, &String)| (column != time).then(|| format!("{prefix}{name}"));
                TableLayout::Wide(names.iter().enumerate().map(name).collect())
            }
        };
        Ok(Self { rows, form, time, line: 1 })
    }

    /// Returns the number of the last line that was read.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Reads the rows of the next push; `None` at the end of the file.
    pub(super) fn next(&mut self) -> csv::Result<Option<Piece>> {
        let mut piece = Piece::default();
        let mut row = csv::StringRecord::new();
        while !piece.is_full(Format::Csv) && self.rows.read_record(&mut row)? {
            self.line = row.position().map_or(self.line, csv::Position::line);
            let ts = row.get(self.time).unwrap_or_default();
            match &self.form {
                TableLayout::Long { series, value, field, prefix } => {
                    let name = format!("{prefix}{}", row.get(*series).unwrap_or_default());
                    piece.add(self.line, line(&name, ts, field, row.get(*value).unwrap_or_default()));
                }
                TableLayout::Wide(names) => {
                    for (name, cell) in names.iter().zip(&row) {
                        // An empty cell is no point.
                        if let Some(name) = name.as_ref().filter(|_| !cell.is_empty()) {
                            piece.add(self.line, line(name, ts, "value", cell));
                        }
                    }
                }
            }
        }
        Ok((!piece.lines.is_empty()).then_some(piece))
    }
}

/// Writes a line of NDJSON. A value or a time that cannot be parsed is sent as a text, so that the server names it.
fn line(series: &str, ts: &str, field: &str, cell: &str) -> Vec<u8> {
    let number = || cell.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(Json::Number);
    let value = if field == "value" { number() } else { None };
    let time = moment(ts).map(|Millis(ms)| Json::from(ms));
    let object: Map<String, Json> = [
        ("series".to_owned(), Json::from(series)),
        (field.to_owned(), value.unwrap_or_else(|| Json::from(cell))),
        ("ts".to_owned(), time.unwrap_or_else(|| Json::from(ts))),
    ]
    .into_iter()
    .collect();
    Json::Object(object).to_string().into_bytes()
}

/// Parses a time: RFC 3339, also without a zone (UTC) or with a space in it, and milliseconds or seconds since 1970.
fn moment(text: &str) -> Option<Millis> {
    if let Ok(number) = text.parse::<u64>() {
        let seconds = (EARLIEST.0 / 1_000..EARLIEST.0).contains(&number);
        return Some(Millis(if seconds { number * 1_000 } else { number }));
    }
    // A table has no times relative to now, which `time::parse` would accept.
    let begins_with_date = text.as_bytes().first().is_some_and(u8::is_ascii_digit);
    let date_and_time = text.replacen(' ', "T", 1);
    let zoned = [date_and_time.clone(), format!("{date_and_time}Z"), format!("{date_and_time}T00:00:00Z")];
    zoned.iter().find_map(|text| time::parse(text, Millis(0)).ok()).filter(|_| begins_with_date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, prefix: Option<&str>) -> Result<Vec<(u64, Json)>, String> {
        let mut table = Table::read_head(Box::new(std::io::Cursor::new(text.as_bytes().to_vec())), prefix)?;
        let piece = table.next().unwrap().unwrap();
        assert_eq!(table.next().unwrap(), None);
        Ok(piece.lines.into_iter().map(|(number, line)| (number, serde_json::from_slice(&line).unwrap())).collect())
    }

    #[test]
    fn wide_table_has_a_series_in_each_column() {
        let text = "\u{feff}time,temp,\"hum\"\r\n2024-11-23T10:00:00Z,21.5,40\r\n1732356060000,,41\r\n";
        let wanted = [
            (2, r#"{"series":"home/temp","ts":1732356000000,"value":21.5}"#),
            (2, r#"{"series":"home/hum","ts":1732356000000,"value":40.0}"#),
            (3, r#"{"series":"home/hum","ts":1732356060000,"value":41.0}"#),
        ];
        assert_eq!(
            lines(text, Some("home/")),
            Ok(wanted.map(|(number, line)| (number, serde_json::from_str(line).unwrap())).to_vec())
        );
    }

    #[test]
    fn long_table_names_the_series_in_each_row_and_what_is_no_number_is_left_to_the_server() {
        let text = "series,value,ts\nops/a,1,1732356000000\nops/b,oops,yesterday\n";
        let wanted = [
            (2, r#"{"series":"ops/a","ts":1732356000000,"value":1.0}"#),
            (3, r#"{"series":"ops/b","ts":"yesterday","value":"oops"}"#),
        ];
        assert_eq!(
            lines(text, None),
            Ok(wanted.map(|(number, line)| (number, serde_json::from_str(line).unwrap())).to_vec())
        );
    }

    #[test]
    fn times_are_read_as_tables_have_them() {
        for text in [
            "2024-11-23T10:00:00Z",
            "2024-11-23T11:00:00+01:00",
            "2024-11-23 10:00:00",
            "2024-11-23 10:00:00.000",
            "1732356000000",
            "1732356000",
        ] {
            assert_eq!(moment(text), Some(Millis(1_732_356_000_000)), "{text}");
        }
        assert_eq!(moment("2024-11-23"), Some(Millis(1_732_320_000_000)));
        for text in ["", "now", "-1h", "yesterday", "12:00"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn head_without_values_is_refused() {
        assert!(lines("series,when\na,1\n", None).unwrap_err().contains("no column value"));
        assert!(lines("time\n1\n", None).unwrap_err().contains("one column"));
    }
}
