//! One event of a file, and the days it takes.

use jiff::{
    Span, ToSpan,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};

use crate::zoned::Zone;

/// Years before the last one asked for in which a repeated day may still matter.
const RECENT: i16 = 7;

/// The longest event, in days. What is longer is a term or a season, and hardly meant.
const LONGEST: i32 = 31;
/// The longest name, as the database keeps it.
const NAME: usize = 100;
/// Where a name is missing.
const NAMELESS: &str = "Holiday";

const NO_REPETITION: &str = "of what is repeated, only the same day of each year is read";

/// A line of the file and what is wrong with it.
type Wrong = (usize, &'static str);

/// A day alone, or with the clock.
#[derive(Clone, Copy, Debug)]
enum When {
    Day(Date),
    Clock(DateTime),
}

impl When {
    /// `20270101`, `20270101T090000`, or with a `Z` in UTC, which is read by the school's clock. A zone of the file's own is
    /// not looked up: the day is as written.
    fn parse(value: &str, zone: &Zone) -> Option<Self> {
        let (date, clock) = match value.trim().split_once(['T', 't']) {
            Some((date, clock)) => (date, Some(clock)),
            None => (value.trim(), None),
        };
        let date = digits(date, 8)?;
        let date =
            Date::new(date[..4].parse().ok()?, date[4..6].parse().ok()?, date[6..].parse().ok()?).ok()?;
        if !(1900..=2500).contains(&date.year()) {
            return None;
        }
        let Some(clock) = clock else { return Some(Self::Day(date)) };
        let utc = clock.strip_suffix(['Z', 'z']);
        let clock = digits(utc.unwrap_or(clock), 6)?;
        let second: i8 = clock[4..].parse().ok()?;
        // A leap second is the last one of its minute here.
        let second = if second == 60 { 59 } else { second };
        let time = Time::new(clock[..2].parse().ok()?, clock[2..4].parse().ok()?, second, 0).ok()?;
        let wall = date.to_datetime(time);
        if utc.is_none() {
            return Some(Self::Clock(wall));
        }
        let at = TimeZone::UTC.to_timestamp(wall).ok()?;
        Some(Self::Clock(zone.tz().to_datetime(at)))
    }

    fn date(self) -> Date {
        match self {
            Self::Day(date) => date,
            Self::Clock(wall) => wall.date(),
        }
    }

    fn wall(self) -> DateTime {
        match self {
            Self::Day(date) => date.to_datetime(Time::midnight()),
            Self::Clock(wall) => wall,
        }
    }
}

/// So many digits and nothing else, so that they can be cut anywhere.
fn digits(text: &str, length: usize) -> Option<&str> {
    (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// The same day of each year.
#[derive(Clone, Copy, Debug)]
struct Yearly {
    count: usize,
    until: Date,
}

impl Yearly {
    /// Nothing for any other repetition.
    fn parse(rule: &str, first: Date, zone: &Zone) -> Option<Self> {
        let mut yearly = Self { count: usize::MAX, until: Date::MAX };
        let (mut is_yearly, mut in_month, mut on_day) = (false, false, false);
        for part in rule.split(';').filter(|part| !part.trim().is_empty()) {
            let (key, value) = part.split_once('=')?;
            let value = value.trim();
            match key.trim().to_ascii_uppercase().as_str() {
                "FREQ" => is_yearly = value.eq_ignore_ascii_case("YEARLY"),
                "INTERVAL" if value == "1" => {}
                "COUNT" => yearly.count = value.parse().ok()?,
                "UNTIL" => yearly.until = When::parse(value, zone)?.date(),
                "BYMONTH" if value.parse::<i8>() == Ok(first.month()) => in_month = true,
                "BYMONTHDAY" if value.parse::<i8>() == Ok(first.day()) => on_day = true,
                "WKST" => {}
                _ => return None,
            }
        }
        // A day without its month is that day of every month.
        (is_yearly && (in_month || !on_day)).then_some(yearly)
    }

    /// The first days of each time, up to `to`.
    fn times(self, first: Date, to: Date) -> impl Iterator<Item = Date> {
        (first.year()..=to.year())
            // 29 February is in leap years alone.
            .filter_map(move |year| Date::new(year, first.month(), first.day()).ok())
            .take(self.count)
            .take_while(move |day| *day <= self.until)
            // Those that are long over count, but nobody wants their days.
            .filter(move |day| day.year() + RECENT >= to.year())
    }
}

/// An event as far as it has been read.
#[derive(Debug)]
pub(super) struct Event {
    line: usize,
    /// Parts of it that have begun and not ended: an alarm has properties of its own.
    depth: usize,
    is_broken: bool,
    is_cancelled: bool,
    start: Option<(usize, When)>,
    end: Option<(usize, When)>,
    duration: Option<(usize, Span)>,
    rule: Option<(usize, String)>,
    /// Days of a repetition that fall out.
    without: Vec<Date>,
    summary: String,
}

impl Event {
    /// One that begins on `line`.
    pub(super) fn new(line: usize) -> Self {
        Self {
            line,
            depth: 0,
            is_broken: false,
            is_cancelled: false,
            start: None,
            end: None,
            duration: None,
            rule: None,
            without: Vec::new(),
            summary: String::new(),
        }
    }

    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// Whether something that matters could not be read, which has been said then.
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken
    }

    pub(super) fn repeats(&self) -> bool {
        self.rule.is_some()
    }

    pub(super) fn deeper(&mut self) {
        self.depth += 1;
    }

    pub(super) fn higher(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Takes note of a line that is no text.
    pub(super) fn broken(&mut self, line: &[u8]) {
        let end = line.iter().position(|byte| matches!(byte, b':' | b';')).unwrap_or(line.len());
        let name = line[..end].trim_ascii().to_ascii_uppercase();
        let matters: [&[u8]; 7] =
            [b"DTSTART", b"DTEND", b"DURATION", b"SUMMARY", b"RRULE", b"EXDATE", b"STATUS"];
        self.is_broken |= self.depth == 0 && matters.contains(&name.as_slice());
    }

    /// Takes one property, if it matters here.
    pub(super) fn take(
        &mut self,
        name: &str,
        line: usize,
        value: &str,
        zone: &Zone,
    ) -> Result<(), &'static str> {
        if self.depth > 0 {
            return Ok(());
        }
        let taken = self.read(name, line, value, zone);
        self.is_broken |= taken.is_err();
        taken
    }

    fn read(&mut self, name: &str, line: usize, value: &str, zone: &Zone) -> Result<(), &'static str> {
        match name.to_ascii_uppercase().as_str() {
            "DTSTART" => {
                let when = When::parse(value, zone).ok_or("its date can't be read")?;
                self.start = Some((line, when));
            }
            "DTEND" => {
                let when = When::parse(value, zone).ok_or("its last day can't be read")?;
                self.end = Some((line, when));
            }
            "DURATION" => {
                let span = value.parse::<Span>().map_err(|_| "its length can't be read")?;
                self.duration = Some((line, span));
            }
            "SUMMARY" => self.summary = value.to_owned(),
            "STATUS" => self.is_cancelled = value.eq_ignore_ascii_case("CANCELLED"),
            "RRULE" => self.rule = Some((line, value.to_owned())),
            "RDATE" | "EXRULE" => return Err(NO_REPETITION),
            "EXDATE" => {
                for day in value.split(',') {
                    let when = When::parse(day, zone).ok_or("a day that falls out can't be read")?;
                    self.without.push(when.date());
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The days it takes, up to those that begin in the year of `to`.
    pub(super) fn days(&self, zone: &Zone, to: Date) -> Result<Vec<Date>, Wrong> {
        if self.is_cancelled {
            return Err((self.line, "it is cancelled"));
        }
        let (_, start) = self.start.ok_or((self.line, "no date"))?;
        let first = start.date();
        let length = self.length(start)?;
        let times: Vec<Date> = match &self.rule {
            None => vec![first],
            Some((line, rule)) => {
                let yearly = Yearly::parse(rule, first, zone).ok_or((*line, NO_REPETITION))?;
                yearly.times(first, to).collect()
            }
        };
        let days = times
            .into_iter()
            .filter(|day| !self.without.contains(day))
            .flat_map(|day| (0..length).map(move |n| day.saturating_add(n.days())));
        Ok(days.collect())
    }

    /// How many days it takes.
    fn length(&self, start: When) -> Result<i32, Wrong> {
        let too_long = |line| (line, "it is longer than 31 days");
        let (line, end) = match (self.end, self.duration) {
            (Some((line, end)), _) => (line, end.wall()),
            (None, Some((line, span))) => (line, start.wall().checked_add(span).map_err(|_| too_long(line))?),
            (None, None) => return Ok(1),
        };
        // The end is the first moment behind it. Some programs write the same day twice for a single one.
        let last = match end.checked_sub(1.second()) {
            _ if end == start.wall() => start.date(),
            Ok(last) if last >= start.wall() => last.date(),
            _ => return Err((line, "it ends before it begins")),
        };
        (1..=LONGEST)
            .find(|length| start.date().saturating_add(length.days()) > last)
            .ok_or_else(|| too_long(line))
    }

    /// Its name on one line: `\,`, `\;`, `\\` and `\n` stand for themselves.
    pub(super) fn name(&self) -> String {
        let (mut plain, mut letters) = (String::new(), self.summary.chars());
        while let Some(letter) = letters.next() {
            plain.push(match letter {
                '\\' => match letters.next() {
                    Some('n' | 'N') | None => ' ',
                    Some(escaped) => escaped,
                },
                letter => letter,
            });
        }
        let words = plain.split(|c: char| c.is_whitespace() || c.is_control());
        let name = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        if name.is_empty() {
            NAMELESS.to_owned()
        } else if name.chars().count() > NAME {
            let start: String = name.chars().take(NAME - 1).collect();
            format!("{}…", start.trim_end())
        } else {
            name
        }
    }
}
