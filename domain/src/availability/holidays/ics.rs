//! Reading the days of an ICS file (RFC 5545).
//!
//! The workspace's `icalendar` crate has a parser (feature `parser`), but one line that it can't read makes it refuse the
//! whole file, its line numbers are those of the unfolded text, and it calls itself for each nested part, so that a file
//! of nothing but beginnings overflows the stack. Files of holidays come from anywhere and are mended by hand: this one
//! goes on behind what is broken and names each line as an editor shows it.

mod event;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::BTreeMap};

use jiff::civil::Date;

use self::event::Event;
use crate::zoned::Zone;

/// Days in one file at most.
pub const MOST: usize = 1_000;

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// Days and what they are called; of two names for one day the first.
    pub days: BTreeMap<Date, String>,
    /// How many days, or repetitions without any, lie before or behind those asked for.
    pub outside: usize,
    /// What isn't taken, by line.
    pub skipped: Vec<Skipped>,
}

/// What isn't taken of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// Line of the file, from 1.
    pub line: usize,
    /// Why, as it stands behind "line 45:".
    pub why: &'static str,
}

/// Reads the events of a file as days of a school's clock, those from `from` to `to`. What can't be read is skipped and
/// named by its line.
///
/// # Errors
/// A message for people, when the file is no calendar at all.
pub fn read(bytes: &[u8], zone: &Zone, from: Date, to: Date) -> Result<Days, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = unfold(bytes);
    let is_calendar = |line: &[u8]| line.trim_ascii().eq_ignore_ascii_case(b"BEGIN:VCALENDAR");
    if !lines.iter().any(|(_, line)| is_calendar(line)) {
        return Err("This is no calendar file. Choose an .ics file in UTF-8.".into());
    }
    let mut reader = Reader { zone, from, to, open: None, is_full: false, found: Days::default() };
    for (number, line) in &lines {
        reader.line(*number, line);
    }
    Ok(reader.finish())
}

/// The content lines of a file, each with the number of the line it begins on. Long ones are folded: what begins with a
/// space goes on with the line before, even in the middle of a character.
fn unfold(bytes: &[u8]) -> Vec<(usize, Cow<'_, [u8]>)> {
    let mut lines: Vec<(usize, Cow<'_, [u8]>)> = Vec::new();
    let (mut rest, mut number) = (bytes, 0);
    while !rest.is_empty() {
        number += 1;
        let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
        let (line, tail) = rest.split_at(end);
        rest = match tail {
            [b'\r', b'\n', tail @ ..] => tail,
            [_, tail @ ..] => tail,
            [] => tail,
        };
        match (line, lines.last_mut()) {
            ([b' ' | b'\t', more @ ..], Some((_, last))) => last.to_mut().extend_from_slice(more),
            ([], _) => {}
            _ => lines.push((number, Cow::Borrowed(line))),
        }
    }
    lines
}

/// A content line: `DTSTART;VALUE=DATE:20270101`.
struct Property<'a> {
    name: &'a str,
    value: &'a str,
}

impl<'a> Property<'a> {
    /// Nothing when it isn't a name, perhaps parameters, a colon and a value. In parameters a colon may be quoted.
    fn parse(line: &'a str) -> Option<Self> {
        let mut quoted = false;
        let colon = line.find(|c: char| {
            quoted ^= c == '"';
            c == ':' && !quoted
        })?;
        let head = &line[..colon];
        let name = head.split(';').next().unwrap_or(head).trim();
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        is_name.then_some(Self { name, value: line[colon + 1..].trim() })
    }
}

/// Goes through a file line by line.
struct Reader<'a> {
    zone: &'a Zone,
    from: Date,
    to: Date,
    /// The event that has begun and not ended yet.
    open: Option<Event>,
    /// Whether [`MOST`] days have been found and another one came.
    is_full: bool,
    found: Days,
}

impl Reader<'_> {
    fn line(&mut self, number: usize, line: &[u8]) {
        let text = match std::str::from_utf8(line) {
            Ok(text) if !text.contains('\0') => text,
            broken => {
                let why = if broken.is_ok() { "it holds NUL" } else { "it isn't UTF-8" };
                self.skip(number, why);
                if let Some(event) = &mut self.open {
                    event.broken(line);
                }
                return;
            }
        };
        if text.trim().is_empty() {
            return;
        }
        let Some(Property { name, value }) = Property::parse(text) else {
            return self.skip(number, "it isn't a name, a colon and a value");
        };
        if name.eq_ignore_ascii_case("BEGIN") {
            self.begin(number, value);
        } else if name.eq_ignore_ascii_case("END") {
            self.end(number, value);
        } else if let Some(event) = &mut self.open
            && let Err(why) = event.take(name, number, value, self.zone)
        {
            self.skip(number, why);
        }
    }

    fn begin(&mut self, number: usize, what: &str) {
        if what.eq_ignore_ascii_case("VEVENT") {
            self.never_ended();
            self.open = Some(Event::new(number));
        } else if let Some(event) = &mut self.open {
            event.deeper();
        }
    }

    fn end(&mut self, number: usize, what: &str) {
        if !what.eq_ignore_ascii_case("VEVENT") {
            if let Some(event) = &mut self.open {
                event.higher();
            }
            return;
        }
        match self.open.take() {
            Some(event) => self.close(&event),
            None => self.skip(number, "an event ends here that never began"),
        }
    }

    /// Takes the days of an event that is whole.
    fn close(&mut self, event: &Event) {
        if self.is_full || event.is_broken() {
            return;
        }
        let days = match event.days(self.zone, self.to) {
            Ok(days) => days,
            Err((line, why)) => return self.skip(line, why),
        };
        let (inside, outside): (Vec<Date>, Vec<Date>) =
            days.into_iter().partition(|day| (self.from..=self.to).contains(day));
        self.found.outside += match (event.repeats(), inside.is_empty()) {
            // Of what comes each year, years that have passed are no news.
            (true, true) => 1,
            (true, false) => 0,
            (false, _) => outside.len(),
        };
        let name = event.name();
        for day in inside {
            if self.found.days.contains_key(&day) {
                continue;
            }
            if self.found.days.len() >= MOST {
                self.is_full = true;
                return self.skip(event.line(), "from here on there are more than 1,000 days");
            }
            self.found.days.insert(day, name.clone());
        }
    }

    fn never_ended(&mut self) {
        if let Some(event) = self.open.take() {
            self.skip(event.line(), "this event has no end");
        }
    }

    fn skip(&mut self, line: usize, why: &'static str) {
        self.found.skipped.push(Skipped { line, why });
    }

    fn finish(mut self) -> Days {
        self.never_ended();
        self.found.skipped.sort();
        self.found
    }
}
