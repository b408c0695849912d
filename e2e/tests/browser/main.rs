//! Tests with a real browser against the real binary, each from the view of a user.
//!
//! - Boards: [`accessible`], [`board`], [`calm`], [`editing`], [`history`], [`past`], [`phone`], [`screens`];
//! - wall screens: [`kiosk`], [`wall`];
//! - other pages: [`doctor`], [`manage`], [`others`], [`warnings`];
//! - the connection: [`faults`], [`recovery`], [`refused`], [`tabs`];
//! - loading: [`ahead`] (preloads), [`modules`], [`policy`], [`contract`] and [`update`] (new versions);
//! - proxies: [`prefix`] (below a path), [`proxy`] (`trunk serve`).

mod accessible;
mod ahead;
mod board;
mod calm;
mod contract;
mod doctor;
mod editing;
mod faults;
mod history;
mod kiosk;
mod manage;
mod modules;
mod others;
mod past;
mod phone;
mod policy;
mod prefix;
mod proxy;
mod recovery;
mod refused;
mod screens;
mod tabs;
mod update;
mod wall;
mod warnings;
