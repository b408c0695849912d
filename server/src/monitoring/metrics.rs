//! Counters of events. [`super::exposition`] shows them.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::rejections::Reason;
use crate::http::problem::ApiError;
use crate::limits::Limit;
use crate::log::{Applied, LogSubscriber, Tracks};

/// Counters of events. Clones share them.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Counted>);

impl Default for Metrics {
    /// Starts all counters at 0, so that the first event counts as an increase.
    fn default() -> Self {
        let counted = Counted::default();
        for answer in ANSWERS {
            drop(counted.pushes.get_or_create(&Answer { answer }));
        }
        for limit in Limit::ALL {
            drop(counted.refused.get_or_create(&Reached { limit: limit.label() }));
        }
        Self(Arc::new(counted))
    }
}

/// The values of the label `answer`.
const ANSWERS: [&str; 4] = [KEPT, PARTIAL, REFUSED, UNAVAILABLE];
const KEPT: &str = "kept";
const PARTIAL: &str = "partial";
const REFUSED: &str = "refused";
const UNAVAILABLE: &str = "unavailable";

#[derive(Debug, Default)]
struct Counted {
    pushes: Family<Answer, Counter>,
    points: Counter,
    refused: Family<Reached, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reached {
    limit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    answer: &'static str,
}

impl LogSubscriber for Metrics {
    fn apply(&mut self, applied: &Applied<'_>, _: &dyn Tracks) {
        if let Applied::Points(points) = applied {
            self.committed(points.len());
        }
    }
}

impl Metrics {
    /// Counts a push by its answer: stored, or an error.
    pub fn pushed(&self, error: Option<&ApiError>) {
        let answer = match error {
            None => KEPT,
            Some(ApiError::Unavailable(_) | ApiError::Overloaded(_)) => UNAVAILABLE,
            Some(ApiError::PartialWrite { .. }) => PARTIAL,
            Some(_) => REFUSED,
        };
        self.0.pushes.get_or_create(&Answer { answer }).inc();
    }

    /// Counts a request that was refused because it reached a bound.
    pub fn refused(&self, limit: Limit) {
        self.0.refused.get_or_create(&Reached { limit: limit.label() }).inc();
    }

    /// Registers all counters.
    pub(super) fn register(&self, registry: &mut Registry, refused_pushes: Family<Reason, Counter>) {
        let Counted { pushes, points, refused } = &*self.0;
        registry.register("pushes", "Pushes by what became of them", pushes.clone());
        registry.register("pushes_refused", "Pushes refused, by the first reason", refused_pushes);
        registry.register("refused", "Requests refused, by the limit they reached", refused.clone());
        registry.register("points", "Points committed", points.clone());
    }

    /// Adds committed points.
    pub fn committed(&self, points: usize) {
        self.0.points.inc_by(points as u64);
    }
}
