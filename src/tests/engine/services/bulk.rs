//! One change to many services at once.

use sqlx::PgPool;

use super::{BOTH, DRIVING, EDITS, TEST, THEORY, foreign};
use crate::engine::{Cape, about, act, id, said};

/// Prices of the demo's first two services.
const PRICES: &str = "select string_agg(price_minor::text, '|' order by s.name) from services s join tenants t on t.id = s.tenant_id
    where t.slug = 'cape-drive' and s.name in ('Driving lesson', 'Test preparation')";

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn many_are_changed_at_once_and_each_is_recorded(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let two = [("services[0]", cape.service(DRIVING)), ("services[1]", cape.service(TEST))];
    let bulk = async |step: &str, value: &str| {
        let mut fields = vec![("step", step), ("value", value)];
        fields.extend_from_slice(&two);
        act(&cape.staff, "services/bulk", &fields).await
    };
    assert_eq!(said(&bulk("price_percent", "10").await.expect(200)), "2 services changed.");
    assert_eq!(cape.app.text(PRICES).await, "46200|68200");
    let recorded = "select string_agg((before->>'price_minor') || '>' || (after->>'price_minor'), ' ' order by after->>'price_minor')
        from audit where action = 'services.edit'";
    assert_eq!(cape.app.text(recorded).await, "42000>46200 62000>68200");
    // What is so already isn't changed, and isn't recorded.
    assert_eq!(said(&bulk("price", "462").await.expect(200)), "1 service changed.");
    assert_eq!(cape.app.count(EDITS).await, 3);
    // What its parts have, the combo has too.
    bulk("notice", "48").await.expect(200);
    let notice = "select notice_min::text from services where id = $1::uuid";
    assert_eq!(about(&cape.app, notice, cape.service(BOTH)).await, "2880");
    bulk("archive", "").await.expect(200);
    cape.app.visitor().get("/s/cape-drive").await.expect(200).hides(DRIVING).hides(TEST).shows(THEORY);
    bulk("restore", "").await.expect(200);
    cape.app.visitor().get("/s/cape-drive").await.expect(200).shows(DRIVING).shows(TEST);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn of_many_all_are_changed_or_none(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let (driving, both) = (cape.service(DRIVING), cape.service(BOTH));
    let bulk = async |step: &str, value: &str, services: &[&str]| {
        let names: Vec<String> = (0..services.len()).map(|n| format!("services[{n}]")).collect();
        let mut fields = vec![("step", step), ("value", value)];
        fields.extend(names.iter().map(String::as_str).zip(services.iter().copied()));
        act(&cape.staff, "services/bulk", &fields).await
    };
    for (step, value, field, message) in [
        ("price_percent", "ten", "value", "Type a percentage such as 10 or -5."),
        ("price_percent", "-101", "value", "Type a percentage such as 10 or -5."),
        ("late_fee", "101", "value", "Type a whole percentage from 0 to 100."),
        ("horizon", "0", "value", "Type a whole number of days from 1 to 730."),
        ("colour", "red", "value", "Write the colour like #0f766e, or leave it empty."),
        ("delete", "", "step", "Choose what to do with them."),
        ("", "", "step", "Choose what to do with them."),
    ] {
        let answer = bulk(step, value, &[driving]).await.expect(422);
        assert_eq!(answer.field(field), message, "{step} {value}");
    }
    let answer = bulk("archive", "", &[]).await.expect(422);
    assert_eq!(answer.field("services"), "Choose at least one service.");
    // A combo has its terms from its parts.
    let answer = bulk("horizon", "30", &[driving, both]).await.expect(422);
    assert_eq!(
        answer.field("services"),
        "A combo has this from its parts; change those: Lesson and mock test."
    );
    for stranger in [foreign(&cape.app).await.as_str(), "018f0000-0000-7000-8000-000000000000", "abc"] {
        bulk("price", "1", &[driving, stranger]).await.expect(404);
    }
    assert_eq!(cape.app.text(PRICES).await, "42000|62000");
    assert_eq!(cape.app.count(EDITS).await, 0);
    // The second of two can't be restored: the first isn't either.
    let mut gone = Vec::new();
    for name in ["Aerial", "Bravo"] {
        let service = id(&cape.save_service(&[("name", name)]).await.expect(200));
        cape.archive(&service, "archive").await.expect(200);
        gone.push(service);
    }
    cape.save_service(&[("name", "Bravo")]).await.expect(200);
    let recorded = cape.app.count(EDITS).await;
    let answer = bulk("restore", "", &[&gone[0], &gone[1]]).await.expect(422);
    assert_eq!(
        answer.field("services"),
        "Another active service is called Bravo too. Rename one of them first."
    );
    assert_eq!(
        cape.app.count("select count(*) from services where name = 'Aerial' and status = 'archived'").await,
        1
    );
    assert_eq!(cape.app.count(EDITS).await, recorded);
}
