//! Messages as they leave the house: words from `templates/mail`, a calendar entry beside those about lessons, and the
//! talk with a mail server. What there is to send, and what becomes of it, is for `domain::notify`.

mod calendar;
mod compose;
mod reach;
pub mod render;
pub mod server;
pub mod smtp;

pub(crate) use render::clean;
