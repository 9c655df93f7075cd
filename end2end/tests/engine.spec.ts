// The booking engine as people meet it: a series, a move, a full class and its waiting list, why a time isn't free, a
// time that is kept, a page that stays true. The two runs, with scripts and without, take days of their own.
import { as, expect, outcome, refusal, type Locator, type Page } from "../fixtures";
import {
  INSIDE,
  OWNER,
  STAFF,
  bookFor,
  callOff,
  choose,
  dayOf,
  hourAfter,
  idIn,
  listed,
  local,
  longDay,
  mailed,
  moment,
  names,
  plus,
  post,
  putBack,
  shortDay,
  slot,
  span,
  test,
  times,
  today,
} from "../school";

/** Fills the form under a chosen time and sends it. */
async function book(page: Page) {
  await page.getByLabel("Pickup address").fill("12 Kloof Street, Gardens");
  await page.getByRole("button", { name: "Book lesson" }).click();
  await expect(outcome(page)).toContainText("Booked: ");
}

test("a series shows its conflict before anything is booked; the rest of it is booked", async ({ page, someone, undo, scripts }) => {
  test.setTimeout(90_000);
  const id = await names(page);
  const [service, instructor] = [id("Driving lesson"), id("Sizwe Ndlovu")];
  const days = [3, 4, 5, 6].map((week) => dayOf(week, scripts ? 1 : 3));
  const staff = await someone(STAFF);
  const wanted = { student: "yusuf@cape-drive.test", service, instructor, date: days[1], time: "10:00", pickup: "The library" };
  const taken = await bookFor(staff, wanted);
  undo(() => callOff(staff, [taken]));

  await as(page, "emma@cape-drive.test");
  await page.goto(times(service, instructor, { date: days[0] }));
  await choose(page, moment(days[0], "10:00"));
  await page.getByRole("link", { name: "Repeat it" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Repeat a lesson");
  // What was chosen stands in the form.
  await expect(page.getByLabel("Date", { exact: true })).toHaveValue(days[0]);
  await expect(page.getByLabel("Time", { exact: true })).toHaveValue("10:00");
  await expect(page.getByLabel("Service", { exact: true }).locator("option:checked")).toHaveText("Driving lesson");
  await expect(page.getByLabel("Instructor", { exact: true }).locator("option:checked")).toHaveText("Sizwe Ndlovu");
  await page.getByLabel("Repeat", { exact: true }).selectOption({ label: "Weekly" });
  await expect(page.getByLabel("After a number of lessons")).toBeChecked();
  await page.getByLabel("Number of lessons", { exact: true }).fill("4");
  await page.getByLabel("Pickup address").fill("12 Kloof Street");
  await page.getByRole("button", { name: "Show the plan" }).click();

  const main = page.getByRole("main");
  const rows = main.locator("tbody tr");
  const skip = page.getByRole("checkbox", { name: "Leave out no. 2" });
  await expect(main).toContainText("3 of 4 are free.");
  await expect(rows).toHaveCount(4);
  for (const [at, day] of days.entries()) {
    await expect(rows.nth(at).locator(`th time[datetime="${moment(day, "10:00")}"]`)).toHaveCount(1);
    await expect(rows.nth(at)).toContainText(at === 1 ? "Another lesson then" : "Free");
  }
  await expect(rows.nth(1), "what is near").toContainText("Nearest free: ");
  await expect(page.getByRole("checkbox"), "only what isn't free").toHaveCount(1);
  await expect(skip).toBeChecked();

  await test.step("kept in, it stops all of them", async () => {
    await skip.uncheck();
    await page.getByRole("button", { name: "Book 3 lessons" }).click();
    await expect(refusal(page)).toContainText(`1 of 4 times is not free any more: ${shortDay(days[1])}, 10:00.`);
    await expect(main, "the plan is still there").toContainText("3 of 4 are free.");
    await expect(skip).toBeChecked();
  });

  await page.getByRole("button", { name: "Book 3 lessons" }).click();
  const first = span(days[0], "10:00", "11:00");
  await expect(outcome(page)).toHaveText(`Booked: 3 lessons, the first on ${first} (Johannesburg).`);
  await expect(page).toHaveURL(/\/bookings\?series=[0-9a-f-]{36}$/);
  const lessons = main.locator("tbody th[scope=row] a");
  await expect(lessons).toHaveCount(3);
  const ids = await lessons.evaluateAll((all) => all.map((link) => link.getAttribute("href") ?? ""));
  undo(() => callOff(staff, ids.map(idIn)));
  await expect(main).toContainText("Only this series");
  for (const day of [days[0], days[2], days[3]]) {
    await expect(lessons.locator(`time[datetime="${moment(day, "10:00")}"]`)).toHaveCount(1);
  }

  await test.step("each lesson knows its series; all of it is cancelled at once", async () => {
    await lessons.first().click();
    await expect(main).toContainText(/1st of 3, weekly/i);
    await page.getByRole("link", { name: "All lessons of the series" }).click();
    await expect(lessons).toHaveCount(3);
    await lessons.first().click();
    await page.getByLabel("Reason").fill("Booked by a test.");
    await page.getByLabel("All lessons to come").check();
    await page.getByRole("button", { name: "Cancel lesson" }).click();
    await expect(outcome(page)).toContainText("Cancelled: ");
    await expect(outcome(page)).toContainText("2 more lessons of the series were cancelled with it.");
  });
});

test("a lesson is moved, and its old time is free again", async ({ page, another, someone, undo, scripts }) => {
  const id = await names(page);
  const day = dayOf(3, scripts ? 2 : 4);
  const address = times(id("Driving lesson"), id("Raj Naidoo"), { date: day });
  await as(page, "palesa@cape-drive.test");
  await page.goto(address);
  const [start, ...others] = await listed(page);
  const later = others.at(-1) ?? "";
  await choose(page, start);
  await book(page);
  const lesson = page.url();
  const staff = await someone(STAFF);
  undo(() => callOff(staff, [idIn(lesson)]));

  const visitor = await another();
  await visitor.goto(address);
  await expect(slot(visitor, start)).toHaveCount(0);
  await expect(slot(visitor, later)).toHaveCount(1);

  const main = page.getByRole("main");
  await expect(main).toContainText("Can be moved until ");
  await page.getByRole("link", { name: "Move", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Move Driving lesson");
  await expect(page.getByRole("heading", { name: `Free times on ${shortDay(day)}` })).toBeVisible();
  await expect(main.locator(`a.slot time[datetime="${start}"]`), "not to where it is").toHaveCount(0);
  await main.locator("a.slot", { has: page.locator(`time[datetime="${later}"]`) }).click();
  await expect(main).toContainText("This time is free.");
  const clock = later.slice(11, 16);
  await expect(page.getByLabel("Time", { exact: true })).toHaveValue(clock);
  await page.getByRole("button", { name: "Move lesson", exact: true }).click();
  const when = `${span(day, clock, hourAfter(clock))} (Johannesburg)`;
  await expect(outcome(page)).toHaveText(`Moved: Driving lesson with Raj Naidoo, ${when}.`);
  await expect(page).toHaveURL(lesson);
  await expect(main.locator(`time[datetime="${later}"]`)).toHaveCount(1);
  await expect(main).toContainText("once by the student");

  await visitor.reload();
  await expect(slot(visitor, start), "the old time is free").toHaveCount(1);
  await expect(slot(visitor, later)).toHaveCount(0);
});

test("a full class: who waits is offered the seat that becomes free, and takes it", async ({ page, someone, undo, scripts }) => {
  test.setTimeout(180_000);
  const waits = "tumelo@cape-drive.test";
  const id = await names(page);
  const [service, instructor] = [id("Theory class"), id("Kagiso Molefe")];
  const day = dayOf(scripts ? 4 : 6, 3);
  const address = times(service, instructor, { date: day });
  await as(page, waits);
  await page.goto(address);
  const [start] = await listed(page);
  const clock = start.slice(11, 16);

  // Eight others book, each for themselves.
  const staff = await someone(STAFF);
  const taken: string[] = [];
  undo(() => callOff(staff, taken));
  const first = await someone("vusi@cape-drive.test");
  const seat = async (student: Page) => {
    const done = await post(student, "booking/book", { service, instructor, starts_at: start });
    taken.push(done.id);
  };
  await seat(first);
  await page.reload();
  await expect(slot(page, start)).toContainText("7 seats left");
  for (const name of ["priya", "karabo", "marco", "refilwe", "dylan", "busisiwe", "noah"]) {
    await seat(await someone(`${name}@cape-drive.test`));
  }

  const main = page.getByRole("main");
  await test.step("the ninth finds it full and joins the waiting list", async () => {
    await page.reload();
    await expect(slot(page, start)).toHaveCount(0);
    await expect(main).toContainText("A lesson that is full isn't listed.");
    const answer = await ask(page, address, clock);
    await expect(answer).toContainText(`${clock} isn't free. All seats of this lesson are taken.`);
    await answer.getByRole("button", { name: "Join the waiting list" }).click();
    await expect(outcome(page)).toContainText(`You are on the waiting list for Theory class on ${shortDay(day)}, ${clock}.`);
    await expect(page).toHaveURL(`${INSIDE}/waiting`);
    await expect(main.locator("tbody tr")).toContainText("First in line");
    await expect(await ask(page, address, clock), "not twice").toContainText("You are on the waiting list for this.");
  });

  const offer = main.locator("a[href*='/offers/']");
  let path = "";
  await test.step("a seat becomes free, and is kept for them", async () => {
    await post(first, "booking/cancel", { booking: taken[0], reason: "I am ill." });
    const offered = async () => {
      await page.goto(`${INSIDE}/waiting`);
      return offer.count();
    };
    await expect.poll(offered, { message: "the worker makes an offer", timeout: 30_000, intervals: [1_000] }).toBe(1);
    await expect(main).toContainText("Kept until ");
    path = (await offer.getAttribute("href")) ?? "";
    await mailed(waits, path);
    await first.goto(address);
    await expect(slot(first, start), "for nobody else").toHaveCount(0);
  });

  await test.step("the link of the mail leads to it, and it is taken", async () => {
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Theory class");
    await expect(page.getByRole("heading", { name: "It is kept for you" })).toBeVisible();
    await page.getByRole("button", { name: "Take it" }).click();
    const when = `${span(day, clock, hourAfter(clock))} (Johannesburg)`;
    await expect(outcome(page)).toHaveText(`Booked: Theory class with Kagiso Molefe, ${when}.`);
    taken.push(idIn(page.url()));
    await expect(main).toContainText("8 of 8 seats are taken");
    await expect(main, "who else comes is for those who teach").not.toContainText("Priya");
  });

  await test.step("an offer is taken once; the school sees who comes", async () => {
    const lesson = page.url();
    await page.goto(path);
    await expect(page.getByRole("button", { name: "Take it" })).toHaveCount(0);
    await expect(main).toContainText("It was taken.");
    await page.goto(`${INSIDE}/waiting`);
    await expect(main).toContainText("You aren't waiting for anything");
    await staff.goto(lesson);
    await staff.getByRole("link", { name: "See who comes" }).click();
    const people = staff.getByRole("main").locator("tbody tr");
    await expect(people).toHaveCount(8);
    await expect(people.filter({ hasText: "Tumelo O’Connor" })).toHaveCount(1);
    await expect(people.filter({ hasText: "Vusi" })).toHaveCount(0);
  });
});

/** Asks on the book page why a time isn't there; what it says. */
async function ask(page: Page, address: string, clock: string): Promise<Locator> {
  await page.goto(address);
  const question = page.locator("details", { hasText: "A time you wanted isn't here?" });
  await question.locator("summary").click();
  await question.getByLabel("Time").fill(clock);
  await question.getByRole("button", { name: "Ask why" }).click();
  await expect(page).toHaveURL(/[?&]time=/);
  return question.getByRole("status");
}

test.describe("why is this time not free?", () => {
  const STUDENT = "hannah@cape-drive.test";
  const ANNEKE = "Anneke Visser";

  /** Each question with its answer. */
  async function says(page: Page, address: string, clock: string, why: string) {
    await expect(await ask(page, address, clock)).toContainText(`${clock} isn't free. ${why}`, { ignoreCase: true });
  }

  test("it is no time for anyone", async ({ page, scripts }) => {
    test.setTimeout(90_000);
    const id = await names(page);
    await as(page, STUDENT);
    const on = (date: string) => times(id("Driving lesson"), id(ANNEKE), { date });
    await says(page, on(today()), "00:00", "this time has passed. Choose a later one.");
    const soon = local(new Date(Date.now() + 60 * 60_000));
    await says(page, on(soon.day), soon.clock, "too soon: this service needs 2 h notice. Choose a later time.");
    const monday = dayOf(scripts ? 5 : 7, 0);
    await says(page, on(monday), "06:30", "outside the instructor's hours. Choose another time.");
    await says(page, on(plus(monday, 5)), "10:00", "outside the instructor's hours.");
    // Between the times that are listed.
    const free = await ask(page, on(monday), "10:10");
    await expect(free).toContainText("10:10 is free.");
    await expect(free.getByRole("button", { name: "10:10" })).toBeVisible();

    // The days to choose from end before that, but an address may name it.
    const beyond = moment(plus(today(), 90), "10:00");
    await page.goto(times(id("Driving lesson"), id(ANNEKE), { at: beyond }));
    const summary = page.locator(".summary");
    await expect(summary.getByRole("heading")).toHaveText("That time can't be booked");
    await expect(summary).toContainText("Too far ahead: this service is booked at most 60 days ahead.");
  });

  test("the instructor has something else, or the school is closed", async ({ page, someone, undo, scripts }) => {
    test.setTimeout(150_000);
    const id = await names(page);
    const [service, instructor] = [id("Driving lesson"), id(ANNEKE)];
    const [monday, tuesday, wednesday, thursday, friday] = [0, 1, 2, 3, 4].map((at) => dayOf(scripts ? 5 : 7, at));
    const on = (date: string) => times(service, instructor, { date });
    const owner = await someone(OWNER);
    const limits = (travel: string, max_per_day: string, max_per_week: string) =>
      post(owner, "availability/set_rules", { instructor, travel, max_per_day, max_per_week, weight: "" });
    undo(() => limits("0", "", ""));
    const book = async (student: string, what: string, time: string) => {
      const wanted = { student, service: id(what), instructor, date: tuesday, time, pickup: "The library" };
      const lesson = await bookFor(owner, wanted);
      undo(() => callOff(owner, [lesson]));
    };
    await book("liam@cape-drive.test", "Driving lesson", "10:00");
    // A quarter of an hour behind it belongs to it.
    await book("kyle@cape-drive.test", "Test preparation", "13:00");
    const block = await post(owner, "availability/block", { instructor, date: tuesday, from: "15:30", to: "16:30", reason: "Dentist" });
    undo(() => putBack(owner, "availability/unblock", { block: block.id }));
    await post(owner, "availability/save_exception", { instructor, date: thursday, hours: "", reason: "A wedding" });
    undo(() => putBack(owner, "availability/remove_exception", { instructor, date: thursday }));

    await as(page, STUDENT);
    await test.step("another lesson, its buffer, a block, a day off", async () => {
      await says(page, on(tuesday), "10:30", "the instructor has another lesson then. Choose another time.");
      await says(page, on(tuesday), "14:30", "too close to another lesson: the instructor needs time between them.");
      await says(page, on(tuesday), "15:30", "the instructor has blocked this time. Choose another one.");
      await says(page, on(thursday), "10:00", "the instructor has that day off. Choose another day.");
    });

    await test.step("the way from the lesson before", async () => {
      await expect(await ask(page, on(tuesday), "11:00")).toContainText("11:00 is free.");
      await limits("30", "", "");
      await says(page, on(tuesday), "11:00", "too close to another lesson elsewhere: the instructor needs 30 min to get there.");
      await expect(await ask(page, on(tuesday), "11:30")).toContainText("11:30 is free.");
    });

    await test.step("kept for someone else", async () => {
      const other = await someone("ntombi@cape-drive.test");
      const held = await post(other, "booking/hold", { service, instructor, starts_at: moment(monday, "10:00") });
      undo(() => putBack(other, "booking/release_hold", { hold: held.id }));
      await says(page, on(monday), "10:00", "this time is kept for another student. Choose another one, or look again later.");
      await post(other, "booking/release_hold", { hold: held.id });
      await expect(await ask(page, on(monday), "10:00")).toContainText("10:00 is free.");
    });

    await test.step("a holiday, as long as it is one", async () => {
      undo(() => putBack(owner, "availability/remove_holiday", { date: wednesday }));
      await owner.goto(`${INSIDE}/holidays`);
      await owner.getByLabel("Date", { exact: true }).fill(wednesday);
      await owner.getByLabel("Name", { exact: true }).fill("Founders’ Day");
      await owner.getByRole("button", { name: "Add holiday" }).click();
      await expect(outcome(owner)).toContainText(`Closed on ${longDay(wednesday)}: Founders’ Day.`);
      await says(page, on(wednesday), "10:00", "closed that day: Founders’ Day. Choose another day.");
      await owner.getByRole("row").filter({ hasText: longDay(wednesday) }).getByRole("button", { name: "Remove" }).click();
      await expect(outcome(owner)).toHaveText(`Open again on ${longDay(wednesday)}: Founders’ Day is removed.`);
      await expect(await ask(page, on(wednesday), "10:00")).toContainText("10:00 is free.");
    });

    await test.step("enough for a day, and for a week", async () => {
      await limits("0", "1", "");
      await says(page, on(tuesday), "09:00", "the instructor gives at most 1 lesson a day, and that day is full. Choose another day.");
      await expect(await ask(page, on(friday), "10:00")).toContainText("10:00 is free.");
      await limits("0", "", "2");
      await says(page, on(friday), "10:00", "the instructor gives at most 2 lessons a week, and that week is full. Choose another week.");
    });
  });

  test("the student is busy, or what it needs isn't there", async ({ page, someone, undo, scripts }) => {
    test.setTimeout(90_000);
    const id = await names(page);
    const [anneke, fatima] = [id(ANNEKE), id("Fatima Jacobs")];
    const [monday, friday] = [0, 4].map((at) => dayOf(scripts ? 5 : 7, at));
    const owner = await someone(OWNER);
    const book = async (what: string, instructor: string, date: string, time: string) => {
      const wanted = { student: STUDENT, service: id(what), instructor, date, time, pickup: "The library" };
      const lesson = await bookFor(owner, wanted);
      undo(() => callOff(owner, [lesson]));
    };
    await book("Driving lesson", fatima, friday, "12:00");
    await book("Theory class", anneke, monday, "13:00");

    await as(page, STUDENT);
    const driving = times(id("Driving lesson"), anneke, { date: friday });
    await says(page, driving, "11:30", "the student has another lesson then. Choose another time.");
    const theory = (instructor: string) => times(id("Theory class"), instructor, { date: monday });
    await says(page, theory(anneke), "13:00", "the student has a seat in this lesson already. Choose another time.");
    await says(page, theory(fatima), "13:00", "No Classroom is free then. Choose another time.");
  });
});

test("a chosen time is kept for a while, and given back", async ({ page, someone, scripts }) => {
  const id = await names(page);
  const [service, instructor] = [id("Driving lesson"), id("Pieter van der Merwe")];
  const day = dayOf(3, scripts ? 0 : 1);
  const address = times(service, instructor, { date: day });
  const rival = await someone("andile@cape-drive.test");
  await as(page, "sofia@cape-drive.test");
  await page.goto(address);
  const [start, ...others] = await listed(page);
  const second = others.at(-1) ?? "";
  await rival.goto(address);
  await expect(slot(rival, start)).toHaveCount(1);

  await choose(page, start);
  const summary = page.locator(".summary");
  await expect(outcome(page)).toHaveText(/^Kept for you until \d\d:\d\d\.$/);
  await expect(summary).toContainText(/Kept for you until \d\d:\d\d\./);
  await expect(slot(page, start), "one's own choice stays in sight").toHaveAttribute("aria-current", "true");

  await test.step("nobody else can have it", async () => {
    if (scripts) {
      // Their page learns of it by itself, which has a test of its own.
      await rival.reload();
    } else {
      await slot(rival, start).click();
      await expect(refusal(rival)).toContainText("That time has just been taken.");
      await expect(rival.locator(".summary").getByRole("heading")).toHaveText("That time has just been taken");
      await expect(rival.locator(".summary a.slot"), "what is near").toHaveCount(3);
      await rival.goto(address);
    }
    await expect(slot(rival, second)).toHaveCount(1);
    await expect(slot(rival, start)).toHaveCount(0);
  });

  await test.step("it waits for who comes back", async () => {
    await page.goto("/s/cape-drive/book");
    await expect(page.locator(".kept")).toContainText("Pieter van der Merwe is kept for you until ");
    await page.getByRole("link", { name: "Go on with it" }).click();
    await expect(page.locator(`.summary time[datetime="${start}"]`)).toBeVisible();
    await expect(page.getByRole("button", { name: "Book lesson" })).toBeVisible();
  });

  await test.step("another choice frees the first", async () => {
    await choose(page, second);
    await rival.reload();
    await expect(slot(rival, start)).toHaveCount(1);
    await expect(slot(rival, second)).toHaveCount(0);
  });

  await page.getByRole("button", { name: "Give it back" }).click();
  await expect(outcome(page)).toHaveText("That time is no longer kept for you.");
  await expect(summary).toHaveCount(0);
  await rival.reload();
  await expect(slot(rival, second)).toHaveCount(1);
});

/** Opens a page and waits until it hears what changes in its school; without scripts it is as old as it is. */
async function follow(page: Page, address: string, scripts: boolean) {
  const heard = scripts && page.waitForResponse((response) => /^\/[st]\/[^/]+\/live$/.test(new URL(response.url()).pathname));
  await page.goto(address);
  await heard;
}

/** Waits until a page shows something by itself, or loads it again where there are no scripts. */
async function shows(page: Page, scripts: boolean, check: (patience: { timeout: number }) => Promise<void>) {
  if (!scripts) await page.reload();
  await check({ timeout: 15_000 });
}

test("what one books vanishes from the page of another, and comes back", async ({ page, someone, undo, scripts }) => {
  test.setTimeout(90_000);
  const id = await names(page);
  const address = times(id("Driving lesson"), id("Pieter van der Merwe"), { date: dayOf(4, scripts ? 2 : 4) });
  const watcher = await someone("aisha@cape-drive.test");
  await follow(watcher, address, scripts);
  let loads = 0;
  watcher.on("framenavigated", () => (loads += 1));

  await as(page, "bongani@cape-drive.test");
  await page.goto(address);
  const [start, ...others] = await listed(page);
  await expect(slot(watcher, start)).toHaveCount(1);
  await choose(page, start);
  await book(page);
  const lesson = page.url();
  const staff = await someone(STAFF);
  undo(() => callOff(staff, [idIn(lesson)]));
  await shows(watcher, scripts, (patience) => expect(slot(watcher, start), "the time is gone").toHaveCount(0, patience));
  await expect(slot(watcher, others.at(-1) ?? ""), "others are there").toHaveCount(1);

  await page.getByLabel("Reason").fill("Booked by a test.");
  await page.getByRole("button", { name: "Cancel lesson" }).click();
  await expect(outcome(page)).toContainText("Cancelled: ");
  await shows(watcher, scripts, (patience) => expect(slot(watcher, start), "it is back").toHaveCount(1, patience));
  if (scripts) expect(loads, "nothing was loaded").toBe(0);
  // What came is as alive as what was there.
  await choose(watcher, start);
  await watcher.getByRole("button", { name: "Give it back" }).click();
  await expect(outcome(watcher)).toBeVisible();
});

test("a request that is approved shows wherever it is looked at, and takes nobody's words away", async ({ page, someone, undo, scripts }) => {
  test.setTimeout(90_000);
  const slug = "north-mentors";
  const inside = `/t/${slug}`;
  const id = await names(page, slug);
  const day = dayOf(6, scripts ? 2 : 3);
  await as(page, `kim@${slug}.test`);
  await page.goto(times(id("Portfolio review"), id("Ingrid Sørensen"), { date: day }, slug));
  const [starts_at] = await listed(page);
  const wanted = { tenant: slug, service: id("Portfolio review"), instructor: id("Ingrid Sørensen"), starts_at };
  const asked = (await post(page, "booking/book", wanted)).id;
  const staff = await someone(`staff@${slug}.test`);
  undo(() => callOff(staff, [asked], slug));

  const lesson = `${inside}/bookings/${asked}`;
  const writer = await someone(`kim@${slug}.test`);
  const desk = await someone(`staff@${slug}.test`);
  const week = await someone(`owner@${slug}.test`);
  const lookedAt: [Page, string][] = [
    [page, lesson],
    [writer, lesson],
    [desk, `${inside}/bookings?from=${day}&to=${day}&status=requested`],
    [week, `${inside}/calendar?date=${day}`],
  ];
  for (const [who, address] of lookedAt) await follow(who, address, scripts);
  let loads = 0;
  for (const [who] of lookedAt) who.on("framenavigated", () => (loads += 1));
  const status = (who: Page, text: string) => who.getByRole("main").getByText(text, { exact: true }).first();
  const row = desk.getByRole("row").filter({ has: desk.locator(`time[datetime="${starts_at}"]`) });
  const block = week.locator(`a[href$="${asked}"]`).first();
  await expect(status(page, "Requested")).toBeVisible();
  await expect(row).toHaveCount(1);
  await expect(block).toContainText("Requested");
  const reason = writer.getByLabel("Reason");
  await reason.fill("I would rather");
  await writer.getByRole("heading", { level: 1 }).click();
  const grid = week.locator("#calendar");
  await grid.evaluate((box) => box.scrollTo(40, 60));
  const scrolled = await grid.evaluate((box) => [box.scrollLeft, box.scrollTop]);

  await post(staff, "booking/confirm", { tenant: slug, booking: asked });
  await shows(page, scripts, (patience) => expect(status(page, "Confirmed"), "for who asked").toBeVisible(patience));
  await shows(desk, scripts, (patience) => expect(row, "it waits for nobody").toHaveCount(0, patience));
  await expect(desk.getByRole("main")).toContainText("0 sessions");
  await shows(week, scripts, (patience) => expect(block, "in the calendar").not.toContainText("Requested", patience));
  if (scripts) {
    expect(loads, "nothing was loaded").toBe(0);
    expect(await grid.evaluate((box) => [box.scrollLeft, box.scrollTop]), "it is where it was").toEqual(scrolled);
  }
  await expect(reason, "what is being written stays").toHaveValue("I would rather");
  await expect(status(writer, "Requested"), "and nothing else changes meanwhile").toBeVisible();

  const heading = page.locator("#page-head");
  const clock = starts_at.slice(11, 16);
  await expect(heading).toContainText(clock);
  await post(staff, "booking/move", { tenant: slug, booking: asked, date: plus(day, 7), time: clock, reason: "Moved by a test." });
  await shows(page, scripts, (patience) => expect(heading, "when it is now").toContainText(shortDay(plus(day, 7)), patience));
  expect(await page.title()).toContain(shortDay(plus(day, 7)));

  if (scripts) {
    await reason.fill("");
    await writer.getByRole("heading", { level: 1 }).click();
  }
  await shows(writer, scripts, (patience) => expect(status(writer, "Confirmed"), "when nobody writes").toBeVisible(patience));
  await reason.fill("I would rather");
  await writer.getByRole("button", { name: /^(Cancel|Withdraw)/ }).click();
  await expect(outcome(writer)).toContainText("Cancelled: ");
  await shows(page, scripts, (patience) => expect(status(page, "Cancelled"), "for their other page").toBeVisible(patience));
});

test("a page whose stream the server refused listens again, and shows what it has missed", async ({ page, someone, undo, scripts }) => {
  const id = await names(page);
  const staff = await someone(STAFF);
  const wanted = { student: "yusuf@cape-drive.test", service: id("Driving lesson"), instructor: id("Lwazi Dlamini"), pickup: "The library" };
  const lesson = await bookFor(staff, { ...wanted, date: dayOf(5, scripts ? 3 : 4), time: "10:00" });
  undo(() => callOff(staff, [lesson]));

  await as(page, "yusuf@cape-drive.test");
  await page.clock.install();
  let refused = 0;
  // An answer without content ends a stream for good, as any refusal does.
  await page.route("**/live", (route) => (++refused, route.fulfill({ status: 204 })));
  await page.goto(`${INSIDE}/bookings/${lesson}`);
  await expect.poll(() => refused).toBe(scripts ? 1 : 0);
  await post(staff, "booking/cancel", { booking: lesson, reason: "Called off by a test." });
  await page.unroute("**/live");
  await expect(page.getByRole("main")).not.toContainText("Called off by a test.");
  if (scripts) {
    const heard = page.waitForResponse((response) => new URL(response.url()).pathname === `${INSIDE}/live`);
    await page.clock.fastForward(31_000);
    await heard;
    await page.clock.runFor(10_000);
  }
  await shows(page, scripts, (patience) => expect(page.getByRole("main")).toContainText("Called off by a test.", patience));
});
