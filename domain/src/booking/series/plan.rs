//! What a series would be: each lesson with its time, and what is against it. Nothing is saved here.

use jiff::{ToSpan, civil::Date};
use uuid::Uuid;

use super::{
    cancel_terms, moment,
    sheet::{Against, NEAR_DAYS, Sheet, free_near, paid},
    typed::{SeriesTyped, Wanted},
};
use crate::{
    Error, Instant, Result,
    authz::TenantScope,
    availability::{
        Slot, Stretch, WhyNot,
        service::around,
        store::{Asked, Diaries, Ignore, diaries},
    },
    booking::{
        plan::{Ask, Plan},
        policy::Terms,
    },
    ids::{InstructorId, ServiceId, StudentId},
};

/// One lesson of a series that is planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// 1 is the first.
    pub place: i32,
    /// Its local day.
    pub day: Date,
    /// When it would be; none when the clock skips its time on that day.
    pub lesson: Option<Stretch>,
    /// Whether it can be had, or why not, in a few words.
    pub outcome: Result<(), String>,
    /// It is to be left out.
    pub skip: bool,
    /// Free starts near one that can't be had.
    pub nearest: Vec<Instant>,
}

impl Occurrence {
    /// Whether it would be booked.
    pub fn kept(&self) -> bool {
        self.outcome.is_ok() && !self.skip
    }
}

/// A series as it would be booked now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesPlan {
    /// For whom.
    pub student: StudentId,
    /// Their name.
    pub student_name: String,
    /// What.
    pub service: ServiceId,
    /// Its name.
    pub service_name: String,
    /// Who gives all of the lessons: the one asked for, or of those who could the one who is free for most.
    pub instructor: InstructorId,
    /// Their name.
    pub instructor_name: String,
    /// When, in words: "Every Tuesday at 16:00".
    pub when: String,
    /// All of the lessons, in order.
    pub occurrences: Vec<Occurrence>,
    /// Price of one, in minor units.
    pub price_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// How many of the kept ones packs pay for.
    pub prepaid: usize,
    /// The rule of cancelling in a sentence.
    pub terms: String,
    /// They wait for approval once they are booked.
    pub needs_approval: bool,
}

impl SeriesPlan {
    /// How many can be had.
    pub fn free(&self) -> usize {
        self.occurrences.iter().filter(|one| one.outcome.is_ok()).count()
    }

    /// How many would be booked.
    pub fn kept(&self) -> usize {
        self.occurrences.iter().filter(|one| one.kept()).count()
    }

    /// What is to be paid beside packs, in minor units.
    pub fn due_minor(&self) -> i64 {
        let lessons = self.kept().saturating_sub(self.prepaid);
        self.price_minor.saturating_mul(i64::try_from(lessons).unwrap_or(i64::MAX))
    }

    /// Those that can't be had and weren't left out.
    pub(super) fn conflicts(&self) -> Vec<&Occurrence> {
        self.occurrences.iter().filter(|one| one.outcome.is_err() && !one.skip).collect()
    }
}

/// Plans a series: every lesson with its time, and what is against it. Two queries when the student is named by an id.
///
/// # Errors
/// Fields to mend; [`Error::NotFound`] for what isn't there for the actor.
pub async fn plan(scope: &mut TenantScope, typed: &SeriesTyped) -> Result<SeriesPlan> {
    let wanted = Wanted::new(scope, typed).await?;
    let plan = wanted.plan(scope).await?;
    let found = wanted.look(scope, &plan, None).await?;
    Ok(wanted.survey(scope, &plan, &found)?.plan)
}

/// A plan, and the time and units that each of its lessons would take.
pub(super) struct Survey {
    pub(super) plan: SeriesPlan,
    pub(super) slots: Vec<Option<(Slot, Vec<Uuid>)>>,
}

impl Wanted {
    /// What is named, found and allowed. One query.
    pub(super) async fn plan(&self, scope: &mut TenantScope) -> Result<Plan> {
        let ask = Ask {
            service: self.service,
            also: &[],
            instructor: self.instructor,
            student: self.student,
            by_student: self.by_student,
            pickup: &self.pickup,
            time_field: "time",
            ignore: Ignore::default(),
        };
        let mut plan = Plan::new(scope, ask).await?;
        if self.by_student {
            // What they keep while they look is in nobody's way, and ends when the series is booked.
            plan.ignore.hold = plan.offer.checkout;
            plan.ends_checkout = true;
        }
        if plan.rules.capacity > 1 {
            return Err(Error::field("service", "Lessons for several are booked one by one."));
        }
        if plan.offer.service.needs_pickup && self.pickup.is_empty() {
            return Err(Error::field("pickup", "Say where to be picked up."));
        }
        Ok(plan)
    }

    /// The time of `only`, or of all who could give the lessons, from some days before the first to some after the last.
    /// One query.
    pub(super) async fn look(
        &self,
        scope: &mut TenantScope,
        plan: &Plan,
        only: Option<InstructorId>,
    ) -> Result<Diaries> {
        let instructors: Vec<InstructorId> = match only {
            Some(id) => vec![id],
            None => plan.offer.candidates.iter().map(|candidate| candidate.id).collect(),
        };
        let first = self.first.date();
        let last = self.days.last().copied().unwrap_or(first);
        let within = around(
            &scope.tenant().zone,
            first.saturating_sub(NEAR_DAYS.days()),
            last.saturating_add((NEAR_DAYS + 1).days()),
        );
        let asked = Asked {
            service: self.service,
            also: &plan.also,
            instructors: &instructors,
            student: Some(self.student),
            within: plan.rules.reach(within),
            now: scope.now(),
            ignore: &plan.ignore,
        };
        let (tenant, conn) = scope.conn();
        diaries(conn, tenant, asked).await
    }

    /// Holds the lessons against the diaries that were found. When there are several instructors, the one who is free
    /// for most of the lessons gives all of them; of those, the one with the fewest lessons for their weight.
    pub(super) fn survey(&self, scope: &TenantScope, plan: &Plan, found: &Diaries) -> Result<Survey> {
        let (zone, now) = (&scope.tenant().zone, scope.now());
        let starts: Vec<Result<Instant, String>> = self
            .days
            .iter()
            .map(|day| moment(zone, day.to_datetime(self.first.time()), self.second))
            .collect();
        let best = found
            .instructors
            .iter()
            .map(|diary| Sheet::new(zone, plan, found, diary, &starts, &self.skip, now))
            .max_by(Sheet::better)
            .ok_or(Error::NotFound)?;
        let diary = best.diary;

        let mut occurrences = Vec::new();
        let mut slots = Vec::new();
        let each = self.days.iter().zip(&starts).zip(best.outcomes);
        for (place, ((day, start), outcome)) in (1i32..).zip(each) {
            let (outcome, slot) = match outcome {
                Ok(taken) => (Ok(()), Some(taken)),
                Err(Against::Clock(message)) => (Err(message), None),
                Err(Against::Engine(cause)) => (Err(cause.label(scope.tenant().words())), None),
            };
            let wanted = match start {
                Ok(start) => Some(*start),
                Err(_) => zone.jump(day.to_datetime(self.first.time())),
            };
            let nearest = match (&outcome, wanted) {
                (Err(_), Some(wanted)) => free_near(zone, plan, found, diary, wanted, now),
                _ => Vec::new(),
            };
            let lesson = start.as_ref().ok().map(|start| plan.rules.lesson(*start));
            let skip = self.skip.contains(&place);
            occurrences.push(Occurrence { place, day: *day, lesson, outcome, skip, nearest });
            slots.push(slot);
        }
        let plan = self.priced(scope, plan, found, diary.instructor, occurrences)?;
        Ok(Survey { plan, slots })
    }

    /// The plan with what its lessons cost.
    fn priced(
        &self,
        scope: &TenantScope,
        plan: &Plan,
        found: &Diaries,
        instructor: InstructorId,
        mut occurrences: Vec<Occurrence>,
    ) -> Result<SeriesPlan> {
        let words = scope.tenant().words();
        let credits = found.student.as_ref().map_or(&[][..], |student| &student.credits[..]);
        let kept: Vec<Option<Instant>> = occurrences
            .iter()
            .map(|one| one.lesson.filter(|_| one.kept()).map(|lesson| lesson.starts_at))
            .collect();
        let paid = paid(credits, instructor, &kept);
        if plan.rules.needs_credit {
            // Each by itself has a prepaid lesson; all together may need more than there are.
            for (one, paid) in occurrences.iter_mut().zip(&paid) {
                if one.kept() && !paid {
                    one.outcome = Err(WhyNot::NoCredit.label(words));
                }
            }
        }
        let service = &plan.offer.service;
        let prepaid = paid.iter().filter(|paid| **paid).count();
        let kept = occurrences.iter().filter(|one| one.kept()).count();
        Ok(SeriesPlan {
            student: self.student,
            student_name: plan.offer.student.as_ref().map(|one| one.name.clone()).unwrap_or_default(),
            service: self.service,
            service_name: service.name.clone(),
            instructor,
            instructor_name: plan.candidate(instructor)?.name.clone(),
            when: self.every.describe(self.first),
            occurrences,
            price_minor: service.price_minor,
            currency: service.currency.clone(),
            prepaid,
            terms: cancel_terms(words, &Terms::of(service), service.price_minor, prepaid, kept),
            needs_approval: self.by_student && service.needs_approval,
        })
    }
}

#[cfg(test)]
impl SeriesPlan {
    /// Lessons of 350 rand each, for tests.
    pub(super) fn sample(occurrences: Vec<Occurrence>) -> Self {
        Self {
            student: StudentId(Uuid::nil()),
            student_name: "Sipho".into(),
            service: ServiceId(Uuid::nil()),
            service_name: "Driving lesson".into(),
            instructor: InstructorId(Uuid::nil()),
            instructor_name: "Thandi".into(),
            when: "Every Tuesday at 16:00".into(),
            occurrences,
            price_minor: 35_000,
            currency: "ZAR".into(),
            prepaid: 0,
            terms: String::new(),
            needs_approval: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn occurrence(place: i32, free: bool, skip: bool) -> Occurrence {
        Occurrence {
            place,
            day: date(2026, 3, 3),
            lesson: None,
            outcome: if free { Ok(()) } else { Err("Taken".into()) },
            skip,
            nearest: Vec::new(),
        }
    }

    #[test]
    fn a_plan_counts_what_is_free_and_what_is_kept() {
        let plan = SeriesPlan::sample(vec![
            occurrence(1, true, false),
            occurrence(2, false, false),
            occurrence(3, false, true),
            occurrence(4, true, true),
            occurrence(5, true, false),
        ]);
        let plan = SeriesPlan { prepaid: 1, ..plan };
        assert_eq!((plan.free(), plan.kept(), plan.due_minor()), (3, 2, 35_000));
        let conflicts: Vec<i32> = plan.conflicts().iter().map(|one| one.place).collect();
        assert_eq!(conflicts, [2]);
    }
}
