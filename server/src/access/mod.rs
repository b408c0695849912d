//! Decides who may push, read, edit and administer.
//!
//! - A [`Principal`] is the sender of a request, with its [`Capability`](shared::Capability). A
//!   [`Lease`](lease::Lease) is over once the capability has ended.
//! - [`authority`] has all principals: it subscribes to the tokens of the log. [`credentials`] reads the
//!   [secret](secret) of a request, and [`tickets`] are secrets for one stream.
//! - [`admission`] compares each request with the `access` column of the route table, before any handler runs.
//! - [`extract`] are the types by which a handler gets series and boards. [`read_scope`] is the part that the hub needs.
//! - [`proxy_users`] are users that a proxy signs in.
//! - [`links_api`] makes links that show one board, and opens them.
//! - [`actor`] is the sender of a change for the audit log, [`refusals`] chooses the refusals that it records, and
//!   [`audit_api`] shows it.
//! - [`api`] manages tokens and makes tickets, [`users_api`] manages users. [`sign_in`] is the page on which a browser
//!   signs in with a password or a token; [`password`] checks passwords, and [`throttle`] slows down guessing.

pub mod actor;
pub mod admission;
pub mod api;
pub mod audit_api;
pub mod authority;
pub mod credentials;
pub mod extract;
pub mod lease;
pub mod links_api;
pub mod password;
pub mod principal;
pub mod proxy_users;
pub mod read_scope;
pub mod refusals;
pub mod secret;
pub mod sign_in;
pub mod throttle;
pub mod tickets;
pub mod users_api;

pub use actor::Actor;
pub use authority::Authority;
pub use extract::{AdminAccess, EditAccess, PushAccess, ReadAccess};
pub use principal::{Principal, Who};
pub use read_scope::ReadScope;
