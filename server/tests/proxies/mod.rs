//! Real proxies from Debian's packages, in front of a server under test.

#![expect(clippy::unwrap_used, reason = "a test's harness")]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::harness::{PATIENCE, TestServer};

/// A proxy with its files; killed and removed when dropped.
pub(crate) struct Proxy {
    child: Child,
    pub(crate) url: String,
    folder: TempDir,
}

impl Proxy {
    /// nginx, with these lines in the server that passes all on.
    pub(crate) fn nginx(to: &TestServer, lines: &str) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let conf = format!(
            "pid nginx.pid; error_log stderr; daemon off; master_process off; worker_processes 1;
             events {{}}
             http {{
                 access_log off;
                 client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fcgi; uwsgi_temp_path uwsgi;
                 scgi_temp_path scgi;
                 server {{
                     listen 127.0.0.1:{port};
                     location / {{ proxy_pass {}; {lines} }}
                 }}
             }}",
            to.url
        );
        fs::write(folder.path().join("nginx.conf"), conf).unwrap();
        let mut command = Command::new(program("nginx"));
        command.args(["-e", "stderr", "-c", "nginx.conf", "-p"]).arg(folder.path());
        Self::start(command, folder, format!("http://127.0.0.1:{port}"), port)
    }

    /// Caddy, with these lines in a site that speaks HTTP. `{to}` in them is the server's address.
    pub(crate) fn caddy(to: &TestServer, lines: &str) -> Self {
        let port = free_port();
        Self::caddy_at(to, &format!("http://127.0.0.1:{port}"), port, lines)
    }

    /// Caddy with a certificate of its own, and HTTP/2.
    pub(crate) fn caddy_with_tls(to: &TestServer, lines: &str) -> Self {
        let port = free_port();
        let mut proxy =
            Self::caddy_at(to, &format!("https://localhost:{port}"), port, &format!("tls internal\n{lines}"));
        proxy.url = format!("https://localhost:{port}");
        proxy
    }

    fn caddy_at(to: &TestServer, site: &str, port: u16, lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lines = lines.replace("{to}", &to.url);
        let global = "admin off\ndefault_bind 127.0.0.1\nauto_https disable_redirects\nskip_install_trust";
        let file = folder.path().join("Caddyfile");
        fs::write(&file, format!("{{\n{global}\n}}\n{site} {{\n{lines}\n}}\n")).unwrap();
        let mut command = Command::new(program("caddy"));
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
        command.env("XDG_DATA_HOME", folder.path()).env("XDG_CONFIG_HOME", folder.path()).env("HOME", folder.path());
        Self::start(command, folder, format!("http://127.0.0.1:{port}"), port)
    }

    /// Who signed the certificate of [`Proxy::caddy_with_tls`].
    pub(crate) fn signer(&self) -> PathBuf {
        self.folder.path().join("caddy/pki/authorities/local/root.crt")
    }

    fn start(mut command: Command, folder: TempDir, url: String, port: u16) -> Self {
        let log = folder.path().join("log");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap());
        let mut proxy = Self { child: command.spawn().unwrap(), url, folder };
        let patient_until = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = proxy.child.try_wait().unwrap();
            let log = || fs::read_to_string(&log).unwrap();
            assert!(ended.is_none(), "the proxy ended: {}", log());
            assert!(Instant::now() < patient_until, "the proxy does not listen: {}", log());
            // A program of somebody else's tells nothing; it takes a few of these.
            std::thread::sleep(Duration::from_millis(10));
        }
        proxy
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A port that nothing listens on, below those that the system gives to connections: a connection to one of these
/// that nobody listens on yet may be given that very port as its own, reach itself, and keep the proxy from it.
fn free_port() -> u16 {
    /// Where this process looks first, so that two at once do not look at the same.
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new((std::process::id() % 9_000) as u16));
    let ports = || 20_000 + NEXT.fetch_add(1, Ordering::Relaxed) % 9_000;
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(ports).take(9_000).find(free).expect("one of thousands of ports is free")
}

fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("there is no {name}; `make test` installs it, or tools/setup.sh proxies"))
}
