//! Rebuilds the server when the page changed: the files of the page are in the binary, and cargo does not know them. Adds
//! the commit to the version of a release build.
//!
//! A release build without the page stops here, since a binary without it is of no use to a user. Debug builds go on: the
//! tests of the server and the lints need no page.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=../dist");
    println!("cargo::rerun-if-env-changed=PULSEBOARD_COMMIT");
    // A debug build has no commit: with each new one, all tests would be built again.
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if is_release && !Path::new("../dist/index.html").is_file() {
        println!(
            "cargo::error=the page is not built, and the binary has it inside: run `make build` at the top of the \
             repository, or first `make client` and then this command again"
        );
    }
    let given = std::env::var("PULSEBOARD_COMMIT").ok().filter(|commit| is_commit(commit));
    let commit = given.or_else(|| if is_release { commit_of(Path::new("..")) } else { None });
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let version = commit.map_or_else(|| version.clone(), |commit| format!("{version} ({commit})"));
    println!("cargo::rustc-env=BUILD_VERSION={version}");
}

fn is_commit(text: &str) -> bool {
    (4..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The commit that is checked out in `folder`; nothing where the folder is no working copy (a tarball, also one that was
/// unpacked within another working copy), or git cannot be run. Has the build script run again when another commit is checked out.
pub(crate) fn commit_of(folder: &Path) -> Option<String> {
    if !folder.join(".git").exists() {
        return None;
    }
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
        Some(text.trim().to_owned())
    };
    let branch = git(&["symbolic-ref", "-q", "HEAD"]).unwrap_or_default();
    for name in ["HEAD", "logs/HEAD", "packed-refs", &branch] {
        // A file that is not there would count as changed, in each build.
        if let Some(file) =
            git(&["rev-parse", "--git-path", name]).map(|file| folder.join(file)).filter(|file| file.is_file())
        {
            println!("cargo::rerun-if-changed={}", file.display());
        }
    }
    git(&["rev-parse", "--short=10", "HEAD"]).filter(|commit| is_commit(commit))
}
