//! What codes are: six digits of now, and backup codes; without storage.

use sha2::{Digest, Sha256};
use totp_rs::{Builder, Secret, Totp};

use crate::{Error, Instant, Result};

/// What the app shows above the code.
const ISSUER: &str = "Lessonbook";

/// What an authenticator app needs to know.
#[derive(Clone, PartialEq, Eq)]
pub struct Setup {
    /// In base32, to be typed.
    pub secret: String,
    /// `otpauth://…`, to be drawn as a QR code.
    pub uri: String,
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Setup")
    }
}

/// 160 random bits, in base32.
pub(super) fn new_secret() -> String {
    Secret::new_stack(rand::random::<[u8; 20]>()).to_base32()
}

/// What was typed in the code's place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// Six digits.
    Code(String),
    /// Twenty-four letters and digits, without what stands between them.
    Backup(String),
}

impl Typed {
    /// Reads it, whatever the case and the spaces and hyphens between.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > 100 {
            return None;
        }
        let bare: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_uppercase())
            .collect();
        if bare.len() == 6 && bare.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Self::Code(bare));
        }
        let base32 = bare.bytes().all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte));
        (bare.len() == 24 && base32).then_some(Self::Backup(bare))
    }
}

/// What an app needs to know of a secret.
pub(super) fn setup(secret: &str, email: &str) -> Setup {
    let uri = format!(
        "otpauth://totp/{ISSUER}:{}?secret={secret}&issuer={ISSUER}&algorithm=SHA1&digits=6&period=30",
        percent(email)
    );
    Setup { secret: secret.to_owned(), uri }
}

/// All but letters, digits and four signs as `%XX`.
fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// SHA-1, six digits, 30 seconds and one step either way: what every app can do.
fn totp(secret: &str) -> Result<Totp> {
    let secret =
        Secret::try_from_base32(secret).map_err(|_| Error::internal("a TOTP secret isn't base32"))?;
    Builder::new().with_secret(secret).build().map_err(|error| Error::internal(error.to_string()))
}

/// The time step that the code belongs to, if it is one of now.
pub(super) fn step_of(secret: &str, code: &str, now: Instant) -> Result<Option<i64>> {
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    Ok(totp(secret)?.check(code, seconds).and_then(|step| i64::try_from(step).ok()))
}

/// 120 random bits in groups of four.
pub(super) fn backup_code() -> String {
    let code = Secret::from(rand::random::<[u8; 15]>().to_vec()).to_base32();
    code.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-")
}

/// What is kept of a backup code, bare.
pub(super) fn hash(bare: &str) -> [u8; 32] {
    Sha256::digest(bare.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// "12345678901234567890" of RFC 6238, in base32.
    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn at(seconds: i64) -> Instant {
        Instant::from_second(seconds).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // The last six of the eight digits in RFC 6238, appendix B.
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            assert_eq!(step_of(SECRET, code, at(seconds)).unwrap(), Some(seconds / 30));
        }
    }

    #[test]
    fn one_step_either_way_is_near_enough() {
        let code = totp(SECRET).unwrap().generate(1_800_000_000).to_string();
        let step = 1_800_000_000 / 30;
        for (shift, found) in [(-60, None), (-30, Some(step)), (0, Some(step)), (30, Some(step)), (60, None)]
        {
            assert_eq!(step_of(SECRET, &code, at(1_800_000_000 + shift)).unwrap(), found, "{shift}");
        }
    }

    #[test]
    fn typed_codes_lose_what_stands_between() {
        assert_eq!(Typed::parse(" 287 082 "), Some(Typed::Code("287082".into())));
        assert_eq!(
            Typed::parse("abcd-efgh-ijkl-mnop-qrst-2345"),
            Some(Typed::Backup("ABCDEFGHIJKLMNOPQRST2345".into()))
        );
        for bad in [
            "",
            "28708",
            "2870821",
            "28708a",
            "２８７０８２",
            "abcd-efgh",
            "ABCDEFGHIJKLMNOPQRST2345A",
            "+28708",
        ] {
            assert_eq!(Typed::parse(bad), None, "{bad:?}");
        }
        // Neither 0, 1, 8 nor 9 is in base32.
        assert_eq!(Typed::parse("ABCD-EFGH-IJKL-MNOP-QRST-2340"), None);
    }

    #[test]
    fn backup_codes_are_read_as_they_are_shown() {
        let codes: BTreeSet<String> = (0..100).map(|_| backup_code()).collect();
        assert_eq!(codes.len(), 100);
        for code in codes {
            assert_eq!(code.split('-').map(str::len).collect::<Vec<_>>(), [4; 6]);
            assert_eq!(Typed::parse(&code.to_lowercase()), Some(Typed::Backup(code.replace('-', ""))));
        }
    }

    #[test]
    fn the_address_for_the_app_holds_nothing_of_the_mail_address_but_text() {
        let setup = setup(SECRET, "ann+x?secret=AAAA&issuer=Bank:\"#@b.test");
        assert_eq!(
            setup.uri,
            "otpauth://totp/Lessonbook:ann%2Bx%3Fsecret%3DAAAA%26issuer%3DBank%3A%22%23%40b.test\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Lessonbook&algorithm=SHA1&digits=6&period=30"
        );
        assert!(!format!("{setup:?}").contains(SECRET));
    }

    proptest! {
        #[test]
        fn nothing_typed_breaks_it(text in ".*") {
            let _ = Typed::parse(&text);
        }

        #[test]
        fn any_code_shown_is_taken_in_its_time(seconds in 0_i64..4_000_000_000, late in 0_i64..30) {
            let code = totp(SECRET).unwrap().generate(u64::try_from(seconds).unwrap()).to_string();
            prop_assert!(step_of(SECRET, &code, at(seconds + late)).unwrap().is_some());
        }
    }
}
