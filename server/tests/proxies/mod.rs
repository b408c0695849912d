//! Real proxies from Debian packages, in front of a server under test.

#![expect(dead_code, clippy::unwrap_used, reason = "shared by tests; each uses its own part of it")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::harness::TestServer;
use crate::harness::programs::{self, Program, free_port};

/// A proxy with its files; killed and removed when dropped.
pub(crate) struct Proxy {
    program: Program,
    pub(crate) url: String,
}

/// nginx lines without which boards cannot be saved from other machines, nor long pushes sent.
const NGINX_LINES: &str = "proxy_set_header Host $http_host; client_max_body_size 5m;";

impl Proxy {
    /// Starts nginx with the lines that it needs, and with these lines in the location that proxies everything.
    pub(crate) fn nginx(to: &TestServer, lines: &str) -> Self {
        Self::nginx_as_it_comes(to, &format!("{NGINX_LINES} {lines}"))
    }

    /// Starts nginx with nothing but these lines in the location that proxies everything. `{folder}` in them is a
    /// folder for files.
    pub(crate) fn nginx_as_it_comes(to: &TestServer, lines: &str) -> Self {
        let port = free_port();
        let site = format!("server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {}; {lines} }} }}", to.url);
        Self::nginx_at(port, &site)
    }

    /// nginx with this `server` block of the documents, which listens on port 80 and passes requests to `127.0.0.1:7878`.
    pub(crate) fn nginx_site(to: &TestServer, site: &str) -> Self {
        let port = free_port();
        let site = site.replace("listen 80;", &format!("listen 127.0.0.1:{port};"));
        Self::nginx_at(port, &site.replace("127.0.0.1:7878", to.addr()))
    }

    fn nginx_at(port: u16, site: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let conf = include_str!("nginx.conf").replace("{site}", site);
        let conf = conf.replace("{folder}", folder.path().to_str().unwrap());
        fs::write(folder.path().join("nginx.conf"), conf).unwrap();
        // The output of `openssl passwd -5` for s3cret would do as well; this needs no program.
        fs::write(folder.path().join("users"), "ann:{PLAIN}s3cret\n").unwrap();
        let mut command = Command::new(program("nginx"));
        command.args(["-e", "stderr", "-c", "nginx.conf", "-p"]).arg(folder.path());
        Self::start(command, folder, format!("http://127.0.0.1:{port}"), port)
    }

    /// Starts Caddy, with these lines in an HTTP site. `{to}` in them is the server's address.
    pub(crate) fn caddy(to: &TestServer, lines: &str) -> Self {
        let port = free_port();
        Self::caddy_at(to, &format!("http://127.0.0.1:{port}"), port, lines)
    }

    /// Starts Caddy with a certificate of its own, and HTTP/2.
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

    /// Starts `HAProxy`, with these lines in the backend.
    pub(crate) fn haproxy(to: &TestServer, lines: &str) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let conf = format!(
            "defaults\n mode http\n timeout connect 5s\n timeout client 1h\n timeout server 1h\n\
             frontend all\n bind 127.0.0.1:{port}\n default_backend board\n\
             backend board\n {lines}\n server board {}\n",
            to.addr()
        );
        fs::write(folder.path().join("haproxy.cfg"), conf).unwrap();
        let mut command = Command::new(program("haproxy"));
        command.args(["-db", "-f"]).arg(folder.path().join("haproxy.cfg"));
        Self::start(command, folder, format!("http://127.0.0.1:{port}"), port)
    }

    /// Starts Apache httpd, with these lines in its configuration.
    pub(crate) fn apache(to: &TestServer, lines: &str) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let modules: String = ["mpm_event", "authz_core", "proxy", "proxy_http"]
            .iter()
            .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
            .collect();
        let root = folder.path().display();
        // If started as root, it refuses to run as root.
        let user = if fs::metadata("/proc/self").unwrap().uid() == 0 { "User nobody\nGroup nogroup\n" } else { "" };
        let conf = format!(
            "ServerRoot {root}\nPidFile {root}/httpd.pid\nListen 127.0.0.1:{port}\nServerName localhost\n{user}\
             ErrorLog {root}/errors\n{modules}{lines}\nProxyPass / {}/\n",
            to.url
        );
        fs::write(folder.path().join("httpd.conf"), conf).unwrap();
        let mut command = Command::new(program("apache2"));
        command.args(["-X", "-f"]).arg(folder.path().join("httpd.conf"));
        Self::start(command, folder, format!("http://127.0.0.1:{port}"), port)
    }

    /// Starts Varnish, with these lines in `vcl_recv`.
    pub(crate) fn varnish(to: &TestServer, lines: &str) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let (host, to_port) = to.addr().split_once(':').unwrap();
        let vcl = format!(
            "vcl 4.1;\nbackend default {{ .host = \"{host}\"; .port = \"{to_port}\"; }}\n\
             sub vcl_recv {{\n{lines}\n}}\n"
        );
        fs::write(folder.path().join("board.vcl"), vcl).unwrap();
        let mut command = Command::new(program("varnishd"));
        command.args(["-F", "-s", "malloc,10m", "-j", "none", "-a", &format!("127.0.0.1:{port}")]);
        command.arg("-f").arg(folder.path().join("board.vcl")).arg("-n").arg(folder.path().join("work"));
        Self::start(command, folder, format!("http://127.0.0.1:{port}"), port)
    }

    /// Starts Squid as a forward proxy, which permits every destination.
    pub(crate) fn squid() -> Self {
        Self::squid_with("", "")
    }

    /// Squid in front of the server, with these lines in its configuration.
    pub(crate) fn squid_in_front(to: &TestServer, lines: &str) -> Self {
        let (host, port) = to.addr().split_once(':').unwrap();
        Self::squid_with(" accel", &format!("cache_peer {host} parent {port} 0 no-query originserver\n{lines}\n"))
    }

    /// Squid that listens in this mode, with these lines in its configuration.
    fn squid_with(mode: &str, lines: &str) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let conf = format!(
            "http_port 127.0.0.1:{port}{mode}\n{lines}http_access allow all\ncache deny all\naccess_log none\n\
             cache_log /dev/null\ncache_store_log none\npid_filename none\nnetdb_filename none\n\
             shutdown_lifetime 0 seconds\n"
        );
        fs::write(folder.path().join("squid.conf"), conf).unwrap();
        let mut command = Command::new(program("squid"));
        command.args(["-N", "-f"]).arg(folder.path().join("squid.conf"));
        Self::start(command, folder, format!("http://127.0.0.1:{port}"), port)
    }

    /// Returns the version that a proxy's program prints.
    pub(crate) fn version(name: &str, flag: &str) -> String {
        programs::version(Command::new(program(name)).arg(flag))
    }

    /// The certificate of the authority that signed the certificate of [`Proxy::caddy_with_tls`].
    pub(crate) fn signer(&self) -> PathBuf {
        self.program.folder.path().join("caddy/pki/authorities/local/root.crt")
    }

    fn start(command: Command, folder: TempDir, url: String, port: u16) -> Self {
        Self { program: Program::start(command, folder, port), url }
    }
}

/// Starts a proxy that passes bytes on, and cuts each connection after this time, whatever is in progress. It ends with
/// the test. Returns its address.
pub(crate) fn cutting_after(to: &TestServer, time: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (url, to) = (format!("http://{}", listener.local_addr().unwrap()), to.addr().to_owned());
    std::thread::spawn(move || {
        for mut near in listener.incoming().flatten() {
            let Ok(far) = TcpStream::connect(&to) else { continue };
            let (deadline, mut back) = (Instant::now() + time, near.try_clone().unwrap());
            let mut there = far.try_clone().unwrap();
            std::thread::spawn(move || std::io::copy(&mut near, &mut there));
            std::thread::spawn(move || {
                let mut piece = [0; 16_384];
                let mut far = far;
                loop {
                    let left = deadline.saturating_duration_since(Instant::now());
                    let read = if left.is_zero() {
                        Ok(0)
                    } else {
                        far.set_read_timeout(Some(left)).and_then(|()| far.read(&mut piece))
                    };
                    match read {
                        Ok(len @ 1..) if back.write_all(&piece[..len]).is_ok() => {}
                        // An error means that the connection has ended already.
                        _ => return back.shutdown(std::net::Shutdown::Both).is_ok(),
                    }
                }
            });
        }
    });
    url
}

fn program(name: &str) -> PathBuf {
    programs::find(name, "proxies")
}
