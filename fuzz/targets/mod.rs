//! The fuzz targets: each is a function of bytes. Besides the absence of panics, a target asserts laws where there
//! are any: printing undoes parsing, two parsers of the same text agree, packing undoes unpacking.
//!
//! - `pushes`, `names`, `queries`: parts of requests;
//! - `boards`, `settings`: documents that users and operators write;
//! - `clients`: the stream as clients read it;
//! - `rows`: stored rows.
//!
//! `fuzz_targets/` passes the targets to libFuzzer. `server/tests/corpora.rs` runs them on the corpora without it.

mod boards;
mod clients;
mod names;
mod pushes;
mod queries;
mod rows;
mod settings;

/// A target: its name, which its folder in `corpus/` also has, and its function.
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
    ("log_entries", rows::entries),
    ("block_row", rows::block),
    ("track", rows::track),
    ("meta_rows", rows::meta),
];
