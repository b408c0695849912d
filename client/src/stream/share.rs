//! Shares one stream among all tabs of a browser.
//!
//! A browser allows six connections to a server over HTTP/1.1, so tabs must not have one each. One tab, the leader,
//! holds the stream of all series that any tab shows, and passes frames on to the others, which fold them as if they
//! were their own. The browser elects the leader by a lock ([`lock`]); when the leader goes, it elects the next one.
//!
//! - [`interest`], [`message`], [`member`] and [`lead`] (the leader's state) decide, without a browser.
//! - [`lock`] and [`channel`] wrap the browser's APIs, and [`team`] joins these two.

pub mod channel;
pub mod interest;
mod leader;
pub mod lock;
pub mod member;
pub mod message;
pub mod team;
