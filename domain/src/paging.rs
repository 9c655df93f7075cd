//! Lists are cut on the server: 50 rows a page, 100 at most (DA-02).

use jiff::civil::Date;
use serde::Serialize;

/// Rows a page when nothing is asked for.
pub const DEFAULT_PAGE_SIZE: u32 = 50;
/// Rows a page at most.
pub const MAX_PAGE_SIZE: u32 = 100;

/// A day to filter by. Years that no school has seen are no filter, and the database may not even know them.
pub fn day(text: &str) -> Option<Date> {
    text.trim().parse::<Date>().ok().filter(|day| (1900..=2500).contains(&day.year()))
}

/// What a list was asked for. Nonsense becomes the default: a list is never an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// Text to search for, trimmed; empty for all.
    pub q: String,
    /// Column to sort by, as the page names it; each list knows its own and falls back to its first.
    pub sort: String,
    /// Descending.
    pub desc: bool,
    /// From 1.
    pub page: u32,
    /// 1 to [`MAX_PAGE_SIZE`].
    pub page_size: u32,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self { q: String::new(), sort: String::new(), desc: false, page: 1, page_size: DEFAULT_PAGE_SIZE }
    }
}

impl ListQuery {
    /// Reads the parameters of a list address.
    pub fn parse<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Self {
        let text = |name: &str| get(name).unwrap_or("").trim();
        // Digits beyond any number are many, not nonsense.
        let number = |name: &str| {
            let digits = !text(name).is_empty() && text(name).bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text(name).parse::<u32>().unwrap_or(u32::MAX))
        };
        Self {
            q: text("q").chars().filter(|c| *c != '\0').take(200).collect(),
            sort: text("sort").chars().filter(|c| c.is_ascii_lowercase() || *c == '_').take(30).collect(),
            desc: text("dir") == "desc",
            page: number("page").filter(|page| (1..=1_000_000).contains(page)).unwrap_or(1),
            page_size: match get("page_size") {
                None => DEFAULT_PAGE_SIZE,
                Some(_) => number("page_size").unwrap_or(1).clamp(1, MAX_PAGE_SIZE),
            },
        }
    }

    /// Rows to skip. A page beyond the end is the last one, here as in [`Page::new`]; how long the list is only its query
    /// knows, so each says `offset least($offset, greatest(0, (total - 1) / $limit * $limit))`.
    pub fn offset(&self) -> i64 {
        i64::from(self.page - 1) * i64::from(self.page_size)
    }

    /// Rows to take.
    pub fn limit(&self) -> i64 {
        i64::from(self.page_size)
    }

    /// The search as an `ILIKE` pattern, with the wildcards in it taken literally; `None` when there is none.
    pub fn pattern(&self) -> Option<String> {
        if self.q.is_empty() {
            return None;
        }
        let escaped = self.q.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        Some(format!("%{escaped}%"))
    }
}

/// One page of a list.
#[derive(Clone, Debug, Serialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Rows in the whole list.
    pub total: i64,
    /// From 1.
    pub page: u32,
    /// Rows a page.
    pub page_size: u32,
    /// At least 1.
    pub total_pages: i64,
    /// Whether a page follows.
    pub has_next: bool,
    /// Whether a page precedes.
    pub has_prev: bool,
}

impl<T> Page<T> {
    /// Puts the rows of a query and their total together. A page beyond the end is the last one: see
    /// [`ListQuery::offset`].
    pub fn new(items: Vec<T>, total: i64, query: &ListQuery) -> Self {
        let total_pages = (total + query.limit() - 1).div_euclid(query.limit()).max(1);
        let page = query.page.min(u32::try_from(total_pages).unwrap_or(u32::MAX));
        Self {
            items,
            total,
            page,
            page_size: query.page_size,
            total_pages,
            has_next: i64::from(page) < total_pages,
            has_prev: page > 1,
        }
    }

    /// "51–100 of 1,204" in numbers: first and last row shown, 0 and 0 when none is.
    pub fn range(&self) -> (i64, i64) {
        if self.items.is_empty() {
            return (0, 0);
        }
        let first = i64::from(self.page - 1) * i64::from(self.page_size) + 1;
        (first, first + self.items.len() as i64 - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> ListQuery {
        ListQuery::parse(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| *value))
    }

    #[test]
    fn sizes_are_cut_and_nonsense_is_one() {
        assert_eq!(parse(&[]).page_size, 50);
        assert_eq!(parse(&[("page_size", "1000")]).page_size, 100);
        assert_eq!(parse(&[("page_size", "99999999999")]).page_size, 100);
        assert_eq!(parse(&[("page_size", "lots")]).page_size, 1);
        assert_eq!(parse(&[("sort", "na\0me; drop")]).sort, "namedrop");
        assert_eq!(parse(&[("page_size", "0")]).page_size, 1);
        assert_eq!(parse(&[("page", "-3")]).page, 1);
        assert_eq!(parse(&[("page", "4294967295")]).page, 1);
    }

    #[test]
    fn wildcards_in_a_search_are_letters() {
        assert_eq!(parse(&[("q", " 50%_a\\ ")]).pattern().as_deref(), Some("%50\\%\\_a\\\\%"));
        assert_eq!(parse(&[("q", "  ")]).pattern(), None);
    }

    #[test]
    fn range_counts_from_one() {
        let query = ListQuery { page: 2, ..ListQuery::default() };
        let page = Page::new(vec![(); 50], 1204, &query);
        assert_eq!(page.range(), (51, 100));
        assert_eq!(page.total_pages, 25);
        assert!(page.has_next && page.has_prev);
        assert_eq!(Page::<()>::new(vec![], 0, &ListQuery::default()).total_pages, 1);
    }

    #[test]
    fn beyond_the_end_is_the_last_page() {
        let query = ListQuery { page: 99, ..ListQuery::default() };
        let page = Page::new(vec![(); 4], 1204, &query);
        assert_eq!((page.page, page.range()), (25, (1201, 1204)));
        assert!(page.has_prev && !page.has_next);
        assert_eq!(Page::<()>::new(vec![], 0, &query).page, 1);
    }
}
