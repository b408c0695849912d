//! Changes a hand-written TOML document only where its content differs: comments, the order of the keys and the way
//! that values are written stay.
//!
//! The changes are found by comparing the board as it was with the board as it is to be, both as JSON. So `60s` stays
//! as written where the new board says `1m`. A comment belongs to the item that it stands before or beside: it moves
//! with it and is deleted with it.

use serde_json::{Map, Value as Json};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, RawString, Table, TableLike, Value};

/// The key of the list of widgets.
const WIDGETS: &str = "widgets";

/// Changes the text `source`, whose content is `old`, so that its content is `new`. `None` where the change is not
/// supported.
#[must_use]
pub fn rewrite(source: &str, old: &Json, new: &Json) -> Option<String> {
    // Windows line ends are restored at the end. If only some lines have them, all become `\n`.
    let windows = source.contains("\r\n") && !source.replace("\r\n", "").contains('\n');
    let source = source.replace("\r\n", "\n");
    let (head, body) = source.split_at(head(&source));
    let mut document: DocumentMut = body.parse().ok()?;
    let (Json::Object(old), Json::Object(new)) = (old, new) else { return None };
    if has_none(old.get(WIDGETS)) && !has_none(new.get(WIDGETS)) {
        // The first widgets are written as `[[widgets]]`, as people write them.
        document.insert(WIDGETS, Item::ArrayOfTables(ArrayOfTables::new()));
    }
    merge_table(document.as_table_mut(), old, new)?;
    number(document.as_table_mut(), &mut 0);
    let text = format!("{head}{document}");
    Some(if windows { text.replace('\n', "\r\n") } else { text })
}

fn has_none(list: Option<&Json>) -> bool {
    list.and_then(Json::as_array).is_none_or(Vec::is_empty)
}

/// The length of the text's introduction: comments at its beginning, up to a blank line. They belong to the whole
/// document.
fn head(text: &str) -> usize {
    let (mut at, mut head) = (0, 0);
    for line in text.split_inclusive('\n') {
        at += line.len();
        match line.trim() {
            "" => head = at,
            line if line.starts_with('#') => {}
            _ => break,
        }
    }
    head
}

fn merge(item: &mut Item, old: &Json, new: &Json) -> Option<()> {
    match (item, old, new) {
        (Item::ArrayOfTables(tables), Json::Array(old), Json::Array(new)) => merge_tables(tables, old, new),
        (Item::Value(value), old, new) => merge_value(value, old, new),
        (Item::Table(table), Json::Object(old), Json::Object(new)) => merge_table(table, old, new),
        (item, _, new) => {
            *item = Item::Value(written(new)?);
            Some(())
        }
    }
}

fn merge_value(value: &mut Value, old: &Json, new: &Json) -> Option<()> {
    match (&mut *value, old, new) {
        (_, old, new) if old == new => {}
        (Value::InlineTable(table), Json::Object(old), Json::Object(new)) => merge_table(table, old, new)?,
        (Value::Array(array), Json::Array(old), Json::Array(new)) => merge_array(array, old, new)?,
        _ => {
            let decor = value.decor().clone();
            *value = written(new)?;
            *value.decor_mut() = decor;
        }
    }
    Some(())
}

fn merge_table(table: &mut dyn TableLike, old: &Map<String, Json>, new: &Map<String, Json>) -> Option<()> {
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        table.remove(key);
    }
    // An unchanged value stays as it is written, even if it is not written at all.
    for (key, new) in new.iter().filter(|(key, new)| old.get(*key) != Some(*new)) {
        // A key that is written with its default value is in the text, but not in `old`.
        match table.get_mut(key) {
            Some(item) => merge(item, old.get(key).unwrap_or(&Json::Null), new)?,
            None => _ = table.insert(key, Item::Value(written(new)?)),
        }
    }
    Some(())
}

/// Merges a list of tables, such as `[[widgets]]`.
fn merge_tables(tables: &mut ArrayOfTables, old: &[Json], new: &[Json]) -> Option<()> {
    let mut before: Vec<Option<Table>> = tables.iter().cloned().map(Some).collect();
    let pairs = pair(old, new, before.len())?;
    tables.clear();
    for (new, partner) in new.iter().zip(pairs) {
        let Json::Object(fields) = new else { return None };
        let table = match partner {
            Some(at) => {
                let mut table = before[at].take()?;
                merge_table(&mut table, old[at].as_object()?, fields)?;
                table
            }
            None => {
                let mut table = Table::new();
                merge_table(&mut table, &Map::new(), fields)?;
                table
            }
        };
        tables.push(table);
    }
    Some(())
}

/// Merges an array, such as `["a", "b"]`.
fn merge_array(array: &mut Array, old: &[Json], new: &[Json]) -> Option<()> {
    // A comment between a comma and the end of its line belongs to the entry before that comma.
    let mut spaces: Vec<String> = array.iter().map(|value| text_of(value.decor().prefix())).collect();
    spaces.push(text_of(Some(array.trailing())));
    let beside: Vec<String> = spaces.iter_mut().skip(1).map(take_beside).collect();
    let mut before: Vec<Option<Value>> = array.iter().cloned().map(Some).collect();
    let pairs = pair(old, new, before.len())?;
    // New entries are indented like the existing ones.
    let line = spaces.iter().find_map(|space| space.rfind('\n').and_then(|at| space.get(at..))).map(str::to_owned);
    array.clear();
    let mut last = String::new();
    for (at, (new, partner)) in new.iter().zip(pairs).enumerate() {
        let (mut value, space, of_it) = if let Some(partner) = partner {
            let mut value = before[partner].take()?;
            merge_value(&mut value, &old[partner], new)?;
            (value, spaces[partner].clone(), beside[partner].clone())
        } else {
            let space = line.as_deref().unwrap_or(if at == 0 { "" } else { " " });
            (written(new)?, space.to_owned(), String::new())
        };
        value.decor_mut().set_prefix(follow(last, &space));
        array.push_formatted(value);
        last = of_it;
    }
    array.set_trailing(follow(last, &spaces[spaces.len() - 1]));
    Some(())
}

/// Joins a comment and the space that follows it. A comment must end with its line.
fn follow(comment: String, space: &str) -> String {
    let end = if comment.is_empty() || space.starts_with('\n') { "" } else { "\n" };
    comment + end + space
}

fn text_of(raw: Option<&RawString>) -> String {
    raw.and_then(RawString::as_str).unwrap_or_default().to_owned()
}

/// Takes the comment at the beginning of a space, if there is one.
fn take_beside(space: &mut String) -> String {
    match space.split_once('\n') {
        Some((beside, _)) if beside.contains('#') => {
            let rest = space.split_off(beside.len());
            std::mem::replace(space, rest)
        }
        _ => String::new(),
    }
}

/// Finds the old entry for each new one: the one with its `id`, else an equal one, else the one at its place.
fn pair(old: &[Json], new: &[Json], there: usize) -> Option<Vec<Option<usize>>> {
    if old.len() != there {
        return None;
    }
    let mut free = vec![true; there];
    let mut pairs = vec![None; new.len()];
    let rules: [&dyn Fn(usize, usize) -> bool; 3] = [
        &|was, is| new[is].get("id").is_some_and(|id| old[was].get("id") == Some(id)),
        &|was, is| old[was] == new[is],
        &|was, is| was == is && new[is].get("id").is_none(),
    ];
    for rule in rules {
        for (is, partner) in pairs.iter_mut().enumerate().filter(|(_, partner)| partner.is_none()) {
            *partner = (0..there).find(|&was| free[was] && rule(was, is));
            if let Some(was) = *partner {
                free[was] = false;
            }
        }
    }
    Some(pairs)
}

/// Writes a value as short as possible; `None` where TOML cannot express it.
fn written(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => number.as_i64().map(Value::from).or_else(|| number.as_f64().map(Value::from))?,
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(list) => Value::Array(list.iter().map(written).collect::<Option<Array>>()?),
        Json::Object(fields) => {
            let entries = fields.iter().map(|(key, value)| Some((key.as_str(), written(value)?)));
            Value::InlineTable(entries.collect::<Option<InlineTable>>()?)
        }
    })
}

/// Renumbers the tables in their current order: `toml_edit` writes tables by their positions in the original text.
fn number(table: &mut Table, next: &mut isize) {
    table.set_position(Some(*next));
    *next += 1;
    for (_, item) in table.iter_mut() {
        match item {
            Item::Table(inside) if !inside.is_dotted() => number(inside, next),
            Item::ArrayOfTables(tables) => tables.iter_mut().for_each(|inside| number(inside, next)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
