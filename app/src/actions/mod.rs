//! Actions: server functions, by area. Each posts to `/fn/{area}/{verb}` and answers an [`crate::Outcome`].

#![expect(
    missing_docs,
    reason = "the macro makes structs whose fields are the arguments of the server functions"
)]

pub mod availability;
pub mod booking;
pub mod feeds;
pub mod identity;
pub mod notify;
pub mod packs;
pub mod people;
pub mod resources;
pub mod services;
pub mod team;
pub mod tenancy;
pub mod users;
pub mod waiting;

/// Every action and who may call it. A test holds it against the list that the framework registers, so that an action
/// without a row fails the build.
#[cfg(feature = "ssr")]
pub const TABLE: &[(&str, crate::access::Access)] = {
    use crate::access::Access::{Anyone, Member, Platform, SignedIn};
    use domain::authz::Action;
    &[
        ("/fn/availability/add_holiday", Member(Action::EditHolidays)),
        ("/fn/availability/block", Member(Action::EditHours)),
        ("/fn/availability/remove_exception", Member(Action::EditHours)),
        ("/fn/availability/remove_holiday", Member(Action::EditHolidays)),
        ("/fn/availability/save_exception", Member(Action::EditHours)),
        ("/fn/availability/set_hours", Member(Action::EditHours)),
        ("/fn/availability/set_rules", Member(Action::EditHours)),
        ("/fn/availability/unblock", Member(Action::EditHours)),
        ("/fn/booking/attendance", Member(Action::CompleteBooking)),
        ("/fn/booking/book", Member(Action::BookLesson)),
        ("/fn/booking/book_for_student", Member(Action::BookForStudent)),
        ("/fn/booking/book_series", Member(Action::BookSeries)),
        ("/fn/booking/bulk", Member(Action::BulkStatus)),
        ("/fn/booking/cancel", Member(Action::CancelBooking)),
        ("/fn/booking/close_group", Member(Action::OpenGroup)),
        ("/fn/booking/complete", Member(Action::CompleteBooking)),
        ("/fn/booking/confirm", Member(Action::ConfirmBooking)),
        ("/fn/booking/hold", Member(Action::BookLesson)),
        ("/fn/booking/move", Member(Action::MoveBooking)),
        ("/fn/booking/no_show", Member(Action::CompleteBooking)),
        ("/fn/booking/open_group", Member(Action::OpenGroup)),
        ("/fn/booking/release_hold", Member(Action::BookLesson)),
        ("/fn/feeds/create", Member(Action::MakeFeed)),
        ("/fn/feeds/revoke", Member(Action::MakeFeed)),
        ("/fn/identity/change_email", SignedIn),
        ("/fn/identity/change_password", SignedIn),
        ("/fn/identity/confirm", SignedIn),
        ("/fn/identity/confirm_email", Anyone),
        ("/fn/identity/forgot", Anyone),
        ("/fn/identity/join", SignedIn),
        ("/fn/identity/login", Anyone),
        ("/fn/identity/login_code", Anyone),
        ("/fn/identity/logout", Anyone),
        ("/fn/identity/logout_everywhere", SignedIn),
        ("/fn/identity/magic", Anyone),
        ("/fn/identity/register", Anyone),
        ("/fn/identity/revoke_session", SignedIn),
        ("/fn/identity/save_profile", SignedIn),
        ("/fn/identity/set_password", Anyone),
        ("/fn/identity/theme", Anyone),
        ("/fn/identity/totp_begin", SignedIn),
        ("/fn/identity/totp_codes", SignedIn),
        ("/fn/identity/totp_confirm", SignedIn),
        ("/fn/identity/totp_disable", SignedIn),
        ("/fn/identity/update_name", SignedIn),
        ("/fn/identity/update_phone", SignedIn),
        ("/fn/identity/use_magic", Anyone),
        ("/fn/identity/verify", Anyone),
        ("/fn/notify/resend", Member(Action::ResendMail)),
        ("/fn/notify/resend_platform", Platform),
        ("/fn/packs/add_lesson", Member(Action::PostCredits)),
        ("/fn/packs/use_lesson", Member(Action::PostCredits)),
        ("/fn/people/associate", Member(Action::Associate)),
        ("/fn/people/reject", Member(Action::VerifyInstructor)),
        ("/fn/people/remove", Member(Action::RemovePeople)),
        ("/fn/people/restore", Member(Action::RemovePeople)),
        ("/fn/people/verify", Member(Action::VerifyInstructor)),
        ("/fn/resources/archive", Member(Action::EditResources)),
        ("/fn/resources/restore", Member(Action::EditResources)),
        ("/fn/resources/save", Member(Action::EditResources)),
        ("/fn/services/archive", Member(Action::EditServices)),
        ("/fn/services/bulk", Member(Action::EditServices)),
        ("/fn/services/restore", Member(Action::EditServices)),
        ("/fn/services/save", Member(Action::EditServices)),
        ("/fn/services/save_combo", Member(Action::EditServices)),
        ("/fn/team/accept", Anyone),
        ("/fn/team/invite", Member(Action::ManageTeam)),
        ("/fn/team/invite_owner", Platform),
        ("/fn/team/remove", Member(Action::ManageTeam)),
        ("/fn/team/resend", Member(Action::ManageTeam)),
        ("/fn/team/revoke", Member(Action::ManageTeam)),
        ("/fn/team/set_permissions", Member(Action::ManageTeam)),
        ("/fn/team/set_role", Member(Action::ManageTeam)),
        ("/fn/tenancy/activate", Platform),
        ("/fn/tenancy/create", Platform),
        ("/fn/tenancy/delete", Platform),
        ("/fn/tenancy/remove_mail", Member(Action::EditSettings)),
        ("/fn/tenancy/restore", Platform),
        ("/fn/tenancy/save_mail", Member(Action::EditSettings)),
        ("/fn/tenancy/save_settings", Member(Action::EditSettings)),
        ("/fn/tenancy/suspend", Platform),
        ("/fn/tenancy/test_mail", Member(Action::EditSettings)),
        ("/fn/tenancy/update", Platform),
        ("/fn/users/delete", Platform),
        ("/fn/users/disable", Platform),
        ("/fn/users/enable", Platform),
        ("/fn/users/impersonate", Platform),
        ("/fn/users/restore", Platform),
        ("/fn/users/stop", SignedIn),
        ("/fn/users/update", Platform),
        ("/fn/waiting/accept", Member(Action::JoinWaitingList)),
        ("/fn/waiting/decline", Member(Action::JoinWaitingList)),
        ("/fn/waiting/join", Member(Action::JoinWaitingList)),
        ("/fn/waiting/leave", Member(Action::JoinWaitingList)),
    ]
};
