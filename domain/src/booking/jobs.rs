//! What happens by itself: holds end, requests that nobody answered lapse, those who wait are offered what became free,
//! and students are reminded.
//!
//! One look over all schools finds those with something to do. A worker takes its turn at one of them by a lock, so that
//! several share the schools between them, and does its work in the school's own scope, each piece in a transaction of
//! its own: what fails stops nothing else.

use jiff_sqlx::ToSqlx;
use uuid::Uuid;

use super::{
    cancel::{CancelRequest, cancel},
    hold,
    moves::Which,
    reminders, waiting,
};
use crate::{
    Error, Instant, Result,
    authz::TenantScope,
    db::{ActAs, Db, Tx},
    ids::{BookingId, WaitId},
    tenancy::TenantStatus,
};

/// Requests and entries of the waiting list that are looked at in one run of a school; the rest comes with the next one.
const MOST: i64 = 200;
/// What the student reads when a request wasn't answered.
const UNANSWERED: &str = "Nobody answered in time.";

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Schools with something to do.
    pub schools: usize,
    /// Holds that ended.
    pub holds: usize,
    /// Requests that lapsed.
    pub lapsed: usize,
    /// Offers that were made.
    pub offers: usize,
    /// Students who were reminded.
    pub reminders: usize,
    /// Steps that failed; the log says why.
    pub failed: usize,
}

/// Does all that is due, school by school.
///
/// # Errors
/// Of the database, when it can't even be asked what is due. What fails in a school is logged and counted.
pub async fn run_due(db: &Db, now: Instant) -> Result<Done> {
    let mut done = Done::default();
    for school in due(db, now).await? {
        done.schools += 1;
        match turn(db, &school).await {
            Ok(Some(turn)) => Work { db, now, school: &school, turn, done: &mut done }.run().await,
            // Another worker is at it.
            Ok(None) => {}
            Err(error) => {
                done.failed += 1;
                tracing::warn!(tenant = %school.id, %error, "could not take a turn at the jobs of a school");
            }
        }
    }
    Ok(done)
}

/// A school with something to do.
struct School {
    id: Uuid,
    slug: String,
    holds: bool,
    requests: bool,
    waiting: bool,
    reminders: bool,
}

/// The schools with something to do. Of reminders it is seen only that some may be due: quiet hours put them off, or bring
/// them forward by as much as they last.
async fn due(db: &Db, now: Instant) -> Result<Vec<School>> {
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let schools = sqlx::query_as!(
        School,
        r#"select d.id as "id!", d.slug as "slug!", d.holds as "holds!", d.requests as "requests!", d.waiting as "waiting!",
                  d.reminders as "reminders!"
           from (
               select t.id, t.slug,
                      exists (select from holds h
                              where h.tenant_id = t.id and h.state = 'active' and h.expires_at <= $1)
                          or exists (select from waiting_list w
                                     join holds h on h.tenant_id = w.tenant_id and h.id = w.hold_id
                                     where w.tenant_id = t.id and w.state = 'offered'
                                       and h.state in ('expired', 'released'))
                          or exists (select from group_lessons g
                                     where g.tenant_id = t.id and g.taken = 0 and not g.kept
                                       and g.cancelled_at is null and g.starts_at > $1) as holds,
                      exists (select from bookings b
                              where b.tenant_id = t.id and b.status = 'requested' and b.starts_at <= $1) as requests,
                      exists (select from waiting_list w
                              where w.tenant_id = t.id and w.state = 'waiting' and w.check_at <= $1
                                and not exists (select from waiting_list o
                                                where o.tenant_id = t.id and o.student_id = w.student_id
                                                  and o.state = 'offered'))
                          or exists (select from waiting_list w
                                     where w.tenant_id = t.id and w.state = 'waiting' and w.to_at <= $1) as waiting,
                      exists (select from unnest(t.reminder_offsets) as o (min)
                              join bookings b
                                  on b.tenant_id = t.id and b.status = 'confirmed' and b.starts_at > $1
                                  and b.starts_at <= $1::timestamptz
                                      + make_interval(mins => o.min + 90 + (t.quiet_to - t.quiet_from + 1440) % 1440)
                                  and greatest(b.created_at, b.moved_at) <= b.starts_at
                                      - make_interval(mins => o.min - (t.quiet_to - t.quiet_from + 1440) % 1440)
                              where not exists (
                                  select from reminders r
                                  where r.tenant_id = b.tenant_id and r.booking_id = b.id and r.kind = 'lesson'
                                    and r.offset_min = o.min)) as reminders
               from tenants t
               where t.status = 'active'
           ) d
           where d.holds or d.requests or d.waiting or d.reminders
           order by d.id"#,
        now.to_sqlx()
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(schools)
}

/// Takes the turn at a school until this transaction ends; none when another worker has it. It is a transaction of its
/// own, for those in which the work is done end one after the other.
async fn turn(db: &Db, school: &School) -> Result<Option<Tx>> {
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let ours = sqlx::query_scalar!(
        r#"select pg_try_advisory_xact_lock(hashtextextended('jobs/' || $1::uuid::text, 0)) as "ours!""#,
        school.id
    )
    .fetch_one(&mut *tx)
    .await?;
    Ok(ours.then_some(tx))
}

/// The work at one school.
struct Work<'a> {
    db: &'a Db,
    now: Instant,
    school: &'a School,
    turn: Tx,
    done: &'a mut Done,
}

impl Work<'_> {
    async fn run(mut self) {
        let school = self.school;
        if school.holds || school.waiting {
            let result = self.end_holds().await;
            self.done.holds += self.settled("holds", result);
        }
        if school.requests {
            let result = self.lapse_requests().await;
            self.done.lapsed += self.settled("requests", result);
        }
        // What has just ended may be what someone waits for.
        if school.holds || school.requests || school.waiting {
            let result = self.offer().await;
            self.done.offers += self.settled("offers", result);
        }
        if school.reminders {
            let result = self.remind().await;
            self.done.reminders += self.settled("reminders", result);
        }
        if let Err(error) = self.turn.commit().await {
            tracing::warn!(tenant = %school.id, %error, "could not end a turn at the jobs of a school");
        }
    }

    /// How much of a kind of work was done; a failure is logged.
    fn settled(&mut self, what: &'static str, result: Result<usize>) -> usize {
        result.unwrap_or_else(|error| {
            self.failed(what, &error);
            0
        })
    }

    fn failed(&mut self, what: &'static str, error: &Error) {
        self.done.failed += 1;
        tracing::warn!(tenant = %self.school.id, what, %error, "a job of a school failed");
    }

    /// Enters the school, unless it was closed meanwhile.
    async fn enter(&mut self) -> Result<Option<TenantScope>> {
        // The database ends a transaction that nothing happens in, and with it the turn.
        sqlx::query!(r#"select 1 as "one!""#).fetch_one(&mut *self.turn).await?;
        let scope = TenantScope::operator(self.db, &self.school.slug, self.now).await?;
        Ok((scope.tenant().status == TenantStatus::Active).then_some(scope))
    }

    /// Holds that are over, and entries of the waiting list that nothing came of.
    async fn end_holds(&mut self) -> Result<usize> {
        let Some(mut scope) = self.enter().await? else {
            return Ok(0);
        };
        let ended = hold::expire(&mut scope).await?.len();
        let (tenant, conn) = scope.conn();
        waiting::lapse(conn, tenant, self.now).await?;
        scope.commit().await?;
        Ok(ended)
    }

    /// Requests whose time has come without an answer.
    async fn lapse_requests(&mut self) -> Result<usize> {
        let Some(mut scope) = self.enter().await? else {
            return Ok(0);
        };
        let (tenant, conn) = scope.conn();
        let ids = sqlx::query_scalar!(
            "select id from bookings
             where tenant_id = $1 and status = 'requested' and starts_at <= $2 order by starts_at, id limit $3",
            tenant,
            self.now.to_sqlx(),
            MOST
        )
        .fetch_all(conn)
        .await?;
        scope.commit().await?;
        let mut lapsed = 0;
        for id in ids {
            match self.lapse_request(BookingId(id)).await {
                Ok(done) => lapsed += usize::from(done),
                Err(error) => self.failed("a request", &error),
            }
        }
        Ok(lapsed)
    }

    async fn lapse_request(&mut self, id: BookingId) -> Result<bool> {
        let Some(mut scope) = self.enter().await? else {
            return Ok(false);
        };
        let (tenant, conn) = scope.conn();
        // Who approved it in the last moment may still be at it: then this waits, and finds it approved.
        let still = sqlx::query!(
            "select id from bookings
             where tenant_id = $1 and id = $2 and status = 'requested' and starts_at <= $3 for update",
            tenant,
            id.0,
            self.now.to_sqlx()
        )
        .fetch_optional(conn)
        .await?;
        if still.is_none() {
            return Ok(false);
        }
        let request =
            CancelRequest { booking: id, reason: UNANSWERED.into(), which: Which::This, as_student: false };
        cancel(&mut scope, request).await?;
        scope.commit().await?;
        Ok(true)
    }

    /// What became free, to those who wait for it: who came first is served first.
    async fn offer(&mut self) -> Result<usize> {
        let Some(mut scope) = self.enter().await? else {
            return Ok(0);
        };
        let (tenant, conn) = scope.conn();
        let ids = waiting::due(conn, tenant, self.now, MOST).await?;
        scope.commit().await?;
        let mut offers = 0;
        for id in ids {
            match self.offer_one(id).await {
                Ok(offered) => offers += usize::from(offered),
                // Someone was faster: it still is due.
                Err(Error::SlotTaken { .. }) => {}
                Err(error) => {
                    // What isn't offered at all now, say of a service that was archived, is no failure.
                    if !matches!(error, Error::NotFound | Error::Invalid(_) | Error::Conflict(_)) {
                        self.failed("an offer", &error);
                    }
                    if let Err(error) = self.put_off(id).await {
                        self.failed("an offer", &error);
                    }
                }
            }
        }
        Ok(offers)
    }

    async fn offer_one(&mut self, id: WaitId) -> Result<bool> {
        let Some(mut scope) = self.enter().await? else {
            return Ok(false);
        };
        let offered = waiting::make_offer(&mut scope, id).await?;
        scope.commit().await?;
        Ok(offered)
    }

    async fn put_off(&mut self, id: WaitId) -> Result<()> {
        let Some(mut scope) = self.enter().await? else {
            return Ok(());
        };
        let (tenant, conn) = scope.conn();
        waiting::put_off(conn, tenant, id, waiting::next_look(self.now)).await?;
        scope.commit().await
    }

    /// Lessons that are near, to their students.
    async fn remind(&mut self) -> Result<usize> {
        let Some(mut scope) = self.enter().await? else {
            return Ok(0);
        };
        let found = reminders::due(&mut scope).await?;
        scope.commit().await?;
        let mut reminded = 0;
        for reminder in &found {
            match self.remind_one(reminder).await {
                Ok(done) => reminded += usize::from(done),
                Err(error) => self.failed("a reminder", &error),
            }
        }
        Ok(reminded)
    }

    async fn remind_one(&mut self, reminder: &reminders::Reminder) -> Result<bool> {
        let Some(mut scope) = self.enter().await? else {
            return Ok(false);
        };
        let reminded = reminders::remind(&mut scope, reminder).await?;
        scope.commit().await?;
        Ok(reminded)
    }
}
