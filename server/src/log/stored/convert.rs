//! Turns entries into their stored form and back.

use std::collections::HashMap;
use std::str::FromStr;

use shared::board::BoardFormat;
use shared::board::keyword::Keyword as _;
use shared::point::Kind;
use shared::{Capability, Declared, Millis, Number, Seq, SeriesName, Text, Value};

use super::UnpackError;
use super::form::{
    Group, Series, StoredBoardChange, StoredChange, StoredDocument, StoredEntry, StoredLinkChange, StoredPoint,
    StoredPush, StoredTerms, StoredTokenChange, StoredUserChange, StoredValue,
};
use crate::log::entry::{BoardChange, BoardDocument, Change, Entry, Terms};
use crate::log::idempotency::{Fingerprint, IdempotencyKey};
use crate::log::link::{LinkChange, NewLink};
use crate::log::point_time::SetBy;
use crate::log::push::{Atomicity, NewSeries, Push, Pushed, Target};
use crate::log::series::SeriesId;
use crate::log::source::Source;
use crate::log::token::{TokenChange, TokenHash};
use crate::log::user::{PasswordHash, SessionRecord, UserChange};

/// The series of a group while it is packed.
#[derive(Default)]
struct Names {
    listed: Vec<Series>,
    by_row: HashMap<SeriesId, u32>,
    by_name: HashMap<(SeriesName, Option<Source>), u32>,
}

impl Names {
    fn index(&mut self, target: &Target, name_of: &mut impl FnMut(SeriesId) -> NewSeries) -> u32 {
        match target {
            Target::New(new) => self.add(new),
            Target::Row(row) => {
                if let Some(&index) = self.by_row.get(row) {
                    return index;
                }
                let index = self.add(&name_of(*row));
                self.by_row.insert(*row, index);
                index
            }
        }
    }

    fn add(&mut self, NewSeries { name, source }: &NewSeries) -> u32 {
        *self.by_name.entry((name.clone(), *source)).or_insert_with(|| {
            let source = source.map(|Source { group, whole }| (group, whole));
            self.listed.push(Series { name: name.as_str().to_owned(), source });
            u32::try_from(self.listed.len() - 1).expect("a group has fewer points than that")
        })
    }
}

pub(super) fn form_of(entries: &[Entry], mut name_of: impl FnMut(SeriesId) -> NewSeries) -> Group {
    let mut names = Names::default();
    let entries = entries.iter().map(|entry| stored(entry, &mut names, &mut name_of)).collect();
    Group { series: names.listed, entries }
}

fn stored(entry: &Entry, names: &mut Names, name_of: &mut impl FnMut(SeriesId) -> NewSeries) -> StoredEntry {
    let Terms { at, oldest, max_series, max_rows, max_keys } = entry.terms;
    let [max_series, max_rows, max_keys] = [max_series, max_rows, max_keys].map(|most| most as u64);
    let terms = StoredTerms { at: at.0, oldest: oldest.0, max_series, max_rows, max_keys };
    let change = match &entry.change {
        Change::Points(push) => StoredChange::Points(stored_push(push, names, name_of)),
        Change::Board(BoardChange { id, selectors, etag, document, expects }) => {
            StoredChange::Board(StoredBoardChange {
                id: id.as_str().to_owned(),
                selectors: selectors.iter().map(|selector| selector.as_str().to_owned()).collect(),
                etag: etag.map(|etag| etag.to_string()),
                document: document.as_ref().map(|document| StoredDocument {
                    form: document.form.keyword().to_owned(),
                    source: document.source.clone(),
                    changed: document.changed.0,
                }),
                expects: expects.map(|expects| expects.to_string()),
            })
        }
        Change::ForgetBoard { id, since } => StoredChange::ForgetBoard { id: id.as_str().to_owned(), since: since.0 },
        Change::RemoveSeries(name) => StoredChange::RemoveSeries(name.as_str().to_owned()),
        Change::Token(change) => StoredChange::Token(stored_token(change)),
        Change::User(change) => StoredChange::User(stored_user(change)),
        Change::Link(change) => StoredChange::Link(stored_link(change)),
        Change::Event => StoredChange::Event,
    };
    let by = entry.by.as_ref().map(|event| serde_json::to_string(event).expect("an event is always JSON"));
    StoredEntry { terms, change, by }
}

fn stored_push(push: &Push, names: &mut Names, name_of: &mut impl FnMut(SeriesId) -> NewSeries) -> StoredPush {
    let mut before = 0_u64;
    let mut point = |Pushed { target, ts, set_by, value, declares }: &Pushed| {
        let later = ts.0.wrapping_sub(before).cast_signed();
        before = ts.0;
        let value = match value {
            Value::Number(number) => StoredValue::Number(number.get()),
            Value::Text(text) => StoredValue::Text(text.as_str().to_owned()),
        };
        let declares = match declares {
            None => 0,
            Some(Declared::Gauge) => 1,
            Some(Declared::Counter) => 2,
        };
        StoredPoint(names.index(target, name_of), later, set_by.code(), value, declares)
    };
    StoredPush {
        points: push.points.iter().map(&mut point).collect(),
        key: push.key.as_ref().map(|IdempotencyKey { text, request }| (text.clone(), request.0)),
        is_partial: push.atomicity == Atomicity::Partial,
    }
}

fn json(capability: &Capability) -> String {
    serde_json::to_string(capability).expect("a capability is always JSON")
}

fn stored_token(change: &TokenChange) -> StoredTokenChange {
    let name = change.name().as_str().to_owned();
    match change {
        TokenChange::Create { hash, capability, at, .. } => {
            StoredTokenChange::Create { name, hash: hash.0, capability: json(capability), at: at.0 }
        }
        TokenChange::Rotate { hash, at, .. } => StoredTokenChange::Rotate { name, hash: hash.0, at: at.0 },
        TokenChange::Revoke { at, .. } => StoredTokenChange::Revoke { name, at: at.0 },
    }
}

fn stored_user(change: &UserChange) -> StoredUserChange {
    let text = |name: &crate::log::UserName| name.as_str().to_owned();
    match change {
        UserChange::Add { name, password, capability, at } => StoredUserChange::Add {
            name: text(name),
            password: password.0.clone(),
            capability: json(capability),
            at: at.0,
        },
        UserChange::SetPassword { name, password, at } => {
            StoredUserChange::SetPassword { name: text(name), password: password.0.clone(), at: at.0 }
        }
        UserChange::SetCapability { name, capability, at } => {
            StoredUserChange::SetCapability { name: text(name), capability: json(capability), at: at.0 }
        }
        UserChange::Remove { name, at } => StoredUserChange::Remove { name: text(name), at: at.0 },
        UserChange::EndSessions { name } => StoredUserChange::EndSessions { name: text(name) },
        UserChange::BeginSession(SessionRecord { hash, user, created, expires }) => {
            StoredUserChange::BeginSession { hash: hash.0, user: text(user), created: created.0, expires: expires.0 }
        }
        UserChange::EndSession(hash) => StoredUserChange::EndSession(hash.0),
    }
}

fn stored_link(change: &LinkChange) -> StoredLinkChange {
    match change {
        LinkChange::Create(NewLink { id, hash, board, scope, maker, created, expires }) => StoredLinkChange::Create {
            id: id.as_str().to_owned(),
            hash: hash.0,
            board: board.as_str().to_owned(),
            scope: serde_json::to_string(scope).expect("grants are always JSON"),
            maker: maker.clone(),
            created: created.0,
            expires: expires.0,
        },
        LinkChange::Revoke { id, at } => StoredLinkChange::Revoke { id: id.as_str().to_owned(), at: at.0 },
    }
}

/// Parses a text of the form.
fn parse<T: FromStr>(text: &str) -> Result<T, UnpackError> {
    text.parse().map_err(|_| UnpackError::Content(format!("{text:?} cannot be read")))
}

fn capability(text: &str) -> Result<Capability, UnpackError> {
    serde_json::from_str(text).map_err(|error| UnpackError::Content(format!("a capability cannot be read: {error}")))
}

fn bound(most: u64) -> usize {
    usize::try_from(most).unwrap_or(usize::MAX)
}

/// A series of a group, and its rows on this node.
struct Known {
    series: NewSeries,
    /// The row, if the series is known and holds numbers; likewise for texts.
    numbers: Option<SeriesId>,
    texts: Option<SeriesId>,
}

pub(super) fn entries_of(
    Group { series, entries }: Group,
    mut row_of: impl FnMut(&NewSeries, Kind) -> Option<SeriesId>,
) -> Result<Vec<Entry>, UnpackError> {
    let known = series.into_iter().map(|Series { name, source }| {
        let source = source.map(|(group, whole)| Source { group, whole });
        let series = NewSeries { name: parse(&name)?, source };
        let (numbers, texts) = (row_of(&series, Kind::Number), row_of(&series, Kind::Text));
        Ok(Known { series, numbers, texts })
    });
    let known = known.collect::<Result<Vec<_>, _>>()?;
    entries.into_iter().map(|entry| read_entry(entry, &known)).collect()
}

fn read_entry(StoredEntry { terms, change, by }: StoredEntry, known: &[Known]) -> Result<Entry, UnpackError> {
    let StoredTerms { at, oldest, max_series, max_rows, max_keys } = terms;
    let [max_series, max_rows, max_keys] = [max_series, max_rows, max_keys].map(bound);
    let terms = Terms { at: Millis(at), oldest: Millis(oldest), max_series, max_rows, max_keys };
    let change = match change {
        StoredChange::Points(push) => Change::Points(read_push(push, known)?),
        StoredChange::Board(StoredBoardChange { id, selectors, etag, document, expects }) => {
            let document = document.map(|StoredDocument { form, source, changed }| {
                let form = BoardFormat::of(&form)
                    .ok_or_else(|| UnpackError::Content(format!("{form:?} is no format of a board")))?;
                Ok(BoardDocument { form, source, changed: Millis(changed) })
            });
            Change::Board(BoardChange {
                id: parse(&id)?,
                selectors: selectors.iter().map(|selector| parse(selector)).collect::<Result<_, _>>()?,
                etag: etag.as_deref().map(parse).transpose()?,
                document: document.transpose()?,
                expects: expects.as_deref().map(parse).transpose()?,
            })
        }
        StoredChange::ForgetBoard { id, since } => Change::ForgetBoard { id: parse(&id)?, since: Seq(since) },
        StoredChange::RemoveSeries(name) => Change::RemoveSeries(parse(&name)?),
        StoredChange::Token(change) => Change::Token(read_token(change)?),
        StoredChange::User(change) => Change::User(read_user(change)?),
        StoredChange::Link(change) => Change::Link(read_link(change)?),
        StoredChange::Event => Change::Event,
    };
    let by = by.map(|json| serde_json::from_str(&json));
    let by = by.transpose().map_err(|error| UnpackError::Content(format!("an event cannot be read: {error}")))?;
    Ok(Entry { terms, change, by })
}

fn read_push(StoredPush { points, key, is_partial }: StoredPush, known: &[Known]) -> Result<Push, UnpackError> {
    let wrong = |what: &str| UnpackError::Content(format!("{what} of a point is out of range"));
    let mut before = 0_u64;
    let point = |StoredPoint(series, later, set_by, value, declares)| {
        let Known { series, numbers, texts } = known.get(series as usize).ok_or_else(|| wrong("the series"))?;
        before = before.wrapping_add_signed(later);
        let (value, row) = match value {
            StoredValue::Number(number) => {
                (Value::Number(Number::new(number).ok_or_else(|| wrong("the number"))?), numbers)
            }
            StoredValue::Text(text) => (Value::Text(Text::new(text).ok_or_else(|| wrong("the text"))?), texts),
        };
        let target = row.map_or_else(|| Target::New(Box::new(series.clone())), Target::Row);
        // SQLite's integers have a sign.
        let ts = Some(before).filter(|&ts| i64::try_from(ts).is_ok()).map(Millis).ok_or_else(|| wrong("the time"))?;
        let set_by = SetBy::of_code(set_by).ok_or_else(|| wrong("the time"))?;
        let declares = match declares {
            0 => None,
            1 => Some(Declared::Gauge),
            2 => Some(Declared::Counter),
            _ => return Err(wrong("the metric type")),
        };
        Ok(Pushed { target, ts, set_by, value, declares })
    };
    let points = points.into_iter().map(point).collect::<Result<Vec<_>, _>>()?;
    let key = key.map(|(text, request)| {
        IdempotencyKey::new(text, Fingerprint(request))
            .ok_or_else(|| UnpackError::Content("an idempotency key is out of range".to_owned()))
    });
    let atomicity = if is_partial { Atomicity::Partial } else { Atomicity::AllOrNothing };
    Ok(Push { points, key: key.transpose()?, atomicity })
}

fn read_token(change: StoredTokenChange) -> Result<TokenChange, UnpackError> {
    Ok(match change {
        StoredTokenChange::Create { name, hash, capability: text, at } => TokenChange::Create {
            name: parse(&name)?,
            hash: TokenHash(hash),
            capability: capability(&text)?,
            at: Millis(at),
        },
        StoredTokenChange::Rotate { name, hash, at } => {
            TokenChange::Rotate { name: parse(&name)?, hash: TokenHash(hash), at: Millis(at) }
        }
        StoredTokenChange::Revoke { name, at } => TokenChange::Revoke { name: parse(&name)?, at: Millis(at) },
    })
}

fn read_link(change: StoredLinkChange) -> Result<LinkChange, UnpackError> {
    Ok(match change {
        StoredLinkChange::Create { id, hash, board, scope, maker, created, expires } => LinkChange::Create(NewLink {
            id: parse(&id)?,
            hash: TokenHash(hash),
            board: parse(&board)?,
            scope: serde_json::from_str(&scope)
                .map_err(|error| UnpackError::Content(format!("the scope of a link cannot be read: {error}")))?,
            maker,
            created: Millis(created),
            expires: Millis(expires),
        }),
        StoredLinkChange::Revoke { id, at } => LinkChange::Revoke { id: parse(&id)?, at: Millis(at) },
    })
}

fn read_user(change: StoredUserChange) -> Result<UserChange, UnpackError> {
    Ok(match change {
        StoredUserChange::Add { name, password, capability: text, at } => UserChange::Add {
            name: parse(&name)?,
            password: PasswordHash(password),
            capability: capability(&text)?,
            at: Millis(at),
        },
        StoredUserChange::SetPassword { name, password, at } => {
            UserChange::SetPassword { name: parse(&name)?, password: PasswordHash(password), at: Millis(at) }
        }
        StoredUserChange::SetCapability { name, capability: text, at } => {
            UserChange::SetCapability { name: parse(&name)?, capability: capability(&text)?, at: Millis(at) }
        }
        StoredUserChange::Remove { name, at } => UserChange::Remove { name: parse(&name)?, at: Millis(at) },
        StoredUserChange::EndSessions { name } => UserChange::EndSessions { name: parse(&name)? },
        StoredUserChange::BeginSession { hash, user, created, expires } => UserChange::BeginSession(SessionRecord {
            hash: TokenHash(hash),
            user: parse(&user)?,
            created: Millis(created),
            expires: Millis(expires),
        }),
        StoredUserChange::EndSession(hash) => UserChange::EndSession(TokenHash(hash)),
    })
}
