//! Which version of HTTP a browser would speak.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::{Address, PATIENCE};

/// What is agreed on where h2 and HTTP/1.1 are offered; nothing where that cannot be found out. Browsers speak h2 over
/// TLS only, so elsewhere there is nothing to ask.
pub(super) fn of(address: &Address, roots: &[CertificateDer<'static>]) -> Option<String> {
    let http1 = "http/1.1".to_owned();
    if !address.is_https() {
        return Some(http1);
    }
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from(address.host().to_owned()).ok()?;
    let mut tls = ClientConnection::new(Arc::new(config), name).ok()?;
    let target = (address.host(), address.port()).to_socket_addrs().ok()?.next()?;
    let socket = TcpStream::connect_timeout(&target, PATIENCE).ok()?;
    socket.set_read_timeout(Some(PATIENCE)).ok()?;
    handshake(&mut tls, socket).ok()?;
    Some(tls.alpn_protocol().map_or(http1, |chosen| String::from_utf8_lossy(chosen).into_owned()))
}

fn handshake(tls: &mut ClientConnection, mut socket: impl Read + Write) -> std::io::Result<()> {
    while tls.is_handshaking() {
        tls.complete_io(&mut socket)?;
    }
    Ok(())
}
