//! A hash of the wire format, by which a page notices that the server runs another version of it.

/// One example of each event in its wire format. A test compares this file with the output of the types, so a change
/// of a type requires a change of the file, and thereby of the hash.
const EXAMPLES: &str = include_str!("contract.ndjson");

/// The hash of the wire format of this build: 64-bit FNV-1a (draft-eastlake-fnv) of an example of each event, as 16
/// hex digits.
#[must_use]
pub fn hash() -> String {
    format!("{HASH:016x}")
}

/// Computed at compile time, so that the page does not contain the examples.
const HASH: u64 = {
    let (bytes, mut hash, mut at) = (EXAMPLES.as_bytes(), 0xcbf2_9ce4_8422_2325_u64, 0);
    while at < bytes.len() {
        // `u64::from` is not callable in a const context yet.
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Etag;
    use crate::{
        BoardEdition, ByeReason, Declared, Epoch, Event, GapReason, Millis, Number, Seq, SeriesPart, Stamp, Text,
        TimeRange, Track, Value,
    };

    fn examples() -> Vec<Event> {
        let now = Millis(1_732_399_200_123);
        let at = |ms: u64, seq| Stamp { ts: now.plus(ms), seq: Seq(seq) };
        let number = |value| Value::Number(Number::new(value).unwrap());
        let mut numbers = Track::of(at(0, 1), number(42.5));
        numbers.push(at(100, 2), number(40.0));
        numbers.push(at(1000, 3), number(41.25));
        for (seq, value) in [(4, -1.0), (5, 7.5), (6, 7.51)] {
            numbers.push(at(2000, seq), number(value));
        }
        let texts = Track::of(at(2000, 7), Value::Text(Text::new("deploying".into()).unwrap()));
        let series = vec![
            SeriesPart {
                name: "ops/temp".parse().unwrap(),
                track: numbers,
                declared: Some(Declared::Gauge),
                revised: None,
            },
            SeriesPart { name: "ops/deploy".parse().unwrap(), track: texts, declared: None, revised: None },
        ];
        let epoch = Epoch(0x0bad_cafe);
        let mut revised = series.clone();
        revised[0].revised = Some(TimeRange { from: Millis(1_732_395_600_000), to: Millis(1_732_395_601_000) });
        let board = |etag| BoardEdition { id: "ops".parse().unwrap(), etag };
        vec![
            Event::Hello {
                contract: "0123456789abcdef".into(),
                epoch,
                heartbeat_ms: 15_000,
                now,
                boards: vec![board(None)],
            },
            Event::Snapshot { now, series },
            Event::Update { now, pushed: now, series: revised },
            Event::Gap { from: "0000beef-9".into(), to: "0badcafe-7".into(), reason: GapReason::OtherEpoch },
            Event::Board(board(Some(Etag::stored(0x0012_3456_789a_bcde)))),
            Event::Warnings { warnings: vec!["the clock jumped".to_owned()] },
            Event::Heartbeat { now },
            Event::Bye { reason: ByeReason::Shutdown, retry_ms: 1_500 },
        ]
    }

    #[test]
    fn the_examples_that_are_hashed_are_what_goes_over_the_wire() {
        let written: String = examples().iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
        assert_eq!(EXAMPLES, written, "the contract changed: put this into contract.ndjson:\n{written}");
        for (line, event) in EXAMPLES.lines().zip(examples()) {
            assert_eq!(serde_json::from_str::<Event>(line).unwrap(), event);
        }
    }

    #[test]
    fn a_reader_passes_over_types_and_reasons_that_it_does_not_know() {
        assert_eq!(serde_json::from_str::<Event>(r#"{"type":"fireworks","n":1}"#).unwrap(), Event::Unknown);
        let bye = r#"{"type":"bye","reason":"full_moon","retry_ms":1,"more":true}"#;
        assert_eq!(serde_json::from_str::<Event>(bye).unwrap(), Event::Bye { reason: ByeReason::Unknown, retry_ms: 1 });
    }
}
