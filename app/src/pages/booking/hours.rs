//! The part of an instructor's page that keeps their time: hours of each week, days with others, blocked times, limits.

use domain::{
    authz::{Action, Reach, TenantScope},
    availability::{
        Block, WeeklyHour,
        exceptions::{DayException, last_day},
        hours::{DAYS, day_text, openings_text},
        rules::{Desk, Limits},
    },
    ids::InstructorId,
    tenancy::Tenant,
    zoned::Zone,
};
use leptos::prelude::*;

use crate::{
    cx::Cx,
    pages::availability::long_day,
    ui::{self, Field, Kind, capital},
};

/// What the one who looks may do with it.
#[derive(Clone, Copy, Debug)]
pub struct May {
    /// Change it.
    edit: bool,
    /// Say how many lessons go to whom when any instructor will do.
    weigh: bool,
}

impl May {
    /// As the policy says, and the school's owner.
    pub fn of(scope: &TenantScope) -> Self {
        let reach = scope.actor().reach(Action::EditHours);
        Self { edit: reach != Reach::None, weigh: reach == Reach::All }
    }
}

/// All of it, with the forms to change it.
pub fn panel(cx: &Cx, tenant: &Tenant, instructor: InstructorId, desk: Desk, may: May) -> AnyView {
    let Desk { hours, blocks, exceptions, limits } = desk;
    let panel = Panel { cx, tenant, instructor, may };
    view! {
        <div class="grid-2">
            {panel.weekly(&hours)}
            {panel.blocked(blocks)}
            {panel.days(exceptions)}
            {panel.limits(limits)}
        </div>
    }
    .into_any()
}

/// Whose time it is, and who looks.
#[derive(Clone, Copy)]
struct Panel<'a> {
    cx: &'a Cx,
    tenant: &'a Tenant,
    instructor: InstructorId,
    may: May,
}

impl Panel<'_> {
    fn hidden(self) -> Vec<(&'static str, String)> {
        vec![("tenant", self.tenant.slug.clone()), ("instructor", self.instructor.to_string())]
    }

    fn weekly(self, hours: &[WeeklyHour]) -> AnyView {
        let city = self.tenant.zone.city();
        let body = if self.may.edit {
            let note = format!(
                "{city} time. Several openings a day stand with commas between them; an empty day is closed."
            );
            let form = ui::post_form(
                "availability/set_hours",
                self.cx,
                "hours-",
                self.hidden(),
                week_form(self.cx, hours),
            );
            view! {
                <p class="quiet">{note}</p>
                {form}
            }
            .into_any()
        } else {
            let note = format!("{city} time.");
            view! {
                <p class="quiet">{note}</p>
                {week_facts(hours)}
            }
            .into_any()
        };
        view! {
            <section class="panel">
                <h2>"Weekly hours"</h2>
                {body}
            </section>
        }
        .into_any()
    }

    fn blocked(self, blocks: Vec<Block>) -> AnyView {
        let form = self.may.edit.then(|| {
            let body = block_form(self.cx);
            view! {
                <h3>"Block a time"</h3>
                {ui::post_form("availability/block", self.cx, "block-", self.hidden(), body)}
            }
        });
        view! {
            <section class="panel">
                <h2>"Blocked times"</h2>
                {self.block_list(blocks)}
                {form}
            </section>
        }
        .into_any()
    }

    fn block_list(self, blocks: Vec<Block>) -> AnyView {
        if blocks.is_empty() {
            return view! { <p>"Nothing is blocked from now on."</p> }.into_any();
        }
        let zone = &self.tenant.zone;
        let rows: Vec<AnyView> = blocks
            .into_iter()
            .map(|block| {
                let free = self.may.edit.then(|| {
                    let id = block.id.to_string();
                    let hidden = vec![("tenant", self.tenant.slug.clone()), ("block", id.clone())];
                    let button = ui::button("Free again", Kind::Plain);
                    ui::post_form("availability/unblock", self.cx, &id, hidden, button)
                });
                let when = ui::time(zone, block.starts_at, span(zone, &block, self.cx));
                let reason = block.reason;
                view! { <li class="row"><span>{when} " " <bdi>{reason}</bdi></span>{free}</li> }.into_any()
            })
            .collect();
        view! { <ul class="stack tight">{rows}</ul> }.into_any()
    }

    fn days(self, exceptions: Vec<DayException>) -> AnyView {
        let form = self.may.edit.then(|| {
            let body = day_form(self.cx, &self.tenant.zone);
            view! {
                <h3>"Set the hours of a day"</h3>
                {ui::post_form("availability/save_exception", self.cx, "day-", self.hidden(), body)}
            }
        });
        view! {
            <section class="panel">
                <h2>"Days with other hours"</h2>
                {self.day_list(exceptions)}
                {form}
            </section>
        }
        .into_any()
    }

    fn day_list(self, exceptions: Vec<DayException>) -> AnyView {
        if exceptions.is_empty() {
            return view! { <p>"All days from today on are as each week."</p> }.into_any();
        }
        let rows: Vec<AnyView> = exceptions
            .into_iter()
            .map(|exception| {
                let date = exception.day.to_string();
                let remove = self.may.edit.then(|| {
                    let mut hidden = self.hidden();
                    hidden.push(("date", date.clone()));
                    let button = ui::button("As each week", Kind::Plain);
                    ui::post_form("availability/remove_exception", self.cx, &date, hidden, button)
                });
                let day = long_day(exception.day);
                let hours = if exception.openings.is_empty() {
                    "day off".to_owned()
                } else {
                    openings_text(&exception.openings)
                };
                let reason = exception.reason;
                view! {
                    <li class="row">
                        <span><time datetime=date>{day}</time>{format!(": {hours} ")}<bdi>{reason}</bdi></span>
                        {remove}
                    </li>
                }
                .into_any()
            })
            .collect();
        view! { <ul class="stack tight">{rows}</ul> }.into_any()
    }

    fn limits(self, limits: Limits) -> AnyView {
        let body = if self.may.edit {
            let body = self.limits_form(limits);
            ui::post_form("availability/set_rules", self.cx, "rules-", self.hidden(), body)
        } else {
            self.limits_facts(limits)
        };
        view! {
            <section class="panel">
                <h2>"Limits"</h2>
                {body}
            </section>
        }
        .into_any()
    }

    fn limits_form(self, limits: Limits) -> AnyView {
        let form = self.cx.form("availability/set_rules", "rules-");
        let lesson = &self.tenant.words().lesson;
        let many = format!("{}s", capital(lesson));
        let optional = |number: Option<i32>| number.map(|number| number.to_string()).unwrap_or_default();
        let weight = self.may.weigh.then(|| {
            let label = format!("Share when any {} will do", self.tenant.words().instructor);
            Field::number("weight", label)
                .value(limits.weight.to_string())
                .help("1 to 10. Who has 2 gets twice as much as who has 1.")
                .min(1)
                .max(10)
                .required()
                .view(&form, "rules-")
        });
        view! {
            {Field::number("travel", format!("Minutes between {lesson}s at different places"))
                .value(limits.travel_min.to_string())
                .help("0 to 240. Nothing is booked closer together than that.")
                .min(0)
                .max(240)
                .required()
                .view(&form, "rules-")}
            {Field::number("max_per_day", format!("{many} a day at most"))
                .value(optional(limits.max_per_day))
                .help("Empty for no limit.")
                .min(1)
                .max(100)
                .view(&form, "rules-")}
            {Field::number("max_per_week", format!("{many} a week at most"))
                .value(optional(limits.max_per_week))
                .help("From Monday to Sunday. Empty for no limit.")
                .min(1)
                .max(500)
                .view(&form, "rules-")}
            {weight}
            {ui::button("Save limits", Kind::Main)}
        }
        .into_any()
    }

    fn limits_facts(self, limits: Limits) -> AnyView {
        let text = |text: String| view! { <span>{text}</span> }.into_any();
        let most = |number: Option<i32>| match number {
            Some(number) => text(ui::count(i64::from(number))),
            None => text("No limit".to_owned()),
        };
        ui::facts(vec![
            ("Between two places".to_owned(), text(ui::minutes(limits.travel_min))),
            ("A day at most".to_owned(), most(limits.max_per_day)),
            ("A week at most".to_owned(), most(limits.max_per_week)),
        ])
    }
}

fn week_form(cx: &Cx, hours: &[WeeklyHour]) -> AnyView {
    let form = cx.form("availability/set_hours", "hours-");
    let fields: Vec<AnyView> = (1i16..)
        .zip(DAYS)
        .map(|(weekday, (field, label))| {
            Field::text(field, label)
                .value(day_text(hours, weekday))
                .autocomplete("off")
                .max_length(200)
                .view(&form, "hours-")
        })
        .collect();
    view! {
        <p class="quiet">"For example 09:00-12:00, 13:00-17:00"</p>
        {fields}
        {ui::button("Save hours", Kind::Main)}
    }
    .into_any()
}

fn week_facts(hours: &[WeeklyHour]) -> AnyView {
    let day = |(weekday, (_, label)): (i16, (&'static str, &'static str))| {
        let text = Some(day_text(hours, weekday)).filter(|text| !text.is_empty());
        let text = text.unwrap_or_else(|| "Closed".to_owned());
        (label.to_owned(), view! { <span>{text}</span> }.into_any())
    };
    ui::facts((1i16..).zip(DAYS).map(day).collect())
}

/// "Tue 30 Mar, 09:00–17:00", or the day alone when all of it is blocked.
fn span(zone: &Zone, block: &Block, cx: &Cx) -> String {
    let day = zone.date(block.starts_at);
    let tomorrow = day.tomorrow().unwrap_or(day);
    if block.starts_at == zone.day_start(day) && block.ends_at == zone.day_start(tomorrow) {
        format!("{}, all day", zone.short_day(block.starts_at))
    } else {
        zone.span(block.starts_at, block.ends_at, cx.now())
    }
}

fn block_form(cx: &Cx) -> AnyView {
    let form = cx.form("availability/block", "block-");
    view! {
        {Field::date("date", "Date").required().view(&form, "block-")}
        {Field::time_of_day("from", "From").help("Leave both times empty for the whole day.").view(&form, "block-")}
        {Field::time_of_day("to", "To").view(&form, "block-")}
        {Field::text("reason", "Reason").max_length(200).view(&form, "block-")}
        {ui::button("Block time", Kind::Main)}
    }
    .into_any()
}

fn day_form(cx: &Cx, zone: &Zone) -> AnyView {
    let form = cx.form("availability/save_exception", "day-");
    let today = zone.date(cx.now());
    view! {
        {Field::date("date", "Day").min(today).max(last_day(today)).required().view(&form, "day-")}
        {Field::text("hours", "Hours on that day")
            .help("For example 09:00-12:00, 14:00-16:00; empty for a day off. They go before weekly hours and holidays.")
            .autocomplete("off")
            .max_length(200)
            .view(&form, "day-")}
        {Field::text("reason", "Why").autocomplete("off").max_length(200).view(&form, "day-")}
        {ui::button("Save day", Kind::Main)}
    }
    .into_any()
}
