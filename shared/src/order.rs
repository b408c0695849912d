//! Sorts without generic code: the sort of the standard library takes three kilobytes of wasm for each type.

use std::cmp::Ordering;

/// Returns the stable sorted order of `count` items. `compare` takes the indexes of two items.
#[must_use]
pub fn order(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = Vec::with_capacity(count);
    for place in 0..count {
        let at = places.partition_point(|&other| compare(other, place) != Ordering::Greater);
        places.insert(at, place);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_come_sorted_and_equals_stay_as_they_were() {
        let things = [(3, 'a'), (1, 'b'), (3, 'c'), (2, 'd'), (1, 'e')];
        let order = order(things.len(), &|a, b| things[a].0.cmp(&things[b].0));
        assert_eq!(order.into_iter().map(|at| things[at].1).collect::<String>(), "bedac");
    }
}
