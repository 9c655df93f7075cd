use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn read_in(zone: &str, text: impl AsRef<[u8]>) -> Result<Days, String> {
    let zone = Zone::parse(zone).expect("a zone");
    read(text.as_ref(), &zone, date(2027, 1, 12), date(2032, 1, 12))
}

/// A calendar around some lines, which begin on the second one.
fn calendar(lines: &str) -> Days {
    read_in("Africa/Johannesburg", format!("BEGIN:VCALENDAR\n{lines}\nEND:VCALENDAR\n")).expect("a calendar")
}

fn event(lines: &str) -> Days {
    calendar(&format!("BEGIN:VEVENT\n{lines}\nEND:VEVENT"))
}

fn listed(days: &Days) -> Vec<(String, &str)> {
    days.days.iter().map(|(day, name)| (day.to_string(), name.as_str())).collect()
}

fn day(text: &str, name: &'static str) -> (String, &'static str) {
    (text.to_owned(), name)
}

/// Lines that are skipped, and why.
fn skipped(days: &Days) -> Vec<(usize, &str)> {
    days.skipped.iter().map(|skipped| (skipped.line, skipped.why)).collect()
}

#[test]
fn days_and_their_names_are_read() {
    let text = "\u{feff}BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nDTSTART:19700101T000000\r\nRRULE:FREQ=YEARLY;BYDAY=1SU\r\n\
                END:VTIMEZONE\r\n\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20270321\r\nDTEND;VALUE=DATE:20270322\r\n\
                SUMMARY;LANGUAGE=\"en:za\":Human Rights\r\n  Day\\, \r\n\tthe 21st\\; in \\\\ March\\n2027\r\n\
                BEGIN:VALARM\r\nSUMMARY:Alarm\r\nDURATION:P40D\r\nEND:VALARM\r\nEND:VEVENT\r\n\
                begin:vevent\r\ndtstart:20270427\r\nsummary:  يوم الحرية 😀 \r\nend:vevent\r\nEND:VCALENDAR";
    let found = read_in("Africa/Johannesburg", text).expect("a calendar");
    assert_eq!(
        listed(&found),
        [
            day("2027-03-21", "Human Rights Day, the 21st; in \\ March 2027"),
            day("2027-04-27", "يوم الحرية 😀")
        ]
    );
    assert_eq!((found.outside, skipped(&found)), (0, vec![]));
}

#[test]
fn a_fold_may_cut_a_letter_in_two() {
    let mut text = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20270427\nSUMMARY:F\xc3".to_vec();
    text.extend_from_slice(b"\r\n \xaate\nEND:VEVENT\n");
    assert_eq!(listed(&read_in("UTC", text).expect("a calendar")), [day("2027-04-27", "Fête")]);
}

#[test]
fn an_event_ends_before_its_end() {
    let days = |lines: &str| event(lines).days.into_keys().map(|day| day.to_string()).collect::<Vec<_>>();
    let three = ["2027-12-30", "2027-12-31", "2028-01-01"];
    assert_eq!(days("DTSTART:20271230\nDTEND:20280102"), three);
    assert_eq!(days("DTSTART:20271230\nDURATION:P3D"), three);
    assert_eq!(days("DTSTART:20271230T120000\nDTEND:20280101T000001"), three);
    assert_eq!(days("DTSTART:20271230T120000\nDTEND:20280102T000000"), three);
    assert_eq!(days("DTSTART:20271230\nDTEND:20271230"), ["2027-12-30"]);
    assert_eq!(days("DTSTART;TZID=Asia/Tokyo:20271230T100000"), ["2027-12-30"]);
    assert_eq!(days("DTSTART:20270301\nDTEND:20270401").len(), 31);
    let found = event("DTSTART:20270301\nDTEND:20270402");
    assert_eq!((found.days.len(), skipped(&found)), (0, vec![(4, "it is longer than 31 days")]));
    let found = event("DTSTART:20270301\nDTEND:20270201");
    assert_eq!(skipped(&found), [(4, "it ends before it begins")]);
}

#[test]
fn utc_is_read_by_the_schools_clock() {
    let lines = "DTSTART:20270426T220000Z\nDTEND:20270427T220000Z";
    assert_eq!(listed(&event(lines)), [day("2027-04-27", "Holiday")]);
}

#[test]
fn what_comes_each_year_comes_each_year() {
    let days = |lines: &str| event(lines).days.into_keys().map(|day| day.to_string()).collect::<Vec<_>>();
    let christmas = ["2027-12-25", "2028-12-25", "2029-12-25", "2030-12-25", "2031-12-25"];
    assert_eq!(days("DTSTART:20001225\nRRULE:FREQ=YEARLY"), christmas);
    assert_eq!(days("RRULE:FREQ=YEARLY;BYMONTHDAY=25;INTERVAL=1;BYMONTH=12;\nDTSTART:20251225"), christmas);
    assert_eq!(days("DTSTART:20251225\nRRULE:COUNT=4;FREQ=YEARLY"), christmas[..2]);
    assert_eq!(days("DTSTART:20251225\nRRULE:FREQ=YEARLY;UNTIL=20291225T235959Z"), christmas[..3]);
    assert_eq!(days("DTSTART:20251225\nRRULE:FREQ=YEARLY\nEXDATE:20271225,20281225"), christmas[2..]);
    assert_eq!(days("DTSTART:20240229\nRRULE:FREQ=YEARLY"), ["2028-02-29"]);
    // Over a new year, also when it began before the days asked for.
    let found = days("DTSTART:20261231\nDTEND:20270115\nRRULE:FREQ=YEARLY;UNTIL=20271231");
    assert_eq!((found.len(), found[0].as_str(), found[3].as_str()), (18, "2027-01-12", "2027-12-31"));
    for other in [
        "FREQ=YEARLY;BYDAY=4TH",
        "FREQ=MONTHLY",
        "FREQ=YEARLY;INTERVAL=2",
        "FREQ=YEARLY;BYMONTHDAY=25",
        "FREQ",
        "",
    ] {
        let found = event(&format!("DTSTART:20271225\nRRULE:{other}"));
        let why = "of what is repeated, only the same day of each year is read";
        assert_eq!((found.days.len(), skipped(&found)), (0, vec![(4, why)]), "{other}");
    }
}

#[test]
fn only_days_asked_for_are_taken() {
    let lines = "BEGIN:VEVENT\nDTSTART:20270110\nDTEND:20270114\nEND:VEVENT\n\
                 BEGIN:VEVENT\nDTSTART:20320113\nEND:VEVENT\n\
                 BEGIN:VEVENT\nDTSTART:20200101\nRRULE:FREQ=YEARLY;COUNT=2\nEND:VEVENT";
    let found = calendar(lines);
    assert_eq!(listed(&found), [day("2027-01-12", "Holiday"), day("2027-01-13", "Holiday")]);
    assert_eq!((found.outside, skipped(&found)), (4, vec![]));
}

#[test]
fn of_two_names_for_a_day_the_first_stays() {
    let one = |name: &str| format!("BEGIN:VEVENT\nDTSTART:20270427\nSUMMARY:{name}\nEND:VEVENT\n");
    assert_eq!(listed(&calendar(&(one("Freedom Day") + &one("Other")))), [day("2027-04-27", "Freedom Day")]);
    let long = calendar(&one(&"é".repeat(101)));
    assert_eq!(long.days[&date(2027, 4, 27)], format!("{}…", "é".repeat(99)));
    let just = calendar(&one(&"é".repeat(100)));
    assert_eq!(just.days[&date(2027, 4, 27)], "é".repeat(100));
}

#[test]
fn what_is_broken_is_named_by_its_line() {
    let text = b"BEGIN:VCALENDAR\n\
        nothing\n\
        BEGIN:VEVENT\nSUMMARY:No date\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART:20270230\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART:20270501\nSTATUS:CANCELLED\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART:20270502\nSUMMARY:F\xeate\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART:20270503\nDESCRIPTION:F\xed\xa0\x80te\nSUMMARY:Kept\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART:20270504\nSUMMARY:a\0b\nEND:VEVENT\n\
        END:VEVENT\n\
        BEGIN:VEVENT\nDTSTART:20270505\n\
        BEGIN:VEVENT\nDTSTART:20270506\nSUMMARY:Kept\n: nothing\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART:20270507\n\
        END:VCALENDAR\n";
    let found = read_in("UTC", text).expect("a calendar");
    assert_eq!(listed(&found), [day("2027-05-03", "Kept"), day("2027-05-06", "Kept")]);
    assert_eq!(
        skipped(&found),
        [
            (2, "it isn't a name, a colon and a value"),
            (3, "no date"),
            (7, "its date can't be read"),
            (9, "it is cancelled"),
            (15, "it isn't UTF-8"),
            (19, "it isn't UTF-8"),
            (24, "it holds NUL"),
            (26, "an event ends here that never began"),
            (27, "this event has no end"),
            (32, "it isn't a name, a colon and a value"),
            (34, "this event has no end"),
        ]
    );
}

#[test]
fn a_file_that_is_no_calendar_is_refused() {
    for text in
        ["", "kind,name,email\n", "BEGIN:VEVENT\nDTSTART:20270501\nEND:VEVENT", "BEGIN:VCARD\nEND:VCARD"]
    {
        assert!(read_in("UTC", text).is_err(), "{text}");
    }
    assert!(read_in("UTC", b"\xff\xfeB\0E\0G\0I\0N\0").is_err());
    assert_eq!(read_in("UTC", "BEGIN:VCALENDAR\rEND:VCALENDAR"), Ok(Days::default()));
}

#[test]
fn a_thousand_days_and_not_one_more() {
    let file = |days: i32| {
        let mut text = String::new();
        for n in 0..days {
            let day = date(2027, 2, 1).saturating_add(jiff::ToSpan::days(n));
            text.push_str(&format!("BEGIN:VEVENT\nDTSTART:{}\nEND:VEVENT\n", day.strftime("%Y%m%d")));
        }
        calendar(&text)
    };
    let found = file(1000);
    assert_eq!((found.days.len(), found.skipped.len()), (MOST, 0));
    let found = file(1100);
    assert_eq!(found.days.len(), MOST);
    assert_eq!(skipped(&found), [(3002, "from here on there are more than 1,000 days")]);
}

/// Lines that a file of holidays may have, whole and broken.
const PIECES: [&[u8]; 24] = [
    b"BEGIN:VCALENDAR",
    b"BEGIN:VEVENT",
    b"END:VEVENT",
    b"BEGIN:VALARM",
    b"END:VALARM",
    b"END:VCALENDAR",
    b"DTSTART:20270301",
    b"DTSTART:99991231T235960Z",
    b"DTSTART;VALUE=DATE:2027\xf0\x9f\x98\x80",
    b"DTEND:20270401",
    b"DTEND:25001231T240000",
    b"DURATION:P999999999999D",
    b"DURATION:-P4D",
    b"DURATION:P1Y2M3W4DT5H6M7S",
    b"RRULE:FREQ=YEARLY",
    b"RRULE:FREQ=YEARLY;COUNT=99999999999999999999",
    b"RRULE:FREQ=YEARLY;UNTIL=",
    b"EXDATE:20270301,,",
    b"SUMMARY:a\\",
    b"SUMMARY:\\n\\,\xed\xa0\x80",
    b" folded",
    b"\tfolded\0",
    b":::;;;\"",
    b"\"",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = read_in("Europe/Berlin", &bytes);
        let _ = read_in("Europe/Berlin", [&b"BEGIN:VCALENDAR\n"[..], &bytes[..]].concat());
    }

    #[test]
    fn no_lines_break_it(
        picks in proptest::collection::vec((0..PIECES.len(), 0..4_usize, any::<u8>()), 0..60),
    ) {
        let mut bytes = b"BEGIN:VCALENDAR\nVERSION:2.0\n".to_vec();
        for (piece, end, odd) in picks {
            bytes.extend_from_slice(PIECES[piece]);
            match end {
                0 => bytes.extend_from_slice(b"\r\n"),
                1 => bytes.push(b'\r'),
                2 => bytes.extend_from_slice(&[odd, b'\n']),
                _ => bytes.push(b'\n'),
            }
        }
        let found = read_in("Pacific/Apia", &bytes).expect("a calendar");
        let lines = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
        prop_assert!(found.days.len() <= MOST);
        for (day, name) in &found.days {
            prop_assert!((date(2027, 1, 12)..=date(2032, 1, 12)).contains(day));
            prop_assert!(!name.is_empty() && name.chars().count() <= 100 && !name.chars().any(char::is_control));
        }
        for skipped in &found.skipped {
            prop_assert!((1..=lines).contains(&skipped.line), "{:?}", skipped);
        }
    }
}
