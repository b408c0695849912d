//! `pulseboard user`: adds, lists, changes and removes users. It calls the server like any other client, or changes the
//! data folder while no server runs.

use std::io::{BufRead as _, IsTerminal as _, Write};

use clap::{Args, Subcommand, ValueEnum};
use shared::access::{BoardPattern, CapabilityError, Grant};
use shared::{Capability, Selector};

use crate::access::api::{described, is_first};
use crate::access::password::{self, PasswordError};
use crate::access::users_api::{ListedUser, NewGrants, NewPassword, NewUser, grants_of_first};
use crate::cli::remote::{CallError, Collection};
use crate::cli::token::{Place, by_command};
use crate::clock;
use crate::log::{AuditAction, By, UserChange, UserName, UserRefusal};
use crate::store::local_log::LocalLog;
use crate::store::node_log::NodeLog as _;
use crate::store::{CommitError, OpenError, Store};

/// The commands.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a user; the password is asked for, or read from standard input. The first user is an administrator
    Add {
        /// The name, such as ann
        name: UserName,
        /// What the user may do
        #[command(flatten)]
        grants: GrantOptions,
        /// The place where users are changed
        #[command(flatten)]
        place: Place,
    },
    /// List the users: name, sessions, what each may do
    List {
        /// The place where users are changed
        #[command(flatten)]
        place: Place,
    },
    /// Change what a user may do
    Set {
        /// The name
        name: UserName,
        /// What the user may do
        #[command(flatten)]
        grants: GrantOptions,
        /// The place where users are changed
        #[command(flatten)]
        place: Place,
    },
    /// Set another password, and sign the user out everywhere
    Password {
        /// The name
        name: UserName,
        /// The place where users are changed
        #[command(flatten)]
        place: Place,
    },
    /// Sign a user out everywhere
    SignOut {
        /// The name
        name: UserName,
        /// The place where users are changed
        #[command(flatten)]
        place: Place,
    },
    /// Remove a user
    Remove {
        /// The name
        name: UserName,
        /// The place where users are changed
        #[command(flatten)]
        place: Place,
    },
}

/// What a user may do. The options add up.
#[derive(Args, Debug)]
pub struct GrantOptions {
    /// A role: viewer (read everything), editor (also change all boards) or admin
    #[arg(long)]
    role: Option<Role>,
    /// Limit the role viewer or editor to these boards, such as ops or team-*, and to the series under the names of those without
    /// a star; may be given several times
    #[arg(long, value_name = "BOARD", requires = "role")]
    board: Vec<BoardPattern>,
    /// Series that the user may push to, such as ops/**; may be given several times
    #[arg(long, value_name = "SELECTOR")]
    push: Vec<Selector>,
    /// Series that the user may read, such as ops/**, with the board of their name; may be given several times
    #[arg(long, value_name = "SELECTOR")]
    read: Vec<Selector>,
    /// Other boards that the user may read, such as wall or team-*; may be given several times
    #[arg(long, value_name = "BOARD")]
    read_board: Vec<BoardPattern>,
    /// Boards that the user may read and change; may be given several times
    #[arg(long, value_name = "BOARD")]
    edit: Vec<BoardPattern>,
}

/// A role: grants that many users have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Reads everything.
    Viewer,
    /// Reads everything, and changes all boards.
    Editor,
    /// Does everything.
    Admin,
}

impl Role {
    /// Returns the grants of the role, limited to some boards if there are any.
    ///
    /// # Errors
    /// [`UserError::AdminOfBoards`].
    fn grants(self, boards: &[BoardPattern]) -> Result<Vec<Grant>, UserError> {
        let all = |texts: &[&str]| texts.iter().map(|text| text.parse().expect("it is a grant")).collect();
        let of_board = |board: &BoardPattern| {
            let own: fn(BoardPattern) -> Grant = if self == Self::Editor { Grant::Edit } else { Grant::ReadBoard };
            let series = board.only().map(|id| Grant::Read(id.selector()));
            [own(board.clone())].into_iter().chain(series).collect::<Vec<_>>()
        };
        match self {
            Self::Admin if !boards.is_empty() => Err(UserError::AdminOfBoards),
            Self::Admin => Ok(all(&["admin"])),
            _ if !boards.is_empty() => Ok(boards.iter().flat_map(of_board).collect()),
            Self::Viewer => Ok(all(&["read:**"])),
            Self::Editor => Ok(all(&["read:**", "edit:*"])),
        }
    }
}

impl GrantOptions {
    fn grants(self) -> Result<Vec<Grant>, UserError> {
        let of_role = self.role.map_or(Ok(Vec::new()), |role| role.grants(&self.board))?;
        let grants = of_role
            .into_iter()
            .chain(self.push.into_iter().map(Grant::Push))
            .chain(self.read.into_iter().map(Grant::Read));
        let grants = grants.chain(self.read_board.into_iter().map(Grant::ReadBoard));
        Ok(grants.chain(self.edit.into_iter().map(Grant::Edit)).collect())
    }
}

/// Failure of a command. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The server refused the request, or cannot be reached.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The options grant nothing, or too much.
    #[error("{0}; the options are --role (with --board), --push, --read, --read-board and --edit")]
    Grants(#[from] CapabilityError),
    /// An administrator of some boards.
    #[error("an admin may do everything, so --board does not go with it; use --role editor")]
    AdminOfBoards,
    /// The first user is not an administrator.
    #[error(
        "the first user must be an administrator: from then on the server denies everything that nobody was granted; leave the options out, or use --role admin"
    )]
    First,
    /// The password is not accepted.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The two passwords differ.
    #[error("the two passwords differ; try again")]
    Differ,
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
    Refused(#[from] UserRefusal),
    /// The password cannot be read, or the output cannot be written.
    #[error("cannot read or write: {0}")]
    Terminal(#[from] std::io::Error),
}

impl From<OpenError> for UserError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::InUse(_) => Self::Running,
            error => Self::Open(error),
        }
    }
}

/// Runs a command.
///
/// # Errors
/// [`UserError`].
pub fn run(command: UserCommand, out: &mut impl Write) -> Result<(), UserError> {
    match command {
        UserCommand::Add { name, grants, place } => {
            let grants = grants.grants()?;
            if !grants.is_empty() {
                Capability::new(grants.clone(), None)?;
            }
            Users::at(place)?.add(NewUser { name: name.clone(), password: read_password()?, grants })?;
            writeln!(out, "added {name}")?;
        }
        UserCommand::List { place } => {
            for user in Users::at(place)?.list()? {
                let grants: Vec<_> = user.grants.iter().map(Grant::to_string).collect();
                writeln!(out, "{}\t{} sessions\t{}", user.name, user.sessions, grants.join(" "))?;
            }
        }
        UserCommand::Set { name, grants, place } => {
            let grants = grants.grants()?;
            let capability = Capability::new(grants.clone(), None)?;
            let at = clock::now().wall;
            let change = UserChange::SetCapability { name: name.clone(), capability, at };
            Users::at(place)?.put(&name, "grants", &NewGrants { grants }, || Ok(change))?;
            writeln!(out, "changed {name}")?;
        }
        UserCommand::Password { name, place } => {
            let mut users = Users::at(place)?;
            let password = read_password()?;
            let change = || {
                let (name, at) = (name.clone(), clock::now().wall);
                Ok(UserChange::SetPassword { name, password: password::hash(&password)?, at })
            };
            users.put(&name, "password", &NewPassword { password: password.clone() }, change)?;
            writeln!(out, "changed the password of {name}")?;
        }
        UserCommand::SignOut { name, place } => {
            Users::at(place)?.delete(&name, "/sessions", UserChange::EndSessions { name: name.clone() })?;
            writeln!(out, "signed out {name}")?;
        }
        UserCommand::Remove { name, place } => {
            let change = UserChange::Remove { name: name.clone(), at: clock::now().wall };
            Users::at(place)?.delete(&name, "", change)?;
            writeln!(out, "removed {name}")?;
        }
    }
    Ok(out.flush()?)
}

/// Asks for a password twice on a terminal, without showing it; otherwise reads the first line of standard input.
fn read_password() -> Result<String, UserError> {
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let password = rpassword::prompt_password("Password: ")?;
    if password == rpassword::prompt_password("Again: ")? { Ok(password) } else { Err(UserError::Differ) }
}

/// The users of a server, or of a data folder.
enum Users {
    Remote(Collection),
    Folder(Box<LocalLog>),
}

impl Users {
    fn at(place: Place) -> Result<Self, UserError> {
        match place.data {
            None => Ok(Self::Remote(Collection::new(&place.server, "/api/users"))),
            Some(folder) => Ok(Self::Folder(Box::new(LocalLog::new(Store::open(&folder)?)))),
        }
    }

    fn add(&mut self, new: NewUser) -> Result<(), UserError> {
        match self {
            Self::Remote(users) => {
                let body = serde_json::to_vec(&new).expect("a request is always JSON");
                users.read(users.http.post(&users.url).content_type("application/json").send(&body[..]))?;
            }
            Self::Folder(log) => {
                let is_open = log.store().tokens()?.is_empty() && log.store().users()?.is_empty();
                let grants = if is_open { grants_of_first(new.grants) } else { new.grants };
                let capability = Capability::new(grants, None)?;
                if is_open && !is_first(&capability) {
                    return Err(UserError::First);
                }
                let (password, at) = (password::hash(&new.password)?, clock::now().wall);
                let by = by_command(AuditAction::UserAdded, new.name.as_str(), &described(&capability));
                log.change_user(UserChange::Add { name: new.name, password, capability, at }, by)??;
            }
        }
        Ok(())
    }

    fn put(
        &mut self,
        name: &UserName,
        part: &str,
        body: &impl serde::Serialize,
        change: impl FnOnce() -> Result<UserChange, UserError>,
    ) -> Result<(), UserError> {
        match self {
            Self::Remote(users) => {
                let body = serde_json::to_vec(body).expect("a request is always JSON");
                let request = users.http.put(format!("{}/{}/{part}", users.url, escaped(name)));
                users.read(request.content_type("application/json").send(&body[..]))?;
            }
            Self::Folder(log) => {
                let change = change()?;
                let by = by(name, &change);
                log.change_user(change, by)??;
            }
        }
        Ok(())
    }

    fn delete(&mut self, name: &UserName, part: &str, change: UserChange) -> Result<(), UserError> {
        match self {
            Self::Remote(users) => {
                users.read(users.http.delete(format!("{}/{}{part}", users.url, escaped(name))).call())?;
            }
            Self::Folder(log) => {
                let by = by(name, &change);
                log.change_user(change, by)??;
            }
        }
        Ok(())
    }

    fn list(&self) -> Result<Vec<ListedUser>, UserError> {
        match self {
            Self::Remote(users) => {
                let answer = users.read(users.http.get(&users.url).call())?;
                Ok(serde_json::from_slice(answer.body()).map_err(|error| users.unavailable(error.to_string()))?)
            }
            Self::Folder(log) => {
                let (now, stored) = (clock::now().wall, log.store().users()?);
                Ok(stored.users.into_iter().filter_map(|user| ListedUser::of(user, now)).collect())
            }
        }
    }
}

/// Makes the event of a change of the data folder itself.
fn by(name: &UserName, change: &UserChange) -> By {
    let (action, detail) = match change {
        UserChange::SetCapability { capability, .. } => (AuditAction::UserGranted, described(capability)),
        UserChange::SetPassword { .. } => (AuditAction::PasswordSet, String::new()),
        UserChange::Remove { .. } => (AuditAction::UserRemoved, String::new()),
        _ => (AuditAction::SessionsEnded, String::new()),
    };
    by_command(action, name.as_str(), &detail)
}

/// Writes the name as a part of an address.
fn escaped(name: &UserName) -> String {
    percent_encoding::utf8_percent_encode(name.as_str(), percent_encoding::NON_ALPHANUMERIC).to_string()
}
