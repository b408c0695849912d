use proptest::prelude::*;
use serde_json::json;
use shared::board::Columns;
use shared::point::Kind;

use super::*;
use crate::edit::arrange::{Direction, resize, step};
use crate::edit::undo::UndoStack;

fn draft(document: Value) -> Draft {
    let Value::Object(document) = document else { panic!("a table") };
    Draft::of(document)
}

fn table(fields: Value) -> Fields {
    let Value::Object(fields) = fields else { panic!("a table") };
    fields
}

fn two() -> Draft {
    draft(json!({ "title": "Ops", "widgets": [
        { "id": "temp", "type": "stat", "series": ["ops/temp"] },
        { "id": "load", "type": "line", "series": ["ops/load"], "place": { "x": 0, "y": 0, "w": 6, "h": 4 } },
    ] }))
}

#[test]
fn widget_of_a_series_in_any_script_is_named_after_it() {
    let mut board = two();
    for (series, wanted) in [("haus/küche", "küche"), ("haus/küche", "küche-2"), ("天気/東京", "東京"), ("a/*", "a")]
    {
        let (edited, id) = board.edited(Edit::Add(table(json!({ "type": "stat", "series": [series] })))).unwrap();
        assert_eq!(id.unwrap().as_str(), wanted);
        board = edited;
    }
}

/// An action that a user might take, whatever the board holds.
#[derive(Clone, Debug)]
enum UserAction {
    Add(&'static str, String),
    Remove(usize),
    Duplicate(usize),
    Retitle(usize, String),
    Put(usize, Target),
    Step(usize, Direction),
    Resize(usize, Direction),
    Columns(u16),
    Undo,
    Redo,
}

fn user_action() -> impl Strategy<Value = UserAction> {
    let direction =
        prop_oneof![Just(Direction::Left), Just(Direction::Right), Just(Direction::Up), Just(Direction::Down)];
    let kind = prop::sample::select(vec!["stat", "line", "table", "log", "nonsense"]);
    prop_oneof![
        3 => (kind, "[a-z*]{1,3}(/[a-z]{1,3}){0,2}").prop_map(|(kind, name)| UserAction::Add(kind, name)),
        1 => any::<usize>().prop_map(UserAction::Remove),
        1 => any::<usize>().prop_map(UserAction::Duplicate),
        1 => (any::<usize>(), ".{0,250}").prop_map(|(at, title)| UserAction::Retitle(at, title)),
        3 => (any::<usize>(), 0..60u16, 0..12_000u16, 0..60u16, 0..120u16)
            .prop_map(|(at, x, y, w, h)| UserAction::Put(at, Target { x, y, w, h })),
        3 => (any::<usize>(), direction.clone()).prop_map(|(at, direction)| UserAction::Step(at, direction)),
        2 => (any::<usize>(), direction).prop_map(|(at, direction)| UserAction::Resize(at, direction)),
        1 => (0..60u16).prop_map(UserAction::Columns),
        2 => Just(UserAction::Undo),
        1 => Just(UserAction::Redo),
    ]
}

fn edit(draft: &Draft, user_action: &UserAction) -> Option<Edit> {
    let pick = |at: usize| {
        let ids = &draft.board().widgets;
        ids.get(at.checked_rem(ids.len())?).map(|widget| widget.id.clone())
    };
    let places = draft.board().places();
    let columns: Columns = draft.board().columns();
    Some(match user_action {
        UserAction::Add(kind, name) => Edit::Add(table(json!({ "type": kind, "series": [name] }))),
        UserAction::Remove(at) => Edit::Remove(pick(*at)?),
        UserAction::Duplicate(at) => Edit::Duplicate(pick(*at)?),
        UserAction::Retitle(at, title) => {
            let id = pick(*at)?;
            let mut fields = draft.widget(&id)?.clone();
            fields.insert("title".into(), title.as_str().into());
            Edit::Change(id, fields)
        }
        UserAction::Put(at, target) => Edit::Place(pick(*at)?, *target),
        UserAction::Step(at, direction) => {
            let id = pick(*at)?;
            let target = step(columns, &places, draft.position(&id)?, *direction)?;
            Edit::Place(id, target)
        }
        UserAction::Resize(at, direction) => {
            let id = pick(*at)?;
            let target = resize(columns, draft.place(&id)?, *direction)?;
            Edit::Place(id, target)
        }
        UserAction::Columns(columns) => {
            let mut settings = draft.settings();
            settings.insert("columns".into(), (*columns).into());
            Edit::Settings(settings)
        }
        UserAction::Undo | UserAction::Redo => return None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn after_any_edits_the_document_is_valid_nothing_overlaps_and_undoing_all_is_where_it_began(
        user_actions in prop::collection::vec(user_action(), 0..60),
    ) {
        let start = two();
        let mut history = UndoStack::new(start.clone());
        for user_action in &user_actions {
            match (user_action, edit(&history.now().clone(), user_action)) {
                (UserAction::Undo, _) => _ = history.undo(),
                (UserAction::Redo, _) => _ = history.redo(),
                (_, None) => {}
                (_, Some(edit)) => {
                    let before = history.now().clone();
                    match history.edit(edit) {
                        Ok(_) => {}
                        Err(mistakes) => {
                            prop_assert!(!mistakes.is_empty());
                            prop_assert_eq!(history.now(), &before, "what is refused changes nothing");
                        }
                    }
                }
            }
            let now = history.now();
            let text = now.text();
            let read = Board::read_json(&text).unwrap().strict();
            prop_assert_eq!(read.as_ref(), Ok(now.board()), "what is saved is what is shown: {}", text);
            let places = now.board().places();
            for (at, place) in places.iter().enumerate() {
                prop_assert!(!places[..at].iter().any(|other| other.overlaps(place)), "{:?}", places);
            }
        }
        let last = history.now().clone();
        let mut back = 0;
        while history.undo() {
            back += 1;
        }
        prop_assert_eq!(history.now().as_ref(), &start);
        prop_assert!(!history.changed());
        for _ in 0..back {
            prop_assert!(history.redo());
        }
        prop_assert_eq!(history.now(), &last);
    }

    #[test]
    fn the_board_that_nobody_made_is_edited_from_a_document_that_says_the_same(
        names in prop::collection::btree_set("ops(/[A-Za-z.:-]{1,64}){0,7}", 0..260),
    ) {
        let kinds = [Kind::Number, Kind::Text];
        let names = names.iter().enumerate().filter_map(|(at, name)| Some((name.parse().ok()?, kinds[at % 2])));
        let board = Board::automatic(&"ops".parse().unwrap(), names);
        let draft = Draft::automatic(&board);
        prop_assert_eq!(draft.board(), &board);
        prop_assert_eq!(draft.mistakes(), &[]);
    }
}

#[test]
fn an_edit_that_would_be_wrong_says_where_and_changes_nothing() {
    let draft = two();
    let id: WidgetId = "load".parse().unwrap();
    let mut fields = draft.widget(&id).unwrap().clone();
    fields.insert("expect".into(), "often".into());
    let mistakes = draft.edited(Edit::Change(id.clone(), fields)).unwrap_err();
    let index = draft.index(&id).unwrap();
    assert_eq!(mistakes[0].field, format!("widgets[{index}].expect"));
}

#[test]
fn what_this_version_does_not_know_stays_in_the_document() {
    let draft = draft(json!({ "widgets": [
        { "id": "a", "type": "hologram", "depth": 3 },
        { "id": "b", "type": "stat", "series": ["x"], "shine": true },
    ] }));
    assert_eq!(draft.mistakes().len(), 2);
    let id: WidgetId = "b".parse().unwrap();
    let to = Target { x: 4, y: 0, w: 2, h: 2 };
    let (moved, _) = draft.edited(Edit::Place(id, to)).unwrap();
    assert_eq!(moved.document()["widgets"][0]["depth"], 3);
    assert_eq!(moved.document()["widgets"][1]["shine"], true);
    assert_eq!(moved.document()["widgets"][1]["place"]["x"], 4);
}

#[test]
fn a_copy_lies_below_and_has_an_id_of_its_own() {
    let draft = two();
    let (copied, copy) = draft.edited(Edit::Duplicate("load".parse().unwrap())).unwrap();
    let copy = copy.unwrap();
    assert_eq!(copy.as_str(), "load-2");
    let (one, other) = (copied.place(&"load".parse().unwrap()).unwrap(), copied.place(&copy).unwrap());
    assert_eq!((other.x, other.w, other.h), (one.x, one.w, one.h));
    assert!(other.y >= one.y + one.h);
}

#[test]
fn an_id_says_what_the_widget_shows() {
    let draft = two();
    for (fields, id) in [
        (json!({ "type": "stat", "series": ["ops/api/ms"] }), "ms"),
        (json!({ "type": "stat", "series": ["ops/temp"] }), "temp-2"),
        (json!({ "type": "table", "series": ["ops/**"] }), "ops"),
        (json!({ "type": "table", "series": ["**"] }), "table"),
        (json!({ "type": "text", "markdown": "" }), "text"),
    ] {
        let (_, about) = draft.edited(Edit::Add(table(fields))).unwrap();
        assert_eq!(about.unwrap().as_str(), id);
    }
}

#[test]
fn edit_that_mends_one_mistake_and_adds_another_is_refused() {
    let draft = draft(json!({ "widgets": [{ "id": "a", "type": "stat", "series": ["x"], "shine": true }] }));
    let id: WidgetId = "a".parse().unwrap();
    let change = |fields: Value| draft.edited(Edit::Change(id.clone(), table(fields)));
    let mistakes = change(json!({ "type": "stat", "series": ["x"], "decimals": 99 })).unwrap_err();
    assert_eq!(mistakes.iter().map(|mistake| mistake.field.as_str()).collect::<Vec<_>>(), ["widgets[0].decimals"]);
    let (mended, _) = change(json!({ "type": "stat", "series": ["x"] })).unwrap();
    assert_eq!(mended.mistakes(), &[]);
}

#[test]
fn mistake_of_a_widget_stays_known_where_another_widget_is_removed() {
    let draft = draft(json!({ "widgets": [
        { "id": "a", "type": "stat", "series": ["x"] },
        { "id": "b", "type": "stat", "series": ["x"], "shine": true },
        { "type": "stat", "series": ["y"] },
    ] }));
    let (edited, _) = draft.edited(Edit::Remove("a".parse().unwrap())).unwrap();
    assert_eq!(edited.mistakes().len(), draft.mistakes().len());
}
