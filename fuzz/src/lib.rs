//! The entry points of the fuzz targets for libFuzzer.

#[path = "../targets/mod.rs"]
pub mod targets;

/// Runs the target of this name.
///
/// # Panics
/// If an assertion of the target fails, or if there is no such target.
pub fn run(name: &str, bytes: &[u8]) {
    let (_, target) = targets::TARGETS.iter().find(|(known, _)| *known == name).expect("the target is in the list");
    target(bytes);
}
