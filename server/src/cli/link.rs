//! `pulseboard link`: makes, lists and revokes links that show one board.

use std::io::Write;

use clap::Subcommand;
use shared::{BoardId, Duration, Millis};

use crate::access::links_api::{LinkRequest, ListedLink, MadeLink};
use crate::cli::remote::{CallError, Collection};
use crate::cli::server::Server;
use crate::clock;
use crate::log::LinkId;
use crate::plain_text::Plain;

/// The commands.
#[derive(Debug, Subcommand)]
pub enum LinkCommand {
    /// Make a link that shows a board to everyone who has it, and print it: it is not shown again
    Create {
        /// The board, such as ops
        board: BoardId,
        /// How long it is valid, at most 366d
        #[arg(long, value_name = "TIME", default_value = "30d")]
        expires: Duration,
        /// The server
        #[command(flatten)]
        server: Server,
    },
    /// List the links: id, board, state, maker
    List {
        /// The server
        #[command(flatten)]
        server: Server,
    },
    /// Revoke a link; its streams end within a second
    Revoke {
        /// Its id, as in the list
        id: LinkId,
        /// The server
        #[command(flatten)]
        server: Server,
    },
}

/// Failure of a command.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The server refused the request, or cannot be reached.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The output cannot be written.
    #[error("cannot write: {0}")]
    Output(#[from] std::io::Error),
}

/// Runs a command. Writes the address of a new link alone on a line to `out`, so that a script can keep it.
///
/// # Errors
/// [`LinkError`].
pub fn run(command: LinkCommand, out: &mut impl Write) -> Result<(), LinkError> {
    match command {
        LinkCommand::Create { board, expires, server } => {
            let links = Collection::new(&server, "/api/links");
            let body =
                serde_json::to_vec(&LinkRequest { board, lasts: Some(expires) }).expect("a request is always JSON");
            let request = links.http.post(&links.url).content_type("application/json");
            let made: MadeLink = read(&links, links.read(request.send(&body[..]))?.body())?;
            eprintln!(
                "link {} shows the board {} until {}; it is not shown again:",
                made.id,
                made.board,
                clock::rfc3339(made.expires)
            );
            writeln!(out, "{}{}", server.url(), made.path)?;
        }
        LinkCommand::List { server } => {
            let (links, now) = (Collection::new(&server, "/api/links"), clock::now().wall);
            let listed: Vec<ListedLink> = read(&links, links.read(links.http.get(&links.url).call())?.body())?;
            for link in listed {
                writeln!(out, "{}\t{}\t{}\t{}", link.id, link.board, state(&link, now), Plain(&link.maker))?;
            }
        }
        LinkCommand::Revoke { id, server } => {
            let links = Collection::new(&server, "/api/links");
            let name = percent_encoding::utf8_percent_encode(id.as_str(), percent_encoding::NON_ALPHANUMERIC);
            links.read(links.http.delete(format!("{}/{name}", links.url)).call())?;
            writeln!(out, "revoked {id}")?;
        }
    }
    Ok(out.flush()?)
}

fn state(link: &ListedLink, now: Millis) -> String {
    match link.revoked {
        Some(at) => format!("revoked {}", clock::rfc3339(at)),
        None if link.expires <= now => format!("expired {}", clock::rfc3339(link.expires)),
        None => format!("until {}", clock::rfc3339(link.expires)),
    }
}

fn read<T: serde::de::DeserializeOwned>(links: &Collection, body: &[u8]) -> Result<T, LinkError> {
    Ok(serde_json::from_slice(body).map_err(|error| links.unavailable(error.to_string()))?)
}
