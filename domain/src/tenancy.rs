//! Schools: what they are called, their words, and whether they are open.

#[cfg(feature = "server")]
pub mod export;
#[cfg(feature = "server")]
pub mod lifecycle;
#[cfg(feature = "server")]
pub mod list;
#[cfg(feature = "server")]
pub mod owners;
#[cfg(feature = "server")]
pub mod service;
#[cfg(feature = "server")]
pub mod settings;
pub mod transitions;
mod words;

use std::collections::BTreeMap;

pub use words::{Preset, Words, parse_word};

use crate::{ids::TenantId, locale::Locale, zoned::Zone};

/// A school.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Id.
    pub id: TenantId,
    /// Its address: `/s/{slug}`.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its kind, which sets its words.
    pub preset: Preset,
    /// What it calls things: its preset's words, or its own.
    pub words: Words,
    /// Its wall clock.
    pub zone: Zone,
    /// How it writes numbers and money.
    pub locale: Locale,
    /// ISO 4217.
    pub currency: String,
    /// Its colour, `#rrggbb`, when it has one of its own.
    pub accent: Option<String>,
    /// Whether people may join by themselves.
    pub open_registration: bool,
    /// Whether owners and staff need a second step to log in.
    pub require_code: bool,
    /// Open or not.
    pub status: TenantStatus,
}

impl Tenant {
    /// What this school calls things.
    pub fn words(&self) -> &Words {
        &self.words
    }
}

/// Whether a school is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantStatus {
    /// Open.
    Active,
    /// Closed by the platform; can be opened again.
    Suspended,
    /// Deleted, softly.
    Deleted,
}

impl TenantStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Deleted];

    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleted => "deleted",
        }
    }

    /// From the database or a form.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether a school may go from here to `next`; the database holds the same rule.
    pub fn may_become(self, next: Self) -> bool {
        transitions::allowed(transitions::SCHOOLS, self.as_str(), next.as_str())
    }
}

/// The currencies of ISO 4217 that people pay with.
const CURRENCIES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD \
    CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL \
    HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD \
    MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR \
    SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND \
    VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG";

/// A school's address as typed: lower case letters, digits and single hyphens, 2 to 40 characters.
///
/// # Errors
/// A message for people.
pub fn parse_slug(text: &str) -> Result<String, String> {
    let slug = text.trim().to_lowercase();
    let letters = slug.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let hyphens = slug.starts_with('-') || slug.ends_with('-') || slug.contains("--");
    if letters && !hyphens && (2..=40).contains(&slug.len()) {
        Ok(slug)
    } else {
        Err("Use 2 to 40 lower-case letters, digits and single hyphens.".into())
    }
}

/// A colour as typed: `#rrggbb`; nothing is the platform's own.
///
/// # Errors
/// A message for people.
pub fn parse_accent(text: &str) -> Result<Option<String>, String> {
    let colour = text.trim().to_ascii_lowercase();
    let digits = colour.strip_prefix('#').unwrap_or("");
    if colour.is_empty() {
        Ok(None)
    } else if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(Some(colour))
    } else {
        Err("Write the colour like #0f766e, or leave it empty.".into())
    }
}

/// A locale from a form.
///
/// # Errors
/// A message for people.
pub fn parse_locale(text: &str) -> Result<Locale, String> {
    Locale::parse(text.trim()).ok_or_else(|| "Choose one of the list.".into())
}

/// A currency as typed: its three letters.
///
/// # Errors
/// A message for people.
pub fn parse_currency(text: &str) -> Result<String, String> {
    let code = text.trim().to_ascii_uppercase();
    let known = code.len() == 3 && CURRENCIES.split(' ').any(|known| known == code);
    if known { Ok(code) } else { Err("Give the currency's three letters, such as EUR or ZAR.".into()) }
}

/// Why something grave is done to a school, an account or a member: the record keeps it.
///
/// # Errors
/// A field error beside `reason`.
#[cfg(feature = "server")]
pub(crate) fn parse_reason(text: &str) -> crate::Result<String> {
    let reason =
        crate::identity::text(text, 1000).map_err(|message| crate::Error::field("reason", message))?;
    if reason.is_empty() {
        return Err(crate::Error::field("reason", "Say why; the record keeps it."));
    }
    Ok(reason)
}

/// What differs between two objects, each side with the keys that changed alone; none when nothing did.
pub fn difference(
    before: serde_json::Value,
    after: serde_json::Value,
) -> Option<(serde_json::Value, serde_json::Value)> {
    let fields = |value| serde_json::from_value::<BTreeMap<String, serde_json::Value>>(value);
    let (mut before, mut after) = (fields(before).unwrap_or_default(), fields(after).unwrap_or_default());
    let same: Vec<String> = after
        .iter()
        .filter(|(key, value)| before.get(*key) == Some(value))
        .map(|(key, _)| key.clone())
        .collect();
    for key in same {
        before.remove(&key);
        after.remove(&key);
    }
    let changed = !before.is_empty() || !after.is_empty();
    changed.then(|| (serde_json::json!(before), serde_json::json!(after)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn colours_locales_and_currencies_are_known_ones() {
        assert_eq!(parse_accent(" #0F766E "), Ok(Some("#0f766e".into())));
        assert_eq!(parse_accent("  "), Ok(None));
        for bad in ["0f766e", "#0f766", "#0f766e0", "red", "#0f766g", "#é12345", "#"] {
            assert!(parse_accent(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_locale(" de-DE "), Ok(Locale::DeDe));
        assert!(parse_locale("de").is_err());
        assert_eq!(parse_currency(" zar "), Ok("ZAR".into()));
        for bad in ["", "EU", "EURO", "XXX", "EUR USD", "R  "] {
            assert!(parse_currency(bad).is_err(), "{bad}");
        }
        assert!(CURRENCIES.split(' ').all(|code| code.len() == 3 && parse_currency(code).is_ok()));
    }

    #[test]
    fn a_difference_names_what_changed_alone() {
        let before = json!({ "name": "Cape", "zone": "UTC", "accent": null, "gone": 1 });
        let after = json!({ "name": "Cape Drive", "zone": "UTC", "accent": null });
        let expected = (json!({ "gone": 1, "name": "Cape" }), json!({ "name": "Cape Drive" }));
        assert_eq!(difference(before.clone(), after), Some(expected));
        assert_eq!(difference(before.clone(), before), None);
    }
}
