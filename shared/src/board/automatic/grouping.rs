//! Finds siblings: numbers of the same unit that a chart can show together.
//!
//! Two numbers are siblings if they have the same parent, such as the cores of a CPU, or if their names differ in one
//! segment only, such as the latencies of several services. Each number joins the larger of its two families.

use std::collections::BTreeMap;

use crate::board::Show;
use crate::board::metric_type::MetricType;
use crate::format::unit::{Scaling, UnitFormat};
use crate::order::order;
use crate::{Selector, SeriesName};

/// Parts of names that stand for the whole of all siblings.
const TOTALS: [&str; 6] = ["all", "total", "overall", "sum", "avg", "mean"];

/// A series of the board.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub name: SeriesName,
    pub metric_type: MetricType,
    unit: UnitFormat,
}

impl Member {
    pub(super) fn of(name: SeriesName, metric_type: MetricType) -> Self {
        let unit = UnitFormat::of(None, &name);
        Self { name, metric_type, unit }
    }

    /// The number that is shown; `None` for the value.
    pub(super) fn show(&self) -> Option<Show> {
        super::shown(self.metric_type)
    }

    /// The name without its last segment.
    pub(super) fn parent(&self) -> &str {
        self.name.as_str().rsplit_once('/').map_or("", |(parent, _)| parent)
    }

    fn last(&self) -> &str {
        self.name.as_str().rsplit('/').next().unwrap_or_default()
    }

    /// The last place in the order of importance.
    pub(super) const LAST_RANK: u8 = 2;

    /// The place in the order of importance: shares of a whole, durations, and all others.
    pub(super) fn rank(&self) -> u8 {
        match self.unit.scaling {
            Scaling::Ratio => 0,
            _ if self.unit.symbol.as_str() == "%" => 0,
            Scaling::Time(_) => 1,
            _ => 2,
        }
    }

    fn is_total(&self) -> bool {
        let words = self.last().split(['_', '.', ':', '-']);
        let mut first = words.map(str::to_ascii_lowercase);
        first.next().is_some_and(|word| TOTALS.contains(&word.as_str()))
    }

    /// The last segment with each run of digits replaced, so that `core0` and `core12` are alike.
    fn stem(&self) -> String {
        let mut stem = String::new();
        for c in self.last().chars() {
            match c.is_ascii_digit() {
                true if stem.ends_with('#') => {}
                true => stem.push('#'),
                false => stem.push(c),
            }
        }
        stem
    }

    /// The families that this number could join: the selector of each, and what its members have in common.
    fn families(&self) -> Vec<Family> {
        let has_unit = self.unit != UnitFormat::none();
        let stem = self.stem();
        let mut families = Vec::new();
        let family = |selector: String, stem: String, is_parent: bool| Family {
            not_parent: !is_parent,
            selector,
            // A ratio from 0 to 1 and a percentage from 0 to 100 have the same symbol.
            unit: if self.unit.scaling == Scaling::Ratio { "ratio" } else { self.unit.name() }.to_owned(),
            stem,
            is_counter: self.metric_type == MetricType::Counter,
        };
        // Numbers without a unit may be of any size, so their names must be alike as well.
        if has_unit || stem.contains('#') {
            let stem = if has_unit { String::new() } else { stem };
            families.push(family(format!("{}/*", self.parent()), stem, true));
        }
        let segments: Vec<&str> = self.name.segments().collect();
        for at in 1..segments.len().saturating_sub(1) {
            let mut pattern = segments.clone();
            if let Some(segment) = pattern.get_mut(at) {
                *segment = "*";
            }
            families.push(family(pattern.join("/"), String::new(), false));
        }
        families
    }
}

/// The common property of siblings. The order is the one in which families of the same size are preferred.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Family {
    not_parent: bool,
    selector: String,
    unit: String,
    stem: String,
    is_counter: bool,
}

impl Family {
    /// The least number of members. Two numbers of different parents are more likely two things than siblings.
    fn least(&self) -> usize {
        if self.not_parent { 3 } else { 2 }
    }
}

/// Numbers that a chart shows together.
#[derive(Clone, Debug)]
pub(super) struct Group<'a> {
    pub title: String,
    pub members: Vec<&'a Member>,
    /// The selector of exactly these series; `None` if there is none.
    pub selector: Option<Selector>,
}

impl<'a> Group<'a> {
    pub(super) fn show(&self) -> Option<Show> {
        self.members.first()?.show()
    }

    /// The number that stands for all of them, if there is one.
    pub(super) fn total(&self) -> Option<&'a Member> {
        self.members.iter().copied().find(|member| member.is_total())
    }
}

/// Groups of siblings, and the numbers that have none.
pub(super) struct Grouped<'a> {
    pub groups: Vec<Group<'a>>,
    pub singles: Vec<&'a Member>,
}

/// Groups `numbers`, in the order of their first members. `all` are all series of the board.
pub(super) fn grouped<'a>(numbers: &[&'a Member], all: &[Member]) -> Grouped<'a> {
    let mut families: BTreeMap<Family, Vec<usize>> = BTreeMap::new();
    for (index, number) in numbers.iter().enumerate() {
        for family in number.families() {
            families.entry(family).or_default().push(index);
        }
    }
    // The map has the families in the order of preference.
    let several: Vec<(&Family, &Vec<usize>)> = families.iter().filter(|(_, members)| members.len() > 1).collect();
    let sizes: Vec<usize> = several.iter().map(|(_, members)| members.len()).collect();
    let largest = order(sizes.len(), &|a, b| sizes.get(b).cmp(&sizes.get(a)));
    let mut is_grouped = vec![false; numbers.len()];
    let mut found: Vec<(usize, &Family, Vec<usize>)> = Vec::new();
    for (family, members) in largest.iter().filter_map(|&at| several.get(at)) {
        let free: Vec<usize> =
            members.iter().copied().filter(|&member| !is_grouped.get(member).copied().unwrap_or(true)).collect();
        let (Some(&first), true) = (free.first(), free.len() >= family.least()) else { continue };
        for &member in &free {
            if let Some(is_grouped) = is_grouped.get_mut(member) {
                *is_grouped = true;
            }
        }
        found.push((first, family, free));
    }
    let firsts: Vec<usize> = found.iter().map(|(first, ..)| *first).collect();
    let found_in_order = order(firsts.len(), &|a, b| firsts.get(a).cmp(&firsts.get(b)));
    let groups = found_in_order.iter().filter_map(|&at| found.get(at)).map(|(_, family, members)| {
        let members: Vec<&Member> = members.iter().filter_map(|&member| numbers.get(member).copied()).collect();
        let is_only = found.iter().filter(|(_, other, _)| other.selector == family.selector).count() == 1;
        Group { title: title(family, &members, is_only), selector: selector(family, &members, all), members }
    });
    let single = |(index, number): (usize, &&'a Member)| {
        (!is_grouped.get(index).copied().unwrap_or_default()).then_some(*number)
    };
    Grouped { groups: groups.collect(), singles: numbers.iter().enumerate().filter_map(single).collect() }
}

/// The selector of a family, if no other series matches it.
fn selector(family: &Family, members: &[&Member], all: &[Member]) -> Option<Selector> {
    let selector: Selector = family.selector.parse().ok()?;
    (all.iter().filter(|member| selector.matches(&member.name)).count() == members.len()).then_some(selector)
}

/// The fixed segments of a family's selector, without the board's own; with the unit if several charts would have the
/// same title.
fn title(family: &Family, members: &[&Member], is_only: bool) -> String {
    let fixed: Vec<&str> = family.selector.split('/').filter(|segment| *segment != "*").collect();
    let title = match fixed.get(1..) {
        Some(within) if !within.is_empty() => within.join("/"),
        _ => fixed.join("/"),
    };
    let unit = members.first().map(|member| member.unit.name()).unwrap_or_default();
    if is_only || unit.is_empty() { title } else { format!("{title} ({unit})") }
}
