//! Tests that the document agrees with the code.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use shared::board::axis::Scale;
use shared::board::bars::Across;
use shared::board::document::{MAX_DOCUMENT, MAX_WIDGETS};
use shared::board::keyword::Keyword;
use shared::board::lines::{Band, Quantile, Stack};
use shared::board::place::{MAX_HEIGHT, MAX_Y};
use shared::board::states::Colour;
use shared::board::table::{Column, Order};
use shared::board::text::MAX_MARKDOWN;
use shared::board::threshold::Level;
use shared::board::unit::MAX_SYMBOL;
use shared::board::widget::{MAX_SERIES, MAX_TITLE, WidgetType};
use shared::board::{BoardFormat, Columns, Show};
use shared::point::MAX_TEXT_LEN;
use shared::track::{LOG, WINDOW};
use shared::{Board, Declared};

use super::*;
use crate::app::routes::routes;
use crate::app::state::AppState;
use crate::history::answer;
use crate::http::route::Route;
use crate::hub::selection::{DEFAULT_HZ, MAX_HZ};
use shared::moment::EARLIEST;

/// The only key of a path item that is not a method.
const SHARED: &str = "parameters";

fn schema(name: &str) -> Value {
    document()["components"]["schemas"][name].clone()
}

/// A property of a schema.
fn property(name: &str, key: &str) -> Value {
    schema(name)["properties"][key].clone()
}

#[test]
fn every_call_of_the_router_is_described_with_its_methods_and_nothing_else_is() {
    let methods = |route: &Route<AppState>| route.methods.iter().map(|(method, _)| method.to_lowercase()).collect();
    let routed: BTreeMap<String, BTreeSet<String>> =
        routes().iter().map(|route| (route.path.replace("{*", "{"), methods(route))).collect();
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let methods = |item: &Value| item.as_object().unwrap().keys().filter(|key| *key != SHARED).cloned().collect();
    let described: BTreeMap<_, _> = paths.iter().map(|(path, item)| (path.clone(), methods(item))).collect();
    assert_eq!(described, routed);
    let text = include_str!("../../../../docs/api.md");
    for path in paths.keys() {
        assert!(text.contains(&format!("{path}`")) || text.contains(&format!("{path}?")), "{path} is in docs/api.md");
    }
}

#[test]
fn every_parameter_in_a_path_is_described() {
    for (path, item) in document()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(key, _)| *key != SHARED) {
            let lists = [item.get(SHARED), operation.get(SHARED)];
            let described = lists.into_iter().flatten().flat_map(|list| list.as_array().unwrap());
            let described: Vec<_> = described
                .filter(|one| one["in"] == "path")
                .map(|one| format!("{{{}}}", one["name"].as_str().unwrap()))
                .collect();
            let named: Vec<_> = path.split('/').filter(|segment| segment.starts_with('{')).collect();
            assert_eq!(described, named, "{method} {path}");
        }
    }
}

/// Collects every reference in a value.
fn references(json: &Value, found: &mut BTreeSet<String>) {
    match json {
        Value::Object(object) => {
            found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_everything_that_is_shared_is_used() {
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in &found {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads out of the document"));
        assert!(document.pointer(pointer).is_some(), "{reference} does not resolve");
    }
    for (kind, components) in document["components"].as_object().unwrap() {
        for name in components.as_object().unwrap().keys() {
            assert!(found.contains(&format!("#/components/{kind}/{name}")), "nothing uses the {kind} {name}");
        }
    }
}

#[test]
fn no_part_says_again_what_another_said() {
    let mut described = BTreeSet::new();
    for part in PARTS {
        let part: Value = serde_json::from_str(part).unwrap();
        let components = part["components"].as_object();
        let groups = components.into_iter().flatten().map(|(kind, group)| (kind.as_str(), group));
        for (kind, group) in groups.chain(part.get("paths").map(|paths| ("paths", paths))) {
            for name in group.as_object().unwrap().keys() {
                assert!(described.insert(format!("{kind} {name}")), "{kind} {name} is there twice");
            }
        }
    }
}

#[test]
fn its_words_are_those_of_the_code() {
    fn words<W: Keyword>() -> Value {
        W::ALL.iter().map(|(word, _)| *word).collect()
    }
    assert_eq!(property("SeriesWidget", "show")["enum"], words::<Show>());
    assert_eq!(property("Axis", "y_scale")["enum"], words::<Scale>());
    assert_eq!(property("Threshold", "level")["enum"], words::<Level>());
    assert_eq!(property("LineWidget", "band")["enum"], words::<Band>());
    assert_eq!(property("LineWidget", "quantiles")["items"]["enum"], words::<Quantile>());
    assert_eq!(property("AreaWidget", "stack")["enum"], words::<Stack>());
    assert_eq!(property("BarWidget", "across")["enum"], words::<Across>());
    assert_eq!(property("StatesWidget", "colours")["additionalProperties"]["enum"], words::<Colour>());
    assert_eq!(schema("Column")["enum"], words::<Column>());
    assert_eq!(property("TableWidget", "order")["enum"], words::<Order>());
    let put = document()["paths"]["/api/boards/{id}"]["put"].clone();
    assert!(put[SHARED].as_array().unwrap().iter().any(|one| one["schema"]["enum"] == words::<BoardFormat>()));
    let declared: Value = [Declared::Gauge, Declared::Counter].map(Declared::word).into_iter().collect();
    assert_eq!(schema("Declared")["enum"], declared);
    let types: BTreeSet<_> = WidgetType::ALL.iter().map(|(word, _)| schema_of(word)).collect();
    let described = schema("Widget")["oneOf"].clone();
    let described = described.as_array().unwrap().iter().map(|one| one["$ref"].as_str().unwrap().to_owned());
    assert_eq!(described.map(|name| name.rsplit('/').next().unwrap().to_owned()).collect::<BTreeSet<_>>(), types);
}

#[test]
fn its_limits_are_those_of_the_code() {
    for (name, key, limit, wanted) in [
        ("Board", "title", "maxLength", MAX_TITLE),
        ("Board", "widgets", "maxItems", MAX_WIDGETS),
        ("Board", "columns", "maximum", Columns::MAX.into()),
        ("Board", "columns", "default", Columns::default().get().into()),
        ("AnyWidget", "title", "maxLength", MAX_TITLE),
        ("SeriesWidget", "series", "maxItems", MAX_SERIES),
        ("SeriesWidget", "unit", "maxLength", MAX_SYMBOL),
        ("TextWidget", "markdown", "maxLength", MAX_MARKDOWN),
        ("Place", "y", "maximum", MAX_Y.into()),
        ("Place", "h", "maximum", MAX_HEIGHT.into()),
        ("NumbersPart", "buckets", "maxItems", WINDOW),
        ("TextsPart", "lines", "maxItems", LOG),
    ] {
        assert_eq!(property(name, key)[limit], json!(wanted), "{limit} of {name}.{key}");
    }
    assert_eq!(schema("Text")["maxLength"], json!(MAX_TEXT_LEN));
    assert_eq!(schema("PushedTs")["minimum"], json!(EARLIEST));
    let document = document();
    let hz = &document["paths"]["/sse"]["get"][SHARED]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "hz")
        .unwrap()["schema"];
    assert_eq!((&hz["maximum"], &hz["default"]), (&json!(MAX_HZ), &json!(DEFAULT_HZ)));
    let put = &document["paths"]["/api/boards/{id}"]["put"]["requestBody"]["description"];
    assert!(put.as_str().unwrap().contains(&format!("At most {} KiB", MAX_DOCUMENT >> 10)));
    let history = &document["paths"]["/api/history"]["get"]["responses"]["200"]["content"];
    let columns = answer::COLUMNS.trim_end().replace(',', ", ");
    assert!(history["text/csv"]["schema"]["description"].as_str().unwrap().ends_with(&format!("{columns}.")));
}

/// The name of the schema of a widget type.
fn schema_of(word: &str) -> String {
    format!("{}{}Widget", word[..1].to_uppercase(), &word[1..])
}

/// The properties of a schema, including those of its parts.
fn keys(schema: &Value) -> BTreeSet<String> {
    let own = schema["properties"].as_object().into_iter().flat_map(|object| object.keys().cloned());
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let document = document();
    let part = |part: &Value| keys(document.pointer(&part["$ref"].as_str().unwrap()[1..]).unwrap());
    own.chain(parts.flat_map(part)).collect()
}

#[test]
fn each_type_of_widget_has_the_keys_that_a_document_may_have() {
    for (word, _) in WidgetType::ALL {
        let widget = json!({"id": "a", "type": word, "series": ["a"], "markdown": "", "fireworks": 1});
        let mistakes = Board::read(&json!({"widgets": [widget]})).mistakes;
        let mistake = mistakes.iter().find(|mistake| mistake.field == "widgets[0].fireworks").unwrap();
        let known = mistake.expected.strip_prefix("no such key; there are ").unwrap();
        let known: BTreeSet<_> = known.split(", ").map(str::to_owned).collect();
        assert_eq!(keys(&schema(&schema_of(word))), known, "{word}");
    }
}
