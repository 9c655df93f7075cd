//! Reading the file. Pure: what is known of the school is checked afterwards.

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::{COLUMNS, Kind, LineError, MAX_ROWS, Row};
use crate::identity::{self, Email, PersonName, Phone};

/// The people in a CSV file, or every error in it. Lines are those an editor shows, also where a quoted field spans
/// several; lines without any text are passed over.
///
/// # Errors
/// By line, first to last.
pub fn parse(bytes: &[u8]) -> Result<Vec<Row>, Vec<LineError>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    check_encoding(bytes)?;
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(bytes);
    let mut lines = Lines::new(bytes);
    let mut record = StringRecord::new();
    if !next(&mut reader, &mut record, &lines)? {
        return Err(vec![LineError::new(
            1,
            "",
            format!("The file is empty. Its first line is {}.", COLUMNS.join(",")),
        )]);
    }
    let places = header(&record, lines.at(&record))?;
    let width = record.len();

    let (mut rows, mut errors, mut seen) = (Vec::new(), Vec::new(), HashMap::new());
    let mut count = 0;
    while next(&mut reader, &mut record, &lines)? {
        if record.iter().all(str::is_empty) {
            continue;
        }
        let line = lines.at(&record);
        count += 1;
        if count > MAX_ROWS {
            errors.push(LineError::new(line, "", "A file holds at most 10,000 people. Split it in two."));
            break;
        }
        if record.len() != width {
            let message = format!("This line has {} columns, the first line has {width}.", record.len());
            errors.push(LineError::new(line, "", message));
            continue;
        }
        let Some(row) = person(line, places.map(|place| &record[place]), &mut errors) else {
            continue;
        };
        match seen.insert((row.kind, row.email.clone()), line) {
            Some(first) => {
                errors.push(LineError::new(line, "email", format!("This e-mail is in line {first} already.")))
            }
            None => rows.push(row),
        }
    }
    if count == 0 {
        errors.push(LineError::new(1, "", "There is nobody below the first line."));
    }
    if errors.is_empty() { Ok(rows) } else { Err(errors) }
}

/// Every line with bytes that aren't UTF-8.
fn check_encoding(bytes: &[u8]) -> Result<(), Vec<LineError>> {
    let mut lines = Lines::new(bytes);
    let mut errors: Vec<LineError> = Vec::new();
    let mut offset = 0;
    for chunk in bytes.utf8_chunks() {
        offset += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            let line = lines.of(offset);
            if errors.last().is_none_or(|last| last.line != line) {
                errors.push(LineError::new(
                    line,
                    "",
                    "This line isn't UTF-8. Save the file as CSV in UTF-8.",
                ));
            }
        }
        offset += chunk.invalid().len();
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Reads the next record; false at the end.
fn next(
    reader: &mut csv::Reader<&[u8]>,
    record: &mut StringRecord,
    lines: &Lines<'_>,
) -> Result<bool, Vec<LineError>> {
    reader
        .read_record(record)
        .map_err(|_| vec![LineError::new(lines.line, "", "This line could not be read as CSV.")])
}

/// Where each of [`COLUMNS`] stands.
fn header(record: &StringRecord, line: u64) -> Result<[usize; 5], Vec<LineError>> {
    let names: Vec<String> = record.iter().map(str::to_lowercase).collect();
    let mut errors = Vec::new();
    for (place, name) in names.iter().enumerate() {
        if !COLUMNS.contains(&name.as_str()) {
            let hint = if name.contains([';', '\t']) { " Separate columns by commas." } else { "" };
            let message = format!("Unknown column. The columns are {}.{hint}", COLUMNS.join(", "));
            errors.push(LineError::new(line, name, message));
        } else if names[..place].contains(name) {
            errors.push(LineError::new(line, name, "This column is there twice."));
        }
    }
    let places = COLUMNS.map(|column| {
        let place = names.iter().position(|name| name == column);
        if place.is_none() {
            errors.push(LineError::new(line, column, "This column is missing in the first line."));
        }
        place.unwrap_or(0)
    });
    if errors.is_empty() { Ok(places) } else { Err(errors) }
}

/// One person, or an error for each field that is wrong.
fn person(
    line: u64,
    [kind, name, email, phone, city]: [&str; 5],
    errors: &mut Vec<LineError>,
) -> Option<Row> {
    let kind = check(line, "kind", parse_kind(kind), errors);
    let name = check(line, "name", PersonName::parse(name), errors);
    let email = check(line, "email", Email::parse(email), errors);
    let phone = check(line, "phone", parse_phone(phone), errors);
    let city = check(line, "city", parse_city(city), errors);
    Some(Row { line, kind: kind?, name: name?, email: email?, phone: phone?, city: city? })
}

fn check<T>(line: u64, column: &str, result: Result<T, String>, errors: &mut Vec<LineError>) -> Option<T> {
    result.map_err(|message| errors.push(LineError::new(line, column, message))).ok()
}

fn parse_kind(text: &str) -> Result<Kind, String> {
    match text.to_lowercase().as_str() {
        "instructor" => Ok(Kind::Instructor),
        "student" => Ok(Kind::Student),
        _ => Err("Write instructor or student.".into()),
    }
}

fn parse_phone(text: &str) -> Result<Option<Phone>, String> {
    if text.is_empty() { Ok(None) } else { Phone::parse(text).map(Some) }
}

fn parse_city(text: &str) -> Result<String, String> {
    let city = identity::text(text, 100)?;
    if city.chars().any(char::is_control) { Err("A city is one line of text.".into()) } else { Ok(city) }
}

/// Counts lines up to a place in the file, going forward only.
struct Lines<'a> {
    bytes: &'a [u8],
    offset: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0, line: 1 }
    }

    /// The line of a byte.
    fn of(&mut self, offset: usize) -> u64 {
        while self.offset < offset.min(self.bytes.len()) {
            let ends = match self.bytes[self.offset] {
                b'\n' => true,
                b'\r' => self.bytes.get(self.offset + 1) != Some(&b'\n'),
                _ => false,
            };
            self.line += u64::from(ends);
            self.offset += 1;
        }
        self.line
    }

    /// The line a record begins in. The reader's position is before the empty lines it passed over.
    fn at(&mut self, record: &StringRecord) -> u64 {
        let begin = record.position().map_or(0, |position| position.byte()) as usize;
        let rest = self.bytes.get(begin..).unwrap_or_default();
        let blank = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        self.of(begin + blank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: impl AsRef<[u8]>) -> Vec<(u64, String)> {
        let errors = parse(text.as_ref()).expect_err("errors");
        errors.into_iter().map(|error| (error.line, error.column)).collect()
    }

    fn at(line: u64, column: &str) -> (u64, String) {
        (line, column.to_owned())
    }

    #[test]
    fn people_in_many_scripts_are_read() {
        let text = "\u{feff}Name, kind,email,city,phone\r\n\
                    王小明,student,Xiao@Ming.test,北京,+86 10 1234 5678\r\n\
                    \r\n\
                    \"O’Brien, Zoë\",Instructor,zoe@x.test,,\r\n\
                    محمد,student,m@x.test,\"Cape\"\" Town\",\r\n\
                    ,,,,\r\n";
        let rows = parse(text.as_bytes()).expect("rows");
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 4, 5]);
        assert_eq!(rows[0].email.as_str(), "xiao@ming.test");
        assert_eq!(rows[0].phone.as_ref().map(Phone::as_str), Some("+861012345678"));
        assert_eq!(rows[1].kind, Kind::Instructor);
        assert_eq!(rows[1].name.as_str(), "O’Brien, Zoë");
        assert_eq!(rows[1].phone, None);
        assert_eq!(rows[2].city, "Cape\" Town");
    }

    #[test]
    fn each_wrong_field_is_named_with_its_line() {
        let text = "kind,name,email,phone,city\n\
                    pupil,,not-an-email,12,x\n\
                    student,A,a@x.test,,\n\
                    student,B,b@x.test\n";
        let expected = [at(2, "kind"), at(2, "name"), at(2, "email"), at(2, "phone"), at(4, "")];
        assert_eq!(errors(text), expected);
    }

    #[test]
    fn lines_are_counted_through_quoted_ones() {
        let text = "kind,name,email,phone,city\nstudent,\"A\nB\",a@x.test,,\nstudent,C,,,\n";
        assert_eq!(errors(text), [at(2, "name"), at(4, "email")]);
        assert_eq!(errors(text.replace('\n', "\r\n")), [at(2, "name"), at(4, "email")]);
    }

    #[test]
    fn duplicates_are_by_kind_and_email() {
        let text = "kind,name,email,phone,city\nstudent,A,a@x.test,,\ninstructor,A,a@x.test,,\nstudent,B,A@X.test,,\n";
        assert_eq!(errors(text), [at(4, "email")]);
    }

    #[test]
    fn the_header_must_be_whole() {
        assert_eq!(errors(""), [at(1, "")]);
        assert_eq!(errors("kind,name,email,phone,city\n"), [at(1, "")]);
        assert_eq!(errors("kind,name,email,phone\nstudent,A,a@x.test,\n"), [at(1, "city")]);
        assert_eq!(errors("kind,name,email,phone,city,age\n"), [at(1, "age")]);
        assert_eq!(errors("kind,name,name,email,phone,city\n"), [at(1, "name")]);
        assert_eq!(errors("kind;name;email;phone;city\n").len(), 6);
    }

    #[test]
    fn other_encodings_are_named_by_line() {
        assert_eq!(
            errors(b"kind,name,email,phone,city\nstudent,A,a@x.test,,\nstudent,Zo\xeb \xeb,z@x.test,,\n"),
            [at(3, "")]
        );
        assert_eq!(errors(b"\xff\xfek\0i\0n\0d\0")[0], at(1, ""));
        assert_eq!(errors("kind,name,email,phone,city\nstudent,A\0,a@x.test,,\n"), [at(2, "name")]);
    }

    #[test]
    fn ten_thousand_and_not_one_more() {
        let file = |rows: usize| {
            let mut text = "kind,name,email,phone,city\n".to_owned();
            for row in 0..rows {
                text.push_str(&format!("student,Student {row},s{row}@x.test,,\n"));
            }
            text
        };
        assert_eq!(parse(file(MAX_ROWS).as_bytes()).map(|rows| rows.len()), Ok(MAX_ROWS));
        assert_eq!(errors(file(MAX_ROWS + 1)), [at(10_002, "")]);
    }
}
