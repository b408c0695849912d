//! The page of a board.
//!
//! - [`page`]: the whole page;
//! - [`document`]: follows the board's document on the server;
//! - [`grid`]: lays out the widgets; [`empty`]: the hint that replaces them on an empty board;
//! - [`filter`]: a box that filters the series of an automatic board;
//! - [`mistake`]: mistakes of the document, assigned to widgets;
//! - [`context`]: the context that all widgets share; [`tab`]: the state of the board in the title and icon of its tab.

pub mod context;
pub mod document;
pub mod empty;
pub mod filter;
pub mod grid;
pub mod mistake;
pub mod page;
pub mod tab;
