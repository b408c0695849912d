//! Item 4: connections that are opened and then stall, in every phase of every protocol.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::client::Client;
use super::ground::Ground;
use super::outcome::{Check, Outcome};
use super::subject::{Setup, Subject};
use super::tally::Tally;

/// The file descriptors of a limited server, as `ulimit -n 400` leaves them.
const FEW: u64 = 400;

/// The phases in which a connection of plain HTTP can stall.
const PLAIN: [&[u8]; 5] = [
    b"",
    b"PRI ",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: ",
    b"POST /in/evil HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n1",
];

/// Stalls after four bytes of a preface, at a server with few descriptors.
pub(crate) fn preface(ground: &Ground) -> anyhow::Result<Outcome> {
    few(ground, &PLAIN[1..2], 1)
}

/// Stalls in every phase of plain HTTP, at a server with few descriptors.
pub(crate) fn phases(ground: &Ground) -> anyhow::Result<Outcome> {
    few(ground, &PLAIN, 1)
}

/// Stalls in every phase, from 64 addresses like a small botnet.
pub(crate) fn addresses(ground: &Ground) -> anyhow::Result<Outcome> {
    few(ground, &PLAIN, 64)
}

/// Stalls with ten thousand connections, at a server with the default limit of descriptors.
pub(crate) fn many(ground: &Ground) -> anyhow::Result<Outcome> {
    held_open(ground, &Setup::default(), &PLAIN, 1, ground.scale.of(10_000))
}

fn few(ground: &Ground, phases: &[&[u8]], addresses: u8) -> anyhow::Result<Outcome> {
    let setup = Setup::default().descriptors(FEW).flag("max-readers", &100);
    held_open(ground, &setup, phases, addresses, 1_000)
}

fn held_open(ground: &Ground, setup: &Setup, phases: &[&[u8]], addresses: u8, count: usize) -> anyhow::Result<Outcome> {
    let mut server = ground.start(setup)?;
    let attackers: Vec<Client> = (0..addresses)
        .map(|n| Client {
            source: Ipv4Addr::new(127, 0, 1, 2 + n),
            patience: Duration::from_secs(2),
            ..server.attacker()
        })
        .collect();
    let measured = server.under(|tally| {
        keep(tally, ground.scale.lasts, count, |number| {
            let mut socket = attackers[number % attackers.len()].connect()?;
            socket.write_all(phases[number % phases.len()])?;
            Ok(Held::Plain(socket))
        });
        Ok(())
    })?;
    let fresh = server.other().get("/api/boards");
    let found = fresh.map_or_else(|error| error.to_string(), |answer| answer.status.to_string());
    Ok(Outcome::of(measured).and(Check::new("200 for another client at the end", found == "200", found)))
}

/// Stalls within TLS and in its handshake, at a server with few descriptors.
pub(crate) fn tls(ground: &Ground) -> anyhow::Result<Outcome> {
    let (cert, key) = certificate(ground)?;
    let setup = Setup::default().descriptors(FEW).flag("max-readers", &100);
    let setup = setup.flag("tls-cert", &cert.display()).flag("tls-key", &key.display());
    let server = ground.start(&setup)?;
    let attacker = Client { patience: Duration::from_secs(2), ..server.attacker() };
    let config = trusting(&cert)?;
    // The probes do not speak TLS, so this measures when another client gets an answer over TLS.
    let tally = Tally::default();
    let mut longest = Duration::ZERO;
    let lasts = ground.scale.lasts;
    std::thread::scope(|scope| -> anyhow::Result<()> {
        scope.spawn(|| {
            keep(&tally, lasts, 1_000, |number| match number % 3 {
                0 => Ok(Held::Plain(attacker.connect()?)),
                1 => {
                    let mut socket = attacker.connect()?;
                    // The first bytes of a TLS `ClientHello` message.
                    socket.write_all(&[0x16, 3, 1, 2, 0, 1])?;
                    Ok(Held::Plain(socket))
                }
                _ => {
                    let mut stream = speak(&config, attacker.connect()?)?;
                    stream.write_all(b"PRI ")?;
                    Ok(Held::Tls(Box::new(stream)))
                }
            });
        });
        let until = Instant::now() + lasts;
        while Instant::now() < until {
            let asked = Instant::now();
            while asks(&config, &server).is_err() && asked.elapsed() < Duration::from_secs(30) {
                std::thread::sleep(Duration::from_millis(20));
            }
            longest = longest.max(asked.elapsed());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    })?;
    let found = format!("{:.2} s, with {}", longest.as_secs_f64(), counts(&tally));
    let held = longest < Duration::from_secs(1);
    Ok(Outcome::default().and(Check::new("another client over TLS waits less than 1 s for /healthz", held, found)))
}

fn counts(tally: &Tally) -> String {
    tally.counts().iter().map(|(kind, count)| format!("{kind}: {count}")).collect::<Vec<_>>().join(", ")
}

/// A connection that is kept open.
enum Held {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Held {
    /// Returns true if the server has closed it.
    fn is_closed(&mut self) -> bool {
        let socket = match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &mut stream.sock,
        };
        let _set = socket.set_nonblocking(true);
        loop {
            match socket.read(&mut [0; 1_024]) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
            }
        }
    }
}

/// Keeps `count` connections open for the time `lasts`, and reopens those that the server closes.
fn keep(tally: &Tally, lasts: Duration, count: usize, open: impl Fn(usize) -> std::io::Result<Held>) {
    let until = Instant::now() + lasts;
    let mut held: Vec<Held> = Vec::new();
    let mut number = 0;
    while Instant::now() < until && tally.goes_on() {
        let before = held.len();
        held.retain_mut(|connection| !connection.is_closed());
        (held.len()..before).for_each(|_| tally.count("closed by the server"));
        // At most 200 per round, so that other clients get in between.
        for _ in held.len()..count.min(held.len() + 200) {
            match open(number) {
                Ok(connection) => {
                    tally.count("opened");
                    held.push(connection);
                }
                Err(error) => {
                    tally.note(&Err(error));
                    break;
                }
            }
            number += 1;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn certificate(ground: &Ground) -> anyhow::Result<(PathBuf, PathBuf)> {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let folder = ground.fresh()?;
    std::fs::create_dir_all(&folder)?;
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&cert, signed.cert.pem())?;
    std::fs::write(&key, signed.signing_key.serialize_pem())?;
    Ok((cert, key))
}

fn trusting(cert: &PathBuf) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(cert)?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// Completes the TLS handshake on a connection.
fn speak(
    config: &Arc<ClientConfig>,
    mut socket: TcpStream,
) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let name = ServerName::try_from("localhost").map_err(std::io::Error::other)?;
    let mut connection = ClientConnection::new(Arc::clone(config), name).map_err(std::io::Error::other)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    Ok(StreamOwned::new(connection, socket))
}

fn asks(config: &Arc<ClientConfig>, server: &Subject) -> anyhow::Result<()> {
    let client = Client { patience: Duration::from_secs(30), ..server.other() };
    let mut stream = speak(config, client.connect()?)?;
    stream.write_all(&client.request("GET", "/healthz", &[("Host", "localhost")], b""))?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    anyhow::ensure!(&answer == b"HTTP/1.1 200", "another answer");
    Ok(())
}
