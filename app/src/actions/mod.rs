//! Actions: server functions, by area. Each posts to `/fn/{area}/{verb}` and answers an [`crate::Outcome`].

#![expect(
    missing_docs,
    reason = "the macro makes structs whose fields are the arguments of the server functions"
)]

pub mod availability;
pub mod booking;
pub mod identity;
pub mod packs;
pub mod people;
pub mod services;
pub mod tenancy;

/// Every action and who may call it. A test holds it against the list that the framework registers, so that an action
/// without a row fails the build.
#[cfg(feature = "ssr")]
pub const TABLE: &[(&str, crate::access::Access)] = {
    use crate::access::Access::{Anyone, Member, Platform, SignedIn};
    use domain::authz::Action;
    &[
        ("/fn/availability/block", Member(Action::EditHours)),
        ("/fn/availability/set_hours", Member(Action::EditHours)),
        ("/fn/availability/unblock", Member(Action::EditHours)),
        ("/fn/booking/book", Member(Action::BookLesson)),
        ("/fn/booking/book_for_student", Member(Action::BookForStudent)),
        ("/fn/booking/cancel", Member(Action::CancelBooking)),
        ("/fn/booking/complete", Member(Action::CompleteBooking)),
        ("/fn/booking/confirm", Member(Action::ConfirmBooking)),
        ("/fn/booking/no_show", Member(Action::CompleteBooking)),
        ("/fn/identity/change_password", SignedIn),
        ("/fn/identity/login", Anyone),
        ("/fn/identity/logout", Anyone),
        ("/fn/identity/set_password", Anyone),
        ("/fn/identity/theme", Anyone),
        ("/fn/identity/update_name", SignedIn),
        ("/fn/packs/add_lesson", Member(Action::PostCredits)),
        ("/fn/packs/use_lesson", Member(Action::PostCredits)),
        ("/fn/people/associate", Member(Action::Associate)),
        ("/fn/people/verify", Member(Action::VerifyInstructor)),
        ("/fn/services/archive", Member(Action::EditServices)),
        ("/fn/services/restore", Member(Action::EditServices)),
        ("/fn/services/save", Member(Action::EditServices)),
        ("/fn/tenancy/activate", Platform),
        ("/fn/tenancy/create", Platform),
        ("/fn/tenancy/suspend", Platform),
    ]
};
