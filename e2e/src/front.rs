//! A reverse proxy, nginx or Caddy, that serves a server below a path.

use std::net::TcpListener;
use std::path::Path;

use tokio::net::TcpStream;
use tokio::process::Command;

use crate::{Child, Server, until};

/// A host name that Chromium treats as another machine, so that it is not a secure context over plain HTTP. It
/// resolves to loopback.
pub const ELSEWHERE: &str = "board.test";

/// nginx or Caddy, configured for a path as their documentation says.
#[derive(Debug)]
pub struct Front {
    port: u16,
    path: String,
    _child: Child,
}

impl Front {
    /// Starts nginx with `server` below `path`, such as `/pulse/`. `lines` are added to its configuration.
    ///
    /// # Panics
    /// If it does not start; `make test` installs it.
    pub async fn nginx(folder: &Path, server: &Server, path: &str, lines: &str) -> Self {
        let (folder, port) = (folder.join("nginx"), free_port());
        std::fs::create_dir_all(&folder).expect("the folder of the test is writable");
        let to = server.base();
        let site = format!("server {{ listen 127.0.0.1:{port}; location {path} {{ proxy_pass {to}/; {lines} }} }}");
        let conf = include_str!("../../server/tests/proxies/nginx.conf").replace("{site}", &site);
        std::fs::write(folder.join("nginx.conf"), conf).expect("the folder of the test is writable");
        // It is in /usr/sbin, which is not in every user's PATH.
        let program = if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" };
        let mut command = Command::new("sh");
        command.args(["-c", "echo started; exec \"$0\" \"$@\"", program]);
        command.args(["-e", "stderr", "-c", "nginx.conf", "-p"]).arg(&folder);
        Self::start("nginx", command, &folder, port, path).await
    }

    /// Starts Caddy with `server` below `path`, such as `/pulse/`.
    ///
    /// # Panics
    /// As [`Front::nginx`].
    pub async fn caddy(folder: &Path, server: &Server, path: &str) -> Self {
        let (folder, port) = (folder.join("caddy"), free_port());
        std::fs::create_dir_all(&folder).expect("the folder of the test is writable");
        let (bare, to) = (path.trim_end_matches('/'), server.base());
        let global = "admin off\ndefault_bind 127.0.0.1\nauto_https disable_redirects\nskip_install_trust";
        // There is no redirect, so the page of all boards is also served at the path without its slash.
        let site = format!(
            "http://127.0.0.1:{port} {{\nhandle_path {bare}/* {{\nreverse_proxy {to}\n}}\n\
             handle {bare} {{\nrewrite * /\nreverse_proxy {to}\n}}\n}}"
        );
        let file = folder.join("Caddyfile");
        std::fs::write(&file, format!("{{\n{global}\n}}\n{site}\n")).expect("the folder of the test is writable");
        let mut command = Command::new("sh");
        command.args(["-c", "echo started; exec \"$0\" \"$@\"", "caddy", "run", "--adapter", "caddyfile", "--config"]);
        command.arg(file).env("XDG_DATA_HOME", &folder).env("XDG_CONFIG_HOME", &folder).env("HOME", &folder);
        Self::start("caddy", command, &folder, port, path).await
    }

    /// The address of the server behind the proxy, with a slash at the end.
    #[must_use]
    pub fn root(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, self.path)
    }

    /// The address of the server behind the proxy by the name of another machine.
    #[must_use]
    pub fn root_elsewhere(&self) -> String {
        format!("http://{ELSEWHERE}:{}{}", self.port, self.path)
    }

    async fn start(name: &'static str, command: Command, folder: &Path, port: u16, path: &str) -> Self {
        let ready = |line: &str| line.contains("started").then_some(());
        let (child, ()) = Child::start(name, command, folder.join("log"), ready).await;
        until(&format!("{name} listens"), async || match TcpStream::connect(("127.0.0.1", port)).await {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        })
        .await;
        Self { port, path: path.to_owned(), _child: child }
    }
}

/// A free port, since neither program reports the port that it chose itself.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("there is a free port").port()
}
