//! The pure part: sealing, opening, blind indexes. With a database: src/tests/crypto.rs.

use proptest::prelude::*;

use super::*;

const ROW: Uuid = Uuid::from_u128(7);
const OTHER: Uuid = Uuid::from_u128(8);
const LATER: &str = "2027-01-12T08:00:00Z";

fn at(text: &str) -> Instant {
    text.parse().expect("a timestamp")
}

fn now() -> Instant {
    at("2027-01-12T07:30:00Z")
}

fn master(digit: &str) -> SecretString {
    SecretString::from(digit.repeat(64))
}

/// A vault with two data keys, the second one written with from eight o'clock on.
fn vault(seed: u8) -> Vault {
    let vault = Vault::new(&master("a"), &[]).expect("a vault");
    let key = |id: &str, byte: u8, active_from| DataKey {
        id: id.to_owned(),
        key: Zeroizing::new([byte; 32]),
        active_from,
    };
    *vault.0.ring.write().expect("a lock") = Ring {
        data: vec![key("first000", seed, Instant::UNIX_EPOCH), key("second00", seed + 1, at(LATER))],
        index: Some(Zeroizing::new([seed + 2; 32])),
    };
    vault
}

#[test]
fn a_value_opens_in_its_own_place_only() {
    let vault = vault(1);
    let sealed = vault.seal("users.phone", ROW, "+27821234567", now()).expect("sealed");
    assert!(sealed.starts_with("v1.first000."), "{sealed}");
    assert!(!sealed.contains("2782"));
    assert_eq!(vault.open("users.phone", ROW, &sealed).expect("open"), "+27821234567");
    for (aad, row) in [("users.phone", OTHER), ("users.name", ROW), ("students.phone", ROW)] {
        let error = vault.open(aad, row, &sealed).expect_err("refused").to_string();
        assert!(error.contains("altered or moved") && !error.contains(&sealed), "{error}");
    }
    // Twice the same isn't the same twice.
    assert_ne!(sealed, vault.seal("users.phone", ROW, "+27821234567", now()).expect("sealed"));
}

#[test]
fn a_key_is_written_with_once_it_is_active_and_read_before() {
    let vault = vault(1);
    let early = vault.seal("totp.secret", ROW, "s", at("2027-01-12T07:59:59Z")).expect("sealed");
    let late = vault.seal("totp.secret", ROW, "s", at(LATER)).expect("sealed");
    assert!(early.starts_with("v1.first000.") && late.starts_with("v1.second00."));
    // Even for a clock that is before the first of them.
    assert!(vault.seal("totp.secret", ROW, "s", Instant::MIN).expect("sealed").starts_with("v1.first000."));
    for sealed in [early, late] {
        assert_eq!(vault.open("totp.secret", ROW, &sealed).expect("open"), "s");
    }
}

#[test]
fn what_is_no_sealed_value_is_refused_and_older_plaintext_read() {
    let vault = vault(1);
    for plain in ["+27821234567", "", "v2.x", "hunter2", "V1.first000.x"] {
        assert_eq!(vault.open("users.phone", ROW, plain).expect("open"), plain);
    }
    for bad in
        ["v1.", "v1.first000", "v1.first000.", "v1.first000.AAAA", "v1.first000.\u{e9}", "v1.unknown0.AAAA"]
    {
        vault.open("users.phone", ROW, bad).expect_err(bad);
    }
    let sealed = vault.seal("users.phone", ROW, "x", now()).expect("sealed");
    // Under the name of another key.
    vault.open("users.phone", ROW, &sealed.replace("first000", "second00")).expect_err("another key");
    assert_eq!(vault.open_some("users.phone", ROW, None).expect("open"), None);
}

#[test]
fn without_keys_nothing_is_sealed() {
    let empty = Vault::new(&master("a"), &[]).expect("a vault");
    assert!(empty.seal("users.phone", ROW, "x", now()).is_err());
    assert!(empty.blind(PHONE, "x").is_err());
    assert_eq!(format!("{empty:?}"), "Vault");
    for bad in ["", "a", &"g".repeat(64), &"a".repeat(63), &"é".repeat(32)] {
        assert!(Vault::new(&SecretString::from(bad), &[]).is_err(), "{bad}");
    }
}

#[test]
fn a_wrapped_key_opens_by_its_master_and_in_its_row_only() {
    let (one, other) =
        (Master::parse(&master("a")).expect("a key"), Master::parse(&master("B")).expect("a key"));
    assert_eq!((one.id.len(), one.id == other.id), (8, false));
    assert_eq!(other.id, Master::parse(&master("b")).expect("a key").id);
    let wrapped = one.wrap("first000", &[9; 32]).expect("wrapped");
    assert_eq!(master_id(&wrapped), Some(one.id.as_str()));
    assert_eq!(one.unwrap("first000", &wrapped).expect("a key")[..], [9; 32]);
    assert!(one.unwrap("second00", &wrapped).is_none());
    assert!(other.unwrap("first000", &wrapped).is_none());

    let stored = store::Stored {
        id: "first000".into(),
        purpose: store::DATA.into(),
        wrapped,
        active_from: Instant::UNIX_EPOCH,
    };
    // A later master with the earlier one beside it reads; without it, it says what is wrong.
    assert!(Vault::new(&master("b"), &[master("a")]).expect("a vault").unwrap(&stored).is_ok());
    let error = Vault::new(&master("b"), &[]).expect("a vault").unwrap(&stored).expect_err("a wrong key");
    assert_eq!(error.to_string(), "LESSONBOOK_SECRET_KEY isn't the key this database was encrypted with");
}

#[test]
fn a_blind_index_is_stable_and_differs_by_value_purpose_and_key() {
    let (one, other) = (vault(1), vault(50));
    let index = one.blind(PHONE, "+27821234567").expect("an index");
    assert_eq!(index.len(), 32);
    assert_eq!(index, one.blind(PHONE, "+27821234567").expect("an index"));
    assert_ne!(index, one.blind(PHONE, "+27821234568").expect("an index"));
    assert_ne!(index, one.blind("email", "+27821234567").expect("an index"));
    assert_ne!(index, other.blind(PHONE, "+27821234567").expect("an index"));
    assert_ne!(one.blind("a", "bc").expect("an index"), one.blind("ab", "c").expect("an index"));
}

proptest! {
    #[test]
    fn any_text_comes_back_and_no_altered_one_does(plain in any::<String>(), row in any::<u128>(), flip in any::<prop::sample::Index>()) {
        let (vault, row) = (vault(1), Uuid::from_u128(row));
        let sealed = vault.seal("profiles.id_number", row, &plain, now()).expect("sealed");
        prop_assert_eq!(vault.open("profiles.id_number", row, &sealed).expect("open"), plain);
        prop_assert!(vault.open("profiles.id_number", Uuid::from_u128(row.as_u128() ^ 1), &sealed).is_err());

        // Any one bit of nonce, ciphertext or tag.
        let (head, text) = sealed.rsplit_once('.').expect("three parts");
        let mut bytes = Base64UrlUnpadded::decode_vec(text).expect("base64");
        let bit = flip.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let altered = format!("{head}.{}", Base64UrlUnpadded::encode_string(&bytes));
        prop_assert!(vault.open("profiles.id_number", row, &altered).is_err());
        // Cut anywhere.
        bytes[bit / 8] ^= 1 << (bit % 8);
        let cut = format!("{head}.{}", Base64UrlUnpadded::encode_string(&bytes[..flip.index(bytes.len())]));
        prop_assert!(vault.open("profiles.id_number", row, &cut).is_err());
    }

    #[test]
    fn nothing_makes_opening_panic(stored in "(v1\\.)?(first000\\.)?.*") {
        let _ = vault(1).open("users.phone", ROW, &stored);
    }
}
