//! The certificate authorities that the commands trust when they connect to a server.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Loads the certificate authorities of this machine, or of `SSL_CERT_FILE`.
#[must_use]
pub fn roots() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

/// Makes the TLS configuration of a client that trusts these; where there are none, it trusts those of Mozilla.
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
