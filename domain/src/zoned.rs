//! Wall clocks: IANA zones, days and minutes of a day, and what a local time means on the days clocks change.

use std::fmt;

use jiff::{
    Timestamp,
    civil::Date,
    tz::{AmbiguousOffset, TimeZone},
};

/// A time zone by its IANA name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// What a local time on a given day stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalTime {
    /// One moment.
    Once(Timestamp),
    /// The clock jumps over it; the two are what it would be by the offset before and after.
    Never,
    /// The clock shows it twice: first and second time.
    Twice(Timestamp, Timestamp),
}

impl Zone {
    /// A zone by name, `Europe/Berlin`.
    ///
    /// # Errors
    /// A message for people, when no zone has this name.
    pub fn parse(name: &str) -> Result<Self, String> {
        // "UTC" and legacy names are in the database too; abbreviations such as "EST" have no rules worth keeping.
        if (name != "UTC" && !name.contains('/')) || name == "Etc/Unknown" {
            return Err("Choose a zone such as Europe/Berlin.".into());
        }
        TimeZone::get(name).map(Self).map_err(|_| "Choose a zone such as Europe/Berlin.".into())
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The city of the name, for people: "Berlin".
    pub fn city(&self) -> String {
        let name = self.name();
        name.rsplit('/').next().unwrap_or(name).replace('_', " ")
    }

    /// The zone for jiff.
    pub fn tz(&self) -> &TimeZone {
        &self.0
    }

    /// The local day of a moment.
    pub fn date(&self, at: Timestamp) -> Date {
        at.to_zoned(self.0.clone()).date()
    }

    /// The moment a local day begins (not always midnight).
    pub fn day_start(&self, date: Date) -> Timestamp {
        date.to_zoned(self.0.clone()).map_or(Timestamp::MIN, |zoned| zoned.timestamp())
    }

    /// The moment for a wall-clock minute of a day: a time the clock jumps over becomes the jump itself, one it shows
    /// twice the first. Hours of opening are read this way.
    pub fn at_minute(&self, date: Date, minute: i16) -> Timestamp {
        let (date, minute) =
            if minute >= 1440 { (date.tomorrow().unwrap_or(date), minute - 1440) } else { (date, minute) };
        let wall = date.at((minute / 60) as i8, (minute % 60) as i8, 0, 0);
        self.jump(wall).unwrap_or_else(|| {
            self.0.to_ambiguous_zoned(wall).compatible().map_or(Timestamp::MIN, |zoned| zoned.timestamp())
        })
    }

    /// The moment the clock jumps over `wall`, when it does.
    pub fn jump(&self, wall: jiff::civil::DateTime) -> Option<Timestamp> {
        let AmbiguousOffset::Gap { after, .. } = self.0.to_ambiguous_timestamp(wall).offset() else {
            return None;
        };
        // Read with the later offset, a skipped time lies before the jump.
        Some(self.0.following(after.to_timestamp(wall).ok()?).next()?.timestamp())
    }

    /// What a local time typed by a person stands for.
    pub fn resolve(&self, wall: jiff::civil::DateTime) -> LocalTime {
        let ambiguous = self.0.to_ambiguous_timestamp(wall);
        match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => {
                ambiguous.unambiguous().map_or(LocalTime::Never, LocalTime::Once)
            }
            AmbiguousOffset::Gap { .. } => LocalTime::Never,
            AmbiguousOffset::Fold { before, after } => {
                match (before.to_timestamp(wall), after.to_timestamp(wall)) {
                    (Ok(first), Ok(second)) => LocalTime::Twice(first, second),
                    _ => LocalTime::Never,
                }
            }
        }
    }

    /// RFC 3339 with the zone's offset at that moment; `Z` in UTC.
    pub fn rfc3339(&self, at: Timestamp) -> String {
        if self.name() == "UTC" {
            return at.to_string();
        }
        let zoned = at.to_zoned(self.0.clone());
        at.display_with_offset(zoned.offset()).to_string()
    }

    /// "16:00".
    pub fn clock(&self, at: Timestamp) -> String {
        at.to_zoned(self.0.clone()).strftime("%H:%M").to_string()
    }

    /// "Tue 30 Mar".
    pub fn short_day(&self, at: Timestamp) -> String {
        at.to_zoned(self.0.clone()).strftime("%a %-d %b").to_string()
    }

    /// "Tue 30 Mar, 16:00–17:00", with the year when it isn't this one.
    pub fn span(&self, from: Timestamp, to: Timestamp, now: Timestamp) -> String {
        let zoned = from.to_zoned(self.0.clone());
        let format = if self.date(now).year() == zoned.year() { "%a %-d %b" } else { "%a %-d %b %Y" };
        format!("{}, {}–{}", zoned.strftime(format), self.clock(from), self.clock(to))
    }

    /// "Tue 30 Mar, 16:00–17:00 (Cape Town)": the long form, with the zone's city.
    pub fn long_span(&self, from: Timestamp, to: Timestamp, now: Timestamp) -> String {
        format!("{} ({})", self.span(from, to, now), self.city())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
