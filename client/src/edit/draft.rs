//! A board under edit: its document, and the board that the document describes.
//!
//! Edits change the document itself, not the board that was read from it. So an option that this page does not know
//! stays as it is, and the mistakes of an edit are found by the same code that the server uses to store boards.

use serde_json::{Map, Value};
use shared::Selector;
use shared::board::keyword::Keyword as _;
use shared::board::{Board, Content, Place, WidgetId, WidgetView};
use shared::problem::FieldError;

use super::arrange::{Target, arrange};

/// The keys and values of a widget, or of the board itself.
pub type Fields = Map<String, Value>;

/// An edit of a board.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Adds a widget, which gets a new id.
    Add(Fields),
    /// Removes a widget.
    Remove(WidgetId),
    /// Duplicates a widget, below the original.
    Duplicate(WidgetId),
    /// Replaces all fields of a widget except its id and its place.
    Change(WidgetId, Fields),
    /// Moves or resizes a widget. Others make way for it.
    Place(WidgetId, Target),
    /// Replaces all fields of the board except its widgets.
    Settings(Fields),
}

/// A document under edit.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    document: Fields,
    board: Board,
    mistakes: Vec<FieldError>,
}

impl Draft {
    /// Makes the draft of a document, mistakes included.
    #[must_use]
    pub fn of(document: Fields) -> Self {
        let document = Value::Object(document);
        let reading = Board::read(&document);
        let Value::Object(document) = document else { unreachable!("it is the table from above") };
        Self { document, board: reading.board, mistakes: reading.mistakes }
    }

    /// Makes the draft of an automatic board. [`Board::automatic`] sets few options, so the draft leaves the others out.
    #[must_use]
    pub fn automatic(board: &Board) -> Self {
        let widget = |widget: &shared::board::Widget| {
            let mut fields = Fields::new();
            fields.insert("id".into(), widget.id.as_str().into());
            fields.insert("type".into(), widget.kind().keyword().into());
            fields.insert("title".into(), widget.title.as_deref().into());
            fields.insert("series".into(), widget.series().iter().map(Selector::as_str).collect());
            if let Content::Series(shown) = &widget.content {
                if let Some(show) = shown.source.show {
                    fields.insert("show".into(), show.keyword().into());
                }
                if let WidgetView::Table(table) = &shown.view {
                    fields.insert("columns".into(), table.columns.iter().map(|column| column.keyword()).collect());
                }
            }
            if let Some(Place { x, y, w, h }) = widget.place {
                let place = [("x", x), ("y", y), ("w", w), ("h", h)];
                let place: Fields = place.into_iter().map(|(key, cells)| (key.to_owned(), cells.into())).collect();
                fields.insert("place".into(), place.into());
            }
            Value::Object(fields)
        };
        let mut document = Fields::new();
        document.insert("title".into(), board.title.as_deref().into());
        if let Some(range) = board.range {
            document.insert("range".into(), range.to_string().into());
        }
        document.insert("widgets".into(), board.widgets.iter().map(widget).collect());
        Self::of(document)
    }

    /// The board that the document describes.
    #[must_use]
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// The mistakes of the document: only those that it had before editing.
    #[must_use]
    pub fn mistakes(&self) -> &[FieldError] {
        &self.mistakes
    }

    /// The document as readable text.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{:#}\n", Value::Object(self.document.clone()))
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> &Fields {
        &self.document
    }

    /// The fields of a widget in the document.
    #[must_use]
    pub fn widget(&self, id: &WidgetId) -> Option<&Fields> {
        self.listed().get(self.index(id)?)?.as_object()
    }

    /// The fields of the board except its widgets.
    #[must_use]
    pub fn settings(&self) -> Fields {
        let mut settings = self.document.clone();
        settings.remove("widgets");
        settings
    }

    /// The index of a widget in the document, by which its mistakes are named.
    #[must_use]
    pub fn index(&self, id: &WidgetId) -> Option<usize> {
        self.listed().iter().position(|widget| id_of(widget) == Some(id.as_str()))
    }

    /// The place of a widget in the layout.
    #[must_use]
    pub fn place(&self, id: &WidgetId) -> Option<Place> {
        self.board.places().get(self.position(id)?).copied()
    }

    /// Applies an edit. Returns the edited draft and the affected widget.
    ///
    /// # Errors
    /// The mistakes that the edit would cause. The draft stays unchanged.
    pub fn edited(&self, edit: Edit) -> Result<(Self, Option<WidgetId>), Vec<FieldError>> {
        let mut document = self.document.clone();
        let about = match edit {
            Edit::Add(fields) => {
                let id = self.free_id(&fields);
                document.entry("widgets").or_insert_with(|| Value::Array(Vec::new()));
                with_list(&mut document, |widgets| widgets.push(with_id(fields, &id)));
                id.parse().ok()
            }
            Edit::Remove(id) => {
                if let Some(index) = self.index(&id) {
                    with_list(&mut document, |widgets| _ = widgets.remove(index));
                }
                None
            }
            Edit::Duplicate(id) => return self.duplicated(&id),
            Edit::Change(id, mut fields) => {
                if let Some(index) = self.index(&id) {
                    if let Some(place) = self.widget(&id).and_then(|widget| widget.get("place")) {
                        fields.insert("place".into(), place.clone());
                    }
                    with_list(&mut document, |widgets| widgets[index] = with_id(fields, id.as_str()));
                }
                Some(id)
            }
            Edit::Place(id, target) => {
                if let Some(position) = self.position(&id) {
                    let places = arrange(self.board.columns(), &self.board.places(), position, target);
                    self.put(&mut document, &places);
                }
                Some(id)
            }
            Edit::Settings(mut settings) => {
                settings.insert("widgets".into(), self.listed().into());
                document = settings;
                None
            }
        };
        let edited = Self::of(document);
        // A document of another version may already have mistakes. They are no reason to refuse an edit.
        let new = edited.new_mistakes(self);
        if new.is_empty() { Ok((edited, about)) } else { Err(new) }
    }

    /// Returns the mistakes at places where the draft `before` had none.
    fn new_mistakes(&self, before: &Self) -> Vec<FieldError> {
        let mut known: Vec<String> = before.mistakes.iter().map(|mistake| before.place_of(mistake)).collect();
        let is_new = |mistake: &&FieldError| {
            let place = self.place_of(mistake);
            let at = known.iter().position(|other| *other == place);
            at.map(|at| known.swap_remove(at)).is_none()
        };
        self.mistakes.iter().filter(is_new).cloned().collect()
    }

    /// Returns the place of a mistake with the widget's id instead of its index, which changes when another widget is
    /// removed. A widget without an id, which no edit changes, is named by its content.
    fn place_of(&self, mistake: &FieldError) -> String {
        let within = mistake.field.strip_prefix("widgets[").and_then(|rest| rest.split_once(']'));
        let widget = within.and_then(|(index, _)| self.listed().get(index.parse::<usize>().ok()?));
        let (Some((_, rest)), Some(widget)) = (within, widget) else { return mistake.field.clone() };
        let name = id_of(widget).map_or_else(|| widget.to_string(), str::to_owned);
        format!("{name}{rest}")
    }

    fn duplicated(&self, id: &WidgetId) -> Result<(Self, Option<WidgetId>), Vec<FieldError>> {
        let (Some(fields), Some(place)) = (self.widget(id), self.place(id)) else { return Ok((self.clone(), None)) };
        let mut fields = fields.clone();
        fields.insert("place".into(), as_table(place));
        let (added, copy) = self.edited(Edit::Add(fields))?;
        let Some(copy) = copy else { return Ok((added, None)) };
        added.edited(Edit::Place(copy, Target { y: place.y + place.h, ..Target::of(place) }))
    }

    fn listed(&self) -> &[Value] {
        self.document.get("widgets").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn position(&self, id: &WidgetId) -> Option<usize> {
        self.board.widgets.iter().position(|widget| widget.id == *id)
    }

    /// Writes the place of each widget into the document.
    fn put(&self, document: &mut Fields, places: &[Place]) {
        with_list(document, |widgets| {
            for (widget, place) in self.board.widgets.iter().zip(places) {
                let entry = widgets.iter_mut().find(|entry| id_of(entry) == Some(widget.id.as_str()));
                if let Some(Value::Object(fields)) = entry {
                    fields.insert("place".into(), as_table(*place));
                }
            }
        });
    }

    /// Makes an unused id from the name of the widget's first series, or from its type.
    fn free_id(&self, fields: &Fields) -> String {
        let taken = |id: &str| self.listed().iter().any(|widget| id_of(widget) == Some(id));
        let first = fields.get("series").and_then(|series| series.get(0)).and_then(Value::as_str).unwrap_or_default();
        let last = first.rsplit('/').find(|segment| !segment.contains('*'));
        let kind = fields.get("type").and_then(Value::as_str);
        let stem = last.filter(|stem| !stem.is_empty()).or(kind).unwrap_or("widget");
        let stem: String = stem.chars().take(56).collect();
        let mut ids = (1..).map(|count| if count == 1 { stem.clone() } else { format!("{stem}-{count}") });
        ids.find(|id| !taken(id) && id.parse::<WidgetId>().is_ok()).unwrap_or_default()
    }
}

fn id_of(widget: &Value) -> Option<&str> {
    widget.get("id")?.as_str()
}

fn with_id(mut fields: Fields, id: &str) -> Value {
    fields.insert("id".into(), id.into());
    Value::Object(fields)
}

fn with_list(document: &mut Fields, change: impl FnOnce(&mut Vec<Value>)) {
    if let Some(Value::Array(widgets)) = document.get_mut("widgets") {
        change(widgets);
    }
}

fn as_table(place: Place) -> Value {
    let Place { x, y, w, h } = place;
    let mut fields = Fields::new();
    for (key, cells) in [("x", x), ("y", y), ("w", w), ("h", h)] {
        fields.insert(key.to_owned(), cells.into());
    }
    Value::Object(fields)
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests;
