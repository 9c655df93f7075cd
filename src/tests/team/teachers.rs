//! Instructors whose account is gone: nobody is shown or books them. And what the record says of whoever comes and goes.

use sqlx::PgPool;

use super::{ZINTLE, accept, invited, membership, on_member, on_user};
use crate::{
    accounts::{SUPER, THANDI, member, minutes, pass, run, user},
    harness::{Client, TestApp},
    soft_delete::{MEGAN, cancel_lessons, change},
};

const PIETER: &str = "pieter@cape-drive.test";

/// The record of an instructor of Cape Drive.
async fn record(app: &TestApp, email: &str) -> String {
    sqlx::query_scalar("select id::text from instructors where email = $1")
        .bind(email)
        .fetch_one(&app.admin)
        .await
        .unwrap()
}

/// Whether the school's page shows someone, and how theirs is answered.
async fn shown(app: &TestApp, name: &str, id: &str) -> (bool, u16) {
    let visitor = app.visitor();
    let school = visitor.get("/s/cape-drive").await.expect(200);
    let own = visitor.get(&format!("/s/cape-drive/instructors/{id}")).await;
    (school.body.contains(name), own.status.as_u16())
}

async fn reject(owner: &Client, id: &str) {
    let fields = [("tenant", "cape-drive"), ("instructor", id), ("reason", "Not them")];
    owner.post("people/reject", &fields).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_instructor_who_is_gone_is_neither_shown_nor_booked(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (owner, platform, sipho) = (app.owner().await, app.login(SUPER).await, app.student().await);
    let (id, thandi) = (user(&app, THANDI).await, record(&app, THANDI).await);
    let service = app
        .text("select s.id::text from services s join tenants t on t.id = s.tenant_id where t.slug = 'cape-drive' and s.name = 'Driving lesson'")
        .await;
    let book = async || {
        let fields = [
            ("tenant", "cape-drive"),
            ("service", service.as_str()),
            ("instructor", thandi.as_str()),
            ("starts_at", "2027-01-15T15:00:00+02:00"),
            ("pickup", "1 Long Street"),
        ];
        sipho.post("booking/book", &fields).await.status.as_u16()
    };
    let (there, gone) = ((true, 200), (false, 404));
    let name = "Thandi Mokoena";
    assert_eq!(shown(&app, name, &thandi).await, there);
    for (end, undo) in [("disable", "enable"), ("delete", "restore")] {
        on_user(&platform, end, &id).await.expect(200);
        assert_eq!((shown(&app, name, &thandi).await, book().await), (gone, 404), "{end}");
        on_user(&platform, undo, &id).await.expect(200);
        assert_eq!(shown(&app, name, &thandi).await, there, "{undo}");
    }
    on_member(&owner, "remove", &id, &[]).await.expect(200);
    assert_eq!((shown(&app, name, &thandi).await, book().await), (gone, 404));
    // What the school has checked stays so, and she is back when her membership is.
    let verified = "select count(*) from instructors where email = 'thandi@cape-drive.test' and verification = 'verified'";
    assert_eq!(app.count(verified).await, 1);
    pass(&app, minutes(1));
    let link = invited(&app, &owner, THANDI, "instructor").await;
    accept(&app.login(THANDI).await, &link).await.expect(200);
    assert_eq!((shown(&app, name, &thandi).await, book().await), (there, 200));
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_record_that_nobody_acts_as_any_more_waits_to_be_verified_again(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let recorded = async |action: &str| {
        sqlx::query_scalar::<_, i64>(
            "select count(*) from audit where action = $1 and before->>'verification' = 'verified'
               and after->>'verification' = 'pending' and after->>'instructor' is not null",
        )
        .bind(action)
        .fetch_one(&app.admin)
        .await
        .unwrap()
    };
    // By another role.
    let thandi = record(&app, THANDI).await;
    on_member(&owner, "set_role", &user(&app, THANDI).await, &[("role", "staff")]).await.expect(200);
    assert_eq!(shown(&app, "Thandi Mokoena", &thandi).await, (false, 404));
    assert_eq!(recorded("team.role").await, 1);
    // By an invite to another role, after a removal.
    let pieter = record(&app, PIETER).await;
    on_member(&owner, "remove", &user(&app, PIETER).await, &[]).await.expect(200);
    pass(&app, minutes(1));
    let link = invited(&app, &owner, PIETER, "staff").await;
    accept(&app.login(PIETER).await, &link).await.expect(200);
    assert_eq!(membership(&app, "cape-drive", PIETER).await, "staff active");
    assert_eq!(shown(&app, "Pieter van der Merwe", &pieter).await, (false, 404));
    assert_eq!(recorded("team.accept").await, 1);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn who_only_applied_to_be_an_instructor_hides_nobody(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (owner, platform) = (app.owner().await, app.login(SUPER).await);
    // Checked by the school, and without accounts.
    run(
        &app,
        "insert into instructors (tenant_id, id, name, email, verification, created_at)
         select t.id, gen_random_uuid(), p.name, p.email, 'verified', now()
         from tenants t, (values ('Zodwa Ncube', 'zintle@new.test'), ('Ada Pillay', 'ada@new.test')) p (name, email)
         where t.slug = 'cape-drive'",
    )
    .await;
    for (name, email) in [("Zodwa Ncube", ZINTLE), ("Ada Pillay", "ada@new.test")] {
        let id = record(&app, email).await;
        assert_eq!(shown(&app, name, &id).await, (true, 200));
        member(&app, email, "instructor", "cape-drive").await;
        assert_eq!(membership(&app, "cape-drive", email).await, "instructor pending");
        assert_eq!(shown(&app, name, &id).await, (true, 200));
        if email == ZINTLE {
            reject(&owner, &id).await;
        } else {
            on_user(&platform, "delete", &user(&app, email).await).await.expect(200);
        }
        assert_eq!(membership(&app, "cape-drive", email).await, "instructor revoked");
        assert_eq!(shown(&app, name, &id).await, (true, 200), "{name}");
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_record_says_what_became_of_a_membership(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    member(&app, ZINTLE, "instructor", "cape-drive").await;
    let id = record(&app, ZINTLE).await;
    let yes = [("tenant", "cape-drive"), ("instructor", id.as_str()), ("verification", "verified")];
    owner.post("people/verify", &yes).await.expect(200);
    member(&app, "other@new.test", "instructor", "cape-drive").await;
    reject(&owner, &record(&app, "other@new.test").await).await;
    let megan = app.text(MEGAN).await;
    cancel_lessons(&app, &owner, &megan).await;
    change(&owner, "remove", "student", &megan).await.expect(200);
    // Her seat is given away meanwhile.
    run(
        &app,
        "update instructors set seats = 0
         where id in (select m.instructor_id from mentees m join students s on s.id = m.student_id
                      where s.email = 'megan@cape-drive.test')",
    )
    .await;
    change(&owner, "restore", "student", &megan).await.expect(200);
    let said = "select string_agg(concat_ws(' ', action, before->'membership'->>'status', after->'membership'->>'status'), ', '
                                  order by seq)
        from audit where before->'membership'->>'user' = after->'membership'->>'user'";
    assert_eq!(
        app.text(said).await,
        "instructors.verify pending active, instructors.verify pending revoked, \
         people.remove active revoked, people.restore revoked active"
    );
    let seats = "select count(*) from audit where action = 'people.restore' and jsonb_array_length(after->'seats_released') > 0";
    assert_eq!(app.count(seats).await, 1);
}
