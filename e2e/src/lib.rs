//! End-to-end tests: a real browser against the real binary.
//!
//! - [`Stage`]: the start of every test, a server with a new data folder and a browser with a new profile;
//!   [`Server`], [`Browser`] and [`Child`] are its processes;
//! - [`Page`] reads the page, [`Tab`] switches between tabs, [`Animation`] records a page;
//! - [`FaultyProxy`] injects network faults, [`Front`] is a reverse proxy, [`UpdatedServer`] replaces the page by a
//!   new version, [`PlainSite`] is a site of another origin, and [`Trunk`] is `trunk serve`;
//! - [`until`] polls a condition and fails with the last observation. Nothing sleeps for a fixed time.
//!
//! `make test-e2e` builds everything and names the binary; see [`Server`].

mod animation;
mod browser;
mod child;
mod faults;
mod front;
mod page;
mod plain;
mod server;
mod stage;
mod tabs;
mod trunk;
mod update;
mod wait;

pub use animation::Animation;
pub use browser::Browser;
pub use child::Child;
pub use faults::{Fault, FaultyProxy};
pub use front::{ELSEWHERE, Front};
pub use page::{Page, Tile};
pub use plain::PlainSite;
pub use server::{Server, curl};
pub use stage::Stage;
pub use tabs::Tab;
pub use trunk::Trunk;
pub use update::{UpdatedServer, Version};
pub use wait::{until, within};
