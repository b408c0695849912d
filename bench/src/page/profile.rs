//! Records a CPU profile of the page's main thread.
//!
//! The page of a release has no names of functions. Build it with `wasm-opt -g` in `tools/split.sh` to see them.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context as _;
use pulseboard_e2e::Page;
use serde::Deserialize;
use serde_json::{Value, json};

/// Number of functions in the printed list.
const LISTED: usize = 60;

/// A CPU profile as the Chrome `DevTools` protocol has it (`Profiler.Profile`): the tree of calls, and the node of each
/// sample. Times are in microseconds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    nodes: Vec<Node>,
    samples: Vec<u64>,
    time_deltas: Vec<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    id: u64,
    call_frame: CallFrame,
    #[serde(default)]
    children: Vec<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CallFrame {
    function_name: String,
}

/// Awaits `work` under the profiler, writes the profile, and prints the functions that took the most time.
pub(super) async fn record<T>(page: &Page<'_>, file: &Path, work: impl Future<Output = T>) -> anyhow::Result<T> {
    page.cdp("Profiler.enable", json!({})).await;
    page.cdp("Profiler.start", json!({})).await;
    let done = work.await;
    let mut stopped = page.cdp("Profiler.stop", json!({})).await;
    let profile = stopped["profile"].take();
    std::fs::write(file, profile.to_string()).with_context(|| format!("cannot write {}", file.display()))?;
    print(profile)?;
    Ok(done)
}

fn print(profile: Value) -> anyhow::Result<()> {
    let profile: Profile = serde_json::from_value(profile).context("the browser's profile has another form")?;
    let mut own: HashMap<u64, i64> = HashMap::new();
    for (node, time) in profile.samples.iter().zip(&profile.time_deltas) {
        *own.entry(*node).or_default() += time;
    }
    let whole: i64 = profile.time_deltas.iter().sum();
    let nodes: HashMap<u64, &Node> = profile.nodes.iter().map(|node| (node.id, node)).collect();
    let mut functions: HashMap<&str, (i64, i64)> = HashMap::new();
    if let Some(root) = profile.nodes.first() {
        add(root, &nodes, &own, &mut Vec::new(), &mut functions);
    }
    let mut functions: Vec<_> = functions.into_iter().collect();
    functions.sort_unstable_by_key(|(_, (_, with_calls))| std::cmp::Reverse(*with_calls));
    let percent = |time: i64| {
        #[expect(clippy::cast_precision_loss, reason = "microseconds of a profile are below 2^53")]
        let share = time as f64 / whole.max(1) as f64;
        share * 100.0
    };
    println!("{:>7} {:>7}  function", "self %", "all %");
    for (name, (own, with_calls)) in functions.into_iter().take(LISTED) {
        println!("{:>7.1} {:>7.1}  {name}", percent(own), percent(with_calls));
    }
    Ok(())
}

/// Adds the times of a node and its calls, and returns their sum. A function that calls itself counts once.
fn add<'a>(
    node: &'a Node,
    nodes: &HashMap<u64, &'a Node>,
    own: &HashMap<u64, i64>,
    callers: &mut Vec<&'a str>,
    functions: &mut HashMap<&'a str, (i64, i64)>,
) -> i64 {
    let name = node.call_frame.function_name.as_str();
    let own_time = own.get(&node.id).copied().unwrap_or_default();
    let outermost = !callers.contains(&name);
    callers.push(name);
    let calls: i64 = node
        .children
        .iter()
        .filter_map(|id| nodes.get(id))
        .map(|child| add(child, nodes, own, callers, functions))
        .sum();
    callers.pop();
    let entry = functions.entry(name).or_default();
    entry.0 += own_time;
    if outermost {
        entry.1 += own_time + calls;
    }
    own_time + calls
}
