//! One stream for a browser, however many tabs show something.
//!
//! A browser allows six connections to a server of HTTP/1.1, so tabs must not have one each. One tab holds the stream,
//! of all that any tab shows, and tells the others what comes; they fold it as if it were their own. Which tab it is,
//! the browser decides ([`lock`]); when it goes, the next one is elected.
//!
//! [`interest`], [`message`] and [`member`] (with what it knows as the leader) decide and know no browser; [`lock`] and [`channel`] are the browser's;
//! [`team`] puts these two together.

pub mod channel;
pub mod interest;
mod lead;
pub mod lock;
pub mod member;
pub mod message;
pub mod team;
