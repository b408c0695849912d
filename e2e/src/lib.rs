//! A real browser against the real binary.
//!
//! Every test starts from a [`Stage`]: a server with a data folder of its own, and a browser that has never seen it.
//! What the tests read of the page is in [`Page`]. Nothing here sleeps for a fixed time: [`until`] looks again and
//! again, and gives up with what it saw last.
//!
//! `make test-e2e` builds all that is needed and says where the binary is; see [`Server`].

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
