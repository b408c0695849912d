//! Arranges all widgets when one of them is moved or resized.
//!
//! The moved widget goes where the user puts it, as far as the layout allows, which closes gaps. It is placed above
//! all widgets whose middle is below its upper edge, and below all others. So it takes the place of another widget
//! once it is dragged over that widget's half.

use shared::board::layout::{PlaceRequest, layout};
use shared::board::place::MAX_HEIGHT;
use shared::board::{Columns, Place};

/// The position and size at which a widget is put. It need not fit the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The first column.
    pub x: u16,
    /// The first row.
    pub y: u16,
    /// The width in columns.
    pub w: u16,
    /// The height in rows.
    pub h: u16,
}

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the left.
    Left,
    /// To the right.
    Right,
    /// Up.
    Up,
    /// Down.
    Down,
}

impl Target {
    /// The present place of a widget.
    #[must_use]
    pub fn of(place: Place) -> Self {
        let Place { x, y, w, h } = place;
        Self { x, y, w, h }
    }

    /// Moves the target by a number of cells; it stops at the left and upper edge.
    #[must_use]
    pub fn moved(self, columns: i32, rows: i32) -> Self {
        Self { x: add(self.x, columns), y: add(self.y, rows), ..self }
    }

    /// Grows the target by a number of cells; no smaller than one cell, and not beyond the last of `all` columns.
    #[must_use]
    pub fn grown(self, all: Columns, columns: i32, rows: i32) -> Self {
        let room = all.get().saturating_sub(self.x).max(1);
        let (w, h) = (add(self.w, columns).clamp(1, room), add(self.h, rows).clamp(1, MAX_HEIGHT));
        Self { w, h, ..self }
    }
}

/// Returns the places of all widgets, in their order, when the one at `index` is put at `target`; `places` are the
/// present ones.
#[must_use]
pub fn arrange(columns: Columns, places: &[Place], index: usize, target: Target) -> Vec<Place> {
    let w = target.w.clamp(1, columns.get());
    let put = Place { x: target.x.min(columns.get() - w), y: target.y, w, h: target.h.clamp(1, MAX_HEIGHT) };
    // In half rows: the upper edge of the moved widget, and the middles of the others. If equal, the moved one is
    // first.
    let order = |at: usize| match places.get(at) {
        Some(_) if at == index => (2 * u32::from(put.y), 0, at),
        Some(place) => (middle(place), 1, at),
        None => (u32::MAX, 1, at),
    };
    let request = |at: usize| {
        let before = (0..places.len()).filter(|&other| order(other) < order(at)).count();
        let place = if at == index { put } else { places[at] };
        // The row only gives the order, since the layout closes the gaps.
        PlaceRequest::At(Place { y: u16::try_from(before).unwrap_or(u16::MAX), ..place })
    };
    let requests: Vec<_> = (0..places.len()).map(request).collect();
    layout(columns, &requests)
}

/// Returns the target of the widget at `index` after one step: a column, or past its neighbour above or below. `None`
/// if it can go no further.
#[must_use]
pub fn step(columns: Columns, places: &[Place], index: usize, direction: Direction) -> Option<Target> {
    let me = *places.get(index)?;
    let at = Target::of(me);
    // The widgets in its way up or down.
    let in_column = places.iter().filter(|other| other.x < me.x + me.w && me.x < other.x + other.w);
    let row = |half_rows: u32| u16::try_from(half_rows / 2).unwrap_or(u16::MAX);
    match direction {
        Direction::Left => (me.x > 0).then(|| at.moved(-1, 0)),
        Direction::Right => (me.x + me.w < columns.get()).then(|| at.moved(1, 0)),
        Direction::Up => {
            let above = in_column.filter(|other| other.y < me.y).map(middle).max()?;
            Some(Target { y: row(above.saturating_sub(1)), ..at })
        }
        Direction::Down => {
            let below = in_column.filter(|other| other.y > me.y).map(middle).min()?;
            Some(Target { y: row(below + 2), ..at })
        }
    }
}

/// Returns the target after growing or shrinking by one cell; `None` if that is impossible.
#[must_use]
pub fn resize(columns: Columns, place: Place, direction: Direction) -> Option<Target> {
    let at = Target::of(place);
    let grown = match direction {
        Direction::Left => at.grown(columns, -1, 0),
        Direction::Right => at.grown(columns, 1, 0),
        Direction::Up => at.grown(columns, 0, -1),
        Direction::Down => at.grown(columns, 0, 1),
    };
    (grown != at).then_some(grown)
}

/// Twice the row of the widget's middle.
fn middle(place: &Place) -> u32 {
    2 * u32::from(place.y) + u32::from(place.h)
}

fn add(cells: u16, by: i32) -> u16 {
    let sum = i32::from(cells).saturating_add(by);
    u16::try_from(sum.max(0)).unwrap_or(u16::MAX)
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn settled() -> impl Strategy<Value = (Columns, Vec<Place>)> {
        let place =
            (0..12u16, 0..30u16, 1..9u16, 1..7u16).prop_map(|(x, y, w, h)| PlaceRequest::At(Place { x, y, w, h }));
        (1..=24u16, prop::collection::vec(place, 1..24)).prop_map(|(columns, requests)| {
            let columns = Columns::new(columns).unwrap();
            (columns, layout(columns, &requests))
        })
    }

    fn direction() -> impl Strategy<Value = Direction> {
        prop_oneof![Just(Direction::Left), Just(Direction::Right), Just(Direction::Up), Just(Direction::Down)]
    }

    proptest! {
        #[test]
        fn what_is_put_where_it_is_moves_nothing(
            (columns, places) in settled(), pick in any::<prop::sample::Index>(),
        ) {
            let index = pick.index(places.len());
            prop_assert_eq!(arrange(columns, &places, index, Target::of(places[index])), places);
        }

        #[test]
        fn wherever_a_widget_is_put_nothing_overlaps_and_it_has_the_size_it_should(
            (columns, places) in settled(), pick in any::<prop::sample::Index>(),
            (x, y, w, h) in (0..40u16, 0..60u16, 0..40u16, 0..9u16),
        ) {
            let index = pick.index(places.len());
            let laid = arrange(columns, &places, index, Target { x, y, w, h });
            for (at, place) in laid.iter().enumerate() {
                prop_assert!(!laid[..at].iter().any(|other| other.overlaps(place)));
                prop_assert!(place.x + place.w <= columns.get());
                let (w, h) = if at == index { (w.clamp(1, columns.get()), h.max(1)) } else { (places[at].w, places[at].h) };
                prop_assert_eq!((place.w, place.h), (w, h));
            }
        }

        #[test]
        fn each_step_that_there_is_leads_somewhere_and_the_ends_are_reached(
            (columns, mut places) in settled(), pick in any::<prop::sample::Index>(), direction in direction(),
        ) {
            let index = pick.index(places.len());
            for _ in 0..=places.len() + 24 {
                let Some(target) = step(columns, &places, index, direction) else { return Ok(()) };
                let after = arrange(columns, &places, index, target);
                if matches!(direction, Direction::Left | Direction::Right) {
                    prop_assert_eq!(after[index].x, target.x);
                } else {
                    prop_assert_ne!(&after, &places);
                }
                places = after;
            }
            prop_assert!(false, "it goes on and on: {:?}", places);
        }
    }

    fn at(x: u16, y: u16, w: u16, h: u16) -> Place {
        Place { x, y, w, h }
    }

    #[test]
    fn up_and_down_change_places_with_what_is_there() {
        let columns = Columns::default();
        let places = [at(0, 0, 6, 4), at(0, 4, 6, 2), at(6, 0, 6, 2)];
        let up = step(columns, &places, 1, Direction::Up).unwrap();
        let swapped = arrange(columns, &places, 1, up);
        assert_eq!(swapped, [at(0, 2, 6, 4), at(0, 0, 6, 2), at(6, 0, 6, 2)]);
        let down = step(columns, &swapped, 1, Direction::Down).unwrap();
        assert_eq!(arrange(columns, &swapped, 1, down), places);
        assert_eq!(step(columns, &places, 2, Direction::Up), None);
        assert_eq!(step(columns, &places, 2, Direction::Down), None);
    }

    #[test]
    fn what_is_in_the_way_of_a_widget_that_grows_gives_way() {
        let columns = Columns::default();
        let places = [at(0, 0, 6, 2), at(6, 0, 6, 2)];
        let wider = resize(columns, places[0], Direction::Right).unwrap();
        assert_eq!(arrange(columns, &places, 0, wider), [at(0, 0, 7, 2), at(6, 2, 6, 2)]);
        assert_eq!(resize(columns, places[1], Direction::Right), None);
        assert_eq!(resize(columns, at(0, 0, 1, 1), Direction::Up), None);
    }
}
