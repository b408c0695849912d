//! Idempotency keys, with which a retry of a request counts once.

use ring::digest::{Context, SHA256};

/// A key that a sender gives its push, so that a retry of it counts once (draft-ietf-httpapi-idempotency-key-header).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    pub(crate) text: String,
    pub(crate) request: Fingerprint,
}

impl IdempotencyKey {
    /// Creates the key of this request; `None` if the text is empty or has over 255 bytes.
    #[must_use]
    pub fn new(text: String, request: Fingerprint) -> Option<Self> {
        (1..=255).contains(&text.len()).then_some(Self { text, request })
    }
}

/// A hash of a request. Requests with equal hashes count as the same request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub(crate) [u8; 16]);

impl Fingerprint {
    /// Hashes a push: `target` is the path with its query, `body` the decompressed body.
    #[must_use]
    pub fn of(target: &str, body: &[u8]) -> Self {
        let mut hash = Context::new(&SHA256);
        // A target has no line ends, so no part of the body can be mistaken for the target.
        for part in [target.as_bytes(), b"\n", body] {
            hash.update(part);
        }
        let mut half = [0; 16];
        half.copy_from_slice(&hash.finish().as_ref()[..16]);
        Self(half)
    }
}
