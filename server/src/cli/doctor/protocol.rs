//! Finds out which version of HTTP a browser would use.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme};
use shared::doctor::Certificate;

use super::address::Address;
use super::client::Client;
use super::forward::Way;
use super::patience::PATIENCE;

/// Returns the protocol that the server chooses when h2 and HTTP/1.1 are offered; `None` where that cannot be found
/// out. Browsers speak h2 over TLS only, so plain HTTP is always HTTP/1.1. Through a proxy, this is not checked.
pub(super) fn of(address: &Address, client: &Client) -> Option<String> {
    let http1 = "http/1.1".to_owned();
    if !address.is_https() {
        return Some(http1);
    }
    if !matches!(Way::to(address), Way::Straight) {
        return None;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().ok()?;
    let mut config = match client.certificate() {
        Certificate::Checked => {
            let mut store = RootCertStore::empty();
            store.add_parsable_certificates(client.roots().iter().cloned());
            config.with_root_certificates(store).with_no_client_auth()
        }
        Certificate::Ignored => config
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth(),
    };
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

/// Accepts any certificate (`--insecure`), as long as the server has its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
