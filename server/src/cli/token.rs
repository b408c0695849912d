//! `pulseboard token`: creates, lists, rotates and revokes tokens. It calls the server like any other client, or changes
//! the data folder while no server runs: for the first token, and to get in again.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use shared::access::{BoardPattern, CapabilityError, Grant};
use shared::{Capability, Duration, Millis, Selector};

use crate::access::api::{Issued, Listed, NewToken, described, is_first};
use crate::access::authority::ListedToken;
use crate::access::secret::Secret;
use crate::cli::remote::{CallError, Collection};
use crate::cli::server::Server;
use crate::clock;
use crate::log::{AuditAction, AuditEvent, By, TokenChange, TokenName, TokenRecord, TokenRefusal};
use crate::store::local_log::LocalLog;
use crate::store::node_log::NodeLog as _;
use crate::store::{CommitError, OpenError, Store};

/// The commands.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Create a token, and print it: it is not shown again
    Create {
        /// Its name, such as office
        name: TokenName,
        /// Series that it may push to, such as ops/**; may be given several times
        #[arg(long, value_name = "SELECTOR")]
        push: Vec<Selector>,
        /// Series that it may read, such as ops/**, with the board of their name; may be given several times
        #[arg(long, value_name = "SELECTOR")]
        read: Vec<Selector>,
        /// Other boards that it may read, such as wall or team-*; may be given several times
        #[arg(long, value_name = "BOARD")]
        read_board: Vec<BoardPattern>,
        /// Boards that it may read and change; may be given several times
        #[arg(long, value_name = "BOARD")]
        edit: Vec<BoardPattern>,
        /// It may do everything
        #[arg(long)]
        admin: bool,
        /// How long it is valid, like 90d; for ever where absent
        #[arg(long, value_name = "TIME")]
        expires: Option<Duration>,
        /// The place where tokens are changed
        #[command(flatten)]
        place: Place,
    },
    /// List the tokens: name, state, last use, what it may do
    List {
        /// The place where tokens are changed
        #[command(flatten)]
        place: Place,
    },
    /// Give a token another secret, and print it; the former one is refused from then on
    Rotate {
        /// Its name
        name: TokenName,
        /// The place where tokens are changed
        #[command(flatten)]
        place: Place,
    },
    /// Revoke a token; its streams end within a second
    Revoke {
        /// Its name
        name: TokenName,
        /// The place where tokens are changed
        #[command(flatten)]
        place: Place,
    },
}

/// The place where tokens are changed.
#[derive(Args, Debug)]
pub struct Place {
    #[command(flatten)]
    pub(super) server: Server,
    /// Change this data folder instead, while no server runs: for the first token, or to get in again
    #[arg(long, value_name = "FOLDER")]
    pub(super) data: Option<PathBuf>,
}

/// Failure of a command. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The server refused the request, or cannot be reached.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The options grant nothing, or too much.
    #[error("{0}; the options are --push, --read, --read-board, --edit and --admin")]
    Grants(#[from] CapabilityError),
    /// The first token is not one of an administrator.
    #[error(
        "the first token must be one of an administrator, without an end: from then on the server denies everything that no token \
         grants, and another one could not be created; run it with --admin and without --expires"
    )]
    First,
    /// A server has the data folder open.
    #[error(
        "a server runs on this data folder; leave out --data, and give a token of an administrator in PULSEBOARD_TOKEN"
    )]
    Running,
    /// The data folder cannot be opened.
    #[error(transparent)]
    Open(OpenError),
    /// The data folder cannot be read.
    #[error("cannot read the store: {0}")]
    Read(#[from] rusqlite::Error),
    /// The data folder cannot be written.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The change does not fit.
    #[error(transparent)]
    Refused(#[from] TokenRefusal),
    /// The system gave no random numbers.
    #[error("cannot draw a random number: {0}")]
    Random(getrandom::Error),
    /// The output cannot be written.
    #[error("cannot write: {0}")]
    Output(#[from] std::io::Error),
}

impl From<OpenError> for TokenError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::InUse(_) => Self::Running,
            error => Self::Open(error),
        }
    }
}

impl From<getrandom::Error> for TokenError {
    fn from(error: getrandom::Error) -> Self {
        Self::Random(error)
    }
}

/// Runs a command. Writes the secret of a new token alone on a line to `out`, so that a script can keep it, and all else
/// about it to standard error.
///
/// # Errors
/// [`TokenError`].
pub fn run(command: TokenCommand, out: &mut impl Write) -> Result<(), TokenError> {
    match command {
        TokenCommand::Create { name, push, read, read_board, edit, admin, expires, place } => {
            let grants = push.into_iter().map(Grant::Push).chain(read.into_iter().map(Grant::Read));
            let grants = grants.chain(read_board.into_iter().map(Grant::ReadBoard));
            let grants = grants.chain(edit.into_iter().map(Grant::Edit)).chain(admin.then_some(Grant::Admin)).collect();
            place.open()?.create(NewToken { name, grants, lasts: expires }).and_then(|issued| show(&issued, out))
        }
        TokenCommand::Rotate { name, place } => place.open()?.rotate(name).and_then(|issued| show(&issued, out)),
        TokenCommand::Revoke { name, place } => {
            place.open()?.revoke(name.clone())?;
            Ok(writeln!(out, "revoked {name}")?)
        }
        TokenCommand::List { place } => {
            let now = clock::now().wall;
            for token in place.open()?.list()? {
                writeln!(out, "{}", line(&token, now))?;
            }
            Ok(out.flush()?)
        }
    }
}

fn show(issued: &Issued, out: &mut impl Write) -> Result<(), TokenError> {
    let grants: Vec<_> = issued.grants.iter().map(Grant::to_string).collect();
    let until =
        issued.expires.map_or_else(|| "until it is revoked".to_owned(), |at| format!("until {}", clock::rfc3339(at)));
    eprintln!("{} may {} {until}; it is not shown again:", issued.name, grants.join(", "));
    writeln!(out, "{}", issued.token)?;
    Ok(out.flush()?)
}

/// Formats a token as a line of the list.
fn line(token: &Listed, now: Millis) -> String {
    let state = match (token.revoked, token.expires) {
        (Some(at), _) => format!("revoked {}", clock::rfc3339(at)),
        (None, Some(at)) if at <= now => format!("expired {}", clock::rfc3339(at)),
        (None, Some(at)) => format!("until {}", clock::rfc3339(at)),
        (None, None) => "valid".to_owned(),
    };
    let used = token.used.map_or_else(|| "never used".to_owned(), |at| format!("used {}", clock::rfc3339(at)));
    let grants: Vec<_> = token.grants.iter().map(Grant::to_string).collect();
    format!("{}\t{state}\t{used}\t{}", token.name, grants.join(" "))
}

/// The tokens of a server, or of a data folder.
enum Tokens {
    Remote(Collection),
    Folder(Box<LocalLog>),
}

impl Place {
    fn open(self) -> Result<Tokens, TokenError> {
        match self.data {
            None => Ok(Tokens::Remote(Collection::new(&self.server, "/api/tokens"))),
            Some(folder) => Ok(Tokens::Folder(Box::new(LocalLog::new(Store::open(&folder)?)))),
        }
    }
}

impl Tokens {
    fn create(&mut self, new: NewToken) -> Result<Issued, TokenError> {
        let at = clock::now().wall;
        let expires = new.lasts.map(|lasts| at.plus(lasts.as_millis()));
        let capability = Capability::new(new.grants.clone(), expires)?;
        match self {
            Self::Remote(tokens) => {
                let body = serde_json::to_vec(&new).expect("a request is always JSON");
                let request = tokens.http.post(&tokens.url).content_type("application/json");
                read(tokens, tokens.read(request.send(&body[..]))?.body())
            }
            Self::Folder(log) => {
                let is_open = log.store().tokens()?.is_empty() && log.store().users()?.is_empty();
                if is_open && !is_first(&capability) {
                    return Err(TokenError::First);
                }
                let secret = Secret::draw()?;
                let by = by_command(AuditAction::TokenCreated, new.name.as_str(), &described(&capability));
                let change = TokenChange::Create { name: new.name, hash: secret.hash(), capability, at };
                Ok(issued(log.change_token(change, by)??, &secret))
            }
        }
    }

    fn rotate(&mut self, name: TokenName) -> Result<Issued, TokenError> {
        match self {
            Self::Remote(tokens) => {
                let url = format!("{}/{}/rotate", tokens.url, escaped(&name));
                read(tokens, tokens.read(tokens.http.post(url).send_empty())?.body())
            }
            Self::Folder(log) => {
                let secret = Secret::draw()?;
                let by = by_command(AuditAction::TokenRotated, name.as_str(), "");
                let change = TokenChange::Rotate { name, hash: secret.hash(), at: clock::now().wall };
                Ok(issued(log.change_token(change, by)??, &secret))
            }
        }
    }

    fn revoke(&mut self, name: TokenName) -> Result<(), TokenError> {
        match self {
            Self::Remote(tokens) => {
                let url = format!("{}/{}", tokens.url, escaped(&name));
                tokens.read(tokens.http.delete(url).call())?;
            }
            Self::Folder(log) => {
                let by = by_command(AuditAction::TokenRevoked, name.as_str(), "");
                log.change_token(TokenChange::Revoke { name, at: clock::now().wall }, by)??;
            }
        }
        Ok(())
    }

    fn list(&self) -> Result<Vec<Listed>, TokenError> {
        match self {
            Self::Remote(tokens) => read(tokens, tokens.read(tokens.http.get(&tokens.url).call())?.body()),
            Self::Folder(log) => {
                let stored = log.store().tokens()?.tokens.into_iter();
                Ok(stored.map(|token| Listed::from(ListedToken { record: token.record, used: token.used })).collect())
            }
        }
    }
}

/// Makes the event of a command that changes the data folder itself.
pub(super) fn by_command(action: AuditAction, object: &str, detail: &str) -> By {
    Some(Box::new(AuditEvent::of_command(clock::now().wall, action, object, detail)))
}

fn issued(TokenRecord { name, capability, .. }: TokenRecord, secret: &Secret) -> Issued {
    let (grants, expires) = (capability.grants().to_vec(), capability.expires());
    Issued { name, token: secret.reveal().to_owned(), grants, expires }
}

/// Writes the name as a part of an address.
fn escaped(name: &TokenName) -> String {
    percent_encoding::utf8_percent_encode(name.as_str(), percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn read<T: serde::de::DeserializeOwned>(tokens: &Collection, body: &[u8]) -> Result<T, TokenError> {
    Ok(serde_json::from_slice(body).map_err(|error| tokens.unavailable(error.to_string()))?)
}
