//! Lays out widgets on the grid: without overlap, within the columns, and without gaps above them.
//!
//! Widgets with a place keep their column. They are placed first, ordered by the row that they ask for, from the top
//! to the bottom. Each widget moves up as far as the earlier ones allow, or down if they are in its way. So gaps are
//! closed. If two widgets overlap, the lower one is pushed down (for equal rows the right one, then the later one).
//! Widgets without a place follow in document order. Each takes the highest spot that is wide enough, and the
//! leftmost of those.
//!
//! A finished layout stays the same if it is laid out again, because each widget rests on another one or on the top.

use super::{Columns, Place, Size};

/// The position that a widget asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceRequest {
    /// At this place, or near it.
    At(Place),
    /// Anywhere with room. The size is for a board of 12 columns.
    Anywhere(Size),
}

/// Returns a place for each request, in the same order.
#[must_use]
pub fn layout(columns: Columns, requests: &[PlaceRequest]) -> Vec<Place> {
    let mut skyline = Skyline { heights: vec![0; columns.get().into()] };
    let mut laid: Vec<Option<Place>> = vec![None; requests.len()];
    let within = |request: &PlaceRequest| {
        if let PlaceRequest::At(place) = request { Some(within(columns, *place)) } else { None }
    };
    let key = |(index, request)| within(request).map(|Place { x, y, .. }| (y, x, index));
    let mut order: Vec<(u16, u16, usize)> = requests.iter().enumerate().filter_map(key).collect();
    order.sort_unstable();
    for (.., index) in order {
        laid[index] = within(&requests[index]).map(|place| skyline.put(place.x, place.w, place.h));
    }
    let rest = requests.iter().zip(laid).map(|(request, laid)| match (laid, request) {
        (Some(place), _) => place,
        (None, PlaceRequest::Anywhere(size)) => {
            let (w, h) = (columns.scale(size.w), size.h.max(1));
            skyline.put(skyline.highest_spot(w), w, h)
        }
        (None, PlaceRequest::At(place)) => skyline.put(place.x, place.w, place.h),
    });
    rest.collect()
}

/// Moves and narrows the place so that it fits the columns.
fn within(columns: Columns, place: Place) -> Place {
    let w = place.w.clamp(1, columns.get());
    Place { x: place.x.min(columns.get() - w), w, h: place.h.max(1), ..place }
}

/// The first free row of each column.
struct Skyline {
    heights: Vec<u16>,
}

impl Skyline {
    fn top(&self, x: u16, w: u16) -> u16 {
        let columns = usize::from(x)..usize::from(x) + usize::from(w);
        self.heights[columns].iter().copied().max().unwrap_or(0)
    }

    fn put(&mut self, x: u16, w: u16, h: u16) -> Place {
        let y = self.top(x, w);
        self.heights[usize::from(x)..usize::from(x) + usize::from(w)].fill(y.saturating_add(h));
        Place { x, y, w, h }
    }

    fn highest_spot(&self, w: u16) -> u16 {
        let last = u16::try_from(self.heights.len()).unwrap_or(u16::MAX) - w;
        (0..=last).min_by_key(|&x| self.top(x, w)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place_request() -> impl Strategy<Value = PlaceRequest> {
        let place =
            (0..60u16, 0..40u16, 0..60u16, 0..9u16).prop_map(|(x, y, w, h)| PlaceRequest::At(Place { x, y, w, h }));
        let size = (0..30u16, 0..9u16).prop_map(|(w, h)| PlaceRequest::Anywhere(Size { w, h }));
        prop_oneof![2 => place, 1 => size]
    }

    proptest! {
        #[test]
        fn nothing_overlaps_all_is_within_the_columns_and_what_is_laid_out_stays(
            columns in 1..=48u16,
            requests in prop::collection::vec(place_request(), 0..60),
        ) {
            let columns = Columns::new(columns).unwrap();
            let laid = layout(columns, &requests);
            prop_assert_eq!(laid.len(), requests.len());
            for (index, place) in laid.iter().enumerate() {
                prop_assert!(place.w >= 1 && place.h >= 1 && place.x + place.w <= columns.get(), "{:?}", place);
                prop_assert!(!laid[..index].iter().any(|other| other.overlaps(place)), "{:?} of {:?}", place, laid);
                let rests = place.y == 0
                    || laid.iter().any(|on| on.y + on.h == place.y && Place { y: on.y, ..*place }.overlaps(on));
                prop_assert!(rests, "{:?} hangs in the air", place);
            }
            let again: Vec<_> = laid.iter().copied().map(PlaceRequest::At).collect();
            prop_assert_eq!(layout(columns, &again), laid);
        }

        #[test]
        fn the_order_in_the_document_does_not_move_what_has_a_place(
            requests in prop::collection::vec(place_request(), 0..20),
        ) {
            let columns = Columns::default();
            let settled = layout(columns, &requests);
            let mut turned: Vec<_> = settled.iter().copied().map(PlaceRequest::At).collect();
            turned.reverse();
            let mut again = layout(columns, &turned);
            again.reverse();
            prop_assert_eq!(again, settled);
        }
    }

    #[test]
    fn of_two_that_overlap_the_lower_one_is_pushed_down() {
        let at = |x, y, w, h| PlaceRequest::At(Place { x, y, w, h });
        let laid = layout(Columns::default(), &[at(2, 1, 4, 2), at(0, 0, 4, 2), at(0, 9, 2, 1)]);
        let rows: Vec<_> = laid.iter().map(|place| place.y).collect();
        assert_eq!(rows, [2, 0, 2], "and the gap above the third is closed");
    }

    #[test]
    fn those_without_a_place_fill_the_rows_from_the_left() {
        let laid = layout(Columns::default(), &[PlaceRequest::Anywhere(Size { w: 3, h: 2 }); 5]);
        let corners: Vec<_> = laid.iter().map(|place| (place.x, place.y)).collect();
        assert_eq!(corners, [(0, 0), (3, 0), (6, 0), (9, 0), (0, 2)]);
    }
}
