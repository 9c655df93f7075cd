//! Fields that are encrypted where they lie (PR-02): XChaCha20-Poly1305, bound to table, column and row.
//!
//! A field is `v1.<key id>.<base64url of nonce and ciphertext>`. Its data key is one of `encryption_keys`, wrapped there
//! by the master key of the environment. Sealing and opening know the keys from memory, so neither waits for anything;
//! [`Vault::load`] reads them again every few seconds, before a new key is written with. What is looked up by its value
//! (a phone number) has a blind index beside it: an HMAC by a key of its own.

mod rotate;
mod store;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use base64ct::{Base64UrlUnpadded, Encoding};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use self::rotate::{RotateReport, rotate};
use crate::{
    Error, Instant, Result,
    db::{ActAs, Db},
};

/// Length of a nonce of XChaCha20: long enough to be random.
const NONCE: usize = 24;
/// What every sealed value begins with.
const VERSION: &str = "v1.";
/// What the blind index of a phone number is made for, whichever table it is in.
pub const PHONE: &str = "phone";

/// Wiped from memory when dropped.
type Key = Zeroizing<[u8; 32]>;

/// Seals and opens encrypted fields. Clones share their keys.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    master: Master,
    /// Masters that were in use before, for unwrapping.
    old: Vec<Master>,
    ring: RwLock<Ring>,
}

/// The key that wraps the others.
struct Master {
    id: String,
    key: Key,
}

/// The keys as last read.
#[derive(Default)]
struct Ring {
    /// By the time from which they are written with.
    data: Vec<DataKey>,
    index: Option<Key>,
}

struct DataKey {
    id: String,
    key: Key,
    active_from: Instant,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// With the master key and those that were in use before it, each as 64 hexadecimal digits. Knows no data keys until
    /// [`Vault::load`].
    ///
    /// # Errors
    /// When a key isn't 64 hexadecimal digits.
    pub fn new(master: &SecretString, old: &[SecretString]) -> Result<Self> {
        let old = old.iter().map(Master::parse).collect::<Result<_>>()?;
        Ok(Self(Arc::new(Inner { master: Master::parse(master)?, old, ring: RwLock::default() })))
    }

    /// Reads the keys from the database; makes the first ones when there are none.
    ///
    /// # Errors
    /// Of the database; when the master key isn't the one the keys were wrapped with.
    pub async fn load(&self, db: &Db) -> Result<()> {
        let mut tx = db.begin(ActAs::Platform, None).await?;
        let mut stored = store::all(&mut tx).await?;
        if missing(&stored).next().is_some() {
            // Two programs may start at once on a new database.
            store::lock(&mut tx).await?;
            stored = store::all(&mut tx).await?;
            for purpose in missing(&stored).collect::<Vec<_>>() {
                // Active from the beginning of time: whatever a clock says, there is a key to write with.
                self.make(&mut tx, purpose, Instant::UNIX_EPOCH).await?;
            }
            stored = store::all(&mut tx).await?;
        }
        tx.commit().await?;
        self.keep(&stored)
    }

    /// Seals a value of a row. `aad` names table and column: `users.phone`.
    ///
    /// # Errors
    /// When the keys haven't been loaded.
    pub fn seal(&self, aad: &str, row: Uuid, plain: &str, now: Instant) -> Result<String> {
        self.with_ring(|ring| {
            let active = ring.data.iter().rev().find(|key| key.active_from <= now);
            let key = active.or(ring.data.first()).ok_or_else(not_loaded)?;
            seal_with(key, aad, row, plain)
        })
    }

    /// Opens a value of a row. One from before there was encryption is returned as it is.
    ///
    /// # Errors
    /// When the key isn't known, or the value was altered or belongs to another row, column or table.
    pub fn open(&self, aad: &str, row: Uuid, stored: &str) -> Result<String> {
        let Some(rest) = stored.strip_prefix(VERSION) else {
            return Ok(stored.to_owned());
        };
        // Says where, never what.
        let failed = |why: &str| Error::internal(format!("{aad} of {row} can't be opened: {why}"));
        let (id, text) = rest.split_once('.').ok_or_else(|| failed("it is no sealed value"))?;
        let plain = self.with_ring(|ring| {
            let key =
                ring.data.iter().find(|key| key.id == id).ok_or_else(|| failed("its key isn't known"))?;
            decrypt(&key.key, &bound(aad, row), text).ok_or_else(|| failed("it was altered or moved"))
        })?;
        String::from_utf8(plain).map_err(|_| failed("it is no text"))
    }

    /// Opens a value that may be missing, in place.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn open_some(&self, aad: &str, row: Uuid, stored: Option<String>) -> Result<Option<String>> {
        stored.map(|stored| self.open(aad, row, &stored)).transpose()
    }

    /// What a value is found by without being known: the same for equal values, and nothing without the key.
    ///
    /// # Errors
    /// When the keys haven't been loaded.
    pub fn blind(&self, aad: &str, plain: &str) -> Result<Vec<u8>> {
        self.with_ring(|ring| {
            let key = ring.index.as_ref().ok_or_else(not_loaded)?;
            let mut mac = Hmac::<Sha256>::new_from_slice(&key[..]).map_err(Error::internal)?;
            mac.update(aad.as_bytes());
            mac.update(&[0]);
            mac.update(plain.as_bytes());
            Ok(mac.finalize().into_bytes().to_vec())
        })
    }

    /// Adds a data key that is written with from `at`, or just after the newest one if that is later; its id.
    async fn add_data_key(&self, db: &Db, at: Instant) -> Result<String> {
        let mut tx = db.begin(ActAs::Platform, None).await?;
        store::lock(&mut tx).await?;
        let newest = store::all(&mut tx).await?.last().map_or(at, |last| last.active_from);
        let after = newest.checked_add(jiff::SignedDuration::from_micros(1)).map_err(Error::internal)?;
        let id = self.make(&mut tx, store::DATA, at.max(after)).await?;
        tx.commit().await?;
        self.load(db).await?;
        Ok(id)
    }

    /// Wraps by the current master what is still wrapped by one that was in use before; how many keys.
    async fn rewrap(&self, db: &Db) -> Result<usize> {
        let mut tx = db.begin(ActAs::Platform, None).await?;
        store::lock(&mut tx).await?;
        let mut done = 0;
        for stored in store::all(&mut tx).await? {
            if master_id(&stored.wrapped) != Some(&self.0.master.id) {
                let wrapped = self.0.master.wrap(&stored.id, &*self.unwrap(&stored)?)?;
                store::rewrap(&mut tx, &stored.id, &wrapped).await?;
                done += 1;
            }
        }
        tx.commit().await?;
        Ok(done)
    }

    /// A new random key, stored; its id.
    async fn make(&self, conn: &mut sqlx::PgConnection, purpose: &str, at: Instant) -> Result<String> {
        let id: String = rand::random::<[u8; 4]>().iter().map(|byte| format!("{byte:02x}")).collect();
        let key = Zeroizing::new(rand::random::<[u8; 32]>());
        store::insert(conn, &id, purpose, &self.0.master.wrap(&id, &key)?, at).await?;
        Ok(id)
    }

    /// Replaces the keys in memory by those read.
    fn keep(&self, stored: &[store::Stored]) -> Result<()> {
        let mut ring = Ring::default();
        for stored in stored {
            let key = self.unwrap(stored)?;
            match stored.purpose.as_str() {
                store::INDEX => ring.index = Some(key),
                _ => ring.data.push(DataKey { id: stored.id.clone(), key, active_from: stored.active_from }),
            }
        }
        *self.0.ring.write().unwrap_or_else(PoisonError::into_inner) = ring;
        Ok(())
    }

    fn unwrap(&self, stored: &store::Stored) -> Result<Key> {
        let by = master_id(&stored.wrapped);
        let mut masters = std::iter::once(&self.0.master).chain(&self.0.old);
        let master = masters.find(|master| Some(master.id.as_str()) == by).ok_or_else(|| {
            Error::internal("LESSONBOOK_SECRET_KEY isn't the key this database was encrypted with")
        })?;
        master
            .unwrap(&stored.id, &stored.wrapped)
            .ok_or_else(|| Error::internal(format!("the encryption key {} was altered", stored.id)))
    }

    /// Seals with a given key, which must have been loaded.
    fn seal_by(&self, id: &str, aad: &str, row: Uuid, plain: &str) -> Result<String> {
        self.with_ring(|ring| {
            seal_with(ring.data.iter().find(|key| key.id == id).ok_or_else(not_loaded)?, aad, row, plain)
        })
    }

    fn with_ring<T>(&self, read: impl FnOnce(&Ring) -> Result<T>) -> Result<T> {
        // A writer replaces the ring whole, so that even after a panic it is sound.
        read(&self.0.ring.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Master {
    fn parse(hex: &SecretString) -> Result<Self> {
        let digits = hex.expose_secret().as_bytes();
        let mut key = Zeroizing::new([0; 32]);
        let right = digits.len() == 64
            && key.iter_mut().zip(digits.chunks_exact(2)).all(|(byte, pair)| {
                let digit = |at: usize| char::from(pair[at]).to_digit(16);
                let value = digit(0).zip(digit(1)).map(|(high, low)| (high * 16 + low) as u8);
                *byte = value.unwrap_or_default();
                value.is_some()
            });
        if !right {
            return Err(Error::internal("LESSONBOOK_SECRET_KEY must be 64 hexadecimal digits"));
        }
        let digest = Sha256::new().chain_update(b"lessonbook master").chain_update(&key[..]).finalize();
        let id = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { id, key })
    }

    fn wrap(&self, id: &str, key: &[u8; 32]) -> Result<String> {
        Ok(format!("m1.{}.{}", self.id, encrypt(&self.key, &wrapping(id), key)?))
    }

    fn unwrap(&self, id: &str, wrapped: &str) -> Option<Key> {
        let text = wrapped.rsplit('.').next()?;
        let plain = Zeroizing::new(decrypt(&self.key, &wrapping(id), text)?);
        Some(Zeroizing::new(plain.as_slice().try_into().ok()?))
    }
}

/// The master that a wrapped key names.
fn master_id(wrapped: &str) -> Option<&str> {
    let (id, _) = wrapped.strip_prefix("m1.")?.split_once('.')?;
    Some(id)
}

/// The purposes that no key has.
fn missing(stored: &[store::Stored]) -> impl Iterator<Item = &'static str> {
    [store::DATA, store::INDEX]
        .into_iter()
        .filter(|purpose| !stored.iter().any(|key| key.purpose == *purpose))
}

fn seal_with(key: &DataKey, aad: &str, row: Uuid, plain: &str) -> Result<String> {
    let text = encrypt(&key.key, &bound(aad, row), plain.as_bytes())?;
    Ok(format!("{}{text}", prefix(&key.id)))
}

/// What values under a key begin with.
fn prefix(id: &str) -> String {
    format!("{VERSION}{id}.")
}

/// What binds a value to its place.
fn bound(aad: &str, row: Uuid) -> String {
    format!("{aad}/{row}")
}

/// What binds a wrapped key to its row.
fn wrapping(id: &str) -> String {
    format!("encryption_keys/{id}")
}

/// A new nonce and the ciphertext, as text.
fn encrypt(key: &Key, aad: &str, plain: &[u8]) -> Result<String> {
    let nonce = rand::random::<[u8; NONCE]>();
    let payload = Payload { msg: plain, aad: aad.as_bytes() };
    let sealed = XChaCha20Poly1305::new((&**key).into())
        .encrypt(&nonce.into(), payload)
        .map_err(|_| Error::internal("a value is too long to be encrypted"))?;
    Ok(Base64UrlUnpadded::encode_string(&[&nonce[..], &sealed].concat()))
}

/// `None` when anything isn't as it was.
fn decrypt(key: &Key, aad: &str, text: &str) -> Option<Vec<u8>> {
    let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
    let payload = Payload { msg: sealed, aad: aad.as_bytes() };
    XChaCha20Poly1305::new((&**key).into()).decrypt(nonce.into(), payload).ok()
}

fn not_loaded() -> Error {
    Error::internal("the encryption keys haven't been loaded")
}
