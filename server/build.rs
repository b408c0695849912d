//! Rebuilds the server when the page changed: the files of the page are in the binary, and cargo does not know them.
//!
//! A release build without the page stops here, since a binary without it is of no use to a user. Debug builds go on: the
//! tests of the server and the lints need no page.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=../dist");
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if release && !Path::new("../dist/index.html").is_file() {
        println!(
            "cargo::error=the page is not built, and the binary has it inside: run `make build` at the top of the \
             repository, or first `make client` and then this command again"
        );
    }
}
