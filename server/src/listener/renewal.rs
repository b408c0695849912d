//! Renews the certificate while the server runs: new connections get the new one, open connections go on with the old
//! one.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;

use super::tls::{Pem, TlsError, TlsFiles};

/// Interval between two reads of the files. They are polled, because a path may go through a link that is replaced, and
/// a watch on the file itself would not notice that.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The certificate that new connections get. Clones share it.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    files: TlsFiles,
    acceptor: RwLock<TlsAcceptor>,
    /// The contents of the files when they were last read, valid or not, so that an invalid pair is logged once.
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

    /// The acceptor for new connections.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.0.acceptor.read().clone()
    }

    /// Checks the files every few seconds and uses a new certificate, until dropped.
    pub async fn renew(self) {
        let mut every = interval(LOOK_EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            self.look();
        }
    }

    /// Reads the files and uses a new certificate. If one of the two files is new already and the other is not yet, the
    /// old certificate stays until both are.
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
