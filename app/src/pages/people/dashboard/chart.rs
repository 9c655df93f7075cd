//! Lessons per day of a week as bars, with the numbers in a table behind them (UX-05).

use domain::tenancy::Tenant;
use jiff::civil::Date;
use leptos::prelude::*;

use crate::ui::capital;

/// Room of one day.
const STEP: i64 = 50;
/// Width of a bar.
const BAR: i64 = 30;
/// Height of the highest bar.
const HIGH: i64 = 90;
/// Where bars stand.
const FLOOR: i64 = 112;

/// The chart of the week that begins with the first of `days`.
pub(super) fn week(tenant: &Tenant, days: &[Date; 8], counts: &[i64]) -> AnyView {
    let word = &tenant.words().lesson;
    let first = days[0].strftime("%-d %b");
    let last = days[6].strftime("%-d %b %Y");
    let title = format!("{}s per day, {first} to {last}", capital(word));
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let bars: Vec<AnyView> = days[..7]
        .iter()
        .zip(counts)
        .zip(0_i64..)
        .map(|((day, count), place)| bar(place, *day, *count, most))
        .collect();
    let rows: Vec<AnyView> =
        days[..7].iter().zip(counts).map(|(day, count)| row(*day, *count, word)).collect();
    let heading = format!("{}s per day", capital(word));
    let floor = FLOOR.to_string();
    view! {
        <section class="panel">
            <h2>{heading}</h2>
            <svg class="chart" viewBox="0 0 350 136" role="img" aria-labelledby="week-chart">
                <title id="week-chart">{title}</title>
                {bars}
                <line x1="0" x2="350" y1=floor.clone() y2=floor></line>
            </svg>
            <details class="row-open">
                <summary>"As a table"</summary>
                <table class="table compact plain-table">
                    <thead>
                        <tr>
                            <th scope="col">"Day"</th>
                            <th scope="col" class="num">{format!("{}s", capital(word))}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </details>
        </section>
    }
    .into_any()
}

fn bar(place: i64, day: Date, count: i64, most: i64) -> AnyView {
    let height = HIGH * count / most;
    let top = FLOOR - height;
    let left = place * STEP + (STEP - BAR) / 2;
    let middle = (place * STEP + STEP / 2).to_string();
    view! {
        <g>
            <rect x=left.to_string() y=top.to_string() width=BAR.to_string() height=height.to_string()></rect>
            <text x=middle.clone() y=(top - 4).to_string() text-anchor="middle">{count.to_string()}</text>
            <text x=middle y=(FLOOR + 16).to_string() text-anchor="middle">{day.strftime("%a").to_string()}</text>
        </g>
    }
    .into_any()
}

fn row(day: Date, count: i64, word: &str) -> AnyView {
    let label = format!("{}s", capital(word));
    view! {
        <tr>
            <th scope="row">{day.strftime("%a %-d %b").to_string()}</th>
            <td data-label=label class="num">{count.to_string()}</td>
        </tr>
    }
    .into_any()
}
