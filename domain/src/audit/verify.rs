//! Checking the chains (AU-03): every row against its hash, and every hash against the row after it.
//!
//! Whoever can write to the tables as their owner can also make a whole new chain. Against that helps only a head that
//! was kept elsewhere: the report names each chain's, for the operator to compare with an earlier one.

mod walk;

use std::{collections::VecDeque, fmt};

use sqlx::PgConnection;
use uuid::Uuid;

use self::walk::{Link, Walk};
use crate::{
    Error, Result,
    db::{ActAs, Db},
    ids::PLATFORM,
};

/// Rows a statement.
const BATCH: i64 = 2_000;
/// How many rows that were put in or taken out in one place, with all after them numbered anew, are seen to be just that.
const REACH: usize = 8;

/// What is wrong with rows of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The row isn't as it was written.
    Altered,
    /// Rows are missing.
    Removed,
    /// Rows were put in past the program, or stand behind the end that is kept apart.
    Inserted,
    /// The end that is kept apart is missing.
    NoHead,
}

/// Something wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The school's address, or `platform`.
    pub tenant: String,
    /// The first row it is about.
    pub seq: i64,
    /// The last one.
    pub until: i64,
    /// What.
    pub what: What,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tenant, seq, until, what } = self;
        let (rows, was) = if seq == until {
            (format!("row {seq}"), "was")
        } else {
            (format!("rows {seq} to {until}"), "were")
        };
        match what {
            What::Altered => write!(f, "{tenant}: {rows} {was} altered"),
            What::Removed => write!(f, "{tenant}: {rows} {was} removed"),
            What::Inserted => write!(f, "{tenant}: {rows} {was} inserted"),
            What::NoHead => write!(f, "{tenant}: the end of the chain after row {seq} was removed"),
        }
    }
}

/// A chain and its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The school's address, or `platform`.
    pub tenant: String,
    /// How many rows there are.
    pub rows: i64,
    /// The number of the last one.
    pub seq: i64,
    /// The hash of the end that is kept apart, in hexadecimal.
    pub head: String,
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = if self.head.is_empty() { "none" } else { &self.head };
        write!(f, "{}: {} rows, head {head}", self.tenant, self.rows)
    }
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The chains, the platform's first, then schools by address.
    pub chains: Vec<Chain>,
    /// By chain and row.
    pub problems: Vec<Problem>,
}

/// Checks all chains, or the one of the school with the address `tenant`.
///
/// # Errors
/// [`Error::NotFound`] when there is no such school.
pub async fn verify(db: &Db, tenant: Option<&str>) -> Result<Report> {
    let mut report = Report::default();
    for (id, name) in chains(db, tenant).await? {
        let mut tx = db.begin(ActAs::Platform, None).await?;
        // Rows and head as of one moment, while others write.
        sqlx::query("set transaction isolation level repeatable read, read only").execute(&mut *tx).await?;
        one(&mut tx, id, name, &mut report).await?;
        tx.commit().await?;
    }
    Ok(report)
}

/// Ids and names of the chains, the platform's first.
async fn chains(db: &Db, tenant: Option<&str>) -> Result<Vec<(Uuid, String)>> {
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let found = sqlx::query!(
        r#"select c.id as "id!", coalesce(t.slug, c.id::text) as "name!"
           from (select h.tenant_id from audit_heads h
                 union select a.tenant_id from audit a
                 union select s.id from tenants s where s.slug = $1) c (id)
           left join tenants t on t.id = c.id
           where $1::text is null or t.slug = $1
           order by c.id <> $2, t.slug, c.id"#,
        tenant,
        PLATFORM,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    if tenant.is_some() && found.is_empty() {
        return Err(Error::NotFound);
    }
    let name = |id: Uuid, name: String| if id == PLATFORM { "platform".to_owned() } else { name };
    Ok(found.into_iter().map(|row| (row.id, name(row.id, row.name))).collect())
}

/// Checks one chain, from its end to its beginning.
async fn one(conn: &mut PgConnection, id: Uuid, name: String, report: &mut Report) -> Result<()> {
    let head = sqlx::query!("select seq, hash from audit_heads where tenant_id = $1", id)
        .fetch_optional(&mut *conn)
        .await?;
    let hex =
        head.as_ref().map(|head| head.hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let mut walk = Walk::new(head.map(|head| (head.seq, head.hash)));
    // Rows still to be looked at, and always some more to look ahead.
    let mut ahead: VecDeque<Link> = VecDeque::new();
    let (mut before, mut more) = (None, true);
    let (mut rows, mut seq) = (0, 0);
    loop {
        if more && ahead.len() <= REACH {
            let next = links(conn, id, before).await?;
            more = !next.is_empty();
            before = next.last().map(|link| link.seq).or(before);
            ahead.extend(next);
        }
        let Some(link) = ahead.pop_front() else { break };
        seq = seq.max(link.seq);
        rows += 1;
        let comes = ahead.iter().take(REACH).any(|link| walk.wants(link));
        walk.step(link, comes);
    }
    let problems = walk.finish(seq);
    report.problems.extend(problems.into_iter().map(|(seq, until, what)| Problem {
        tenant: name.clone(),
        seq,
        until,
        what,
    }));
    report.chains.push(Chain { tenant: name, rows, seq, head: hex.unwrap_or_default() });
    Ok(())
}

/// The rows before a number, the last one first.
async fn links(conn: &mut PgConnection, tenant: Uuid, before: Option<i64>) -> Result<Vec<Link>> {
    // A hash covers its row's number. Where it isn't right, it may be under another: rows before it were put in or taken
    // out, and those after numbered anew.
    let rows = sqlx::query!(
        r#"select a.seq, a.prev_hash, a.hash,
                  case when audit_hash(a) = a.hash then 0::bigint
                       else (select k from generate_series(-$4::bigint, $4::bigint) k
                             where audit_hash(jsonb_populate_record(a, jsonb_build_object('seq', a.seq - k))) = a.hash
                             order by abs(k) limit 1)
                  end as "shift?"
           from audit a
           where a.tenant_id = $1 and ($2::bigint is null or a.seq < $2)
           order by a.seq desc limit $3"#,
        tenant,
        before,
        BATCH,
        REACH as i64,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Link { seq: row.seq, prev_hash: row.prev_hash, hash: row.hash, shift: row.shift })
        .collect())
}
