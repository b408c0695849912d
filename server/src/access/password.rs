//! Hashes and checks passwords with argon2id, the default parameters of the crate: 19 MiB and two passes, as OWASP
//! advises.

use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use shared::problem::FieldError;
use tokio::sync::Semaphore;

use crate::http::problem::ApiError;
use crate::log::PasswordHash;

/// The fewest characters of a password.
pub const MIN_LEN: usize = 8;

/// The most bytes of a password.
pub const MAX_LEN: usize = 256;

/// The most passwords that are hashed at once. It bounds memory and processor time.
const AT_ONCE: usize = 2;

/// The longest time that a password waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// The hash that the password of an unknown user is compared with, so that the answer takes as long as for a known one.
/// No password is known that has it.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$cHVsc2Vib2FyZG5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The reason why a password is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// It is too short.
    #[error("the password has fewer than {MIN_LEN} characters; take several words")]
    TooShort,
    /// It is too long.
    #[error("the password has more than {MAX_LEN} bytes; take a shorter one")]
    TooLong,
    /// It cannot be hashed.
    #[error("the password cannot be hashed; try again")]
    Failed,
}

/// Hashes a password with a new salt. Takes some milliseconds and 19 MiB.
///
/// # Errors
/// [`PasswordError`].
pub fn hash(password: &str) -> Result<PasswordHash, PasswordError> {
    if password.chars().count() < MIN_LEN {
        return Err(PasswordError::TooShort);
    }
    if password.len() > MAX_LEN {
        return Err(PasswordError::TooLong);
    }
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|_| PasswordError::Failed)?;
    Ok(PasswordHash(hash.to_string()))
}

/// Returns true if the password has this hash. `None` stands for an unknown user: it takes as long, and returns false.
fn verify(password: &str, hash: Option<&PasswordHash>) -> bool {
    let text = hash.map_or(NOBODY, |hash| hash.0.as_str());
    let Ok(parsed) = phc::PasswordHash::new(text) else { return false };
    let is_right = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
    is_right && hash.is_some()
}

/// Hashes and checks passwords on blocking threads, few at once. Clones share the bound.
#[derive(Clone, Debug)]
pub struct Passwords(Arc<Semaphore>);

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Passwords {
    /// Hashes a new password.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] for a password that is not accepted; [`ApiError::Overloaded`] if too many wait.
    pub async fn hash(&self, password: String) -> Result<PasswordHash, ApiError> {
        let hashed = self.run(move || hash(&password)).await?;
        hashed.map_err(|error| {
            let expected = format!("{MIN_LEN} characters to {MAX_LEN} bytes");
            let wrong =
                FieldError { line: None, field: "password".to_owned(), expected, got: "another length".to_owned() };
            ApiError::Invalid { detail: error.to_string(), errors: vec![wrong] }
        })
    }

    /// Checks the password of a user; `None` stands for an unknown user.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`] if too many wait.
    pub async fn verify(&self, password: String, hash: Option<PasswordHash>) -> Result<bool, ApiError> {
        self.run(move || password.len() <= MAX_LEN && verify(&password, hash.as_ref())).await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let busy = || ApiError::Overloaded("too many passwords are being checked".to_owned());
        let permit = tokio::time::timeout(PATIENCE, Arc::clone(&self.0).acquire_owned()).await;
        let permit = permit.ok().and_then(Result::ok).ok_or_else(busy)?;
        let work = move || {
            let done = work();
            drop(permit);
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| busy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn password_is_verified_by_its_hash_and_an_unknown_user_has_none() {
        let hash = hash("correct horse").unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && format!("{hash:?}") == "PasswordHash(…)");
        assert!(verify("correct horse", Some(&hash)) && !verify("correct hors", Some(&hash)));
        assert!(!verify("correct horse", None) && !verify("", None));
        assert!(!verify("x", Some(&PasswordHash("x".into()))));
        assert_ne!(super::hash("correct horse").unwrap(), hash, "each has a salt of its own");
        assert_eq!(super::hash("1234567"), Err(PasswordError::TooShort));
        assert_eq!(super::hash(&"x".repeat(MAX_LEN + 1)), Err(PasswordError::TooLong));
    }

    #[test]
    fn unknown_user_takes_as_long_as_a_known_one() {
        let hash = hash("correct horse").unwrap();
        let time = |known: Option<&PasswordHash>| {
            let began = Instant::now();
            assert!(!verify("wrong password", known));
            began.elapsed().as_secs_f64()
        };
        // In turns, and the fastest of many: other tests run at the same time.
        let (mut known, mut unknown) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..20 {
            known = known.min(time(Some(&hash)));
            unknown = unknown.min(time(None));
        }
        let ratio = known / unknown;
        assert!((0.5..2.0).contains(&ratio), "{known} s and {unknown} s");
    }
}
