//! Hostile input over HTTP: whatever is sent, the answer says what to mend, and never is it "our side".

mod forms;

use std::sync::Arc;

use app::access::Access;
use axum::body::Body;
use http::{Method, Request, header};
use sqlx::PgPool;

use self::forms::{Fields, People, SAVED, Unwilling, form, things, whole};
use crate::{
    downloads::texts,
    harness::{Answer, Client, TestApp},
};

/// What nobody types by chance, between bars.
const HOSTILE: &str = "| |\0|a\0b|\u{202e}\u{feff}\u{200b}|<script>alert(1)</script>|'; drop table users; --|%s%n{0}${7*7}|-1|\
    99999999999999999999|NaN|9999-12-31|-009999-01-01|24:00|👩\u{200d}🚗💥é|../../etc/passwd|\r\nSet-Cookie: a=b|\
    2027-02-30T25:61:00Z|9999-12-30T22:00:00Z|[]|{\"$ne\":null}|00000000-0000-0000-0000-000000000000";
const NOBODY: &str = "018f0000-0000-7000-8000-000000000000";

fn encode(fields: &[(&str, String)]) -> Vec<u8> {
    serde_urlencoded::to_string(fields).unwrap().into_bytes()
}

async fn send(client: &Client, path: &str, body: Vec<u8>) -> Answer {
    client.send(Method::POST, path, "application/json", Some(body)).await
}

/// The fields with one of them changed.
fn with(fields: &[(&'static str, String)], name: &str, value: &str) -> Fields {
    fields.iter().map(|(n, v)| (*n, if *n == name { value.to_owned() } else { v.clone() })).collect()
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_missing_or_damaged_field_is_named(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (people, things) = (People::new(&app).await, things(&app).await);
    for (path, _) in app::actions::TABLE {
        let (client, (needed, optional)) = (people.of(path), form(path, &things));
        for (missing, _) in &needed {
            let rest: Fields = needed.iter().filter(|(name, _)| name != missing).cloned().collect();
            let answer = send(client, path, encode(&rest)).await;
            assert_eq!(answer.status.as_u16(), 422, "{path} without {missing}: {}", answer.body);
            assert!(!answer.field(missing).is_empty(), "{path} without {missing}: {}", answer.body);
        }
        for (damaged, _) in needed.iter().chain(&optional) {
            let rest: Fields = needed.iter().filter(|(name, _)| name != damaged).cloned().collect();
            for bytes in [&b"%FF%FE"[..], b"Zo%EB", b"\xff", b"%ED%A0%80"] {
                let mut body = encode(&rest);
                body.extend_from_slice(format!("&{damaged}=").as_bytes());
                body.extend_from_slice(bytes);
                let answer = send(client, path, body).await;
                assert_eq!(answer.status.as_u16(), 422, "{path}, {damaged} damaged: {}", answer.body);
                let said = answer.field(damaged);
                assert!(said.contains("UTF-8"), "{path}, {damaged} damaged: {}", answer.body);
            }
        }
    }
    assert_eq!(app.count(SAVED).await, 0, "something was saved");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_is_too_large_or_no_form_is_refused(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (people, things) = (People::new(&app).await, things(&app).await);
    for (path, _) in app::actions::TABLE {
        let client = people.of(path);
        let mut body = encode(&form(path, &things).0);
        body.extend_from_slice(b"&more=");
        body.resize(64 * 1024 + 1, b'x');
        let answer = send(client, path, body.clone()).await.expect(413);
        assert_eq!(answer.json()["code"], "TOO_LARGE", "{path}");
        let page = client.send(Method::POST, path, "text/html", Some(body)).await;
        page.expect(413).shows("<h1>Too large</h1>");
        let kinds = "text/plain|application/json|multipart/form-data; boundary=x|application/x-www-form-urlencoded-not|";
        for kind in kinds.split('|') {
            let mut request =
                Request::builder().method(Method::POST).uri(*path).header(header::ACCEPT, "application/json");
            if !kind.is_empty() {
                request = request.header(header::CONTENT_TYPE, kind);
            }
            client.call(request.body(Body::from(encode(&form(path, &things).0))).unwrap()).await.expect(422);
        }
    }
    let made = app.count("select count(*) from tenants where slug = 'new-school'").await;
    assert_eq!(app.count(SAVED).await + made, 0, "something was saved");
    // What just fits is read.
    let mut body = b"name=New+Name&more=".to_vec();
    body.resize(64 * 1024, b'x');
    send(&people.owner, "/fn/identity/update_name", body).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_is_not_there_is_not_found(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (people, things) = (People::new(&app).await, things(&app).await);
    for (path, access) in app::actions::TABLE {
        if !matches!(access, Access::Member(_) | Access::Platform) || path.ends_with("/create") {
            continue;
        }
        let all = whole(path, &things);
        for (name, _) in all.iter().filter(|(_, value)| things.values().any(|thing| thing == value)) {
            let answer = send(people.of(path), path, encode(&with(&all, name, NOBODY))).await;
            assert_eq!(answer.status.as_u16(), 404, "{path}, {name}: {}", answer.body);
            assert_eq!(answer.json()["code"], "NOT_FOUND");
        }
    }
    assert_eq!(app.count(SAVED).await, 0, "something was saved");
    for path in ["/fn/packs/steal", "/fn/packs", "/fn/PACKS/add_lesson", "/fn/%FF/x", "/fn/packs/add_lesson/"]
    {
        send(&people.owner, path, Vec::new()).await.expect(404);
    }
    let error = send(&people.owner, "/fn/identity/update_name", b"name=".to_vec()).await.expect(422).json();
    assert_eq!(
        (error["code"].as_str(), error["path"].as_str()),
        (Some("VALIDATION_ERROR"), Some("/fn/identity/update_name"))
    );
    assert!(error["message"].is_string() && error["fields"]["name"].is_string(), "{error}");
    assert!(error["error_id"].as_str().unwrap().parse::<uuid::Uuid>().is_ok(), "{error}");
    assert!(error["timestamp"].as_str().unwrap().parse::<domain::Instant>().is_ok(), "{error}");
}

/// Parts of the table of actions, and of the addresses, that are tried side by side: some answers come late on purpose.
const PARTS: usize = 3;

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn no_field_of_the_first_third_of_actions_breaks_the_server(admin: PgPool) {
    try_fields(admin, 0).await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn no_field_of_the_second_third_of_actions_breaks_the_server(admin: PgPool) {
    try_fields(admin, 1).await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn no_field_of_the_last_third_of_actions_breaks_the_server(admin: PgPool) {
    try_fields(admin, 2).await;
}

async fn try_fields(admin: PgPool, part: usize) {
    let app = TestApp::demo_mailing(admin, Arc::new(Unwilling)).await;
    let (people, things) = (People::new(&app).await, things(&app).await);
    let long = "x".repeat(10_001);
    let mut wrong = Vec::new();
    for (path, _) in app::actions::TABLE.iter().skip(part).step_by(PARTS) {
        let all = whole(path, &things);
        for value in HOSTILE.split('|').chain([long.as_str()]) {
            let shown: String = value.chars().take(40).collect();
            for (name, _) in &all {
                let answer = send(people.of(path), path, encode(&with(&all, name, value))).await;
                if answer.status.is_server_error() {
                    wrong.push(format!("{path} {name}={shown:?}: {} {}", answer.status, answer.body));
                }
            }
            // In the right school and for the right account, so that all of it reaches the action.
            let hostile = |name: &str| name != "tenant" && name != "user";
            let worst: Fields = all
                .iter()
                .map(|(name, good)| (*name, if hostile(name) { value.to_owned() } else { good.clone() }))
                .collect();
            let body: Vec<u8> = encode(&worst).into_iter().take(60_000).collect();
            for client in people.who_try(path) {
                let answer = send(client, path, body.clone()).await;
                if answer.status.is_server_error() {
                    wrong.push(format!("{path} all={shown:?}: {} {}", answer.status, answer.body));
                }
            }
        }
        let odd =
            "&&==&|tenant[a][b][c][d][e][f][g]=1|tenant=a&tenant=b|tenant[]=a&tenant[5]=b|%00=%00|[=]&]=[";
        for body in odd.split('|') {
            let answer = send(people.of(path), path, body.as_bytes().to_vec()).await;
            if answer.status.is_server_error() {
                wrong.push(format!("{path} {body}: {} {}", answer.status, answer.body));
            }
        }
    }
    assert!(wrong.is_empty(), "{} answers:\n{}", wrong.len(), wrong.join("\n"));
    people.owner.get("/t/cape-drive").await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_form_without_scripts_survives_whatever_was_typed(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (people, things) = (People::new(&app).await, things(&app).await);
    let mut wrong = Vec::new();
    for (path, _) in app::actions::TABLE {
        let all = whole(path, &things);
        for value in ["\0", "a\0b", "<script>alert(1)</script>", "\u{202e}é😀", "\\u0000\"'&"] {
            let fields: Vec<(&str, &str)> =
                all.iter().map(|(name, _)| (*name, value)).filter(|(name, _)| *name != "_back").collect();
            let client = people.of(path);
            let answer = client.submit(path.trim_start_matches("/fn/"), "/account", &fields).await;
            if answer.status.as_u16() != 303 {
                wrong.push(format!("{path} {value:?}: {} {}", answer.status, answer.body));
                continue;
            }
            let page = client.get(answer.location()).await;
            if page.status.is_server_error() || page.body.contains("<script>alert") {
                wrong.push(format!("{path} {value:?}, then {}: {}", answer.location(), page.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{} answers:\n{}", wrong.len(), wrong.join("\n"));
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn no_address_of_the_first_third_breaks_the_server(admin: PgPool) {
    try_addresses(admin, 0).await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn no_address_of_the_second_third_breaks_the_server(admin: PgPool) {
    try_addresses(admin, 1).await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn no_address_of_the_last_third_breaks_the_server(admin: PgPool) {
    try_addresses(admin, 2).await;
}

async fn try_addresses(admin: PgPool, part: usize) {
    let app = TestApp::demo(admin).await;
    let (people, things) = (People::new(&app).await, things(&app).await);
    let pages = app::pages::routes().into_iter().map(|route| (route.path, route.access));
    let downloads = lessonbook::http::csv::DOWNLOADS.iter().map(|download| (download.path, download.access));
    let mut wrong = Vec::new();
    for (path, access) in pages.chain(downloads).skip(part).step_by(PARTS) {
        let client = if access == Access::Platform { &people.platform } else { &people.owner };
        let thing = ["booking", "instructor", "student", "service", "user", "group", "resource"]
            .into_iter()
            .find(|name| path.contains(&format!("/{name}s/{{id}}")));
        let thing = if path.contains("/offers/") { Some("hold") } else { thing };
        let id = things[thing.unwrap_or("school")].as_str();
        let good = path.replace("{tenant}", "cape-drive").replace("{id}", id).replace("{token}", "0f");
        client.get(&good).await.expect(match path {
            // Nobody is half-way in, and no invite has this token.
            "/login/code" => 303,
            "/invite/{token}" => 409,
            // A time kept during checkout is no offer.
            "/t/{tenant}/offers/{id}" => 404,
            _ => 200,
        });
        let long = "x".repeat(2_000);
        let mut addresses = Vec::new();
        for part in ["%00", "a%00b", "%FF", "%2e%2e", "%E2%80%AE", long.as_str(), "'", "%25"] {
            addresses.extend(
                ["{tenant}", "{id}", "{token}"].iter().filter_map(|hole| good_but(path, hole, part, &good)),
            );
        }
        let names = "q sort dir page page_size city verification status from to date at pack next time student actor action entity school state with";
        for value in HOSTILE.split('|') {
            let list: Vec<(&str, &str)> = names.split(' ').map(|name| (name, value)).collect();
            let list = serde_urlencoded::to_string(list).unwrap();
            let other = serde_urlencoded::to_string([("service", value), ("instructor", value)]).unwrap();
            addresses.extend([format!("{good}?{list}"), format!("{good}?{other}")]);
            if path.ends_with("/book") {
                addresses.push(format!("{good}?service={}&instructor=any&{list}", things["service"]));
            }
        }
        addresses.extend(["q=%FF&sort=%C0%80", "&&==&%", "q=%"].map(|query| format!("{good}?{query}")));
        for address in addresses {
            let answer = client.get(&address).await;
            if answer.status.is_server_error() || answer.body.contains("<script>alert") {
                wrong.push(format!("{}: {}", address.chars().take(200).collect::<String>(), answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{} answers:\n{}", wrong.len(), wrong.join("\n"));
}

/// The good address with another text in one of its holes; nothing when the route has no such hole.
fn good_but(path: &str, hole: &str, part: &str, good: &str) -> Option<String> {
    let place = path.split('/').position(|piece| piece == hole)?;
    let pieces = good.split('/').enumerate().map(|(n, piece)| if n == place { part } else { piece });
    Some(pieces.collect::<Vec<_>>().join("/"))
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn markup_and_emoji_stand_on_pages_as_typed(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (people, things) = (People::new(&app).await, things(&app).await);
    let text = "</textarea><script>alert(1)</script> \"O'Neil\" & محمد \u{202e}😀";
    let fields = with(&with(&whole("/fn/booking/book", &things), "note", text), "pickup", text);
    // Refused first: the page keeps what was typed.
    let pairs: Vec<(&str, &str)> =
        fields.iter().map(|(n, v)| (*n, if *n == "pickup" { "" } else { v.as_str() })).collect();
    let back = format!(
        "/s/cape-drive/book?service={}&instructor={}&date=2027-01-15&at=2027-01-15T15%3A00%3A00%2B02%3A00",
        things["service"], things["instructor"]
    );
    let page = people.student.submit_and_follow("booking/book", &back, &pairs).await;
    let page = page.expect(200).hides("<script>alert");
    assert_eq!(texts(&page, "textarea[name=\"note\"]"), [text]);
    let made = send(&people.student, "/fn/booking/book", encode(&fields)).await.expect(200).json();
    let next = made["next"].as_str().unwrap().to_owned();
    for client in [&people.student, &people.instructor, &people.owner] {
        let page = client.get(&next).await.expect(200).hides("<script>alert");
        assert_eq!(texts(&page, "dd bdi").iter().filter(|shown| *shown == text).count(), 2, "{}", page.body);
    }
    let id = made["id"].as_str().unwrap();
    let fields = [("tenant", "cape-drive"), ("booking", id), ("reason", text)];
    people.student.post("booking/cancel", &fields).await.expect(200);
    people.owner.get(&next).await.expect(200).hides("<script>alert").shows("&lt;script&gt;alert(1)");
    let fields = whole("/fn/services/save", &things);
    send(&people.owner, "/fn/services/save", encode(&with(&fields, "name", text))).await.expect(200);
    let page = people.owner.get("/t/cape-drive/services").await.expect(200).hides("<script>alert");
    assert!(texts(&page, ".table th a").contains(&text.to_owned()), "{}", page.body);
    let page = app.visitor().get("/s/cape-drive").await.expect(200);
    page.hides("<script>alert").shows("&lt;script&gt;alert(1)");
    // In the mail it is as typed too: what each part of a message makes of it is tested there.
    let notes: Vec<String> = sqlx::query_scalar("select data->>'note' from outbox where data ? 'note'")
        .fetch_all(&app.admin)
        .await
        .unwrap();
    assert!(notes.iter().any(|note| note == text), "{notes:?}");
}
