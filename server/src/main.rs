//! The binary `pulseboard`: reads the command line and runs one of the commands.

use std::io::{BufReader, IsTerminal as _, Write as _, stdin, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use mimalloc::MiMalloc;
use pulseboard::cli::board::{CommandError, Existing, Remote};
use pulseboard::cli::import::{self, Format, Summary};
use pulseboard::cli::ready::{self, Readiness};
use pulseboard::cli::server::{Server, TOKEN_VARIABLE, Token};
use pulseboard::cli::{agent, audit, data_folder, doctor, link, push, series, token, user};
use pulseboard::config::duration::Keep;
use pulseboard::config::{self, CommandLineError, ConfigError, Flags, environment};
use pulseboard::logging::Logging;
use pulseboard::plain_text::{self, Plain};
use pulseboard::store::copy::IfDamaged;
use pulseboard::store::join;
use pulseboard::{panics, serve};
use shared::board::BoardFormat;
use shared::doctor::{Certificate, Level};
use shared::{BoardId, Declared, SeriesName};

/// mimalloc: the system's allocator never returns memory that was freed in small pieces. After a burst of new series,
/// it keeps tens of times as much as the series need once they are packed. (Without huge pages, the feature `no_thp`:
/// with them, an idle subscriber takes 4 KiB instead of 1.6.)
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The version, and in a release build the commit that it was built from.
const VERSION: &str = env!("BUILD_VERSION");

/// Push a number with curl, watch it move in every open browser
#[derive(Parser)]
#[command(name = "pulseboard", version = VERSION, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(Box<Flags>),
    /// Push this machine's CPU, memory, load, network and disk figures to host/…
    Agent {
        #[command(flatten)]
        server: Server,
        /// Seconds between two looks
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
        every: u64,
    },
    /// Push each line of standard input: … | pulseboard push ops/ping
    Push {
        /// The series, like ops/ping
        series: SeriesName,
        #[command(flatten)]
        server: Server,
        /// The lines are texts, not numbers
        #[arg(long)]
        text: bool,
        /// Whether the numbers only count up (counter), so that boards show how fast, or not (gauge)
        #[arg(long, conflicts_with = "text", value_parser = push::parse_kind)]
        kind: Option<Declared>,
        /// How long to try again while the server cannot be reached, like 30s or 2h, or forever
        #[arg(long, value_name = "TIME", default_value = "5m")]
        give_up: Keep,
    },
    /// Push files of the past, plain or gzip; the same command again goes on where it stopped
    Import {
        /// Files of line protocol, NDJSON or CSV; - for standard input
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        server: Server,
        /// lines, ndjson or csv; by the names of the files where absent
        #[arg(long, value_name = "FORMAT", value_parser = Format::parse)]
        format: Option<Format>,
        /// The unit of the times of line protocol
        #[arg(long, default_value = "ns", value_parser = ["ns", "us", "ms", "s", "m", "h"])]
        precision: String,
        /// Put this and a slash before each name of a series of CSV
        #[arg(long, value_name = "NAME")]
        prefix: Option<String>,
        /// How long to try again while the server cannot be reached, like 30s or 2h, or forever
        #[arg(long, value_name = "TIME", default_value = "5m")]
        give_up: Keep,
    },
    /// Check whether a server takes pushes: exit code 0 if it does, for health checks
    Health {
        #[command(flatten)]
        server: Server,
    },
    /// Check a data folder or a backup: what is damaged, and what can be read
    Check {
        /// The data folder, or a file made by backup
        #[arg(env = "PULSEBOARD_DATA", default_value = "./pulseboard-data")]
        path: PathBuf,
    },
    /// Copy the database of a data folder to a file, also while the server runs
    Backup {
        /// The copy, which must not exist; - for standard output
        file: PathBuf,
        /// The data folder
        #[arg(long, env = "PULSEBOARD_DATA", default_value = "./pulseboard-data")]
        data: PathBuf,
    },
    /// Take the data folder of a stopped node out of its cluster, with all that it has
    Detach {
        /// The data folder
        #[arg(long, env = "PULSEBOARD_DATA", default_value = "./pulseboard-data")]
        data: PathBuf,
    },
    /// Make the database of an empty data folder of a backup
    Restore {
        /// A file made by backup; - for standard input
        file: PathBuf,
        /// The data folder; created if there is none
        folder: PathBuf,
        /// Also restore a damaged file; the server skips what cannot be read
        #[arg(long)]
        damaged: bool,
    },
    /// Get boards as files, and make boards of files
    #[command(subcommand)]
    Board(BoardCommand),
    /// List and delete series
    #[command(subcommand)]
    Series(SeriesCommand),
    /// Create, list, rotate and revoke tokens
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Add, list, change and remove users
    #[command(subcommand)]
    User(user::UserCommand),
    /// Make, list and revoke links that show one board
    #[command(subcommand)]
    Link(link::LinkCommand),
    /// Print who changed what, when and from where
    Audit {
        #[command(flatten)]
        server: Server,
        /// Lines of JSON
        #[arg(long)]
        json: bool,
        /// The number of events, the newest
        #[arg(long, value_name = "COUNT", default_value_t = 100)]
        limit: usize,
    },
    /// Find what breaks the stream between a server and its readers
    Doctor {
        /// Where readers reach the server, through all that is on the way; http://USER:PASSWORD@… where that is asked for
        url: doctor::Address,
        /// Also see whether a stream stays open through so many seconds of silence
        #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=600))]
        idle: Option<u32>,
        /// Print the findings and what was measured as JSON
        #[arg(long)]
        json: bool,
        /// Send this header with each request, such as 'Authorization: Bearer 42'; may be given several times
        #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
        headers: Vec<doctor::ExtraHeader>,
        /// The token that the server asks for
        #[arg(long, env = TOKEN_VARIABLE, hide_env_values = true)]
        token: Option<Token>,
        /// Take any certificate, and look at the rest
        #[arg(long, short = 'k')]
        insecure: bool,
    },
}

#[derive(Subcommand)]
enum BoardCommand {
    /// Print the document of a board: pulseboard board export ops > ops.toml
    Export {
        /// The board, like ops
        id: BoardId,
        /// json or toml; as it was stored where absent
        #[arg(long = "as", value_name = "FORM", value_parser = pulseboard::cli::board::parse_form)]
        form: Option<BoardFormat>,
        #[command(flatten)]
        server: Server,
    },
    /// Make a board of a document
    Import {
        /// ID.toml or ID.json
        file: PathBuf,
        /// The board; as the file is called where absent
        #[arg(long)]
        id: Option<BoardId>,
        /// Also where the board is there already
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        server: Server,
    },
    /// List the boards that somebody made: name, origin (stored or file), title
    List {
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Subcommand)]
enum SeriesCommand {
    /// List the series: name, tab, newest value
    List {
        /// Only those whose names begin with this
        #[arg(default_value = "")]
        prefix: String,
        #[command(flatten)]
        server: Server,
    },
    /// Delete series with all their history; nothing brings them back
    Delete {
        /// The series, like ops/ping
        #[arg(required = true)]
        names: Vec<SeriesName>,
        #[command(flatten)]
        server: Server,
    },
}

/// Parses the command line. Prints help, or the mistake, and ends the program if there is nothing to run.
fn parse() -> Result<Command, ConfigError> {
    match config::parse(Cli::command(), std::env::args_os().collect::<Vec<_>>()) {
        Ok(matches) => Ok(Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()).command),
        Err(CommandLineError::Flags(error)) => error.exit(),
        Err(CommandLineError::File(error)) => Err(error),
    }
}

fn main() -> ExitCode {
    match parse().map_err(anyhow::Error::from).and_then(run) {
        Ok(code) => code,
        Err(error) => {
            // Some messages contain the text of their cause; it is not printed twice.
            let mut message = String::new();
            for cause in error.chain().map(ToString::to_string).filter(|cause| !cause.is_empty()) {
                if !message.contains(&cause) {
                    message = if message.is_empty() { cause } else { format!("{message}: {cause}") };
                }
            }
            let lines: Vec<_> = message.lines().map(|line| Plain(line).to_string()).collect();
            eprintln!("pulseboard: {}", lines.join("\n"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let variables =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let misspelt = environment::warnings(variables);
    if !matches!(command, Command::Serve(_)) {
        misspelt.iter().for_each(|warning| eprintln!("warning: {}", Plain(warning)));
    }
    match command {
        Command::Serve(flags) => {
            panics::end_the_process();
            let config = flags.resolve()?;
            config.log.start();
            misspelt.iter().for_each(|warning| tracing::warn!("{warning}"));
            let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
            // Runs on the runtime's threads, like all other tasks, so that the next connection can use memory that one
            // of them has freed.
            let served = runtime.block_on(async { tokio::spawn(serve::serve(config)).await })?;
            // Connections that did not end within their grace period are cut, not waited for.
            runtime.shutdown_background();
            served?;
        }
        Command::Agent { server, every } => {
            Logging::default().start();
            agent::run(&server, Duration::from_secs(every));
        }
        Command::Push { series, server, text, kind, give_up } => {
            let lines = if text { push::Lines::Texts } else { push::Lines::Numbers(kind) };
            let summary = push::run(BufReader::new(stdin()), series, lines, &server, give_up)?;
            if summary.wrong > 0 {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Import { files, server, format, precision, prefix, give_up } => {
            let settings = import::Settings { server, format, precision, prefix, give_up };
            let Summary { stored, refused } = import::run(&files, &settings)?;
            println!("{stored} lines are stored, {refused} were refused");
            if refused > 0 {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Health { server } => match ready::check(&server) {
            Readiness::Ready(text) => println!("{text}"),
            Readiness::NotReady(why) => {
                eprintln!("pulseboard: {why}");
                return Ok(ExitCode::FAILURE);
            }
        },
        Command::Check { path } => {
            if !data_folder::check(&path, &mut stdout().lock())? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Backup { file, data } => {
            if !data_folder::backup(&data, &file)? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Detach { data } => {
            join::detach(&data)?;
            writeln!(stdout(), "{} has a log of its own now; start it without --cluster", data.display())?;
        }
        Command::Restore { file, folder, damaged } => {
            let if_damaged = if damaged { IfDamaged::Restore } else { IfDamaged::Refuse };
            data_folder::restore(&file, &folder, if_damaged, &mut stdout().lock())?;
        }
        Command::Board(command) => board(command)?,
        Command::Series(SeriesCommand::List { prefix, server }) => {
            series::Remote::new(&server).list(&prefix, &mut stdout().lock())?;
        }
        Command::Series(SeriesCommand::Delete { names, server }) => {
            series::Remote::new(&server).delete(&names, &mut stdout().lock())?;
        }
        Command::Token(command) => token::run(command, &mut stdout().lock())?,
        Command::User(command) => user::run(command, &mut stdout().lock())?,
        Command::Link(command) => link::run(command, &mut stdout().lock())?,
        Command::Audit { server, json, limit } => {
            let form = if json { audit::Form::JsonLines } else { audit::Form::Text };
            audit::run(&server, limit, form, &mut stdout().lock())?;
        }
        Command::Doctor { url, idle, json, mut headers, token, insecure } => {
            headers.extend(token.as_ref().map(doctor::ExtraHeader::from));
            let certificate = if insecure { Certificate::Ignored } else { Certificate::Checked };
            let visit = doctor::Visit { address: url, idle, json, headers, certificate };
            if doctor::run(&visit, &mut stdout().lock())? == Level::Fail {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn board(command: BoardCommand) -> Result<(), CommandError> {
    match command {
        BoardCommand::Export { id, form, server } => {
            let document = Remote::new(&server).export(&id, form)?;
            let mut out = stdout().lock();
            // A file or a pipe gets it byte for byte.
            if out.is_terminal() {
                plain_text::write_lines(&mut out, &String::from_utf8_lossy(&document))?;
            } else {
                out.write_all(&document)?;
            }
            Ok(out.flush()?)
        }
        BoardCommand::Import { file, id, replace, server } => {
            let existing = if replace { Existing::Replace } else { Existing::Keep };
            let (id, notices) = Remote::new(&server).import(&file, id, existing)?;
            notices.iter().for_each(|notice| eprintln!("warning: {}", Plain(notice)));
            println!("{}/b/{}", server.url(), pulseboard::board::escaped(&id));
            Ok(())
        }
        BoardCommand::List { server } => Remote::new(&server).list(&mut stdout().lock()),
    }
}
