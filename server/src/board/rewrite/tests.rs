//! Tests of edits to a hand-written document.

use super::*;
use crate::board::Document;
use proptest::prelude::*;
use shared::board::BoardFormat;

/// A document that uses all the ways of writing TOML.
const SOURCE: &str = r#"# Our shop.
title   = 'Shop' # as people know it
range = "360m"

# Orders come first.
[[widgets]]
id = "orders"
type = "stat"
series = ["shop/orders"] # all of them
expect = "60s"           # a minute
place = { x = 0, y = 0,   w = 6, h = 2 }

# How long it takes.
[[widgets]]
id = "latency"
type = "line"
series = [
  "shop/cart/ms", # slow
  "shop/pay/ms",
]
thresholds = [{ above = 250, level = "warn" }, { above = 1_000, level = "bad" }]
[widgets.place] # to the left
x = 6
y = 0
w = 6
h = 2

# Who is called.
[[widgets]]
id = "call"
type = "text"
markdown = """
# On call
Ada
"""
# The end.
"#;

fn document(form: BoardFormat, text: &str) -> Document {
    Document::read(form, text.as_bytes().to_vec()).unwrap()
}

fn board(source: &str) -> Json {
    serde_json::to_value(document(BoardFormat::Toml, source).board()).unwrap()
}

fn edited(source: &str, edit: impl FnOnce(&mut Json)) -> String {
    let old = board(source);
    let mut new = old.clone();
    edit(&mut new);
    let text = rewrite(source, &old, &new).expect("it can be rewritten");
    assert_eq!(board(&text), new, "{text}");
    text
}

fn swap(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replace(from, to)
}

#[test]
fn only_what_changed_is_written_anew() {
    assert_eq!(edited(SOURCE, |_| ()), SOURCE);
    assert_eq!(edited(SOURCE, |board| board["title"] = "Store".into()), swap(SOURCE, "'Shop'", "\"Store\""));
    let wider = edited(SOURCE, |board| board["widgets"][0]["place"]["w"] = 4.into());
    assert_eq!(wider, swap(SOURCE, "  w = 6, h", "  w = 4, h"));
    let lower = edited(SOURCE, |board| board["widgets"][1]["place"]["y"] = 3.into());
    assert_eq!(lower, swap(SOURCE, "y = 0\nw", "y = 3\nw"));
    let sooner = edited(SOURCE, |board| board["widgets"][1]["thresholds"][0]["above"] = 200.5.into());
    assert_eq!(sooner, swap(SOURCE, "above = 250", "above = 200.5"));
    let one_more = edited(SOURCE, |board| {
        board["widgets"][1]["series"].as_array_mut().unwrap().insert(1, "shop/web/ms".into());
    });
    assert_eq!(one_more, swap(SOURCE, "ms\", # slow\n", "ms\", # slow\n  \"shop/web/ms\",\n"));
    let turned = edited(SOURCE, |board| board["widgets"][1]["series"].as_array_mut().unwrap().reverse());
    let (there, then) = ("  \"shop/cart/ms\", # slow\n", "  \"shop/pay/ms\",\n");
    assert_eq!(turned, swap(SOURCE, &format!("{there}{then}"), &format!("{then}{there}")));
    let gone = edited(SOURCE, |board| board["widgets"][1]["series"] = serde_json::json!(["shop/cart/ms"]));
    assert_eq!(gone, swap(SOURCE, then, ""));
    let tight = "[[widgets]]\nid = 'a'\ntype = 'stat'\nseries = ['a', # one\n'b', 'c']\n";
    let turned = edited(tight, |board| board["widgets"][0]["series"].as_array_mut().unwrap().reverse());
    assert!(turned.contains("'a' # one\n]"), "{turned}");
    let none = edited(SOURCE, |board| board["widgets"][0]["series"] = serde_json::json!(["a", "b"]));
    assert_eq!(none, swap(SOURCE, "[\"shop/orders\"] # all", "[\"a\", \"b\"] # all"));
}

#[test]
fn what_stands_before_a_widget_moves_and_goes_with_it() {
    let moved = edited(SOURCE, |board| board["widgets"].as_array_mut().unwrap().rotate_left(1));
    let at = |what: &str| moved.find(what).unwrap_or_else(|| panic!("{what} in {moved}"));
    assert!(at("# How long it takes.") < at("latency") && at("# to the left") < at("# Who is called."));
    assert!(at("On call") < at("# Orders come first.") && at("orders") < at("# The end."));
    let fewer = edited(SOURCE, |board| _ = board["widgets"].as_array_mut().unwrap().remove(1));
    assert!(!fewer.contains("How long") && fewer.contains("# Orders come first.") && fewer.contains("# a minute"));
    let more = edited(SOURCE, |board| {
        let mut copy = board["widgets"][1].clone();
        copy["id"] = "copy".into();
        board["widgets"].as_array_mut().unwrap().push(copy);
    });
    assert!(more.starts_with(SOURCE.trim_end_matches("# The end.\n")) && more.ends_with("# The end.\n"), "{more}");
}

#[test]
fn a_board_of_comments_alone_gets_its_widgets_as_tables_and_keeps_its_head() {
    for empty in ["# Ours.\n# Ask Ada.\n\n", "# Ours.\n\nwidgets = []\n", "# Ours.\n\ntitle = 'a' # b\n"] {
        let widget = serde_json::json!({"id": "a", "type": "stat", "series": ["a"], "sparkline": true});
        let first = edited(empty, |board| board["widgets"] = serde_json::json!([widget]));
        assert!(first.starts_with("# Ours.\n") && first.contains("[[widgets]]\n"), "{first}");
        let gone = edited(&first, |board| board["widgets"] = serde_json::json!([]));
        assert!(gone.starts_with("# Ours.\n") && !gone.contains("[[widgets]]"), "{gone}");
        let again = edited(&gone, |board| board["widgets"] = serde_json::json!([widget]));
        assert!(again.contains("[[widgets]]\n"), "{again}");
    }
}

#[test]
fn the_head_of_a_file_stays_there_whichever_widget_is_the_first() {
    let text = "# Ours.\n\n# One.\n[[widgets]]\nid = 'a'\ntype = 'stat'\nseries = ['a']\n\n# Two.\n[[widgets]]\nid = 'b'\n\
                type = 'stat'\nseries = ['b']\n";
    let turned = edited(text, |board| board["widgets"].as_array_mut().unwrap().reverse());
    let at = |what: &str| turned.find(what).unwrap_or_else(|| panic!("{what} in {turned}"));
    assert!(at("# Ours.") < at("# Two.") && at("# Two.") < at("'b'") && at("'b'") < at("# One."), "{turned}");
    let one = edited(text, |board| _ = board["widgets"].as_array_mut().unwrap().remove(0));
    assert!(one.starts_with("# Ours.\n") && !one.contains("# One."), "{one}");
}

#[test]
fn a_text_with_the_line_ends_of_windows_keeps_them() {
    let windows = SOURCE.replace('\n', "\r\n");
    let wider = edited(&windows, |board| board["widgets"][0]["place"]["w"] = 4.into());
    assert_eq!(wider, swap(&windows, "  w = 6, h", "  w = 4, h"));
}

#[test]
fn what_is_written_though_it_says_nothing_is_changed_in_its_place() {
    let text = "[[widgets]]\nid = 'a'\ntype = 'stat'\nthresholds = [] # none yet\nseries = ['a']\n";
    let level = serde_json::json!([{"above": 1.5, "level": "bad"}]);
    let some = edited(text, |board| board["widgets"][0]["thresholds"] = level);
    assert_eq!(some, swap(text, "[] #", "[{ above = 1.5, level = \"bad\" }] #"));
}

#[derive(Clone, Debug)]
enum Edit {
    Remove(prop::sample::Index),
    Copy(prop::sample::Index),
    Move(prop::sample::Index, prop::sample::Index),
    Set(prop::sample::Index, &'static str, Json),
}

fn edit() -> impl Strategy<Value = Edit> {
    let option = prop::sample::select(vec![
        ("title", Json::from("A \"name\"")),
        ("expect", Json::from("5m")),
        ("series", serde_json::json!(["b", "shop/pay/ms", "a/**"])),
        ("place", serde_json::json!({"x": 1, "y": 2, "w": 3, "h": 4})),
        ("thresholds", serde_json::json!([{"below": 1.5, "level": "bad"}])),
        ("unit", Json::Null),
    ]);
    prop_oneof![
        any::<prop::sample::Index>().prop_map(Edit::Remove),
        any::<prop::sample::Index>().prop_map(Edit::Copy),
        any::<(prop::sample::Index, prop::sample::Index)>().prop_map(|(from, to)| Edit::Move(from, to)),
        (any::<prop::sample::Index>(), option).prop_map(|(at, (key, value))| Edit::Set(at, key, value)),
    ]
}

fn apply(widgets: &mut Vec<Json>, edit: &Edit, fresh: usize) {
    if widgets.is_empty() {
        return;
    }
    match edit {
        Edit::Remove(at) => _ = widgets.remove(at.index(widgets.len())),
        Edit::Copy(at) => {
            let mut copy = widgets[at.index(widgets.len())].clone();
            copy["id"] = format!("copy{fresh}").into();
            widgets.push(copy);
        }
        Edit::Move(from, to) => {
            let widget = widgets.remove(from.index(widgets.len()));
            widgets.insert(to.index(widgets.len() + 1), widget);
        }
        Edit::Set(at, key, value) => {
            let at = at.index(widgets.len());
            let fields = widgets[at].as_object_mut().unwrap();
            if value.is_null() {
                fields.remove(*key);
            } else if fields.contains_key("series") || *key == "title" || *key == "place" {
                fields.insert((*key).to_owned(), value.clone());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn however_a_board_is_edited_its_text_says_so_and_keeps_what_was_said_of_what_stays(
        sittings in prop::collection::vec(prop::collection::vec(edit(), 1..5), 1..5)
    ) {
        let mut text = SOURCE.to_owned();
        for (sitting, edits) in sittings.iter().enumerate() {
            let before = board(&text);
            text = edited(&text, |board| {
                let widgets = board["widgets"].as_array_mut().unwrap();
                for (fresh, edit) in edits.iter().enumerate() {
                    apply(widgets, edit, sitting * 10 + fresh);
                }
            });
            let ids = |board: &Json| -> Vec<String> {
                board["widgets"].as_array().unwrap().iter().map(|widget| widget["id"].to_string()).collect()
            };
            let after = ids(&board(&text));
            for (id, said) in [("\"orders\"", "# Orders come"), ("\"latency\"", "# How long"), ("\"call\"", "# Who is")] {
                let stays = ids(&before).contains(&id.to_owned()) && after.contains(&id.to_owned());
                prop_assert!(!stays || text.contains(said), "{} in {}", said, text);
            }
            prop_assert!(text.starts_with("# Our shop.") && text.contains("# as people know it"));
        }
    }
}
