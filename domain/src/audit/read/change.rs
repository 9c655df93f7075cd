//! Before and after as a difference, without what nobody should read.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// In place of a value that isn't shown.
const HIDDEN: &str = "hidden";

/// One thing that is different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its name; empty when what was recorded has none.
    pub key: String,
    /// What it was; `None` when there was nothing.
    pub before: Option<String>,
    /// What it is; `None` when there is nothing any more.
    pub after: Option<String>,
}

/// What is different between two records, by name. Lists and records inside are compact JSON. Passwords, tokens and the
/// like are said to have changed, but not shown.
pub fn difference(before: Option<&Value>, after: Option<&Value>) -> Vec<Change> {
    let none = Map::new();
    let record = |value: Option<&Value>| match value {
        None | Some(Value::Null) => Some(none.clone()),
        Some(Value::Object(map)) => Some(map.clone()),
        Some(_) => None,
    };
    let (Some(old), Some(new)) = (record(before), record(after)) else {
        // Not records: one value became another.
        let whole = Change { key: String::new(), before: show("", before), after: show("", after) };
        return if before == after { Vec::new() } else { vec![whole] };
    };
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    keys.into_iter()
        // Nothing and null are the same.
        .filter(|key| some(old.get(*key)) != some(new.get(*key)))
        .map(|key| Change {
            key: key.clone(),
            before: show(key, old.get(key)),
            after: show(key, new.get(key)),
        })
        .collect()
}

/// A record for a download: whole, without what nobody should read.
pub(in crate::audit) fn visible(value: Option<Value>) -> String {
    value.map(|value| hide("", value).to_string()).unwrap_or_default()
}

fn some(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !value.is_null())
}

/// A value for people.
fn show(key: &str, value: Option<&Value>) -> Option<String> {
    Some(match hide(key, some(value)?.clone()) {
        Value::String(text) => text,
        other => other.to_string(),
    })
}

/// The value with all that is secret in it replaced.
fn hide(key: &str, value: Value) -> Value {
    match value {
        Value::Null => Value::Null,
        _ if is_secret(key) => HIDDEN.into(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key.clone(), hide(&key, value))).collect(),
        Value::Array(list) => list.into_iter().map(|value| hide("", value)).collect(),
        Value::String(text) if is_sealed(&text) => HIDDEN.into(),
        other => other,
    }
}

/// Whether a name says that its value is nobody's business.
fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["password", "token", "secret"].iter().any(|word| key.contains(word))
}

/// Whether it looks like a value of the vault: of no use to anyone.
fn is_sealed(text: &str) -> bool {
    text.starts_with("v1.") && text.split('.').count() == 3 && !text.contains(' ')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Key, before and after, with `-` for nothing.
    fn lines(before: Value, after: Value) -> Vec<String> {
        let text = |value: Option<String>| value.unwrap_or_else(|| "-".into());
        difference(Some(&before), Some(&after))
            .into_iter()
            .map(|change| format!("{}: {} > {}", change.key, text(change.before), text(change.after)))
            .collect()
    }

    #[test]
    fn only_what_is_different_is_shown() {
        let before = json!({ "name": "Cape Drive", "zone": "Africa/Johannesburg", "seats": 5, "open": true });
        let after = json!({ "name": "Cape Drive", "zone": "Europe/Berlin", "seats": 6, "open": false });
        let expected = ["open: true > false", "seats: 5 > 6", "zone: Africa/Johannesburg > Europe/Berlin"];
        assert_eq!(lines(before.clone(), after), expected);
        assert!(lines(before.clone(), before).is_empty());
    }

    #[test]
    fn keys_come_and_go() {
        assert_eq!(
            lines(json!({ "a": 1, "b": null, "d": null }), json!({ "b": "x", "c": "", "d": null })),
            ["a: 1 > -", "b: - > x", "c: - > "]
        );
        let added = [Change { key: "a".into(), before: None, after: Some("1".into()) }];
        assert_eq!(difference(None, Some(&json!({ "a": 1 }))), added);
        let gone = [Change { key: "a".into(), before: Some("1".into()), after: None }];
        assert_eq!(difference(Some(&json!({ "a": 1 })), Some(&Value::Null)), gone);
        assert!(difference(None, None).is_empty());
    }

    #[test]
    fn lists_and_records_inside_are_compact() {
        let before = json!({ "hours": [{ "day": 1, "from": 540 }], "tags": ["a"], "at": { "x": 1 } });
        let after = json!({ "hours": [], "tags": ["a", "b"], "at": { "x": { "y": null } } });
        assert_eq!(
            lines(before, after),
            [
                r#"at: {"x":1} > {"x":{"y":null}}"#,
                r#"hours: [{"day":1,"from":540}] > []"#,
                r#"tags: ["a"] > ["a","b"]"#
            ]
        );
    }

    #[test]
    fn secrets_are_never_shown() {
        let sealed = "v1.0a1b2c3d.AAAA";
        let before = json!({ "Password": "old", "smtp": { "host": "h", "password": "p1" }, "phone": sealed, "reset_token": null });
        let after = json!({ "Password": "new", "smtp": { "host": "i", "password": "p2" }, "phone": "+27821234567", "reset_token": "abc" });
        assert_eq!(
            lines(before.clone(), after),
            [
                "Password: hidden > hidden",
                "phone: hidden > +27821234567",
                "reset_token: - > hidden",
                r#"smtp: {"host":"h","password":"hidden"} > {"host":"i","password":"hidden"}"#,
            ]
        );
        let text = visible(Some(json!([before])));
        assert!(!text.contains("old") && !text.contains("p1") && !text.contains(sealed), "{text}");
        assert_eq!(visible(None), "");
    }

    #[test]
    fn what_is_no_record_is_one_value() {
        assert_eq!(lines(json!("a"), json!(["b"])), [r#": a > ["b"]"#]);
        assert_eq!(lines(json!("a"), json!({ "b": 1 })), [r#": a > {"b":1}"#]);
        assert!(lines(json!([1]), json!([1])).is_empty());
    }
}
