//! Lessons as rows of text, for the download (DA-01).

use futures::TryStreamExt;

use super::{
    Attendance, Booking, BookingFilter,
    service::reached,
    store::{self, Whose},
};
use crate::{
    Result,
    authz::{Action, TenantScope},
    rows::{self, Rows},
    services::price_text,
    zoned::Zone,
};

const HEADER: [&str; 19] = [
    "id",
    "service_id",
    "instructor_id",
    "student_id",
    "status",
    "starts_at",
    "ends_at",
    "service",
    "instructor",
    "student",
    "price",
    "currency",
    "pickup",
    "note",
    "cancel_reason",
    "attendance",
    "series",
    "fee",
    "moves",
];

/// The lessons of a filter that the actor reaches, read while they are sent.
pub fn bookings(mut scope: TenantScope, filter: BookingFilter) -> Result<Rows> {
    let (seen, taken) = (reached(&scope, Action::ViewBookings)?, reached(&scope, Action::ExportData)?);
    // The narrower of the two permissions counts.
    let whose =
        Whose { instructor: seen.instructor.or(taken.instructor), student: seen.student.or(taken.student) };
    Ok(rows::spawn(move |out| async move {
        if !rows::put(&out, rows::words(&HEADER)).await? {
            return Ok(());
        }
        let zone = scope.tenant().zone.clone();
        let (tenant, conn) = scope.conn();
        rows::settle(&mut *conn).await?;
        let mut found = store::stream(conn, tenant, whose, &filter, &zone);
        while let Some(booking) = found.try_next().await? {
            if !rows::put(&out, row(&booking, &zone)).await? {
                break;
            }
        }
        Ok(())
    }))
}

fn row(booking: &Booking, zone: &Zone) -> Vec<String> {
    vec![
        booking.id.to_string(),
        booking.service.to_string(),
        booking.instructor.to_string(),
        booking.student.to_string(),
        booking.status.as_str().to_owned(),
        zone.rfc3339(booking.starts_at),
        zone.rfc3339(booking.ends_at),
        booking.service_name.clone(),
        booking.instructor_name.clone(),
        booking.student_name.clone(),
        price_text(booking.price_minor, &booking.currency),
        booking.currency.clone(),
        booking.pickup.clone(),
        booking.note.clone(),
        booking.cancel_reason.clone().unwrap_or_default(),
        booking.attendance.map_or("", Attendance::as_str).to_owned(),
        booking.series.map(|(series, _)| series.to_string()).unwrap_or_default(),
        booking.fee_minor.map(|fee| price_text(fee, &booking.currency)).unwrap_or_default(),
        booking.moves.to_string(),
    ]
}
