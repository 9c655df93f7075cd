//! Messages to people: rows written in the transaction that causes them, to be sent later.

use jiff_sqlx::ToSqlx;
use uuid::Uuid;

use crate::{Result, authz::TenantScope, ids::BookingId};

/// A message to be sent.
#[derive(Debug)]
pub struct Message<'a> {
    /// Which message it is: `booking_made`.
    pub kind: &'static str,
    /// An e-mail address.
    pub recipient: &'a str,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// The lesson it is about.
    pub booking: Option<BookingId>,
}

/// Puts a message into the outbox.
///
/// # Errors
/// Of the database.
pub async fn enqueue(scope: &mut TenantScope, message: Message<'_>) -> Result<()> {
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    sqlx::query!(
        "insert into outbox (tenant_id, id, kind, recipient, subject, body, booking_id, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        tenant,
        Uuid::now_v7(),
        message.kind,
        message.recipient,
        message.subject,
        message.body,
        message.booking.map(|id| id.0),
        now.to_sqlx(),
    )
    .execute(conn)
    .await?;
    Ok(())
}
