//! A certificate that is renewed while the server runs: new connections get the new one, those that are open go on.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;

use super::tls::{Pem, TlsError};
use crate::config::TlsFiles;

/// How often the files are read, to see whether they changed. What they lead to may be a link that is laid anew, which
/// nobody would tell of the files themselves.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The certificate that new connections get. Clones are the same one.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    files: TlsFiles,
    acceptor: RwLock<TlsAcceptor>,
    /// What the files said when they were last read, good or not: so that a mistake is told once.
    read: Mutex<Pem>,
}

impl Certificate {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        let pem = Pem::read(files)?;
        let acceptor = RwLock::new(pem.acceptor(files)?);
        Ok(Self(Arc::new(Inner { files: files.clone(), acceptor, read: Mutex::new(pem) })))
    }

    /// What makes a new connection an encrypted one.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.0.acceptor.read().clone()
    }

    /// Takes over every few seconds what the files say, until dropped.
    pub async fn renew(self) {
        let mut every = interval(LOOK_EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            self.look();
        }
    }

    /// Takes over what the files say now. Where one of the files is new already and the other is not yet, the old
    /// certificate stays until both are.
    pub fn look(&self) {
        let Inner { files, acceptor, read } = &*self.0;
        let new = match Pem::read(files) {
            Ok(pem) if pem == *read.lock() => return,
            Ok(pem) => {
                let new = pem.acceptor(files);
                *read.lock() = pem;
                new
            }
            Err(error) => Err(error),
        };
        match new {
            Ok(new) => {
                *acceptor.write() = new;
                tracing::info!(cert = %files.cert.display(), "new connections get the new certificate");
            }
            Err(error) => tracing::warn!(%error, "the certificate stays as it was"),
        }
    }
}
