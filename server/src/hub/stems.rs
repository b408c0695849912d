//! Which topics may select a series, by its name: so that a series that begins costs what it has readers, not all
//! selections there are.

use std::collections::HashMap;

use shared::SeriesName;

use super::selection::Selection;
use super::topic::TopicId;

/// Topics by the [stems](shared::Selector::stem) of their selectors.
#[derive(Debug, Default)]
pub(super) struct Stems(HashMap<String, Vec<TopicId>>);

impl Stems {
    /// Takes in a topic.
    pub(super) fn add(&mut self, selection: &Selection, id: TopicId) {
        for selector in &selection.selectors {
            let ids = self.0.entry(selector.stem().to_owned()).or_default();
            if ids.last() != Some(&id) {
                ids.push(id);
            }
        }
    }

    /// A topic has gone.
    pub(super) fn remove(&mut self, selection: &Selection, id: TopicId) {
        for selector in &selection.selectors {
            if let Some(ids) = self.0.get_mut(selector.stem()) {
                ids.retain(|&other| other != id);
                if ids.is_empty() {
                    self.0.remove(selector.stem());
                }
            }
        }
    }

    /// Every topic that may select the series, once. Some of them may not.
    pub(super) fn candidates(&self, name: &SeriesName) -> Vec<TopicId> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let name = name.as_str();
        let slashes = name.bytes().enumerate().filter(|&(_, byte)| byte == b'/').map(|(at, _)| at);
        let stems = [0].into_iter().chain(slashes).chain([name.len()]).map(|end| &name[..end]);
        let mut ids: Vec<_> = stems.filter_map(|stem| self.0.get(stem)).flatten().copied().collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}
