//! What was done, and to what, in the school's own words.

use domain::tenancy::Words;

use crate::ui::capital;

/// "booking.cancel" as "Cancelled a lesson"; a code that isn't known here stands for itself.
pub(super) fn act(code: &str, words: &Words) -> String {
    let Words { lesson, student, instructor } = words;
    let (a_lesson, a_student, an_instructor) = (a(lesson), a(student), a(instructor));
    match code {
        "availability.edit" => format!("Changed the hours of {an_instructor}"),
        "booking.book" => format!("Booked {a_lesson}"),
        "booking.book_for_student" => format!("Booked {a_lesson} for {a_student}"),
        "booking.cancel" => format!("Cancelled {a_lesson}"),
        "booking.complete" => format!("Said how {a_lesson} went"),
        "booking.confirm" => format!("Approved {a_lesson}"),
        "booking.book_series" => format!("Booked {lesson}s that come again"),
        "booking.bulk" => format!("Changed several {lesson}s"),
        "booking.move" => format!("Moved {a_lesson}"),
        "booking.open_group" => format!("Changed a group {lesson}"),
        "feeds.make" => "Changed a calendar feed".into(),
        "holidays.edit" => "Changed the holidays".into(),
        "resources.edit" => "Changed a resource".into(),
        "waiting.join" => "Changed the waiting list".into(),
        "instructors.verify" => format!("Checked {an_instructor}"),
        "packs.post" => "Changed the count of a pack".into(),
        "people.associate" => format!("Gave {a_student} a pack"),
        "people.import" => "Imported people".into(),
        "people.remove" => "Removed a person".into(),
        "people.restore" => "Restored a person".into(),
        "services.edit" => "Changed a service".into(),
        _ => of_accounts(code).unwrap_or(code).to_owned(),
    }
}

/// What has no word of the school in it.
fn of_accounts(code: &str) -> Option<&'static str> {
    Some(match code {
        "settings.edit" => "Changed the settings",
        "settings.mail" => "Changed the mail server",
        "data.export" => "Downloaded a list",
        "mail.failed" => "A message failed",
        "outbox.resend" => "Sent a message again",
        "platform.run" => "Changed the platform",
        "team.accept" => "Accepted an invite",
        "team.join" => "Joined the school",
        "team.invite" => "Invited someone",
        "team.manage" => "Changed the team",
        "team.permissions" => "Changed what a member may do",
        "team.remove" => "Removed a member",
        "team.resend" => "Sent an invite again",
        "team.revoke" => "Revoked an invite",
        "team.role" => "Changed a member's role",
        "tenant.activate" => "Activated the school",
        "tenant.create" => "Made the school",
        "tenant.delete" => "Deleted the school",
        "tenant.restore" => "Restored the school",
        "tenant.suspend" => "Suspended the school",
        "tenant.update" => "Changed the school",
        "user.create" => "Made an account",
        "user.delete" => "Deleted an account",
        "user.disable" => "Disabled an account",
        "user.enable" => "Enabled an account",
        "user.impersonate" => "Began to act as someone",
        "user.impersonate_stop" => "Stopped acting as someone",
        "user.restore" => "Restored an account",
        "user.super_admin" => "Made a super-admin",
        "user.update" => "Changed an account",
        "account.name" => "Changed their name",
        "account.phone" => "Changed their phone number",
        "account.profile" => "Changed their profile",
        "auth.email_change" => "Changed their e-mail address",
        "auth.locked" => "Locked an account for a while",
        "auth.login" => "Logged in",
        "auth.logout" => "Logged out",
        "auth.password_change" => "Changed their password",
        "auth.password_reset" => "Reset the password",
        "auth.password_set" => "Set a password",
        "auth.register" => "Registered",
        "auth.sessions_revoked" => "Ended other sessions",
        "auth.totp_codes" => "Made new backup codes",
        "auth.totp_off" => "Switched the second step off",
        "auth.totp_on" => "Switched the second step on",
        "auth.verify" => "Verified their e-mail address",
        _ => return None,
    })
}

/// "booking" as "Lesson".
pub(super) fn thing(entity: &str, words: &Words) -> String {
    match entity {
        "booking" => capital(&words.lesson),
        "student" => capital(&words.student),
        "instructor" => capital(&words.instructor),
        "tenant" => "School".into(),
        "user" => "Account".into(),
        other => capital(&other.replace('_', " ")),
    }
}

/// "super_admin" as "Super-admin", "instructor" as "Mentor".
pub(super) fn role(role: &str, words: &Words) -> String {
    match role {
        "student" => capital(&words.student),
        "instructor" => capital(&words.instructor),
        "super_admin" => "Super-admin".into(),
        "visitor" => "No role".into(),
        other => capital(other),
    }
}

fn a(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {word}")
}

#[cfg(test)]
mod tests {
    use domain::{authz::Action, tenancy::Preset};

    use super::*;

    #[test]
    fn acts_are_in_the_words_of_the_school() {
        let words = Preset::Clinic.words();
        assert_eq!(act("booking.cancel", &words), "Cancelled an appointment");
        assert_eq!(act("instructors.verify", &words), "Checked a practitioner");
        assert_eq!(act("team.role", &words), "Changed a member's role");
        assert_eq!(act("weather.change", &words), "weather.change");
        assert_eq!(thing("booking", &words), "Appointment");
        assert_eq!(thing("mail_server", &words), "Mail server");
    }

    #[test]
    fn every_action_that_changes_something_has_words() {
        let words = Preset::DrivingSchool.words();
        for action in Action::ALL.iter().map(|action| action.as_str()).filter(|code| !code.ends_with(".view"))
        {
            assert_ne!(act(action, &words), action);
        }
    }
}
