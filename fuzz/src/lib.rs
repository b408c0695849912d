//! The targets, for libFuzzer.

#[path = "../targets/mod.rs"]
pub mod targets;

/// Runs the target of this name.
///
/// # Panics
/// Where a law does not hold, or there is no such target.
pub fn run(name: &str, bytes: &[u8]) {
    let (_, target) = targets::TARGETS.iter().find(|(known, _)| *known == name).expect("the target is in the list");
    target(bytes);
}
