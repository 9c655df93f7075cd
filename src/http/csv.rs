//! Downloads (DA-01): the table a person sees as CSV, with the page's filters, streamed row by row.
//!
//! A download that fails half-way breaks off without its last chunk, so that no client takes it for whole.

use std::{pin::Pin, sync::Arc};

use app::{
    AppError,
    access::Access,
    cx::{Cx, Site},
};
use axum::{Router, body::Body, extract::Request, response::Response, routing::get};
use bytes::Bytes;
use domain::{audit, authz::Action, booking, people, rows::Rows, team, tenancy};
use futures::{Stream, StreamExt, stream};
use http::{HeaderValue, header};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{context, errors};

/// Rows are written to the connection in chunks of about this many bytes.
const CHUNK: usize = 16 * 1024;

/// Downloads at a time: each holds a connection for as long as its reader takes, and pages need some too.
const AT_ONCE: usize = 5;

type Loading = Pin<Box<dyn Future<Output = Result<Rows, AppError>> + Send>>;

/// A download: its address, who may have it, where its rows come from.
#[derive(Clone, Copy)]
pub struct Download {
    /// In axum's form.
    pub path: &'static str,
    /// Who may have it.
    pub access: Access,
    load: fn(Cx) -> Loading,
}

/// Every download there is.
pub const DOWNLOADS: &[Download] = &[
    Download {
        path: "/t/{tenant}/instructors.csv",
        access: Access::Member(Action::ViewInstructors),
        load: |cx| {
            Box::pin(async move {
                let filter = app::pages::people::instructors::filter(&cx);
                Ok(people::export::instructors(cx.member(cx.param("tenant")).await?, filter)?)
            })
        },
    },
    Download {
        path: "/t/{tenant}/mentees.csv",
        access: Access::Member(Action::ViewInstructors),
        load: |cx| {
            Box::pin(async move {
                let filter = app::pages::people::instructors::filter(&cx);
                Ok(people::export::mentees(cx.member(cx.param("tenant")).await?, filter)?)
            })
        },
    },
    Download {
        path: "/t/{tenant}/students.csv",
        access: Access::Member(Action::ViewStudents),
        load: |cx| {
            Box::pin(
                async move { Ok(people::export::students(cx.member(cx.param("tenant")).await?, cx.list())?) },
            )
        },
    },
    Download {
        path: "/t/{tenant}/bookings.csv",
        access: Access::Member(Action::ViewBookings),
        load: |cx| {
            Box::pin(async move {
                let filter = booking::BookingFilter::parse(|name| cx.query(name));
                Ok(booking::export::bookings(cx.member(cx.param("tenant")).await?, filter)?)
            })
        },
    },
    Download {
        path: "/admin/tenants.csv",
        access: Access::Platform,
        load: |cx| {
            Box::pin(async move {
                let status = cx.query("status").unwrap_or("").to_owned();
                Ok(tenancy::export::tenants(cx.platform().await?, cx.list(), &status))
            })
        },
    },
    Download {
        path: "/admin/users.csv",
        access: Access::Platform,
        load: |cx| {
            Box::pin(async move {
                let status = cx.query("status").unwrap_or("").to_owned();
                Ok(tenancy::export::users(cx.platform().await?, cx.list(), &status))
            })
        },
    },
    Download {
        path: "/t/{tenant}/team.csv",
        access: Access::Member(Action::ManageTeam),
        load: |cx| {
            Box::pin(
                async move { Ok(team::members::export(cx.member(cx.param("tenant")).await?, cx.list())?) },
            )
        },
    },
    Download {
        path: "/t/{tenant}/audit.csv",
        access: Access::Member(Action::ViewAudit),
        load: |cx| {
            Box::pin(async move {
                let filter = app::pages::audit::filter(&cx);
                Ok(audit::export::tenant(cx.member(cx.param("tenant")).await?, &cx.list(), &filter)?)
            })
        },
    },
    Download {
        path: "/admin/audit.csv",
        access: Access::Platform,
        load: |cx| {
            Box::pin(async move {
                let filter = app::pages::audit::filter(&cx);
                let school = app::pages::audit::school(&cx);
                Ok(audit::export::platform(cx.platform().await?, school, &cx.list(), &filter).await?)
            })
        },
    },
];

/// All downloads.
pub fn router(site: &Arc<Site>) -> Router {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    DOWNLOADS.iter().fold(Router::new(), |router, download| {
        let (site, turns) = (Arc::clone(site), Arc::clone(&turns));
        router.route(download.path, get(move |request: Request| serve(download, site, turns, request)))
    })
}

async fn serve(
    download: &'static Download,
    site: Arc<Site>,
    turns: Arc<Semaphore>,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let rows = match context::read(&mut parts, &site).await {
        // The second belt, and no login page: whatever downloads files doesn't fill in forms.
        Ok(cx) if cx.user().is_none() => Err(domain::Error::Unauthorized("Log in to download this.").into()),
        Ok(cx) => match turns.try_acquire_owned() {
            Ok(turn) => (download.load)(cx).await.map(|rows| (rows, turn)),
            Err(_) => Err(domain::Error::Unavailable.into()),
        },
        Err(error) => Err(error),
    };
    match rows {
        Ok((rows, turn)) => answer(rows, turn, &path),
        Err(error) => errors::json(error, &path),
    }
}

fn answer(rows: Rows, turn: OwnedSemaphorePermit, path: &str) -> Response {
    let mut response = Response::new(Body::from_stream(encode(rows, turn)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // The last segment of a route's path is a literal, so it is safe in the header.
    let name = path.rsplit('/').next().unwrap_or("download.csv");
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// Rows as chunks of CSV. What is at hand is sent at once, so that the first rows aren't held back by slow ones.
fn encode(rows: Rows, turn: OwnedSemaphorePermit) -> impl Stream<Item = Result<Bytes, domain::Error>> + Send {
    stream::unfold(Some((rows, turn)), |state| async move {
        let (mut rows, turn) = state?;
        let mut writer = csv::Writer::from_writer(Vec::with_capacity(CHUNK));
        let mut next = rows.recv().await?;
        loop {
            match next {
                Ok(row) => {
                    if let Err(error) = write(&mut writer, &row) {
                        return Some((Err(domain::Error::internal(error)), None));
                    }
                }
                Err(error) => return Some((Err(error), None)),
            }
            if writer.flush().is_err() || writer.get_ref().len() >= CHUNK {
                break;
            }
            match rows.try_recv() {
                Ok(row) => next = row,
                Err(_) => break,
            }
        }
        match writer.into_inner() {
            Ok(bytes) => Some((Ok(Bytes::from(bytes)), Some((rows, turn)))),
            Err(error) => Some((Err(domain::Error::internal(error.to_string())), None)),
        }
    })
    // Compression asks once more after the end.
    .fuse()
    .inspect(|item: &Result<Bytes, domain::Error>| {
        if let Err(error) = item {
            tracing::error!(?error, "a download broke off");
        }
    })
}

fn write(writer: &mut csv::Writer<Vec<u8>>, row: &[String]) -> csv::Result<()> {
    for cell in row {
        writer.write_field(neutral(cell).as_bytes())?;
    }
    writer.write_record(None::<&[u8]>)
}

/// A cell that no spreadsheet takes for a formula (OWASP: CSV injection). A plain number may keep its sign.
fn neutral(cell: &str) -> std::borrow::Cow<'_, str> {
    let signed = cell.strip_prefix(['+', '-']).unwrap_or_default();
    let number = !signed.is_empty() && signed.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match cell.chars().next() {
        Some('+' | '-') if number => cell.into(),
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n') => format!("'{cell}").into(),
        _ => cell.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text() {
        for bad in ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "=é"] {
            assert_eq!(neutral(bad), format!("'{bad}"));
        }
        for good in ["", "Sipho", "+27821234567", "-5", "a=b", "é", "Łukasz"] {
            assert_eq!(neutral(good), good);
        }
    }
}
