//! TLS of the listener: its certificate, and the versions of HTTP that are offered over it.

use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::OFlags;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// HTTP/2 as ALPN names it (RFC 9113, 3.1).
pub(super) const HTTP_2: &[u8] = b"h2";

/// Maximum size of a certificate file with its chain, or of a key file, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// The offered versions of HTTP, best first.
const OFFERED: [&[u8]; 2] = [HTTP_2, b"http/1.1"];

/// The files of the certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, followed by the certificates of its issuers, in PEM.
    pub cert: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}

/// Reason why the server cannot speak TLS. Each message is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}; name another file with {flag}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The flag that names the file.
        flag: &'static str,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file is not a regular one, or too large to be a certificate.
    #[error(
        "{} is {found}; {flag} takes a PEM file of at most {MAX_FILE} bytes with a certificate or a key",
        file.display()
    )]
    NoPem {
        /// The file.
        file: PathBuf,
        /// The flag that names the file.
        flag: &'static str,
        /// Reason why it cannot be PEM.
        found: &'static str,
    },
    /// A file does not contain the expected item.
    #[error("there is no {wanted} in {}; {flag} takes PEM, in which one begins with -----BEGIN {label}-----", file.display())]
    Absent {
        /// The file.
        file: PathBuf,
        /// The flag that names the file.
        flag: &'static str,
        /// The expected item.
        wanted: &'static str,
        /// The label of its PEM block.
        label: &'static str,
    },
    /// A file is damaged.
    #[error("{} is damaged: {message}; name another file with {flag}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The flag that names the file.
        flag: &'static str,
        /// The error, as text.
        message: String,
    },
    /// The key does not belong to the certificate.
    #[error(
        "the key in {} is not that of the certificate in {}: {source}; name with --tls-key the one that it was made with",
        key.display(),
        cert.display()
    )]
    Mismatch {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// The error of rustls.
        source: rustls::Error,
    },
}

/// The contents of the two files.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pem {
    cert: Vec<u8>,
    key: Vec<u8>,
}

impl Pem {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError::Unreadable`].
    pub(super) fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self { cert: cert(files).read()?, key: key(files).read()? })
    }

    /// Makes the acceptor for encrypted connections. `files` are only used to name the file in an error.
    ///
    /// # Errors
    /// [`TlsError`].
    pub(super) fn acceptor(&self, files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
        let (cert, key) = (cert(files), key(files));
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.cert)
            .collect::<Result<_, _>>()
            .map_err(|error| cert.damaged(&error))?;
        if chain.is_empty() {
            return Err(cert.without("certificate", "CERTIFICATE"));
        }
        let own = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| match error {
            pem::Error::NoItemsFound => key.without("private key", "PRIVATE KEY"),
            error => key.damaged(&error),
        })?;
        let mismatch = |source| TlsError::Mismatch { cert: files.cert.clone(), key: files.key.clone(), source };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(mismatch)?
            .with_no_client_auth()
            .with_single_cert(chain, own)
            .map_err(mismatch)?;
        config.alpn_protocols = OFFERED.map(<[u8]>::to_vec).into();
        Ok(Arc::new(config).into())
    }
}

fn cert(files: &TlsFiles) -> Source<'_> {
    Source { file: &files.cert, flag: "--tls-cert" }
}

fn key(files: &TlsFiles) -> Source<'_> {
    Source { file: &files.key, flag: "--tls-key" }
}

/// A file, and the flag that names it.
struct Source<'a> {
    file: &'a Path,
    flag: &'static str,
}

impl Source<'_> {
    fn read(&self) -> Result<Vec<u8>, TlsError> {
        let Self { file, flag } = *self;
        let unreadable = |source| TlsError::Unreadable { file: file.to_owned(), flag, source };
        let no_pem = |found| TlsError::NoPem { file: file.to_owned(), flag, found };
        // Without this, opening a FIFO waits for a writer.
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let opened = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(file).map_err(unreadable)?;
        if !opened.metadata().map_err(unreadable)?.is_file() {
            return Err(no_pem("not a regular file"));
        }
        let mut pem = Vec::new();
        let len = opened.take(MAX_FILE + 1).read_to_end(&mut pem).map_err(unreadable)?;
        if len as u64 > MAX_FILE { Err(no_pem("too large")) } else { Ok(pem) }
    }

    fn without(&self, wanted: &'static str, label: &'static str) -> TlsError {
        TlsError::Absent { file: self.file.to_owned(), flag: self.flag, wanted, label }
    }

    fn damaged(&self, error: &pem::Error) -> TlsError {
        TlsError::Damaged { file: self.file.to_owned(), flag: self.flag, message: error.to_string() }
    }
}
