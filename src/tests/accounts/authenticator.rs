//! An authenticator app, written out after RFC 4226 and RFC 6238: nothing of the code under test is in it.

use domain::Instant;

/// The six digits that the app shows at a moment.
pub(crate) fn code(secret: &str, at: Instant) -> String {
    let step = u64::try_from(at.as_second() / 30).unwrap();
    let mac = hmac(&base32(secret), &step.to_be_bytes());
    let from = usize::from(mac[19] & 15);
    let four: [u8; 4] = mac[from..from + 4].try_into().unwrap();
    format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

/// Six digits that the app shows neither at a moment nor a step before or after.
pub(crate) fn wrong(secret: &str, at: Instant) -> String {
    let near: Vec<String> =
        [-30, 0, 30].map(|s| code(secret, at + jiff::SignedDuration::from_secs(s))).to_vec();
    ["111111", "222222", "333333", "444444"]
        .into_iter()
        .find(|code| !near.contains(&(*code).to_owned()))
        .unwrap()
        .to_owned()
}

fn base32(text: &str) -> Vec<u8> {
    let (mut bits, mut count, mut out) = (0_u32, 0, Vec::new());
    for letter in text.bytes().filter(|letter| !matches!(letter, b' ' | b'=')) {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => panic!("{text} is no base32"),
        };
        bits = (bits << 5 | u32::from(value)) & 0xfff;
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xff) as u8);
        }
    }
    out
}

/// HMAC-SHA1 of a key that is no longer than a block.
fn hmac(key: &[u8], text: &[u8]) -> [u8; 20] {
    assert!(key.len() <= 64);
    let padded =
        |with: u8| -> Vec<u8> { (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ with).collect() };
    let inner = sha1(&[padded(0x36), text.to_vec()].concat());
    sha1(&[padded(0x5c), inner.to_vec()].concat())
}

fn sha1(text: &[u8]) -> [u8; 20] {
    let mut padded = text.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((text.len() as u64 * 8).to_be_bytes());
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    for block in padded.chunks_exact(64) {
        let mut words: Vec<u32> =
            block.chunks_exact(4).map(|four| u32::from_be_bytes(four.try_into().unwrap())).collect();
        for at in 16..80 {
            let word: u32 = words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16];
            words.push(word.rotate_left(1));
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (at, word) in words.iter().enumerate() {
            let (mixed, key) = match at / 20 {
                0 => ((b & c) | (!b & d), 0x5a82_7999),
                1 => (b ^ c ^ d, 0x6ed9_eba1),
                2 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6_u32),
            };
            let next =
                a.rotate_left(5).wrapping_add(mixed).wrapping_add(e).wrapping_add(key).wrapping_add(*word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (part, add) in state.iter_mut().zip([a, b, c, d, e]) {
            *part = part.wrapping_add(add);
        }
    }
    let bytes: Vec<u8> = state.iter().flat_map(|part| part.to_be_bytes()).collect();
    bytes.try_into().unwrap()
}

#[test]
fn the_app_shows_the_codes_of_the_standard() {
    // "12345678901234567890", and the last six of the eight digits in RFC 6238, appendix B.
    let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    for (second, shown) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
        assert_eq!(code(secret, Instant::from_second(second).unwrap()), shown);
    }
}
