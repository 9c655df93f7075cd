//! Passwords made of words that whoever guesses tries first: those of this program and of the account. The estimate of
//! strength alone lets "student2027!!" pass, for it counts the trimmings.

use sha2::{Digest, Sha256};

/// Words of this program, its schools and its roles. `docs/ACCESS.md` says why.
pub(super) const CONTEXT: [&str; 60] = [
    "lessonbook",
    "lesson",
    "book",
    "booking",
    "class",
    "course",
    "session",
    "appointment",
    "calendar",
    "schedule",
    "student",
    "pupil",
    "learner",
    "mentee",
    "patient",
    "client",
    "customer",
    "member",
    "instructor",
    "teacher",
    "tutor",
    "trainer",
    "mentor",
    "coach",
    "doctor",
    "therapist",
    "practitioner",
    "stylist",
    "hairdresser",
    "owner",
    "staff",
    "admin",
    "administrator",
    "superadmin",
    "manager",
    "reception",
    "platform",
    "tenant",
    "school",
    "driving",
    "driver",
    "drive",
    "mentorship",
    "academy",
    "clinic",
    "practice",
    "salon",
    "studio",
    "music",
    "piano",
    "language",
    "yoga",
    "password",
    "passwort",
    "login",
    "welcome",
    "letmein",
    "changeme",
    "secret",
    "summer",
];
/// What must be left of a password without such words, in letters.
const LEFT: usize = 6;
/// For people.
pub(super) const REFUSAL: &str = "Leave out your own name and the words of this place, or add a few unrelated ones: those are tried first.";

/// All words that are worth nothing in a password of the account that `about` tells of, in lower case.
pub(super) fn words(about: &[String]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for text in about {
        let text = text.to_lowercase();
        // Shorter ones stand inside others by chance.
        let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|part| part.chars().count() >= 4);
        words.extend(parts.map(str::to_owned));
        words.push(text);
    }
    words.extend(CONTEXT.map(str::to_owned));
    words.retain(|word| !word.is_empty());
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words
}

/// Whether little but such words, digits and signs is in a password.
pub(super) fn is_made_of(password: &str, words: &[String]) -> bool {
    let lower = password.to_lowercase();
    // The longest first, so that no part of one is left over.
    let left = words.iter().fold(lower.clone(), |left, word| left.replace(word.as_str(), " "));
    left != lower && left.chars().filter(|c| c.is_alphabetic()).count() < LEFT
}

/// The first 8 bytes of the SHA-256 of the 10,000 most used leaked passwords that are long enough to be chosen here, in
/// lower case; sorted. `scripts/common-passwords` makes it.
static LEAKED: &[u8] = include_bytes!("common_passwords.bin");
/// For people.
pub(super) const LEAKED_REFUSAL: &str =
    "This password is among those that leaked elsewhere and are tried first. Choose another one.";

/// Whether a password is among the most used leaked ones, whatever its capitals.
pub(super) fn is_leaked(password: &str) -> bool {
    let hash = Sha256::digest(password.to_lowercase().as_bytes());
    let (hashes, _) = LEAKED.as_chunks::<8>();
    hashes.binary_search_by(|known| known[..].cmp(&hash[..8])).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaked_passwords_are_known_by_their_hash() {
        assert_eq!(LEAKED.len(), 10_000 * 8);
        for bad in ["1234567890", "Qwertyuiop", "1q2w3e4r5t", "basketball"] {
            assert!(is_leaked(bad), "{bad}");
        }
        for good in ["demo-orchard-kettle-42", "velvet-ladder-ocean-9", ""] {
            assert!(!is_leaked(good), "{good}");
        }
    }

    fn refused(password: &str) -> bool {
        is_made_of(password, &words(&["sipho@cape-drive.test".into(), "Sipho Dlamini".into()]))
    }

    #[test]
    fn words_of_the_place_and_of_the_account_with_trimmings_are_refused() {
        for bad in [
            "lessonbook1",
            "LessonBook!2027",
            "lessonbook-admin",
            "DrivingLesson99",
            "student2027!!",
            "schoolowner2027",
            "sipho@cape-drive.test",
            "SiphoDlamini1!",
            "cape-drive-2027",
            "sipho sipho sipho",
            "Welcome!Welcome!1",
        ] {
            assert!(refused(bad), "{bad}");
        }
    }

    #[test]
    fn such_words_do_no_harm_beside_others() {
        for good in [
            "demo-orchard-kettle-42",
            "velvet-ladder-ocean-9",
            "sipho-juggles-turnips",
            "my lesson about walruses",
            "ключ-от-квартиры-где",
            "1234567890",
            "",
        ] {
            assert!(!refused(good), "{good}");
        }
    }

    #[test]
    fn each_word_stands_once_and_in_lower_case() {
        assert!(CONTEXT.iter().all(|word| *word == word.to_lowercase()));
        let mut sorted = CONTEXT;
        sorted.sort_unstable();
        assert!(sorted.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn the_longest_word_goes_first() {
        let words = words(&["Ann".into()]);
        assert!(words.windows(2).all(|pair| pair[0].len() >= pair[1].len()));
        assert!(words.contains(&"ann".to_owned()), "a whole name counts however short");
    }
}
