//! Measurements of a running server. Each prints a table; a figure is only worth something beside the others of its run.

mod latency;
mod reader;
mod server;
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
    /// Readers that read, with and without as many that never do, side by side
    Stalls(stalls::Options),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    rlimit::increase_nofile_limit(u64::MAX)?;
    match cli.measure {
        Measure::Stalls(options) => stalls::run(&cli.binary, &options).await,
    }
}
