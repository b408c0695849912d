//! Sorts without generic code; see [`shared::order`].

pub use shared::order::order;
