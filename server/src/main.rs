//! The binary `pulseboard`.

fn main() {}
