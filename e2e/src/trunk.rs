//! Runs `trunk serve` in front of a server, as `make dev` does.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;

use tokio::process::Command;

use crate::{Child, Server};

/// The server's address in the project's Trunk.toml.
const BACKEND: &str = "http://127.0.0.1:7878/";

/// A `trunk serve` with the proxies of the project's own Trunk.toml, redirected to the server under test.
#[derive(Debug)]
pub struct Trunk {
    base: String,
    _child: Child,
}

impl Trunk {
    /// Starts it in `folder` on a free port. It serves the existing build of the page, since another build would take
    /// minutes and test nothing new.
    ///
    /// # Panics
    /// If there is no page in `dist/` or trunk does not start.
    pub async fn start(folder: &Path, server: &Server) -> Self {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member of a workspace");
        let folder = folder.join("trunk");
        lay_out(&project.join("dist"), &folder);
        let config = std::fs::read_to_string(project.join("Trunk.toml")).expect("the project has a Trunk.toml");
        assert!(config.contains(BACKEND), "Trunk.toml leads to the default address of the server");
        // trunk stops at an ignored path that does not exist.
        let ignored = config.lines().find_map(|line| line.trim().strip_prefix("ignore = ")).unwrap_or_default();
        for path in ignored.split('"').skip(1).step_by(2) {
            std::fs::create_dir_all(folder.join(path)).expect("the folder of the test is writable");
        }
        // The hook after the build does nothing except for a release.
        std::fs::create_dir_all(folder.join("tools")).expect("the folder of the test is writable");
        copy(&project.join("tools/split.sh"), &folder.join("tools/split.sh"));
        let config = config.replace(BACKEND, &format!("{}/", server.base()));
        std::fs::write(folder.join("Trunk.toml"), config).expect("the folder of the test is writable");

        // trunk can choose a free port, but does not report it.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("there is a free port").port();
        let mut command = Command::new("trunk");
        command.args(["serve", "--address", "127.0.0.1", "--port", &port.to_string(), "--dist", "served"]);
        // trunk reads the variable as a boolean and stops at any other value.
        command.env_remove("NO_COLOR").current_dir(&folder);
        let ready = |line: &str| line.contains("server listening").then_some(());
        let (child, ()) = Child::start("trunk", command, folder.with_extension("log"), ready).await;
        Self { base: format!("http://127.0.0.1:{port}"), _child: child }
    }

    /// The base URL, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }
}

/// Copies the built page, and adds a line to it for each of its files, so that trunk serves them.
fn lay_out(built: &Path, folder: &Path) {
    let index = std::fs::read_to_string(built.join("index.html"));
    let index = index.unwrap_or_else(|error| panic!("{}: {error}; build it with `make client`", built.display()));
    let mut links = String::new();
    std::fs::create_dir_all(folder).expect("the folder of the test is writable");
    for file in std::fs::read_dir(built).expect("it was just read from").flatten() {
        let name = file.file_name().into_string().expect("the names of the page's files are plain");
        if name != "index.html" {
            let kind = if file.path().is_dir() { "copy-dir" } else { "copy-file" };
            copy(&file.path(), &folder.join(&name));
            writeln!(links, r#"<link data-trunk rel="{kind}" href="{name}">"#).expect("to a String");
        }
    }
    // The built page has addresses relative to itself. Under trunk, addresses are relative to the root.
    let index = index.replace("\"./", "\"/").replace("'./", "'/");
    let index = index.replacen("</head>", &format!("{links}</head>"), 1);
    assert!(index.contains(&links), "the page has a head");
    std::fs::write(folder.join("index.html"), index).expect("the folder of the test is writable");
}

fn copy(from: &Path, to: &Path) {
    if !from.is_dir() {
        std::fs::copy(from, to).expect("the folder of the test is writable");
        return;
    }
    std::fs::create_dir_all(to).expect("the folder of the test is writable");
    for file in std::fs::read_dir(from).expect("it is readable").flatten() {
        copy(&file.path(), &to.join(file.file_name()));
    }
}
