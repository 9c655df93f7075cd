//! Cape Drive with everyone signed in whom these tests need, what they ask of it over HTTP, and what is stored then.

use std::collections::BTreeMap;

use domain::booking::jobs::{self, Done};
use jiff::SignedDuration;
use sqlx::PgPool;

use super::id;
use crate::harness::{Answer, Client, TestApp};

/// Friday afternoon of the demo's week, when nobody has a lesson.
pub(super) const FREE: &str = "2027-01-15T15:00:00+02:00";
/// The hour after it, free too, and the last one of the day.
pub(super) const LATER: &str = "2027-01-15T16:00:00+02:00";
/// For one, with a pickup address.
pub(super) const DRIVE: &str = "Driving lesson";
/// For eight, in the one classroom.
pub(super) const THEORY: &str = "Theory class";
/// Nobody and nothing has this id.
pub(super) const NOBODY: &str = "018f0000-0000-7000-8000-000000000000";

pub(super) struct Scene {
    pub(super) app: TestApp,
    services: BTreeMap<String, String>,
    instructors: BTreeMap<String, String>,
    /// A student with a pack of Thandi's.
    pub(super) sipho: Client,
    /// A student without a pack.
    pub(super) lerato: Client,
    /// A student with a pack of someone else's.
    pub(super) megan: Client,
    pub(super) thandi: Client,
    pub(super) staff: Client,
}

/// An action of the school.
pub(super) async fn act(client: &Client, action: &str, fields: &[(&str, &str)]) -> Answer {
    let mut all = vec![("tenant", "cape-drive")];
    all.extend_from_slice(fields);
    client.post(action, &all).await
}

/// How many free times an answer names.
pub(super) fn near(answer: &Answer) -> usize {
    let json = answer.json();
    json["nearest"].as_array().map_or(0, Vec::len)
}

/// What an answer says.
pub(super) fn message(answer: &Answer) -> String {
    answer.json()["message"].as_str().unwrap().to_owned()
}

impl Scene {
    pub(super) async fn new(admin: PgPool) -> Self {
        let app = TestApp::demo(admin).await;
        let (services, instructors) = app.offered().await;
        Self {
            services,
            instructors,
            sipho: app.student().await,
            lerato: app.login("lerato@cape-drive.test").await,
            megan: app.login("megan@cape-drive.test").await,
            thandi: app.login("thandi@cape-drive.test").await,
            staff: app.login("staff@cape-drive.test").await,
            app,
        }
    }

    /// The id of a service.
    pub(super) fn service(&self, name: &str) -> &str {
        &self.services[name]
    }

    /// The id of an instructor by what their address begins with; `any` stays.
    pub(super) fn instructor<'a>(&'a self, name: &'a str) -> &'a str {
        self.instructors.get(name).map_or(name, String::as_str)
    }

    /// Some students of the school, each in a browser of their own.
    pub(super) async fn students(&self, count: i64) -> Vec<Client> {
        let emails: Vec<String> = sqlx::query_scalar(
            "select s.email from students s join tenants t on t.id = s.tenant_id where t.slug = 'cape-drive' order by s.id limit $1",
        )
        .bind(count)
        .fetch_all(&self.app.admin)
        .await
        .unwrap();
        let mut clients = Vec::new();
        for email in emails {
            clients.push(self.app.login(&email).await);
        }
        clients
    }

    /// A student books.
    pub(super) async fn book(
        &self,
        client: &Client,
        service: &str,
        instructor: &str,
        at: &str,
        more: &[(&str, &str)],
    ) -> Answer {
        let mut fields = vec![
            ("service", self.service(service)),
            ("instructor", self.instructor(instructor)),
            ("starts_at", at),
            ("pickup", "1 Long Street"),
        ];
        fields.extend_from_slice(more);
        act(client, "booking/book", &fields).await
    }

    /// A driving lesson with Thandi is booked; its id.
    pub(super) async fn lesson(&self, client: &Client, at: &str) -> String {
        id(&self.book(client, DRIVE, "thandi", at, &[]).await.expect(200))
    }

    /// A student keeps a time while they look it over.
    pub(super) async fn hold(&self, client: &Client, service: &str, instructor: &str, at: &str) -> Answer {
        let fields = [
            ("service", self.service(service)),
            ("instructor", self.instructor(instructor)),
            ("starts_at", at),
        ];
        act(client, "booking/hold", &fields).await
    }

    /// Staff book a driving lesson for someone on that Friday.
    pub(super) async fn by_staff(&self, student: &str, instructor: &str, time: &str) -> Answer {
        let fields = [
            ("student", student),
            ("instructor", self.instructor(instructor)),
            ("service", self.service(DRIVE)),
            ("date", "2027-01-15"),
            ("time", time),
            ("pickup", "1 Long Street"),
        ];
        act(&self.staff, "booking/book_for_student", &fields).await
    }

    /// Cancels a lesson.
    pub(super) async fn cancel(&self, client: &Client, booking: &str, more: &[(&str, &str)]) -> Answer {
        let mut fields = vec![("booking", booking), ("reason", "Ill")];
        fields.extend_from_slice(more);
        act(client, "booking/cancel", &fields).await
    }

    /// Lets some minutes pass.
    pub(super) fn pass(&self, minutes: i64) {
        self.app.clock.advance(SignedDuration::from_mins(minutes));
    }

    /// Goes to a moment; everyone comes in anew.
    pub(super) async fn go_to(&mut self, at: &str) {
        self.app.clock.set(at.parse().unwrap());
        self.sipho = self.app.student().await;
        self.lerato = self.app.login("lerato@cape-drive.test").await;
        self.megan = self.app.login("megan@cape-drive.test").await;
        self.thandi = self.app.login("thandi@cape-drive.test").await;
        self.staff = self.app.login("staff@cape-drive.test").await;
    }

    /// What happens by itself has happened.
    pub(super) async fn jobs(&self) -> Done {
        let done = jobs::run_due(&self.app.db, self.app.now()).await.unwrap();
        assert_eq!(done.failed, 0, "{done:?}");
        done
    }

    /// Runs a statement behind the program's back.
    pub(super) async fn run(&self, sql: &'static str) {
        sqlx::query(sql).execute(&self.app.admin).await.unwrap();
    }

    /// A number that the database knows of a row.
    pub(super) async fn count(&self, sql: &'static str, id: &str) -> i64 {
        sqlx::query_scalar::<_, i64>(sql).bind(id).fetch_one(&self.app.admin).await.unwrap()
    }

    /// A text that the database knows of a row.
    pub(super) async fn text(&self, sql: &'static str, id: &str) -> String {
        sqlx::query_scalar::<_, String>(sql).bind(id).fetch_one(&self.app.admin).await.unwrap()
    }

    /// When a lesson begins, by the school's clock.
    pub(super) async fn starts(&self, booking: &str) -> String {
        self.text(
            "select to_char(starts_at at time zone 'Africa/Johannesburg', 'YYYY-MM-DD HH24:MI')
             from bookings where id = $1::uuid",
            booking,
        )
        .await
    }

    /// Where a lesson stands.
    pub(super) async fn status(&self, booking: &str) -> String {
        self.text("select status from bookings where id = $1::uuid", booking).await
    }

    /// How many claims of a lesson count.
    pub(super) async fn claims(&self, booking: &str) -> i64 {
        self.count("select count(*) from claims where booking_id = $1::uuid and active", booking).await
    }

    /// Where a hold stands.
    pub(super) async fn kept(&self, hold: &str) -> String {
        self.text("select state from holds where id = $1::uuid", hold).await
    }

    /// Lessons of Sipho's packs that are used.
    pub(super) async fn used(&self) -> i64 {
        self.app.count("select coalesce(sum(lessons_used), 0)::bigint from packs where student_id = (select id from students where email = 'sipho@cape-drive.test')").await
    }

    /// Claims and seats are just those of what stands, and nobody is in two places: counted by brute force, not by the
    /// constraints and triggers that are under test.
    pub(super) async fn assert_consistent(&self) {
        let odd: (i64, i64, i64, i64, i64) = sqlx::query_as(
            "select
               (select count(*) from claims a join claims b on a.tenant_id = b.tenant_id and a.subject_id = b.subject_id
                where a.id < b.id and a.active and b.active and a.starts_at < b.ends_at and b.starts_at < a.ends_at),
               (select count(*) from bookings b
                where (select count(*) from claims c
                       where c.tenant_id = b.tenant_id and c.booking_id = b.id and c.active)
                      <> case when b.status = 'cancelled' then 0 when b.group_id is null then 2 else 1 end),
               (select count(*) from holds h
                where (select count(*) from claims c
                       where c.tenant_id = h.tenant_id and c.hold_id = h.id and c.active)
                      <> case when h.state <> 'active' then 0 when h.group_id is null then 2 else 1 end),
               (select count(*) from group_lessons g
                where g.taken <> (select count(*) from bookings b
                                  where b.tenant_id = g.tenant_id and b.group_id = g.id and b.status <> 'cancelled')
                                 + (select count(*) from holds h
                                    where h.tenant_id = g.tenant_id and h.group_id = g.id and h.state = 'active')),
               (select count(*) from group_lessons g
                where (select count(*) from claims c
                       where c.tenant_id = g.tenant_id and c.group_id = g.id and c.active)
                      <> case when g.cancelled_at is null then 2 else 0 end)",
        )
        .fetch_one(&self.app.admin)
        .await
        .unwrap();
        assert_eq!(odd, (0, 0, 0, 0, 0), "overlaps, and odd lessons, holds, seats and groups");
    }
}
