//! A new data key, and everything sealed again with it while the program serves (PR-02).
//!
//! Each batch is a short transaction of its own and leaves rows that someone else holds for the next round, so that no
//! request waits long and a rotation that dies leaves nothing half done: the next one begins anew. Old keys stay where
//! they are, for backups. Blind indexes keep their key: they hold nothing that could be read.

use std::{collections::BTreeSet, time::Duration};

use jiff::SignedDuration;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

use super::{PHONE, Vault, prefix};
use crate::{
    Error, Result,
    clock::Clock,
    db::{ActAs, Db},
};

/// Rows a transaction.
const BATCH: i64 = 500;
/// Between rounds, while others hold rows.
const PAUSE: Duration = Duration::from_millis(200);

/// A column of sealed values. The names are ours, so the statements that are put together from them are safe.
struct Column {
    table: &'static str,
    column: &'static str,
    /// The column that names the row.
    key: &'static str,
    /// Whether the school comes first in the table's key.
    by_school: bool,
    /// Whether `phone_index` stands beside it.
    phone: bool,
}

const COLUMNS: [Column; 8] = [
    Column { table: "users", column: "phone", key: "id", by_school: false, phone: true },
    Column { table: "instructors", column: "phone", key: "id", by_school: true, phone: true },
    Column { table: "students", column: "phone", key: "id", by_school: true, phone: true },
    Column { table: "totp", column: "secret", key: "user_id", by_school: false, phone: false },
    Column { table: "profiles", column: "id_number", key: "user_id", by_school: false, phone: false },
    Column { table: "tenant_mail", column: "password", key: "tenant_id", by_school: false, phone: false },
    Column { table: "outbox", column: "secret", key: "id", by_school: true, phone: false },
    Column { table: "bookings", column: "lesson_note", key: "id", by_school: true, phone: false },
];

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotateReport {
    /// The new key.
    pub key: String,
    /// How many values of each column were sealed again, those that weren't sealed before among them.
    pub columns: Vec<(String, u64)>,
    /// Values that couldn't be opened and stay as they are: column and row.
    pub failed: Vec<String>,
    /// Keys that were wrapped by an earlier master and now are by the current one.
    pub rewrapped: usize,
}

/// Makes a new data key, waits until every running program knows it, and seals every value with it. `lead` is longer
/// than it takes them to read the keys again.
///
/// # Errors
/// [`Error::Conflict`] while another rotation runs; of the database.
pub async fn rotate(db: &Db, clock: &Clock, lead: SignedDuration) -> Result<RotateReport> {
    // Two at once would undo each other's work for ever. The lock goes with its connection, which isn't the pool's
    // any more, so that a rotation that is killed leaves none.
    let mut guard = db.pool().acquire().await?.detach();
    let alone = sqlx::query_scalar!(
        r#"select pg_try_advisory_lock(hashtextextended('rotate encryption keys', 0)) as "alone!""#
    )
    .fetch_one(&mut guard)
    .await?;
    if !alone {
        return Err(Error::Conflict("The keys are being rotated already.".into()));
    }
    let vault = db.vault();
    vault.load(db).await?;
    let rewrapped = vault.rewrap(db).await?;
    let active_from = clock.now().checked_add(lead).map_err(Error::internal)?;
    let mut round = Round {
        db,
        vault,
        key: vault.add_data_key(db, active_from).await?,
        sealed: [0; COLUMNS.len()],
        failed: BTreeSet::new(),
    };
    tokio::time::sleep(lead.unsigned_abs()).await;
    // A request that began before the key was active may write with the old one until it ends: looked for once more.
    let mut quiet = false;
    loop {
        let left = round.run().await?;
        if left == 0 && quiet {
            break;
        }
        quiet = left == 0;
        tokio::time::sleep(if quiet { lead.unsigned_abs() } else { PAUSE }).await;
    }
    guard.close().await?;
    Ok(RotateReport {
        columns: COLUMNS.iter().map(Column::name).zip(round.sealed).collect(),
        key: round.key,
        failed: round.failed.into_iter().collect(),
        rewrapped,
    })
}

/// What the rounds of a rotation share.
struct Round<'a> {
    db: &'a Db,
    vault: &'a Vault,
    key: String,
    sealed: [u64; COLUMNS.len()],
    failed: BTreeSet<String>,
}

impl Round<'_> {
    /// Goes through every column once; how many values are still to be done, without those that can't be opened.
    async fn run(&mut self) -> Result<i64> {
        self.failed.clear();
        for (at, column) in COLUMNS.iter().enumerate() {
            // Behind the last row that was looked at, in the order of the table's key.
            let mut place = (Uuid::nil(), Uuid::nil());
            while let Some((next, sealed)) = self.batch(column, place).await? {
                place = next;
                self.sealed[at] += sealed;
            }
        }
        let mut tx = self.db.begin(ActAs::Platform, None).await?;
        let mut left = 0;
        for column in &COLUMNS {
            left += column.left(&mut tx, &prefix(&self.key)).await?;
        }
        tx.commit().await?;
        Ok(left - i64::try_from(self.failed.len()).unwrap_or(i64::MAX))
    }

    /// Seals the next rows of a column; the last one's place and how many were sealed, or `None` when there are no more.
    async fn batch(&mut self, column: &Column, place: (Uuid, Uuid)) -> Result<Option<((Uuid, Uuid), u64)>> {
        let mut tx = self.db.begin(ActAs::Platform, None).await?;
        let rows = column.stale(&mut tx, &prefix(&self.key), place).await?;
        let Some(last) = rows.last().map(|(tenant, row, _)| (*tenant, *row)) else {
            return Ok(None);
        };
        let name = column.name();
        let mut new = Sealed::default();
        for (tenant, row, stored) in rows {
            let plain = match self.vault.open(&name, row, &stored) {
                Ok(plain) => plain,
                Err(error) => {
                    tracing::error!(%error, "a value stays under its old key");
                    self.failed.insert(format!("{name} of {row}"));
                    continue;
                }
            };
            new.tenants.push(tenant);
            new.rows.push(row);
            new.values.push(self.vault.seal_by(&self.key, &name, row, &plain)?);
            if column.phone {
                new.indexes.push(self.vault.blind(PHONE, &plain)?);
            }
        }
        let sealed = new.rows.len() as u64;
        column.write(&mut tx, new).await?;
        tx.commit().await?;
        Ok(Some((last, sealed)))
    }
}

/// The columns of an update.
#[derive(Default)]
struct Sealed {
    tenants: Vec<Uuid>,
    rows: Vec<Uuid>,
    values: Vec<String>,
    indexes: Vec<Vec<u8>>,
}

impl Column {
    /// What its values are bound to, and how it is called in the report.
    fn name(&self) -> String {
        format!("{}.{}", self.table, self.column)
    }

    /// Which values are to be done: `$1` is what those under the new key begin with.
    fn is_stale(&self) -> String {
        let index = if self.phone { " or phone_index is null" } else { "" };
        format!("{0} is not null and (not starts_with({0}, $1){index})", self.column)
    }

    /// The next rows to be done, held until the end of the transaction: school (or nil), row, value.
    async fn stale(
        &self,
        conn: &mut PgConnection,
        new: &str,
        (tenant, row): (Uuid, Uuid),
    ) -> Result<Vec<(Uuid, Uuid, String)>> {
        let Self { table, column, key, .. } = self;
        let (school, order, behind) = if self.by_school {
            ("tenant_id", format!("tenant_id, {key}"), format!("(tenant_id, {key}) > ($2, $3)"))
        } else {
            ("$2::uuid", (*key).to_owned(), format!("{key} > $3"))
        };
        let sql = format!(
            "select {school}, {key}, {column} from {table} where {} and {behind}
             order by {order} limit {BATCH} for no key update skip locked",
            self.is_stale()
        );
        Ok(sqlx::query_as(AssertSqlSafe(sql)).bind(new).bind(tenant).bind(row).fetch_all(conn).await?)
    }

    async fn write(&self, conn: &mut PgConnection, new: Sealed) -> Result<()> {
        let Self { table, column, key, .. } = self;
        let index = if self.phone { ", phone_index = x.index" } else { "" };
        let school = if self.by_school { "and t.tenant_id = x.tenant" } else { "" };
        let sql = format!(
            "update {table} t set {column} = x.value{index}
             from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[]) as x (tenant, row, value, index)
             where t.{key} = x.row {school}"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(new.tenants)
            .bind(new.rows)
            .bind(new.values)
            .bind(new.indexes)
            .execute(conn)
            .await?;
        Ok(())
    }

    /// How many values are still to be done, held by someone or not.
    async fn left(&self, conn: &mut PgConnection, new: &str) -> Result<i64> {
        let sql = format!("select count(*) from {} where {}", self.table, self.is_stale());
        Ok(sqlx::query_scalar(AssertSqlSafe(sql)).bind(new).fetch_one(conn).await?)
    }
}
