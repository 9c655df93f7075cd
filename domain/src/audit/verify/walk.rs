//! The walk along a chain, from its end to its beginning: each row says by hash which one stands before it, so what is
//! trusted is the end, and from there on what it leads to. Pure.

use super::What;

/// A row as far as the chain goes.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) seq: i64,
    pub(super) prev_hash: Vec<u8>,
    pub(super) hash: Vec<u8>,
    /// By how much its number is too high for its hash to be right, mostly 0; `None` when it is right under no number.
    pub(super) shift: Option<i64>,
}

/// How far the walk has come.
#[derive(Debug)]
pub(super) struct Walk {
    /// The number that the next row had when it was written; `None` before the first one when there is no head.
    number: Option<i64>,
    /// The hash that the row after it names; `None` when that row can't be trusted.
    wanted: Option<Vec<u8>>,
    /// By how much numbers are too high here.
    shift: i64,
    has_head: bool,
    /// First row, last row and what, from the end to the beginning.
    problems: Vec<(i64, i64, What)>,
}

impl Walk {
    /// From the end that is kept apart: number and hash.
    pub(super) fn new(head: Option<(i64, Vec<u8>)>) -> Self {
        let has_head = head.is_some();
        let (number, wanted) = head.unzip();
        Self { number, wanted, shift: 0, has_head, problems: Vec::new() }
    }

    /// Whether this is the row that the one after it names.
    pub(super) fn wants(&self, link: &Link) -> bool {
        self.wanted.as_ref() == Some(&link.hash)
    }

    /// Looks at the next row; `comes` says that the one wanted is among those right behind it.
    pub(super) fn step(&mut self, link: Link, comes: bool) {
        let number = link.seq - link.shift.unwrap_or(self.shift);
        let expected = *self.number.get_or_insert(number);
        // Of two copies the one that is numbered like its neighbours is the row.
        let copy = comes && link.shift != Some(self.shift);
        if self.wants(&link) && expected > 0 && !copy {
            // The row itself, if it still is what its hash says.
            if link.shift.is_none() {
                self.add(link.seq, link.seq, What::Altered);
            }
            return self.accept(link, number);
        }
        if comes || number > expected || expected < 1 || number < 1 {
            return self.add(link.seq, link.seq, What::Inserted);
        }
        if number < expected {
            self.add(number + 1, expected, What::Removed);
        }
        // In the right place, but another than the one that was named: changed, and its hash made anew.
        let replaced = number == expected && self.wanted.is_some();
        if link.shift.is_none() || replaced {
            self.add(link.seq, link.seq, What::Altered);
        }
        self.accept(link, number);
    }

    /// Goes on to what stands before a row.
    fn accept(&mut self, link: Link, number: i64) {
        self.number = Some(number - 1);
        self.shift = link.seq - number;
        // What an altered row says of the one before it counts for nothing.
        self.wanted = link.shift.map(|_| link.prev_hash);
    }

    /// Notes a problem; rows next to each other with the same one are told together.
    fn add(&mut self, seq: i64, until: i64, what: What) {
        match self.problems.last_mut() {
            Some((first, _, last)) if *last == what && until + 1 == *first => *first = seq,
            _ => self.problems.push((seq, until, what)),
        }
    }

    /// The problems from the beginning to the end; `last` is the highest number read.
    pub(super) fn finish(mut self, last: i64) -> Vec<(i64, i64, What)> {
        match self.number {
            Some(missing) if missing > 0 => self.add(1, missing, What::Removed),
            // The first row has none before it.
            Some(0) if self.wanted.as_ref().is_some_and(|wanted| !wanted.is_empty()) => {
                let first = 1 + self.shift;
                self.add(first, first, What::Altered);
            }
            _ => {}
        }
        self.problems.reverse();
        if !self.has_head && last > 0 {
            self.problems.push((last, last, What::NoHead));
        }
        self.problems
    }
}

#[cfg(test)]
mod tests {
    use super::{What::*, *};

    /// Row `n` as it was written, with `n` for its hash.
    fn row(n: u8) -> Link {
        let prev_hash = if n == 1 { Vec::new() } else { vec![n - 1] };
        Link { seq: n.into(), prev_hash, hash: vec![n], shift: Some(0) }
    }

    fn rows(count: u8) -> Vec<Link> {
        (1..=count).map(row).collect()
    }

    /// The same under other numbers.
    fn moved(links: impl IntoIterator<Item = Link>, by: i64) -> impl Iterator<Item = Link> {
        links.into_iter().map(move |link| Link { seq: link.seq + by, shift: Some(by), ..link })
    }

    /// What is found in rows given first to last, with a head at `head`.
    fn found(links: &[Link], head: Option<u8>) -> Vec<(i64, i64, What)> {
        let mut walk = Walk::new(head.map(|n| (n.into(), vec![n])));
        for (at, link) in links.iter().enumerate().rev() {
            let comes = links[..at].iter().rev().take(super::super::REACH).any(|link| walk.wants(link));
            walk.step(link.clone(), comes);
        }
        walk.finish(links.last().map_or(0, |link| link.seq))
    }

    #[test]
    fn a_whole_chain_has_no_problem() {
        for count in 1..=9 {
            assert_eq!(found(&rows(count), Some(count)), []);
        }
        assert_eq!(found(&[], None), []);
    }

    #[test]
    fn an_altered_row_is_named_wherever_it_is() {
        for n in 1..=9_u8 {
            let at = usize::from(n) - 1;
            let expected = [(n.into(), n.into(), Altered)];
            let mut links = rows(9);
            // Its text.
            links[at].shift = None;
            assert_eq!(found(&links, Some(9)), expected);
            // And the hash before it, or its own, to something.
            links[at].prev_hash = vec![99];
            assert_eq!(found(&links, Some(9)), expected);
            links[at].hash = vec![77];
            assert_eq!(found(&links, Some(9)), expected);
            // Its text, with the hash made anew.
            let mut links = rows(9);
            links[at].hash = vec![77];
            assert_eq!(found(&links, Some(9)), expected);
        }
        let mut links = rows(9);
        links[3].shift = None;
        links[4].shift = None;
        links[7].shift = None;
        assert_eq!(found(&links, Some(9)), [(4, 5, Altered), (8, 8, Altered)]);
    }

    #[test]
    fn removed_rows_are_named_wherever_they_were() {
        for first in 1..=9_u8 {
            for last in first..=9 {
                let links: Vec<Link> =
                    rows(9).into_iter().filter(|l| !(first..=last).contains(&(l.seq as u8))).collect();
                assert_eq!(found(&links, Some(9)), [(first.into(), last.into(), Removed)]);
            }
        }
        // With those after them numbered anew, and the head too.
        let links: Vec<Link> = rows(4).into_iter().chain(moved(rows(9).drain(6..), -2)).collect();
        assert_eq!(found(&links, Some(9)), [(5, 6, Removed)]);
        let mut walk = Walk::new(Some((7, vec![9])));
        links.iter().rev().for_each(|link| walk.step(link.clone(), false));
        assert_eq!(walk.finish(7), [(5, 6, Removed)]);
    }

    #[test]
    fn inserted_rows_are_named_wherever_they_are() {
        // Behind the end.
        let strange = |seq: i64, shift| Link { seq, prev_hash: vec![9], hash: vec![77], shift };
        for shift in [None, Some(0)] {
            let links: Vec<Link> =
                rows(9).into_iter().chain((10..=30).map(|seq| strange(seq, shift))).collect();
            assert_eq!(found(&links, Some(9)), [(10, 30, Inserted)]);
            let links: Vec<Link> = [strange(0, shift)].into_iter().chain(rows(9)).collect();
            assert_eq!(found(&links, Some(9)), [(0, 0, Inserted)]);
            // Between others, which are numbered anew; with a hash that is right for itself, or not.
            let mut links = rows(4);
            links.push(Link { prev_hash: vec![4], ..strange(5, shift) });
            links.extend(moved(rows(9).drain(4..), 1));
            assert_eq!(found(&links, Some(9)), [(5, 5, Inserted)]);
        }
        // Copies of the last row and of another.
        let links: Vec<Link> = rows(9).into_iter().chain(moved([row(9)], 1)).collect();
        assert_eq!(found(&links, Some(9)), [(10, 10, Inserted)]);
        let mut links = rows(4);
        links.extend(moved([row(2)], 3));
        links.extend(moved(rows(9).drain(4..), 1));
        assert_eq!(found(&links, Some(9)), [(5, 5, Inserted)]);
    }

    #[test]
    fn the_end_is_kept_apart() {
        assert_eq!(found(&rows(9), None), [(9, 9, NoHead)]);
        // Put back.
        assert_eq!(found(&rows(9), Some(6)), [(7, 9, Inserted)]);
        // All gone but the head.
        assert_eq!(found(&[], Some(9)), [(1, 9, Removed)]);
    }

    #[test]
    fn several_at_once_are_all_named() {
        let mut links = rows(20);
        links[16].shift = None;
        links.remove(9);
        links[2].shift = None;
        assert_eq!(found(&links, Some(20)), [(3, 3, Altered), (10, 10, Removed), (17, 17, Altered)]);
    }
}
