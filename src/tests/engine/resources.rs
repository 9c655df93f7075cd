//! Rooms, cars and chairs (SV-03): keeping them, their units, and whom they are for.

use sqlx::PgPool;

use super::{Cape, Fields, LERATO, SIPHO, THANDI, about, act, id, said};
use crate::{
    downloads::{ROWS, attrs, texts},
    harness::{Answer, Client},
};

const LIST: &str = "/t/cape-drive/resources";
const EDITS: &str = "select count(*) from audit where action = 'resources.edit'";
/// How many units there are to be had, and how many there have ever been.
const UNITS: &str = "select concat_ws('/', count(*) filter (where active), count(*)) from resource_units where resource_id = $1::uuid";

/// A new resource's form with some fields changed.
async fn save(client: &Client, changes: Fields<'_>) -> Answer {
    let mut fields = vec![("resource", "new"), ("name", "Blue car"), ("kind", "car"), ("units", "2")];
    fields.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    fields.extend_from_slice(changes);
    act(client, "resources/save", &fields).await
}

async fn step(client: &Client, verb: &str, resource: &str) -> Answer {
    act(client, &format!("resources/{verb}"), &[("resource", resource)]).await
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_resource_is_made_changed_archived_and_restored(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let staff = &cape.staff;
    let made = save(staff, &[]).await.expect(200);
    assert_eq!(said(&made), "Blue car is saved.");
    let car = id(&made);
    let path = format!("{LIST}/{car}");
    let list = staff.get(LIST).await.expect(200);
    assert_eq!(texts(&list, ROWS), ["Blue car", "Classroom", "Test yard"]);
    assert_eq!(texts(&list, "tbody tr:first-child td[data-label=\"Units\"]"), ["2"]);
    save(staff, &[("resource", &car), ("name", "Red car"), ("kind", "other")]).await.expect(200);
    let page = staff.get(&path).await.expect(200);
    assert_eq!(texts(&page, "h1"), ["Red car"]);
    assert_eq!(attrs(&page, "input[name=\"name\"]", "value"), ["Red car"]);
    assert_eq!(attrs(&page, "select[name=\"kind\"] option[selected]", "value"), ["other"]);
    assert_eq!(attrs(&page, "input[name=\"units\"]", "value"), ["2"]);
    step(staff, "archive", &car).await.expect(200);
    assert!(!step(staff, "archive", &car).await.expect(409).body.is_empty());
    assert_eq!(texts(&staff.get(LIST).await, ROWS), ["Classroom", "Test yard"]);
    assert_eq!(texts(&staff.get(&format!("{LIST}?status=archived")).await, ROWS), ["Red car"]);
    // No service can need it any more.
    let needed = [("resources[0]", car.as_str()), ("units[0]", "1")];
    cape.save_service(&needed).await.expect(404);
    step(staff, "restore", &car).await.expect(200);
    step(staff, "restore", &car).await.expect(409);
    assert_eq!(texts(&staff.get(LIST).await, ROWS), ["Classroom", "Red car", "Test yard"]);
    // Made, changed, archived, restored.
    assert_eq!(cape.app.count(EDITS).await, 4);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_is_wrong_with_a_resource_stands_beside_its_field(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let staff = &cape.staff;
    let long = "x".repeat(101);
    for (field, bad) in [
        ("name", ""),
        ("name", "two\nlines"),
        ("name", long.as_str()),
        ("kind", "boat"),
        ("kind", ""),
        ("units", "0"),
        ("units", "51"),
        ("units", "-1"),
        ("units", "1.5"),
        ("units", ""),
    ] {
        assert!(!save(staff, &[(field, bad)]).await.expect(422).field(field).is_empty(), "{field} {bad:?}");
    }
    let answer = save(staff, &[("name", ""), ("kind", "boat"), ("units", "51")]).await.expect(422);
    assert!(["name", "kind", "units"].iter().all(|field| !answer.field(field).is_empty()), "{}", answer.body);
    // Two of one name can't be told apart, unless one of them is archived.
    let taken = "Another active resource has this name.";
    assert_eq!(save(staff, &[("name", "CLASSROOM")]).await.expect(422).field("name"), taken);
    assert_eq!(cape.app.count(EDITS).await, 0);
    let first = id(&save(staff, &[]).await.expect(200));
    step(staff, "archive", &first).await.expect(200);
    save(staff, &[]).await.expect(200);
    let refused = step(staff, "restore", &first).await.expect(409);
    assert_eq!(said(&refused), "Another active resource has this name. Rename one of them first.");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn units_come_and_go_and_lessons_keep_theirs(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let staff = &cape.staff;
    let simulator = id(&save(staff, &[("name", "Simulator"), ("kind", "other")]).await.expect(200));
    let units = async |count: &str| {
        let fields =
            [("resource", simulator.as_str()), ("name", "Simulator"), ("kind", "other"), ("units", count)];
        save(staff, &fields).await
    };
    let mut fields = vec![
        ("name", "Simulator hour"),
        ("duration", "60"),
        ("buffer_before", "0"),
        ("buffer_after", "0"),
        ("resources[0]", simulator.as_str()),
        ("units[0]", "1"),
    ];
    let teachers = ["thandi", "pieter", "ayesha", "lwazi"].map(|name| cape.instructor(name));
    let names = ["instructors[0]", "instructors[1]", "instructors[2]", "instructors[3]"];
    fields.extend(names.into_iter().zip(teachers));
    let service = id(&cape.save_service(&fields).await.expect(200));
    let students = [
        cape.app.login(SIPHO).await,
        cape.app.login(LERATO).await,
        cape.app.login("megan@cape-drive.test").await,
        cape.app.login("themba@cape-drive.test").await,
    ];
    let at = "2027-02-05T10:00";
    cape.book(&students[0], &service, "thandi", at, &[]).await.expect(200);
    cape.book(&students[1], &service, "pieter", at, &[]).await.expect(200);
    cape.book(&students[2], &service, "ayesha", at, &[]).await.expect(409);
    // One more, and there is room for one more.
    units("3").await.expect(200);
    cape.book(&students[2], &service, "ayesha", at, &[]).await.expect(200);
    cape.book(&students[3], &service, "lwazi", at, &[]).await.expect(409);
    let taken = "select concat_ws('/', count(*), count(distinct c.subject_id)) from claims c
        join resource_units u on u.id = c.subject_id where u.resource_id = $1::uuid and c.active and c.subject_kind = 'resource'";
    assert_eq!(about(&cape.app, taken, &simulator).await, "3/3");
    // Two fewer: those who have them keep them.
    let answer = units("1").await.expect(200);
    assert_eq!(said(&answer), "Simulator is saved. 2 upcoming lessons keep theirs.");
    assert_eq!(about(&cape.app, UNITS, &simulator).await, "1/3");
    assert_eq!(about(&cape.app, taken, &simulator).await, "3/3");
    cape.book(&students[3], &service, "lwazi", at, &[]).await.expect(409);
    cape.book(&students[3], &service, "lwazi", "2027-02-05T11:00", &[]).await.expect(200);
    cape.book(&students[2], &service, "thandi", "2027-02-05T11:00", &[]).await.expect(409);
    // Those that rested come back, and no new ones.
    units("3").await.expect(200);
    assert_eq!(about(&cape.app, UNITS, &simulator).await, "3/3");
    // As many as a service needs, at least.
    let needs = [
        ("service", service.as_str()),
        ("name", "Simulator hour"),
        ("resources[0]", simulator.as_str()),
        ("units[0]", "2"),
    ];
    cape.save_service(&needs).await.expect(200);
    let answer = units("1").await.expect(422);
    assert_eq!(answer.field("units"), "Simulator hour needs 2. Change the service first.");
    assert_eq!(about(&cape.app, UNITS, &simulator).await, "3/3");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_a_service_needs_is_not_archived(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let staff = &cape.staff;
    let classroom = cape.resource("Classroom");
    let page = staff.get(&format!("{LIST}/{classroom}")).await.expect(200);
    assert_eq!(
        attrs(&page, "dd a", "href"),
        [format!("/t/cape-drive/services/{}", cape.service("Theory class"))]
    );
    let refused = step(staff, "archive", classroom).await.expect(409);
    assert_eq!(said(&refused), "Theory class needs it. Change the service first.");
    let fields = [
        ("service", cape.service("Theory class")),
        ("name", "Theory class"),
        ("duration", "60"),
        ("resources[0]", classroom),
        ("units[0]", "0"),
    ];
    cape.save_service(&fields).await.expect(200);
    let answer = step(staff, "archive", classroom).await.expect(200);
    assert_eq!(said(&answer), "Classroom is archived. What is booked stays.");
    // The groups that have it keep it.
    let claims = "select count(*)::text from claims c join resource_units u on u.id = c.subject_id
        where u.resource_id = $1::uuid and c.active";
    assert_eq!(about(&cape.app, claims, classroom).await, "3");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn resources_are_the_schools_own_and_its_staffs_to_keep(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let app = &cape.app;
    let foreign = app
        .text("insert into resources (tenant_id, id, name, kind, created_at) select id, gen_random_uuid(), 'North room', 'room', '2027-01-12'
               from tenants where slug = 'north-mentors' returning id::text")
        .await;
    for stranger in [foreign.as_str(), "018f0000-0000-7000-8000-000000000000", "abc"] {
        cape.staff.get(&format!("{LIST}/{stranger}")).await.expect(404);
        save(&cape.staff, &[("resource", stranger)]).await.expect(404);
        for verb in ["archive", "restore"] {
            step(&cape.staff, verb, stranger).await.expect(404);
        }
        let needed = [("resources[0]", stranger), ("units[0]", "1")];
        cape.save_service(&needed).await.expect(404);
    }
    cape.staff.get(LIST).await.expect(200).hides("North room");
    let yard = cape.resource("Test yard");
    for (email, status) in
        [(SIPHO, 403), (THANDI, 403), ("owner@north-mentors.test", 404), ("super@lessonbook.test", 404)]
    {
        let client = app.login(email).await;
        for path in [LIST.to_owned(), format!("{LIST}/new"), format!("{LIST}/{yard}")] {
            client.get(&path).await.expect(status);
        }
        save(&client, &[]).await.expect(status);
        save(&client, &[("resource", yard), ("name", "Mine now")]).await.expect(status);
        for verb in ["archive", "restore"] {
            step(&client, verb, yard).await.expect(status);
        }
    }
    assert_eq!(app.count(EDITS).await, 0);
    assert_eq!(
        app.count("select count(*) from resources where name = 'Test yard' and status = 'active'").await,
        1
    );
    app.owner().await.get(&format!("{LIST}/{yard}")).await.expect(200);
}
