//! Keeps relocations in the linked wasm file (feature `split`): `tools/split.sh` needs them to cut the page into
//! modules.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_SPLIT").is_some() {
        println!("cargo::rustc-link-arg-bins=--emit-relocs");
    }
}
