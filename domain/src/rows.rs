//! Rows of text for downloads (DA-01), streamed from the database: nothing is gathered, so that a million rows take no
//! more memory than ten. The first row is the header.

use std::time::Duration;

use sqlx::PgConnection;
use tokio::sync::mpsc;

use crate::{Error, Result};

/// Rows kept ready for a slow reader.
const AHEAD: usize = 64;

/// How long a row waits for its reader.
const PATIENCE: Duration = Duration::from_secs(60);

/// Rows on their way; an error is the last of them.
pub type Rows = mpsc::Receiver<Result<Vec<String>>>;

/// Where a download's rows are put.
pub(crate) type Out = mpsc::Sender<Result<Vec<String>>>;

/// Runs `work` as a task of its own that puts rows, and stops when nobody listens any more.
pub(crate) fn spawn<F>(work: impl FnOnce(Out) -> F + Send + 'static) -> Rows
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let (out, rows) = mpsc::channel(AHEAD);
    let last = out.clone();
    tokio::spawn(async move {
        if let Err(error) = work(out).await {
            // The download breaks off instead of looking whole. Without a listener there is nobody to tell.
            let _ = last.send(Err(error)).await;
        }
    });
    rows
}

/// Sends a row; false when nobody listens any more.
///
/// # Errors
/// When the reader takes nothing for a minute: a connection isn't held for someone who doesn't read.
pub(crate) async fn put(out: &Out, row: Vec<String>) -> Result<bool> {
    match tokio::time::timeout(PATIENCE, out.send(Ok(row))).await {
        Ok(sent) => Ok(sent.is_ok()),
        Err(_) => Err(Error::Unavailable),
    }
}

/// A row of fixed words: the header.
pub(crate) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A slow reader may take minutes. Without sorting, rows come in the order of an index, so that the first one comes at
/// once and not after all have been read.
pub(crate) async fn settle(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        r#"select set_config('statement_timeout', '3600000', true) as "timeout!",
                  set_config('enable_sort', 'off', true) as "sort!""#
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}
