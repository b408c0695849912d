//! Attacks on a running server, and faults under it. Each scenario has its own server, filled with series. During an
//! attack, another client pushes and requests `/healthz`, and the memory of the server is measured.
//!
//! The goal at 100,000 series, during any attack: 99 of 100 pushes of another client wait less than 250 ms, and the
//! server takes less than 512 MiB above rest. The tests below run the same scenarios, smaller and shorter.

mod client;
mod clock;
mod connections;
mod damaged;
mod full;
mod ground;
mod history;
mod http2;
mod markdown;
mod missing;
mod outcome;
mod probe;
mod pushes;
mod readers;
mod rebinding;
mod restored;
mod selectors;
mod state;
mod subject;
mod tally;
mod texts;

use std::path::Path;
use std::time::Duration;

use clap::Args;

use crate::record::Record;
use ground::{Ground, Scale};
use outcome::Outcome;
use subject::{Setup, storm};

/// The settings of a measurement.
#[derive(Args)]
pub(crate) struct Options {
    /// Series that exist before an attack
    #[arg(long, default_value_t = 100_000)]
    series: usize,
    /// Seconds that an attack lasts
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Only scenarios whose name has this in it
    #[arg(long)]
    only: Option<String>,
    /// The name of the tables in the document: `attack` or `attack before`
    #[arg(long, default_value = "attack")]
    name: String,
    #[command(flatten)]
    record: Record,
}

/// A scenario: the number of its item in the list, its description, and its function.
type Scenario = (&'static str, &'static str, fn(&Ground) -> anyhow::Result<Outcome>);

/// Attacks, during which another client is measured.
const ATTACKS: [Scenario; 27] = [
    ("–", "none", none),
    ("1", "selectors that match nothing, of a client", selectors::stranger),
    ("1", "selectors that match nothing, of a page of another site", selectors::page),
    ("1", "selectors that match nothing, of a board", selectors::board),
    ("2", "DNS rebinding", rebinding::run),
    ("3", "gzip of a million points", pushes::points),
    ("3", "gzip of 100,000 points", pushes::allowed),
    ("3", "gzip of two million wrong lines", pushes::wrong),
    ("3", "gzip of 500,000 wrong lines of NDJSON", pushes::wrong_batch),
    ("4", "1,000 unfinished prefaces, 400 descriptors", connections::preface),
    ("4", "1,000 connections in every phase, 400 descriptors", connections::phases),
    ("4", "the same from 64 addresses", connections::addresses),
    ("4", "10,000 connections in every phase", connections::many),
    ("4", "1,000 connections of TLS, 400 descriptors", connections::tls),
    ("5", "history, reset over HTTP/2", history::resets),
    ("5", "history that nobody reads", history::unread),
    ("5", "history of selectors that match nothing", history::selectors),
    ("6", "notes of openings that nothing closes", markdown::run),
    ("7", "streams with closed windows, 200 slots", readers::closed_windows),
    ("7", "1,000 selections over 40 long series, read slowly", readers::selections),
    ("7", "20 readers of every change, and large pushes", readers::every_change),
    ("8", "new series without end", state::series),
    ("8", "new keys without end", state::keys),
    ("8", "two million keys that expire", state::expired_keys),
    ("8", "boards without end", state::boards),
    ("8", "texts without end, --max-data 32MiB", state::disk),
    ("–", "lists of all series", lists),
];

/// Faults, in which the answers of the server must stay true.
const FAULTS: [Scenario; 7] = [
    ("9", "a backup is put back", restored::run),
    ("10", "the clock jumps by 3 years for 75 s", clock::jump),
    ("10", "points from ahead", clock::ahead),
    ("11", "old texts", texts::run),
    ("12", "the database goes", missing::run),
    ("13", "the disk is full", full::run),
    ("14", "damaged rows", damaged::run),
];

/// Runs all scenarios and writes two tables.
pub(crate) fn run(binary: &Path, options: &Options) -> anyhow::Result<()> {
    let lasts = Duration::from_secs(options.seconds);
    let ground = Ground::new(binary, Scale { series: options.series, past: 5_000, lasts, divisor: 1 })?;
    let wanted = |what: &str| options.only.as_deref().is_none_or(|only| what.contains(only));
    let (mut attacks, mut faults) = (String::new(), String::new());
    let row = |table: &mut String, row: String| {
        eprint!("{row}");
        table.push_str(&row);
    };
    for (item, what, run) in ATTACKS.into_iter().filter(|(_, what, _)| wanted(what)) {
        row(&mut attacks, outcome::attack_row(item, what, &run(&ground)));
    }
    for (item, what, run) in FAULTS.into_iter().filter(|(_, what, _)| wanted(what)) {
        row(&mut faults, outcome::fault_rows(item, what, &run(&ground)));
    }
    let part = format!(
        "{} series, each attack {} s\n\n{}{attacks}\n{}{faults}",
        options.series,
        options.seconds,
        outcome::ATTACKS,
        outcome::FAULTS,
    );
    options.record.write(&options.name, &part)
}

/// No attack: the baseline of the probes on this machine.
fn none(ground: &Ground) -> anyhow::Result<Outcome> {
    let mut server = ground.start(&Setup::default())?;
    let measured = server.under(|_| {
        std::thread::sleep(ground.scale.lasts);
        Ok(())
    })?;
    Ok(Outcome::of(measured))
}

/// Six connections request the list of all series at once.
fn lists(ground: &Ground) -> anyhow::Result<Outcome> {
    let mut server = ground.start(&Setup::default())?;
    let client = server.attacker();
    let measured = server.under(|tally| {
        storm(tally, 6, ground.scale.lasts, |_, _| {
            tally.note(&client.get("/api/series"));
        });
        Ok(())
    })?;
    Ok(Outcome::of(measured))
}

/// The short form: the same scenarios on a small server, without a bound on waits, which a busy machine cannot keep.
#[cfg(test)]
mod tests {
    use super::*;

    use std::path::PathBuf;

    /// The binary under test: the one that `PULSEBOARD_BIN` names, or the one that was built with these tests.
    fn binary() -> PathBuf {
        if let Some(named) = std::env::var_os("PULSEBOARD_BIN") {
            return named.into();
        }
        let test = std::env::current_exe().unwrap();
        let built = test.parent().and_then(Path::parent).unwrap().join("pulseboard");
        assert!(built.exists(), "{} is not built; run cargo build -p pulseboard-server", built.display());
        built
    }

    #[track_caller]
    fn holds(run: fn(&Ground) -> anyhow::Result<Outcome>) {
        let scale = Scale { series: 3_000, past: 500, lasts: Duration::from_millis(1_500), divisor: 20 };
        let outcome = run(&Ground::new(&binary(), scale).unwrap()).unwrap();
        assert!(outcome.is_sound(), "{:#?}\n{:#?}", outcome.broken(), outcome.measured);
    }

    macro_rules! holds {
        ($($name:ident: $run:path;)*) => {$(
            #[test]
            fn $name() {
                holds($run);
            }
        )*};
    }

    holds! {
        selectors_that_match_nothing: selectors::stranger;
        selectors_of_a_page_of_another_site: selectors::page;
        selectors_of_a_board: selectors::board;
        dns_rebinding: rebinding::run;
        gzip_of_points: pushes::points;
        gzip_of_wrong_lines: pushes::wrong;
        gzip_of_wrong_lines_of_ndjson: pushes::wrong_batch;
        unfinished_prefaces: connections::preface;
        connections_in_every_phase: connections::phases;
        connections_of_tls: connections::tls;
        history_that_is_reset: history::resets;
        history_that_nobody_reads: history::unread;
        history_of_selectors: history::selectors;
        notes_of_openings: markdown::run;
        streams_with_closed_windows: readers::closed_windows;
        selections_that_are_read_slowly: readers::selections;
        readers_of_every_change: readers::every_change;
        new_series: state::series;
        keys_that_expire: state::expired_keys;
        texts_up_to_a_bound: state::disk;
        lists_of_all_series: lists;
        restored_backup: restored::run;
        clock_that_jumps: clock::jump;
        points_from_ahead: clock::ahead;
        database_that_goes: missing::run;
        damaged_rows: damaged::run;
    }
}
