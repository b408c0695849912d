//! `trunk serve` in front of a server, as `make dev` has it.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;

use tokio::process::Command;

use crate::{Child, Server};

/// Where the project's Trunk.toml expects the server.
const BACKEND: &str = "http://127.0.0.1:7878/";

/// A `trunk serve` with the proxies of the project's own Trunk.toml, led to the server under test.
#[derive(Debug)]
pub struct Trunk {
    base: String,
    _child: Child,
}

impl Trunk {
    /// Starts it in `folder` on a free port. It serves the page as it was built, since building it again would take
    /// minutes and show nothing new.
    ///
    /// # Panics
    /// When there is no page in `dist/` or trunk does not start.
    pub async fn start(folder: &Path, server: &Server) -> Self {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member of a workspace");
        let folder = folder.join("trunk");
        lay_out(&project.join("dist"), &folder);
        let config = std::fs::read_to_string(project.join("Trunk.toml")).expect("the project has a Trunk.toml");
        assert!(config.contains(BACKEND), "Trunk.toml leads to the default address of the server");
        // trunk stops at a path that it shall ignore and cannot find.
        let ignored = config.lines().find_map(|line| line.trim().strip_prefix("ignore = ")).unwrap_or_default();
        for path in ignored.split('"').skip(1).step_by(2) {
            std::fs::create_dir_all(folder.join(path)).expect("the folder of the test is writable");
        }
        // What it runs after a build keeps out of all but a release.
        std::fs::create_dir_all(folder.join("tools")).expect("the folder of the test is writable");
        copy(&project.join("tools/split.sh"), &folder.join("tools/split.sh"));
        let config = config.replace(BACKEND, &format!("{}/", server.base()));
        std::fs::write(folder.join("Trunk.toml"), config).expect("the folder of the test is writable");

        // trunk would take a free port by itself, but not say which.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("there is a free port").port();
        let mut command = Command::new("trunk");
        command.args(["serve", "--address", "127.0.0.1", "--port", &port.to_string(), "--dist", "served"]);
        // trunk reads it as a boolean of its own and stops at any other value.
        command.env_remove("NO_COLOR").current_dir(&folder);
        let ready = |line: &str| line.contains("server listening").then_some(());
        let (child, ()) = Child::start("trunk", command, folder.with_extension("log"), ready).await;
        Self { base: format!("http://127.0.0.1:{port}"), _child: child }
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }
}

/// Copies the built page, with a line for each of its files that tells trunk to serve it.
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
    // The built page leads from itself to the root; of one that trunk serves, every address counts from the root.
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
