//! Every status there is and how it goes on (TN-05): the one table that services decide by and `/admin/docs` draws. The
//! database holds the same for schools and lessons.

use crate::booking;

/// A move: from, to, and what makes it.
pub type Move = (&'static str, &'static str, &'static str);

/// How one kind of thing goes from status to status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// What it is: "School".
    pub name: &'static str,
    /// All its states, the first one first.
    pub states: Vec<&'static str>,
    /// All moves there are; any other is refused.
    pub moves: Vec<Move>,
}

/// Schools.
pub const SCHOOLS: &[Move] = &[
    ("active", "suspended", "A super-admin suspends it."),
    ("suspended", "active", "A super-admin activates it."),
    ("active", "deleted", "A super-admin deletes it."),
    ("suspended", "deleted", "A super-admin deletes it."),
    ("deleted", "active", "A super-admin restores it; it was active before."),
    ("deleted", "suspended", "A super-admin restores it; it was suspended before."),
];

/// Accounts.
pub const ACCOUNTS: &[Move] = &[
    ("active", "disabled", "A super-admin disables it."),
    ("disabled", "active", "A super-admin enables it."),
    ("active", "deleted", "A super-admin deletes it, or nobody verifies it within a week."),
    ("disabled", "deleted", "A super-admin deletes it."),
    ("deleted", "active", "A super-admin restores it; it was active before."),
    ("deleted", "disabled", "A super-admin restores it; it was disabled before."),
];

/// Memberships.
pub const MEMBERSHIPS: &[Move] = &[
    ("pending", "active", "The school accepts who applied to teach, or they accept an invite."),
    ("pending", "revoked", "The school turns the applicant down, or their account is deleted."),
    ("active", "disabled", "The school is deleted."),
    (
        "active",
        "revoked",
        "An owner removes the member, the school removes their record, or the account is deleted.",
    ),
    ("disabled", "active", "The school is restored."),
    ("disabled", "revoked", "The account is deleted."),
    ("revoked", "active", "They accept a new invite, or their record or account is restored."),
    ("revoked", "disabled", "The account is restored while the school is deleted."),
];

/// Invites.
pub const INVITES: &[Move] = &[
    ("open", "used", "The person invited accepts."),
    ("open", "revoked", "An owner revokes it, sends a new one, or removes the member."),
    ("open", "expired", "72 hours pass."),
    ("expired", "revoked", "A new one takes its place, or an owner revokes it."),
];

/// Messages.
pub const MESSAGES: &[Move] = &[
    ("waiting", "sending", "A worker takes it."),
    ("sending", "sent", "The mail server accepts it."),
    ("sending", "waiting", "It fails, and is tried again later."),
    ("sending", "dead", "It fails for the last time."),
    ("dead", "waiting", "Someone sends it again."),
];

/// Whether a table has a move.
pub fn allowed(moves: &[Move], from: &str, to: &str) -> bool {
    moves.iter().any(|(a, b, _)| *a == from && *b == to)
}

/// All of them, for people.
pub fn flows() -> Vec<Flow> {
    vec![
        flow("School", &["active", "suspended", "deleted"], SCHOOLS),
        flow("Account", &["active", "disabled", "deleted"], ACCOUNTS),
        flow("Membership", &["pending", "active", "disabled", "revoked"], MEMBERSHIPS),
        flow("Invite", &["open", "used", "revoked", "expired"], INVITES),
        lessons(),
        flow("Message", &["waiting", "sending", "sent", "dead"], MESSAGES),
    ]
}

fn flow(name: &'static str, states: &[&'static str], moves: &[Move]) -> Flow {
    Flow { name, states: states.to_vec(), moves: moves.to_vec() }
}

/// Lessons have a rule of their own; this is it, written out.
fn lessons() -> Flow {
    use booking::Status;
    let act = |to: Status| match to {
        Status::Requested => "Someone asks for it.",
        Status::Confirmed => "The instructor or the school approves it.",
        Status::Completed => "The instructor or the school says that it took place.",
        Status::Cancelled => "The student, the instructor or the school cancels it.",
        Status::NoShow => "The instructor or the school says that the student didn't come.",
    };
    let pairs = Status::ALL.into_iter().flat_map(|from| Status::ALL.map(|to| (from, to)));
    let moves = pairs
        .filter(|(from, to)| from.may_become(*to))
        .map(|(from, to)| (from.as_str(), to.as_str(), act(to)))
        .collect();
    Flow { name: "Lesson", states: Status::ALL.map(Status::as_str).to_vec(), moves }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::tenancy::TenantStatus;

    const IDENTITY: &str = include_str!("../../../migrations/0002_identity.sql");
    const BOOKING: &str = include_str!("../../../migrations/0006_booking.sql");
    const RECORDS: &str = include_str!("../../../migrations/0007_records.sql");
    const TEAM: &str = include_str!("../../../migrations/0009_team.sql");

    fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
        let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from}"));
        rest.split_once(to).unwrap_or_else(|| panic!("no {to}")).0
    }

    /// The texts in single quotes.
    fn quoted(text: &str) -> Vec<&str> {
        text.split('\'').skip(1).step_by(2).collect()
    }

    /// The moves that a trigger's function lets through.
    fn held<'a>(sql: &'a str, function: &str) -> BTreeSet<(&'a str, &'a str)> {
        let body = between(sql, &format!("create function {function}()"), "$$;");
        let list = quoted(between(body, "(old.status, new.status) not in (", ") then"));
        list.chunks(2).map(|pair| (pair[0], pair[1])).collect()
    }

    fn find(name: &str) -> Flow {
        flows().into_iter().find(|flow| flow.name == name).expect("a flow")
    }

    fn pairs(flow: &Flow) -> BTreeSet<(&'static str, &'static str)> {
        flow.moves.iter().map(|(from, to, _)| (*from, *to)).collect()
    }

    #[test]
    fn the_database_holds_the_same_moves() {
        assert_eq!(pairs(&find("School")), held(TEAM, "check_tenant_status"));
        assert_eq!(pairs(&find("Lesson")), held(BOOKING, "check_booking_status"));
    }

    #[test]
    fn the_database_knows_the_same_states() {
        let stored = |sql, table: &str, column: &str| {
            let body = between(sql, &format!("create table {table} ("), "\n);");
            let list = between(body, &format!("check ({column} in ("), "))");
            quoted(list).into_iter().collect::<BTreeSet<_>>()
        };
        for (name, states) in [
            ("School", stored(IDENTITY, "tenants", "status")),
            ("Membership", stored(IDENTITY, "memberships", "status")),
            ("Lesson", stored(BOOKING, "bookings", "status")),
            ("Message", stored(RECORDS, "outbox", "state")),
        ] {
            assert_eq!(find(name).states.into_iter().collect::<BTreeSet<_>>(), states, "{name}");
        }
    }

    #[test]
    fn moves_are_told_once_and_lead_to_states_that_are_there() {
        for flow in flows() {
            assert_eq!(pairs(&flow).len(), flow.moves.len(), "{}", flow.name);
            for (from, to, by) in &flow.moves {
                assert!(flow.states.contains(from) && flow.states.contains(to) && from != to, "{from} {to}");
                assert!(by.ends_with('.'), "{by}");
            }
        }
    }

    #[test]
    fn schools_go_by_the_table() {
        assert!(TenantStatus::Active.may_become(TenantStatus::Suspended));
        assert!(TenantStatus::Deleted.may_become(TenantStatus::Suspended));
        assert!(!TenantStatus::Active.may_become(TenantStatus::Active));
    }
}
