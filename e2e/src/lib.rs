//! A real browser against the real binary.
