//! Password hashing: argon2id, off the async threads, at most as many at once as there are cores.

use std::sync::Arc;

use argon2::{
    Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use super::guessable;
use crate::{Error, Result};

/// Shortest password, in characters.
const MIN: usize = 10;
/// Longest password, in characters: hashing time must not depend on an attacker's patience.
const MAX: usize = 128;

/// Hashes and checks passwords.
#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    turns: Arc<Semaphore>,
    /// Checked in place of the hash of an unknown user, so that both cost the same.
    dummy: Arc<str>,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passwords")
    }
}

impl Passwords {
    /// With the parameters that OWASP names for argon2id: 19 MiB, 2 passes, 1 lane.
    ///
    /// # Errors
    /// When hashing itself fails.
    pub fn new() -> Result<Self> {
        Self::with_params(
            Params::new(19 * 1024, 2, 1, None).map_err(|error| Error::internal(error.to_string()))?,
        )
    }

    /// As cheap as argon2id gets; hundreds of sign-ins in a test would else take minutes. Old hashes still verify:
    /// a hash carries its own parameters.
    ///
    /// # Errors
    /// When hashing itself fails.
    pub fn cheap_for_tests() -> Result<Self> {
        Self::with_params(Params::new(8, 1, 1, None).map_err(|error| Error::internal(error.to_string()))?)
    }

    fn with_params(params: Params) -> Result<Self> {
        let argon2 = Argon2::new(argon2::Algorithm::Argon2id, Version::V0x13, params);
        let dummy = hash(&argon2, "no account has this password")?;
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Self { argon2, turns: Arc::new(Semaphore::new(cores)), dummy: dummy.into() })
    }

    /// Refuses what is too short, too long or too easily guessed; `about` are words an attacker would try first.
    ///
    /// # Errors
    /// A message for people.
    pub async fn check_strength(
        &self,
        password: &SecretString,
        about: Vec<String>,
    ) -> Result<Result<(), String>> {
        let length = password.expose_secret().chars().count();
        if length < MIN {
            return Ok(Err(format!(
                "Use at least {MIN} characters; a few unrelated words are easy to remember."
            )));
        }
        if length > MAX {
            return Ok(Err(format!("Use at most {MAX} characters.")));
        }
        if guessable::is_leaked(password.expose_secret()) {
            return Ok(Err(guessable::LEAKED_REFUSAL.into()));
        }
        let words = guessable::words(&about);
        if guessable::is_made_of(password.expose_secret(), &words) {
            return Ok(Err(guessable::REFUSAL.into()));
        }
        let password = password.clone();
        self.in_turn(move || {
            let about: Vec<&str> = words.iter().map(String::as_str).collect();
            let estimate = zxcvbn::zxcvbn(password.expose_secret(), &about);
            if estimate.score() >= zxcvbn::Score::Three {
                Ok(Ok(()))
            } else {
                Ok(Err("This is too easy to guess. A few unrelated words are hard to guess and easy to remember.".into()))
            }
        })
        .await
    }

    /// A salted hash in PHC form.
    ///
    /// # Errors
    /// When hashing itself fails.
    pub async fn hash(&self, password: &SecretString) -> Result<String> {
        let (argon2, password) = (self.argon2.clone(), password.clone());
        self.in_turn(move || hash(&argon2, password.expose_secret())).await
    }

    /// Whether the password is the one behind `stored`. Without one, the same work is done and the answer is no.
    ///
    /// # Errors
    /// When the machine can't do the work.
    pub async fn verify(&self, password: &SecretString, stored: Option<String>) -> Result<bool> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.dummy.to_string());
        let (argon2, password) = (self.argon2.clone(), password.clone());
        self.in_turn(move || {
            let text = password.expose_secret();
            // Longer than any password can be: not worth hashing, and never right.
            let text = if text.chars().count() > MAX { "" } else { text };
            let parsed = PasswordHash::new(&stored).map_err(|error| Error::internal(error.to_string()))?;
            Ok(argon2.verify_password(text.as_bytes(), &parsed).is_ok() && known)
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(Error::internal)?;
        // The work keeps its turn to the end, also when whoever asked for it is gone.
        let work = move || {
            let _turn = turn;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<String> {
    argon2
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| Error::internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn strength_is_asked_for() {
        let passwords = Passwords::cheap_for_tests().unwrap();
        let check = async |text: &str| {
            passwords.check_strength(&SecretString::from(text), vec!["sipho@cape-drive.test".into()]).await
        };
        assert!(check("short").await.unwrap().is_err());
        assert!(check("password123").await.unwrap().is_err());
        assert!(check("sipho@cape-drive.test").await.unwrap().is_err());
        assert!(check(&"long phrase ".repeat(11)).await.unwrap().is_err());
        assert!(check("demo-orchard-kettle-42").await.unwrap().is_ok());
        assert!(check("ключ-от-квартиры-где").await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_verifies() {
        let passwords = Passwords::cheap_for_tests().unwrap();
        let right = SecretString::from("demo-orchard-kettle-42");
        let stored = passwords.hash(&right).await.unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(passwords.verify(&right, Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify(&SecretString::from("another"), Some(stored)).await.unwrap());
        assert!(!passwords.verify(&SecretString::from("no account has this password"), None).await.unwrap());
    }
}
