// A lesson booked, seen, cancelled; booked by hand; wanted by two at once.
import { as, expect, give, outcome, refusal, test, type Page } from "../fixtures";

const SCHOOL = "/s/cape-drive";
const INSIDE = "/t/cape-drive";

/** From the school's page to a service and an instructor, by links alone. */
async function toTimes(page: Page, service: string, instructor: string) {
  await page.goto(SCHOOL);
  await page.getByRole("link", { name: service }).click();
  await expect(page.getByRole("heading", { name: "Instructor", exact: true })).toBeVisible();
  await page.getByRole("link", { name: instructor }).click();
  await expect(page.getByRole("heading", { name: "Day and time" })).toBeVisible();
}

/** The next week with a free time, and in it the first day that has one. */
async function toFreeDay(page: Page) {
  const strip = page.getByRole("navigation", { name: "Day" });
  const free = strip.locator("a:not([data-free='0'])");
  let found = false;
  for (let weeks = 0; weeks < 6 && !found; weeks++) {
    const first = await strip.locator("a").first().getAttribute("href");
    await page.getByRole("link", { name: "Later", exact: true }).click();
    await expect(strip.locator("a").first()).not.toHaveAttribute("href", first ?? "");
    found = (await free.count()) > 0;
  }
  expect(found, "some week has a free time").toBe(true);
  const day = free.first();
  const number = Number(await day.getAttribute("data-free"));
  await day.click();
  // The strip says how many there are; the day shows as many.
  await expect(page.locator("#live .slot time[datetime]")).toHaveCount(number);
}

/** Starts of the free times shown. */
async function shown(page: Page): Promise<string[]> {
  const times = page.locator("#live .slot time[datetime]");
  return times.evaluateAll((all) => all.map((time) => time.getAttribute("datetime") ?? ""));
}

/** Chooses a free time, which is kept for a student from then on; says when the summary has the lesson. */
async function choose(page: Page, start: string): Promise<string> {
  await page.locator("#live .slot", { has: page.locator(`time[datetime="${start}"]`) }).click();
  const when = page.locator(`.summary time[datetime="${start}"]`);
  await expect(when).toBeVisible();
  return when.innerText();
}

async function book(page: Page) {
  await page.getByLabel("Pickup address").fill("12 Kloof Street, Gardens");
  await page.getByLabel("Note").fill("Parking, once more.\nمرحبا & <b>bold</b>");
  await page.getByRole("button", { name: "Book lesson" }).click();
}

async function cancel(page: Page, reason: string) {
  await page.getByLabel("Reason").fill(reason);
  await page.getByRole("button", { name: "Cancel lesson" }).click();
  await expect(outcome(page)).toContainText("Cancelled: ");
}

/** "9 of 10 left" of the student's pack with an instructor. */
async function left(page: Page, instructor: string): Promise<number> {
  await page.goto(INSIDE);
  const packs = page.locator("section", { has: page.getByRole("heading", { name: "Packs", exact: true }) });
  const text = await packs.locator("li", { hasText: instructor }).innerText();
  return Number(/(\d+) of \d+ left/.exec(text)?.[1]);
}

test("a student books a lesson, the instructor sees it, the student cancels it", async ({ page, another }) => {
  await as(page, "sipho@cape-drive.test");
  const before = await left(page, "Thandi Mokoena");

  await toTimes(page, "Driving lesson", "Thandi Mokoena");
  await toFreeDay(page);
  const [start] = await shown(page);
  const when = await choose(page, start);
  expect(when).toMatch(/^\w{3} \d{1,2} \w{3}.*, \d\d:\d\d–\d\d:\d\d \(Johannesburg\)$/);
  const summary = page.locator(".summary");
  for (const part of ["Driving lesson", "Thandi Mokoena", "to cancel"]) await expect(summary).toContainText(part);
  await expect(summary).toContainText(before > 0 ? `1 of ${before} lesson` : "R 420.00");
  const address = page.url();

  await book(page);
  await expect(outcome(page)).toHaveText(`Booked: Driving lesson with Thandi Mokoena, ${when}.`);
  await expect(page).toHaveURL(/\/t\/cape-drive\/bookings\/[0-9a-f-]{36}$/);
  const lesson = page.url();
  const main = page.getByRole("main");
  await expect(main).toContainText("12 Kloof Street, Gardens");
  // What was typed shows as typed.
  await expect(main).toContainText("مرحبا & <b>bold</b>");
  await page.reload();
  await expect(outcome(page), "the outcome shows once").toHaveCount(0);
  expect(await left(page, "Thandi Mokoena"), "the pack pays").toBe(Math.max(before - 1, 0));

  await test.step("the instructor sees it", async () => {
    const thandi = await another();
    await as(thandi, "thandi@cape-drive.test");
    await thandi.getByRole("link", { name: "Lessons", exact: true }).first().click();
    await thandi.getByLabel("From").fill(start.slice(0, 10));
    await thandi.getByLabel("To", { exact: true }).fill(start.slice(0, 10));
    await thandi.getByRole("button", { name: "Filter" }).click();
    const row = thandi.getByRole("row").filter({ has: thandi.locator(`time[datetime="${start}"]`) });
    const live = row.filter({ hasText: "Confirmed" });
    await expect(live).toContainText("Sipho Nkosi");
    await live.getByRole("link").first().click();
    await expect(thandi).toHaveURL(lesson);
    await expect(thandi.getByRole("main")).toContainText("12 Kloof Street, Gardens");
  });

  await test.step("the time is free for nobody else", async () => {
    const megan = await another();
    await as(megan, "megan@cape-drive.test");
    await megan.goto(address);
    await expect(megan.getByRole("heading", { name: "That time has just been taken" })).toBeVisible();
    await expect(megan.getByRole("button", { name: "Book lesson" })).toHaveCount(0);
  });

  await page.goto(lesson);
  await cancel(page, "I am ill. Désolé!");
  await expect(outcome(page)).toContainText(`Driving lesson with Thandi Mokoena, ${when}.`);
  await expect(main).toContainText("I am ill. Désolé!");
  await expect(main.getByText("Cancelled", { exact: true })).toBeVisible();
  await expect(page.getByRole("button", { name: "Cancel lesson" })).toHaveCount(0);
  expect(await left(page, "Thandi Mokoena"), "the lesson is back in the pack").toBe(before);
  await page.goto(address);
  await expect(page.getByRole("button", { name: "Book lesson" }), "the time is free again").toBeVisible();
});

test("a visitor finds a time, logs in, and stands where they were", async ({ page }) => {
  await toTimes(page, "Test preparation", "Any instructor");
  await toFreeDay(page);
  const [start] = await shown(page);
  await choose(page, start);
  const address = page.url();
  await expect(page.getByRole("button", { name: "Book lesson" })).toHaveCount(0);
  await page.getByRole("link", { name: "Log in to book" }).click();
  await page.getByLabel("E-mail or phone").fill("themba@cape-drive.test");
  await page.getByLabel("Password").fill("wrong-horse-battery");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(refusal(page)).toBeVisible();
  await expect(page.getByLabel("E-mail or phone"), "what was typed stays").toHaveValue("themba@cape-drive.test");
  await page.getByLabel("Password").fill("demo-orchard-kettle-42");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(address);
});

test("staff books a lesson by hand", async ({ page, another }) => {
  // The student's own eyes find a time at which both are free.
  const lerato = await another();
  await as(lerato, "lerato@cape-drive.test");
  await toTimes(lerato, "Driving lesson", "Ayesha Davids");
  await toFreeDay(lerato);
  const [start] = await shown(lerato);

  await as(page, "staff@cape-drive.test");
  await page.goto(`${INSIDE}/bookings`);
  await page.getByRole("link", { name: "Book for a student" }).click();
  await expect(page).toHaveURL(`${INSIDE}/bookings/new`);
  await give(page, "Student", { name: "Lerato Govender", typed: "lerato@cape-drive.test" });
  await page.getByLabel("Instructor", { exact: true }).selectOption({ label: "Ayesha Davids" });
  await page.getByLabel("Service", { exact: true }).selectOption({ label: "Driving lesson" });
  await page.getByLabel("Date", { exact: true }).fill("2020-02-03");
  await page.getByLabel("Time", { exact: true }).fill(start.slice(11, 16));
  await page.getByLabel("Pickup address").fill("The library");
  await page.getByRole("button", { name: "Book lesson" }).click();

  // The past is refused beside the field, and nothing typed is lost.
  await expect(refusal(page)).toBeVisible();
  const date = page.getByLabel("Date", { exact: true });
  const time = page.getByLabel("Time", { exact: true });
  await expect(date.or(time).and(page.locator("[aria-invalid=true]"))).toHaveCount(1);
  await expect(page.getByLabel("Pickup address")).toHaveValue("The library");
  await expect(time).toHaveValue(start.slice(11, 16));
  await date.fill(start.slice(0, 10));
  await page.getByRole("button", { name: "Book lesson" }).click();

  await expect(outcome(page)).toContainText("Booked: Driving lesson with Ayesha Davids, ");
  await expect(outcome(page)).toContainText(`, ${start.slice(11, 16)}–`);
  await expect(page.locator(`main time[datetime="${start}"]`)).toBeVisible();
  await expect(page.getByRole("main")).toContainText("Lerato Govender");
  const lesson = page.url();

  await lerato.goto(lesson);
  await expect(lerato.getByRole("heading", { level: 1 })).toHaveText("Driving lesson");
  await cancel(page, "Booked by a test.");
  await lerato.reload();
  await expect(lerato.getByRole("main")).toContainText("Booked by a test.");
});

test("two want the same time: one has it, the other sees the three nearest in the same place", async ({ page, another }) => {
  const other = await another();
  await as(page, "sipho@cape-drive.test");
  await as(other, "megan@cape-drive.test");
  await toTimes(page, "Driving lesson", "Lwazi Dlamini");
  await toFreeDay(page);
  // A day and time at which both are free.
  await other.goto(page.url());
  const theirs = await shown(other);
  const start = (await shown(page)).find((time) => theirs.includes(time)) ?? "";
  expect(start, "both are free at some time of the day").not.toBe("");
  // By its address alone a time is kept for nobody, so both come as far as the form.
  const address = new URL(page.url());
  address.searchParams.set("at", start);
  const chosen = (one: Page) => one.locator(`.summary time[datetime="${start}"]`);
  for (const one of [page, other]) {
    await one.goto(address.href);
    await expect(chosen(one)).toBeVisible();
  }
  const when = await chosen(page).innerText();

  for (const one of [page, other]) {
    await one.getByLabel("Pickup address").fill("12 Kloof Street");
    await one.getByLabel("Note").fill("I want this one.");
  }
  const press = (one: Page) => one.getByRole("button", { name: "Book lesson" }).click();
  await Promise.all([press(page), press(other)]);
  for (const one of [page, other]) await expect(one.locator(".flash")).toBeVisible();
  const [first, second] = (await outcome(page).count()) === 1 ? [page, other] : [other, page];

  await expect(outcome(first)).toHaveText(`Booked: Driving lesson with Lwazi Dlamini, ${when}.`);
  await expect(refusal(second)).toContainText("That time has just been taken. Nothing was booked.");
  await expect(second, "in the same place").toHaveURL(/\/s\/cape-drive\/book\?/);
  const summary = second.locator(".summary");
  await expect(summary.getByRole("heading")).toHaveText("That time has just been taken");
  const near = summary.locator("a time[datetime]");
  await expect(near).toHaveCount(3);
  const starts = await Promise.all((await near.all()).map((time) => time.getAttribute("datetime")));
  expect(new Set([...starts, start]).size, "three others").toBe(4);

  // A link of the three leads on with the same service and instructor.
  await summary.getByRole("link").first().click();
  await expect(second.locator(`.summary time[datetime="${starts[0]}"]`)).toBeVisible();
  await expect(second.locator(".summary")).toContainText("Lwazi Dlamini");
  await book(second);
  await expect(outcome(second)).toContainText("Booked: Driving lesson with Lwazi Dlamini, ");

  await cancel(first, "Booked by a test.");
  await cancel(second, "Booked by a test.");
});

test("pressing twice books once", async ({ page }) => {
  await as(page, "ruan@cape-drive.test");
  await toTimes(page, "Driving lesson", "Johan Botha");
  await toFreeDay(page);
  const [start] = await shown(page);
  await choose(page, start);
  await page.getByLabel("Pickup address").fill("12 Kloof Street");
  await page.getByRole("button", { name: "Book lesson" }).dblclick();
  await expect(outcome(page)).toContainText("Booked: Driving lesson with Johan Botha, ");
  const lesson = page.url();
  await page.goto(`${INSIDE}/bookings?from=${start.slice(0, 10)}&to=${start.slice(0, 10)}&status=confirmed`);
  await expect(page.getByRole("row").filter({ has: page.locator(`time[datetime="${start}"]`) })).toHaveCount(1);
  await page.goto(lesson);
  await cancel(page, "Booked by a test.");
});
