//! Whose certificates the commands trust, which reach a server as anyone would.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Whom this machine trusts, or `SSL_CERT_FILE`.
#[must_use]
pub fn roots() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

/// A client's TLS that trusts these; where there are none, whom Mozilla does.
#[must_use]
pub fn tls(roots: &[CertificateDer<'static>]) -> TlsConfig {
    let certs = if roots.is_empty() {
        RootCerts::WebPki
    } else {
        let owned = roots.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
        RootCerts::Specific(Arc::new(owned))
    };
    TlsConfig::builder().root_certs(certs).build()
}
