//! Combos: several services sold and booked as one (SV-02).

use sqlx::PgPool;

use super::{BOOKED, BOTH, DRIVING, EDITS, SHAPE, TEST, THEORY, foreign};
use crate::{
    downloads::attrs,
    engine::{Cape, LERATO, SIPHO, about, id, said},
};

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_combo_is_the_sum_of_its_parts_at_one_price(admin: PgPool) {
    let cape = Cape::new(admin).await;
    // With a gap between the parts, as an empty row of the form leaves one, and the first part again at the end.
    let parts = [("parts[1]", ""), ("parts[2]", cape.service(TEST)), ("parts[3]", cape.service(DRIVING))];
    let combo = id(&cape.save_combo(&parts).await.expect(200));
    // 60 + 90 + 60 minutes; its buffer is that of its last part, and all twelve teach all of them.
    assert_eq!(about(&cape.app, SHAPE, &combo).await, "combo|210|90000|0|t|12");
    let page = cape.staff.get(&format!("/t/cape-drive/services/{combo}")).await.expect(200);
    for (n, part) in [DRIVING, TEST, DRIVING].into_iter().enumerate() {
        let chosen = attrs(&page, &format!("select[name=\"parts[{n}]\"] option[selected]"), "value");
        assert_eq!(chosen, [cape.service(part)], "part {n}");
    }
    // Other parts in another order.
    let parts =
        [("service", combo.as_str()), ("parts[0]", cape.service(TEST)), ("parts[1]", cape.service(DRIVING))];
    cape.save_combo(&parts).await.expect(200);
    let kept =
        "select string_agg(service_id::text, ',' order by place) from combo_parts where combo_id = $1::uuid";
    let order = [cape.service(TEST), cape.service(DRIVING)].join(",");
    assert_eq!(about(&cape.app, kept, &combo).await, order);
    assert_eq!(about(&cape.app, SHAPE, &combo).await, "combo|150|90000|0|t|12");
    let recorded = "select string_agg(jsonb_array_length(after->'parts')::text, ',' order by seq) from audit where entity_id = $1::uuid";
    assert_eq!(about(&cape.app, recorded, &combo).await, "3,2");
    cape.app.visitor().get("/s/cape-drive").await.expect(200).shows("Crash course").shows("2 h 30 min");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_combo_is_made_of_two_or_more_services_for_one(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let spare = id(&cape.save_service(&[("name", "Spare")]).await.expect(200));
    cape.archive(&spare, "archive").await.expect(200);
    let recorded = cape.app.count(EDITS).await;
    for (part, message) in [
        ("", "Choose at least two services."),
        (cape.service(THEORY), "Theory class is for several. Choose services for one."),
        (cape.service(BOTH), "Lesson and mock test is a combo. Choose its parts instead."),
        (spare.as_str(), "Spare is archived. Choose another, or restore it first."),
    ] {
        let answer = cape.save_combo(&[("parts[1]", part)]).await.expect(422);
        assert_eq!(answer.field("parts"), message);
    }
    let many: Vec<String> = (0..21).map(|n| format!("parts[{n}]")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), cape.service(DRIVING))).collect();
    assert_eq!(cape.save_combo(&many).await.expect(422).field("parts"), "Choose 20 services at most.");
    let answer = cape.save_combo(&[("name", ""), ("price", "x"), ("parts[1]", "")]).await.expect(422);
    assert!(
        ["name", "price", "parts"].iter().all(|field| !answer.field(field).is_empty()),
        "{}",
        answer.body
    );
    for stranger in [foreign(&cape.app).await.as_str(), "018f0000-0000-7000-8000-000000000000", "abc"] {
        cape.save_combo(&[("parts[1]", stranger)]).await.expect(404);
        cape.save_combo(&[("service", stranger)]).await.expect(404);
    }
    // Each kind has its own form.
    cape.save_combo(&[("service", cape.service(DRIVING))]).await.expect(409);
    cape.save_service(&[("service", cape.service(BOTH))]).await.expect(409);
    // What is part of a combo stays for one.
    let answer = cape.change(DRIVING, &[("capacity", "2")]).await.expect(422);
    assert_eq!(
        answer.field("capacity"),
        "It is part of Lesson and mock test, which is for one. Take it out there first."
    );
    assert_eq!(cape.app.count(EDITS).await, recorded);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_combo_follows_its_parts(admin: PgPool) {
    let cape = Cape::new(admin).await;
    assert_eq!(about(&cape.app, SHAPE, cape.service(BOTH)).await, "combo|150|98000|15|t|12");
    // A part takes longer and is taught by two: so is the combo, at the price it had.
    let yard = [("duration", "75"), ("resources[0]", cape.resource("Test yard")), ("units[0]", "1")];
    cape.change(DRIVING, &yard).await.expect(200);
    assert_eq!(about(&cape.app, SHAPE, cape.service(BOTH)).await, "combo|165|98000|15|t|2");
    let needs = "select coalesce(sum(units), 0)::text from service_resources where service_id = $1::uuid";
    assert_eq!(about(&cape.app, needs, cape.service(BOTH)).await, "1");
    // No longer than a day.
    let answer = cape.change(TEST, &[("duration", "1440")]).await.expect(422);
    assert_eq!(answer.field("duration"), "With it, Lesson and mock test would take longer than a day.");
    assert_eq!(about(&cape.app, SHAPE, cape.service(TEST)).await, "single|90|62000|15|t|12");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_combo_with_an_archived_part_is_not_to_be_had(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let (student, visitor) = (cape.app.login(SIPHO).await, cape.app.visitor());
    let page = cape.book_page(BOTH, "thandi", &[("date", "2027-02-05")]);
    visitor.get("/s/cape-drive").await.expect(200).shows(BOTH);
    visitor.get(&page).await.expect(200).shows(BOTH);
    cape.archive(TEST, "archive").await.expect(200);
    visitor.get("/s/cape-drive").await.expect(200).hides(BOTH).hides(TEST).shows(DRIVING);
    visitor.get(&page).await.expect(404);
    let answer = cape.book(&student, BOTH, "thandi", "2027-02-05T09:00", &[]).await.expect(422);
    assert_eq!(answer.field("service"), "A part of this combo is no longer offered. Choose another one.");
    cape.staff.get("/t/cape-drive/services").await.expect(200).shows("Part archived");
    cape.archive(TEST, "restore").await.expect(200);
    visitor.get("/s/cape-drive").await.expect(200).shows(BOTH);
    cape.book(&student, BOTH, "thandi", "2027-02-05T09:00", &[]).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_booked_combo_takes_its_whole_stretch(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let (student, other) = (cape.app.login(SIPHO).await, cape.app.login(LERATO).await);
    let booked = cape.book(&student, BOTH, "thandi", "2027-02-05T09:00", &[]).await.expect(200);
    assert!(
        said(&booked).contains("Lesson and mock test with Thandi Mokoena, Fri 5 Feb, 09:00–11:30"),
        "{}",
        booked.body
    );
    assert_eq!(about(&cape.app, BOOKED, &id(&booked)).await, "150|98000|-|2|11:45");
    for (at, status) in [("09:30", 409), ("11:00", 409), ("11:30", 409), ("11:45", 200)] {
        cape.book(&other, DRIVING, "thandi", &format!("2027-02-05T{at}"), &[]).await.expect(status);
    }
    // The student is free as soon as it has ended.
    cape.book(&student, DRIVING, "pieter", "2027-02-05T11:30", &[]).await.expect(200);
}
