//! The stored form gives back each entry, to the last bit, and damaged bytes are an error and never a panic.

use proptest::prelude::*;
use shared::board::BoardFormat;
use shared::{Capability, Declared, Millis, Number, Seq, Text, Value};

use super::*;
use crate::log::link::{LinkChange, NewLink};
use crate::log::push::Target;
use crate::log::{
    Atomicity, AuditAction, AuditEvent, BoardChange, BoardDocument, By, Change, Fingerprint, IdempotencyKey,
    PasswordHash, PointTime, Push, Pushed, SessionRecord, Source, Terms, TokenChange, TokenHash, UserChange,
};

/// The series of a row of this node.
fn series(row: SeriesId) -> NewSeries {
    let source = (row.0.is_multiple_of(2)).then_some(Source { group: row.0.into(), whole: 7 });
    NewSeries { name: format!("s/{}", row.0).parse().unwrap(), source }
}

fn values() -> impl Strategy<Value = Value> {
    let float = prop_oneof![any::<f64>(), Just(-0.0), Just(f64::MIN_POSITIVE / 2.0), Just(f64::MAX)];
    let number = float.prop_filter_map("finite", Number::new).prop_map(Value::Number);
    prop_oneof![3 => number, 1 => "\\PC{0,40}".prop_map(|text| Value::Text(Text::new(text).unwrap()))]
}

fn pushes() -> impl Strategy<Value = Push> {
    let target = prop_oneof![
        (1..20_u32).prop_map(|row| Target::Row(SeriesId(row))),
        (1..20_u32).prop_map(|row| Target::New(Box::new(series(SeriesId(row))))),
    ];
    let nanos = prop::option::of(0..1_000_000_u32);
    let declares = prop_oneof![Just(None), Just(Some(Declared::Gauge)), Just(Some(Declared::Counter))];
    let point = (target, 0..=i64::MAX.unsigned_abs(), nanos, values(), declares);
    let point = point.prop_map(|(target, ts, nanos, value, declares)| {
        let ts = Millis(ts);
        let time = nanos.map_or_else(|| PointTime::of_server(ts), |nanos| PointTime::of_sender(ts, nanos));
        Pushed::at(target, time, value).declaring(declares)
    });
    let key = prop::option::of("\\PC{1,60}");
    (prop::collection::vec(point, 0..40), key, any::<bool>()).prop_map(|(points, key, is_partial)| Push {
        points,
        key: key.and_then(|key| IdempotencyKey::new(key, Fingerprint::of("/in", b"1"))),
        atomicity: if is_partial { Atomicity::Partial } else { Atomicity::AllOrNothing },
    })
}

/// One of each change that is not a push.
fn others() -> Vec<Change> {
    let document =
        BoardDocument { form: BoardFormat::Toml, source: "title = \"ü\"\r\n".to_owned(), changed: Millis(9) };
    let board = BoardChange {
        id: "ops".parse().unwrap(),
        selectors: vec!["a/*".parse().unwrap(), "b/**".parse().unwrap()],
        etag: Some(document.tag()),
        expects: Some(document.tag().rewritten(BoardFormat::Json)),
        document: Some(document),
    };
    let gone = BoardChange { etag: None, document: None, expects: None, ..board.clone() };
    let capability = Capability::new(vec!["push:ops/**".parse().unwrap()], Some(Millis(99))).unwrap();
    let (hash, at) = (TokenHash([7; 32]), Millis(3));
    let (token, user): (crate::log::TokenName, crate::log::UserName) = ("t".parse().unwrap(), "u".parse().unwrap());
    let password = PasswordHash("$argon2id$…".to_owned());
    vec![
        Change::Board(board),
        Change::Board(gone),
        Change::ForgetBoard { id: "ops".parse().unwrap(), since: Seq(5) },
        Change::RemoveSeries("haus/küche".parse().unwrap()),
        Change::Token(TokenChange::Create { name: token.clone(), hash, capability: capability.clone(), at }),
        Change::Token(TokenChange::Rotate { name: token.clone(), hash, at }),
        Change::Token(TokenChange::Revoke { name: token, at }),
        Change::User(UserChange::Add {
            name: user.clone(),
            password: password.clone(),
            capability: capability.clone(),
            at,
        }),
        Change::User(UserChange::SetPassword { name: user.clone(), password, at }),
        Change::User(UserChange::SetCapability { name: user.clone(), capability, at }),
        Change::User(UserChange::Remove { name: user.clone(), at }),
        Change::User(UserChange::EndSessions { name: user.clone() }),
        Change::User(UserChange::BeginSession(SessionRecord { hash, user, created: at, expires: Millis(4) })),
        Change::User(UserChange::EndSession(hash)),
        Change::Link(LinkChange::Create(NewLink {
            id: "l1".parse().unwrap(),
            hash,
            board: "ops".parse().unwrap(),
            scope: vec!["read:ops/**".parse().unwrap()],
            maker: "user ann".to_owned(),
            created: at,
            expires: Millis(4),
        })),
        Change::Link(LinkChange::Revoke { id: "l1".parse().unwrap(), at }),
        Change::Event,
    ]
}

fn terms(at: u64) -> Terms {
    Terms { at: Millis(at), oldest: Millis(at / 2), max_series: 4, max_rows: usize::MAX, max_keys: 2 }
}

/// An event for some entries.
fn by(at: u64) -> By {
    let from = (at.is_multiple_of(3)).then(|| std::net::IpAddr::from([127, 0, 0, 1]));
    let event = AuditEvent::new(Millis(at), "user ann", from, AuditAction::BoardStored, "ops", "+ ü\n- x");
    (at % 2 == 1).then(|| Box::new(event))
}

/// The entry as it is after other nodes have named its series.
fn named(mut entry: Entry) -> Entry {
    if let Change::Points(push) = &mut entry.change {
        for point in &mut push.points {
            if let Target::Row(row) = point.target {
                point.target = Target::New(Box::new(series(row)));
            }
        }
    }
    entry
}

fn text(entries: &[Entry]) -> Vec<String> {
    // The debug form tells -0.0 from 0.0.
    entries.iter().map(|entry| format!("{entry:?}")).collect()
}

proptest! {
    #[test]
    fn entries_are_read_as_they_were_written(
        pushes in prop::collection::vec((pushes(), any::<u64>()), 0..6),
        other in prop::option::of(prop::sample::select(others())),
    ) {
        let pushes = pushes.into_iter().map(|(push, at)| Entry { terms: terms(at), change: Change::Points(push), by: by(at) });
        let entries: Vec<_> = pushes.chain(other.map(|change| Entry { terms: terms(1), change, by: by(1) })).collect();
        let bytes = pack(&entries, series);
        let unknown = unpack(&bytes, |_, _| None).unwrap();
        let wanted: Vec<_> = entries.iter().cloned().map(named).collect();
        prop_assert_eq!(text(&unknown), text(&wanted));
        // The form does not depend on whether the node knew the series.
        let again = pack(&unknown, |_| unreachable!("no row is left"));
        prop_assert_eq!(&again, &bytes);
        let known = unpack(&bytes, |new, _| new.name.as_str().strip_prefix("s/").and_then(|row| row.parse().ok()).map(SeriesId)).unwrap();
        prop_assert_eq!(pack(&known, series), bytes);
    }

    #[test]
    fn damaged_bytes_are_an_error_or_other_entries(
        push in pushes(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        length in any::<prop::sample::Index>(),
    ) {
        let mut bytes = pack(&[Entry { terms: terms(1), change: Change::Points(push), by: by(1) }], series);
        let _cut = unpack(&bytes[..length.index(bytes.len())], |_, _| None);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(entries) = unpack(&bytes, |_, _| None) {
            let again = pack(&entries, |_| unreachable!("no row is left"));
            prop_assert_eq!(text(&unpack(&again, |_, _| None).unwrap()), text(&entries));
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _either = unpack(&bytes, |_, _| None);
        let _either = unpack(&[&[VERSION], &bytes[..]].concat(), |_, _| None);
    }
}

#[test]
fn each_other_change_is_read_as_it_was_written() {
    for change in others() {
        let entries = [Entry { terms: terms(1_732_399_200_000), change, by: by(1_732_399_200_000) }];
        let read = unpack(&pack(&entries, series), |_, _| None).unwrap();
        assert_eq!(text(&read), text(&entries));
    }
}

#[test]
fn form_of_a_later_version_is_named() {
    assert_eq!(unpack(&[VERSION + 1, 0, 0], |_, _| None).unwrap_err(), UnpackError::Version(VERSION + 1));
}

/// The bytes are in logs of earlier versions: a change of the form must change [`VERSION`].
#[test]
fn form_stays_as_it_is() {
    let point = Pushed::at(
        Target::Row(SeriesId(3)),
        PointTime::of_sender(Millis(1_000), 5),
        Value::Number(Number::new(1.5).unwrap()),
    );
    let push = Push { points: vec![point], key: None, atomicity: Atomicity::Partial };
    let bytes = pack(&[Entry { terms: terms(10), change: Change::Points(push), by: by(10) }], series);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "010103732f3300010a0504ffffffffffffffffff0102000100d00f0600000000000000f83f00000100");
}
