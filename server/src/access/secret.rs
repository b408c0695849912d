//! Secrets of tokens and tickets: 256 random bits as a text.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};

use crate::log::TokenHash;

/// The beginning of every secret, by which people and scanners of source code recognise one.
const PREFIX: &str = "pb_";

/// The number of random bytes.
const BYTES: usize = 32;

/// Characters of a secret after the prefix.
const CHARACTERS: usize = 43;

/// A secret. It is shown to its maker once, and only its hash is kept.
pub struct Secret(String);

impl Secret {
    /// Draws a secret.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn draw() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// The secret as its holder sends it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns the hash by which the server recognises it.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        hash(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Returns the hash of a text that may be a secret; `None` if it cannot be one.
#[must_use]
pub fn hash_of(text: &str) -> Option<TokenHash> {
    let rest = text.strip_prefix(PREFIX)?;
    let is_one = rest.len() == CHARACTERS
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    is_one.then(|| hash(text))
}

fn hash(secret: &str) -> TokenHash {
    let hash = digest(&SHA256, secret.as_bytes());
    TokenHash(hash.as_ref().try_into().expect("SHA-256 has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_recognised_by_its_hash_and_shown_only_on_purpose() {
        let (one, other) = (Secret::draw().unwrap(), Secret::draw().unwrap());
        assert_ne!(one.hash(), other.hash());
        assert_eq!(hash_of(one.reveal()), Some(one.hash()));
        assert_eq!(format!("{one:?} {:?}", one.hash()), "Secret(…) TokenHash(…)");
        for text in ["", "pb_", &one.reveal()[..45], &format!("{}x", one.reveal()), &one.reveal().replace("pb_", "PB_")]
        {
            assert_eq!(hash_of(text), None, "{text}");
        }
    }
}
