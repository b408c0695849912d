//! Reads an answer of `GET /api/history`, with `sketch=1` or without.

use shared::SeriesName;
use shared::rolled::step;

use super::node::Node;
use super::texts::Lines;
use shared::reading::Cell;

/// The past of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesHistory {
    /// The name of the series.
    pub name: SeriesName,
    /// The newest buckets before those of the stretch, oldest first, where they were requested.
    pub before: Vec<Cell>,
    /// The buckets or lines of the series.
    pub content: HistoryContent,
}

/// The content of an answer, by the kind of the series.
#[derive(Clone, Debug, PartialEq)]
pub enum HistoryContent {
    /// Numbers: the buckets that are not empty, oldest first.
    Numbers(Vec<Cell>),
    /// Texts: the lines of the stretch, oldest first, and the line before the stretch if there is one.
    Texts(Lines),
}

/// Reads a bucket of this width, after one with this last value.
type ReadCell<'a> = dyn Fn(&Node, u64, Option<f64>) -> Option<Cell> + 'a;

/// Reads an answer. Returns `None` where the body is not one.
#[must_use]
pub fn read(body: &str) -> Option<Vec<SeriesHistory>> {
    let [series, tier, buckets, lines, before, text, ts, more] =
        ["series", "tier_ms", "buckets", "lines", "before", "text", "ts", "more"].map(Node::field);
    let [count, sum, min, max, first, last, first_ts, last_ts, increase, bins] =
        ["count", "sum", "min", "max", "first", "last", "first_ts", "last_ts", "increase", "bins"].map(Node::field);
    let quantiles = ["p50", "p95", "p99"].map(Node::field);
    let line = |node: &Node| Some((whole(node.get(&ts)?.number()?), node.get(&text)?.text()?));
    let one = |node: &Node| {
        let name = node.get(&series)?.text()?.parse().ok()?;
        let Some(all) = node.get(&buckets) else {
            let earlier = node.get(&before).as_ref().and_then(line);
            let lines = node.get(&lines)?.items().iter().filter_map(line).collect::<Vec<_>>();
            let more = node.get(&more).is_some_and(|more| more.is_true());
            let lines = earlier.into_iter().chain(lines).collect();
            let content = HistoryContent::Texts(Lines { lines, more });
            return Some(SeriesHistory { name, before: Vec::new(), content });
        };
        let width = whole(node.get(&tier)?.number()?);
        let mut last_value: Option<f64> = None;
        // Not generic: the code would be there twice.
        let cell: &ReadCell<'_> = &|node, width, last_value| {
            let number = |field| node.get(field).and_then(|node: Node| node.number());
            let pair = |node: &Node| {
                let pair = node.items();
                Some((pair.first()?.number()?, whole(pair.get(1)?.number()?)))
            };
            let first = number(&first)?;
            // The server's `increase` includes the step from the bucket before, but not for the first bucket of an
            // answer. The step is taken out here, so that a cell counts from its own first point.
            let into = last_value.map_or(0.0, |before| step(before, first));
            let last = number(&last)?;
            Some(Cell {
                start: whole(number(&ts)?),
                width,
                first_at: whole(number(&first_ts)?),
                at: whole(number(&last_ts)?),
                count: whole(number(&count)?),
                sum: number(&sum)?,
                min: number(&min)?,
                max: number(&max)?,
                first,
                last,
                quantiles: [number(&quantiles[0])?, number(&quantiles[1])?, number(&quantiles[2])?],
                increase: number(&increase)? - into,
                bins: node.get(&bins).map(|bins| bins.items().iter().filter_map(pair).collect()).unwrap_or_default(),
            })
        };
        let earlier = |node: &Node| cell(node, whole(node.get(&tier)?.number()?), None);
        let earlier = node.get(&before).map(|all| all.items().iter().filter_map(earlier).collect()).unwrap_or_default();
        let mut next = |node: &Node| {
            let cell = cell(node, width, last_value)?;
            last_value = Some(cell.last);
            Some(cell)
        };
        let cells = all.items().iter().filter_map(&mut next).collect();
        Some(SeriesHistory { name, before: earlier, content: HistoryContent::Numbers(cells) })
    };
    Node::parse(body)?.items().iter().map(one).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn whole(number: f64) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_and_lines_are_read() {
        let body = r#"[
            {"series":"a/n","before":[{"tier_ms":60000,"ts":0,"count":1,"sum":1.0,"min":1.0,"max":1.0,"first":1.0,
             "last":1.0,"p50":1.0,"p95":1.0,"p99":1.0,"increase":0.0,"first_ts":5000,"last_ts":5000}],"tier_ms":10000,
             "buckets":[{"ts":20000,"count":2,"sum":3.0,"min":1.0,"max":2.0,"first":2.0,
             "last":1.0,"p50":1.0,"p95":2.0,"p99":2.0,"increase":0.5,"first_ts":21000,"last_ts":27000,
             "bins":[[1.0,1],[2.0,1]]},
             {"ts":30000,"count":2,"sum":9.0,"min":4.0,"max":5.0,"first":4.0,"last":5.0,"p50":4.0,"p95":5.0,"p99":5.0,
              "increase":4.0,"first_ts":31000,"last_ts":37000}]},
            {"series":"a/t","lines":[{"ts":7,"text":"up"}],"before":{"ts":3,"text":"down"},"more":true}]"#;
        let answer = read(body).unwrap();
        let HistoryContent::Numbers(cells) = &answer[0].content else { panic!("numbers") };
        assert_eq!((cells[0].start, cells[0].end(), cells[0].count), (20_000, 30_000, 2));
        assert_eq!((cells[0].first_at, cells[0].at), (21_000, 27_000));
        let inside = [cells[0].increase, cells[1].increase, cells[1].since(&cells[0])];
        assert_eq!(inside, [0.5, 1.0, 4.0], "without what was counted on the way from the bucket before");
        assert_eq!(cells[0].bins, [(1.0, 1), (2.0, 1)]);
        let earlier: Vec<_> = answer[0].before.iter().map(|cell| (cell.width, cell.at, cell.last)).collect();
        assert_eq!(earlier, [(60_000, 5_000, 1.0)]);
        assert_eq!(
            answer[1].content,
            HistoryContent::Texts(Lines { lines: vec![(3, "down".to_owned()), (7, "up".to_owned())], more: true })
        );
    }

    #[test]
    fn what_is_no_answer_is_none() {
        assert_eq!(read("<html>"), None);
        assert_eq!(read(r#"[{"series":"a//b","lines":[]}]"#), None);
        assert_eq!(read("[]"), Some(vec![]));
    }
}
