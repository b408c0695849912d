//! The benchmark program: measures a running server. Each measurement prints a table, and writes it into a document
//! on request. Its figures are comparable only with others of the same run.

mod attack;
mod backfill;
mod compression;
mod fanout;
mod figures;
mod ingest;
mod load;
mod page;
mod peers;
mod reconnects;
mod record;
mod selections;
mod series;
mod sizes;
mod stalls;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Measures a pulseboard binary on this machine
#[derive(Parser)]
struct Cli {
    /// The binary to measure
    #[arg(long, env = "PULSEBOARD_BIN", default_value = "target/release/pulseboard")]
    binary: PathBuf,
    #[command(subcommand)]
    measure: Measure,
}

#[derive(Subcommand)]
enum Measure {
    /// The cost of an event for many readers, beside other servers
    Fanout(fanout::Options),
    /// How many pushes are taken in, and what each costs
    Ingest(ingest::Options),
    /// How fast the past of series is taken in, beside `VictoriaMetrics`
    Backfill(backfill::Options),
    /// Bytes that a point takes on the disk, beside `VictoriaMetrics`
    Sizes(sizes::Options),
    /// What series cost that exist, and how long a start with them takes
    Series(series::Options),
    /// As many readers of one selection and of a thousand, while ten thousand series change
    Selections(selections::Options),
    /// What compressed streams save on a real board, and what they cost
    Compression(compression::Options),
    /// Attacks and faults: what another client waits, what memory they take, and whether the server holds
    Attack(attack::Options),
    /// Readers that read, with and without as many that never do, side by side
    Stalls(stalls::Options),
    /// Pushes while readers of many selections come back at once after a restart
    Reconnects(reconnects::Options),
    /// The machine and the versions, for the document
    Machine(record::Record),
    /// A process of readers
    #[command(hide = true)]
    Readers(load::reading::Options),
    /// The page in a headless browser: frames, memory, and from a push to the paint
    Page(page::Options),
    /// A first visit over a slow line: until a board of charts is there
    Visit(page::visit::Options),
    /// A month of a wall screen: thousands of turns, restarts, sleeps and a deployment, with flat memory
    Wall(page::wall::Options),
    /// Runs a peer that is part of this program
    #[command(hide = true)]
    Peer {
        /// Which
        peer: peers::Peer,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    rlimit::increase_nofile_limit(u64::MAX)?;
    match cli.measure {
        Measure::Fanout(options) => fanout::run(&cli.binary, &options),
        Measure::Ingest(options) => ingest::run(&cli.binary, &options),
        Measure::Backfill(options) => backfill::run(&cli.binary, &options),
        Measure::Sizes(options) => sizes::run(&cli.binary, &options),
        Measure::Series(options) => series::run(&cli.binary, &options),
        Measure::Selections(options) => selections::run(&cli.binary, &options),
        Measure::Page(options) => page::run(&cli.binary, &options).await,
        Measure::Visit(options) => page::visit::run(&cli.binary, &options).await,
        Measure::Wall(options) => page::wall::run(&options).await,
        Measure::Peer { peer: peers::Peer::Bare } => peers::bare::run(),
        Measure::Peer { peer: peers::Peer::Axum } => peers::plain_axum::run().await,
        Measure::Peer { peer } => anyhow::bail!("{peer} is a program of its own"),
        Measure::Compression(options) => compression::run(&cli.binary, &options),
        Measure::Attack(options) => attack::run(&cli.binary, &options),
        Measure::Stalls(options) => stalls::run(&cli.binary, &options),
        Measure::Reconnects(options) => reconnects::run(&cli.binary, &options),
        Measure::Machine(record) => record.write("machine", &record::machine()),
        Measure::Readers(options) => load::reading::run(&options),
    }
}
