//! The work of each fuzz target with its bytes. A target asserts more than that nothing panics where there is a law: printing
//! undoes parsing, two ways to read the same text agree, packing undoes unpacking.
//!
//! `fuzz_targets/` gives these to libFuzzer; `server/tests/corpora.rs` runs them on the corpora, without it.

mod boards;
mod clients;
mod names;
mod pushes;
mod queries;
mod rows;
mod settings;

/// A target: its name, which is that of its folder in `corpus/`, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("batch", pushes::batch),
    ("point", pushes::point),
    ("line_protocol", pushes::line_protocol),
    ("gzip", pushes::gzip),
    ("names", names::names),
    ("stream_query", queries::stream),
    ("history_query", queries::history),
    ("headers", queries::headers),
    ("board_json", boards::json),
    ("board_toml", boards::toml),
    ("board_rewrite", boards::rewrite),
    ("markdown", boards::markdown),
    ("config", settings::config),
    ("origin", settings::origin),
    ("address", settings::address),
    ("sse", clients::sse),
    ("events", clients::events),
    ("log_row", rows::log),
    ("block_row", rows::block),
    ("track", rows::track),
    ("meta_rows", rows::meta),
];
