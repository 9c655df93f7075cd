//! What an action answers when it did what was asked.

use serde::{Deserialize, Serialize};

/// Where to go next and what to say there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// A path on this site.
    pub next: String,
    /// Shown once, where the eye is. Empty to say nothing.
    pub message: String,
    /// What was made, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A one-time link, shown once and never stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Backup codes, shown once and never stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// Lessons left in the pack that was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lessons_left: Option<i32>,
}

impl Outcome {
    /// Goes to `next` and says `message`.
    pub fn new(next: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            next: next.into(),
            message: message.into(),
            id: None,
            link: None,
            codes: Vec::new(),
            lessons_left: None,
        }
    }

    /// Names what was made.
    pub fn with_id(mut self, id: impl ToString) -> Self {
        self.id = Some(id.to_string());
        self
    }
}
