//! A board on the page: its [`document`], laid out in a [`grid`].

pub mod document;
pub mod empty;
pub mod grid;
pub mod mistake;
pub mod page;
pub mod stage;
