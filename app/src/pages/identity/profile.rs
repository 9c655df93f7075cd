//! What one says of oneself beyond the name, mostly for those who teach (AC-07).

use domain::identity::profile::{self, Profile};
use leptos::prelude::*;

use crate::{
    cx::{Cx, Form},
    doc::{Doc, Frame, PageResult},
    ui::{Field, Kind, button, link_button, page_head, post_form},
};

/// The form.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.account().await?;
    let profile = profile::get(&mut scope).await?;
    let frame = Frame::Account { account: scope.account().clone() };
    Ok(Doc::new("Profile", frame, move || draw(&cx, profile)))
}

fn draw(cx: &Cx, profile: Profile) -> AnyView {
    let lead = "Asked of those who teach. The owner and staff of the schools you belong to see it; the public doesn't.";
    let body = fields(&cx.form("identity/save_profile", ""), profile);
    view! {
        {page_head("Profile", Some(lead.into()), link_button("/account".into(), "Account", false))}
        <div class="measure">{post_form("identity/save_profile", cx, "", vec![], body)}</div>
    }
    .into_any()
}

fn fields(form: &Form, profile: Profile) -> AnyView {
    let (lat, lon) = match profile.pickup_at {
        Some((lat, lon)) => (lat.to_string(), lon.to_string()),
        None => (String::new(), String::new()),
    };
    view! {
        {Field::text("id_number", "Id number")
            .value(profile.id_number)
            .help("Of your identity card or passport. It is kept encrypted.")
            .autocomplete("off")
            .max_length(50)
            .view(form, "")}
        {Field::text("address", "Address")
            .value(profile.address)
            .help("Street and number.")
            .autocomplete("street-address")
            .max_length(300)
            .view(form, "")}
        {Field::text("suburb", "Suburb").value(profile.suburb).autocomplete("address-level3").max_length(100).view(form, "")}
        {Field::text("city", "City").value(profile.city).autocomplete("address-level2").max_length(100).view(form, "")}
        {Field::text("province", "Province").value(profile.province).autocomplete("address-level1").max_length(100).view(form, "")}
        {Field::text("pickup", "Pickup address")
            .value(profile.pickup)
            .help("Where lessons begin, when it isn't the address.")
            .autocomplete("off")
            .max_length(300)
            .view(form, "")}
        {Field::text("pickup_lat", "Latitude")
            .value(lat)
            .help("Of the pickup address, in degrees, like -33.9249. Give both or neither.")
            .autocomplete("off")
            .max_length(24)
            .view(form, "")}
        {Field::text("pickup_lon", "Longitude")
            .value(lon)
            .help("In degrees, like 18.4241.")
            .autocomplete("off")
            .max_length(24)
            .view(form, "")}
        {button("Save profile", Kind::Main)}
    }
    .into_any()
}
