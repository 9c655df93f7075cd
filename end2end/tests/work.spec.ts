// The day's work of those who teach and run a school: who came, the calendar on screen and on paper, many things changed
// at once, what the school has and when it is closed, feeds.
import { as, expect, outcome, refusal, type Page } from "../fixtures";
import { INSIDE, STAFF, bookFor, callOff, dayOf, listed, longDay, moment, names, newSchool, plus, post, test, times, today } from "../school";


/** Marks what a test writes, so that the next run writes something new. */
function mark(): string {
  return `${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
}

/** "30 Mar – 5 Apr 2026", as the calendar calls a week that begins on a Monday. */
function weekTitle(monday: string): string {
  const [first, last] = [longDay(monday).slice(4), longDay(plus(monday, 6)).slice(4)];
  const sameYear = first.slice(-4) === last.slice(-4);
  return `${sameYear ? first.slice(0, -5) : first} – ${last}`;
}

/** A school of the test's own; its owner is logged in on `owner`. The address of its pages. */
async function school(admin: Page, owner: Page): Promise<string> {
  const slug = `e2e-k${mark()}`;
  await newSchool(admin, owner, { slug, name: "Wheels of Soweto", zone: "Africa/Johannesburg" });
  return `/t/${slug}`;
}

test("the attendance of a day is said, kept and corrected", async ({ page, someone, scripts }) => {
  test.setTimeout(90_000);
  // Of the demo's weeks that are over, one for each run.
  const day = dayOf(scripts ? -1 : -2, 2);
  const note = `Parks well. ${mark()}\nمرحبا & <b>bold</b>`;
  const said = (name: string, word: string) =>
    page.getByRole("group", { name: `Attendance of ${name}` }).getByRole("radio", { name: word, exact: true });
  const about = page.getByLabel("Lesson note about Ruan Govender");
  const save = () => page.getByRole("button", { name: "Save attendance" }).click();

  await as(page, "pieter@cape-drive.test");
  await page.goto(`${INSIDE}/bookings`);
  await page.getByRole("link", { name: "Attendance", exact: true }).click();
  await page.getByLabel("Date", { exact: true }).fill(day);
  await page.getByRole("button", { name: "Show" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(longDay(day));
  await said("Lerato Govender", "Present").check();
  await said("Ruan Govender", "Late").check();
  await said("Noah Mbeki", "Absent").check();
  await about.fill(note);
  await save();
  await expect(outcome(page)).toHaveText(/^Attendance saved: \d lessons?\.$/);

  await test.step("it is kept", async () => {
    await page.reload();
    await expect(outcome(page)).toHaveCount(0);
    await expect(said("Lerato Govender", "Present")).toBeChecked();
    await expect(said("Ruan Govender", "Late")).toBeChecked();
    await expect(said("Noah Mbeki", "Absent")).toBeChecked();
    await expect(about).toHaveValue(note);
  });

  await test.step("a slip is mended", async () => {
    await said("Ruan Govender", "Present").check();
    await said("Noah Mbeki", "No-show").check();
    await save();
    await expect(outcome(page)).toHaveText("Attendance saved: 2 lessons.");
    await expect(said("Ruan Govender", "Present")).toBeChecked();
    await expect(said("Noah Mbeki", "No-show")).toBeChecked();
    await expect(about, "a note stays").toHaveValue(note);
  });

  await test.step("what took place can't be undone", async () => {
    await said("Lerato Govender", "Absent").check();
    await save();
    await expect(refusal(page)).toBeVisible();
    await expect(page.getByRole("main")).toContainText("Lerato Govender: It is completed. Choose Present or Late.");
    await page.goto(page.url());
    await expect(said("Lerato Govender", "Present")).toBeChecked();
  });

  await test.step("the student sees the lesson, not the note", async () => {
    const row = page.getByRole("row").filter({ hasText: "Ruan Govender" });
    const lesson = (await row.getByRole("rowheader").getByRole("link").getAttribute("href")) ?? "";
    const student = await someone("ruan2@cape-drive.test");
    expect((await student.goto(lesson))?.status()).toBe(200);
    await expect(student.getByRole("main")).toContainText("Present");
    await expect(student.getByRole("main")).not.toContainText("Parks well.");
  });
});

test("the calendar: by day and week, by people and rooms, the same lessons as a list", async ({ page }) => {
  const id = await names(page);
  const monday = dayOf(1, 0);
  await as(page, STAFF);
  await page.getByRole("link", { name: "Calendar", exact: true }).first().click();
  const heading = page.getByRole("heading", { level: 1 });
  await expect(heading).toHaveText(longDay(today()));
  await page.getByLabel("Date", { exact: true }).fill(monday);
  await page.getByRole("button", { name: "Show" }).click();
  await expect(heading).toHaveText(longDay(monday));

  const blocks = page.locator(".cal-lesson");
  const rows = page.locator(".cal-list tbody tr");
  const same = async () => {
    const count = await blocks.count();
    expect(count, "there are lessons").toBeGreaterThan(0);
    await expect(rows).toHaveCount(count);
    await expect(page.locator(".filter-total")).toHaveText(count === 1 ? "1 lesson" : `${count} lessons`);
  };
  await same();
  await page.getByRole("link", { name: "Next day" }).click();
  await expect(heading).toHaveText(longDay(plus(monday, 1)));
  await same();
  await page.getByRole("link", { name: "Previous day" }).click();
  await expect(heading).toHaveText(longDay(monday));

  await test.step("a week is of one", async () => {
    await page.getByRole("link", { name: "Week", exact: true }).click();
    await expect(heading).toHaveText(weekTitle(monday));
    await page.getByRole("combobox", { name: "Instructor" }).selectOption({ label: "Pieter van der Merwe" });
    await page.getByRole("button", { name: "Show" }).click();
    await expect(heading).toHaveText(weekTitle(monday));
    await expect(page.getByRole("main")).toContainText("Lessons of Pieter van der Merwe, Cape Drive");
    await same();
    await page.getByRole("link", { name: "Next week" }).click();
    await expect(heading).toHaveText(weekTitle(plus(monday, 7)));
    await page.getByRole("link", { name: "Previous week" }).click();
    await expect(heading).toHaveText(weekTitle(monday));
    await page.getByRole("combobox", { name: "Instructor" }).selectOption({ label: "All instructors" });
    await page.getByRole("button", { name: "Show" }).click();
    await expect(page.locator(".cal-day")).toHaveCount(7);
    await same();
  });

  await test.step("rooms and the like", async () => {
    await page.goto(`${INSIDE}/calendar?date=${plus(monday, 2)}`);
    await page.getByRole("link", { name: "Resources", exact: true }).last().click();
    const heads = page.locator(".cal-column .cal-head:not(:empty)");
    await expect(heads).toHaveText(["Classroom", "Test yard 1", "Test yard 2"]);
    const room = page.locator(".cal-column", { hasText: "Classroom" });
    await expect(room.locator(".cal-lesson")).toContainText("Theory class");
    await expect(room.locator(".cal-lesson")).toContainText(/\d of 8/);
    await expect(rows.filter({ hasText: "Theory class" })).toContainText("Classroom");
    await room.locator(".cal-lesson").click();
    await expect(page).toHaveURL(/\/groups\/[0-9a-f-]{36}$/);
    await expect(heading).toHaveText("Theory class");
  });

  await test.step("the keyboard reaches a lesson and opens it", async () => {
    await page.goto(`${INSIDE}/calendar?view=week&date=${monday}&instructor=${id("Pieter van der Merwe")}`);
    const href = () =>
      page.evaluate(() => {
        const stop = document.activeElement;
        return stop?.classList.contains("cal-lesson") ? stop.getAttribute("href") : null;
      });
    let lesson: string | null = null;
    for (let presses = 0; presses < 80 && !lesson; presses++) {
      await page.keyboard.press("Tab");
      lesson = await href();
    }
    expect(lesson, "a lesson is a stop").not.toBeNull();
    await expect(page.locator(":focus")).toBeInViewport();
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(new RegExp(`${lesson}$`));
  });
});

test("a lesson is moved in the calendar by hand, or by its own page", async ({ page, undo, scripts }) => {
  test.setTimeout(90_000);
  const id = await names(page);
  const [service, instructor] = [id("Driving lesson"), id("Fatima Jacobs")];
  const day = dayOf(3, scripts ? 0 : 1);
  await as(page, STAFF);
  const wanted = { student: "mandla@cape-drive.test", service, instructor, date: day, time: "10:00", pickup: "The library" };
  const lesson = await bookFor(page, wanted);
  undo(() => callOff(page, [lesson]));

  await page.setViewportSize({ width: 1440, height: 1600 });
  const calendar = `${INSIDE}/calendar?date=${day}&instructor=${instructor}`;
  await page.goto(calendar);
  const block = page.locator(`.cal-lesson[data-booking="${lesson}"]`);
  await expect(block).toContainText("10:00–11:00");
  await expect(block).toContainText("Mandla Petersen");

  if (scripts) {
    await expect(page.locator("leptos-island:not([data-started])")).toHaveCount(0);
    const [box, hour] = [await block.boundingBox(), await page.locator(".cal-hours > span").first().boundingBox()];
    const [x, y] = [(box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + 8];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x, y + 20);
    await page.mouse.move(x, y + (hour?.height ?? 0), { steps: 5 });
    await page.mouse.up();
  } else {
    await block.click();
    await page.getByRole("link", { name: "Move", exact: true }).click();
    await page.getByLabel("Time", { exact: true }).fill("11:00");
    await page.getByRole("button", { name: "Move lesson", exact: true }).click();
    await expect(outcome(page)).toContainText("Moved: Driving lesson with Fatima Jacobs, ");
    await page.goto(calendar);
  }
  await expect(block).toHaveAttribute("data-time", "11:00");
  await expect(block).toContainText("11:00–12:00");
  await expect(page.locator(`.cal-list time[datetime="${moment(day, "11:00")}"]`)).toHaveCount(1);
  await expect(page.locator(`.cal-list time[datetime="${moment(day, "10:00")}"]`)).toHaveCount(0);
});

test("a week on paper: the lessons without the shell, lying", async ({ page }) => {
  const id = await names(page);
  await as(page, STAFF);
  await page.goto(`${INSIDE}/calendar?view=week&date=${dayOf(1, 0)}&instructor=${id("Pieter van der Merwe")}`);
  const lessons = page.locator(".cal-lesson");
  const count = await lessons.count();
  expect(count).toBeGreaterThan(5);
  await page.emulateMedia({ media: "print" });
  for (const shell of [".top", ".rail", ".foot", ".page-actions", ".filter-bar", ".cal-steps"]) {
    await expect(page.locator(shell).first(), `${shell} isn't printed`).toBeHidden();
  }
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  for (const lesson of await lessons.all()) await expect(lesson).toBeVisible();

  const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
  expect(pdf.length).toBeGreaterThan(5_000);
  const text = pdf.toString("latin1");
  const pages = [...text.matchAll(/\/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]/g)];
  expect(pages.length, "the week, and the list").toBeGreaterThan(0);
  expect(pages.length, "the week, and the list").toBeLessThanOrEqual(3);
  const [, width, height] = pages[0].map(Number);
  expect(width, "A4, lying").toBeCloseTo(842, -1);
  expect(height, "A4, lying").toBeCloseTo(595, -1);
});

test("requests are approved together, and cancelled together with a reason", async ({ page, someone, undo, scripts }) => {
  test.setTimeout(90_000);
  const slug = "north-mentors";
  const id = await names(page, slug);
  const [service, instructor] = [id("Portfolio review"), id("Ingrid Sørensen")];
  const day = dayOf(scripts ? 4 : 5, 1);
  const staff = `staff@${slug}.test`;

  // Two ask for a review, each for themselves.
  const asked: string[] = [];
  undo(() => callOff(page, asked, slug));
  for (const [account, at] of [["kim", 0], ["mentee2", -1]] as const) {
    const mentee = await someone(`${account}@${slug}.test`);
    await mentee.goto(times(service, instructor, { date: day }, slug));
    const starts_at = (await listed(mentee)).at(at) ?? "";
    const done = await post(mentee, "booking/book", { tenant: slug, service, instructor, starts_at });
    expect(done.message).toContain("Requested: ");
    asked.push(done.id);
  }

  await as(page, staff);
  const list = (status: string) => page.goto(`/t/${slug}/bookings?from=${day}&to=${day}&status=${status}`);
  const box = (name: string) => page.getByRole("checkbox", { name: new RegExp(`^Choose .*, ${name}$`) });
  const change = (step: string) => page.getByLabel("Step", { exact: true }).selectOption({ label: step });
  const press = () => page.getByRole("button", { name: "Change sessions" }).click();
  const people = ["Kim Yoon-seo", "Lena Hartmann"];

  await list("requested");
  for (const name of people) await box(name).check();
  await change("Approve");
  await press();
  await expect(outcome(page)).toHaveText("2 sessions approved.");
  await expect(page.getByRole("main"), "the same list").toContainText("No sessions here");

  await list("confirmed");
  for (const name of people) {
    await expect(page.getByRole("row").filter({ hasText: name })).toContainText("Confirmed");
    await box(name).check();
  }
  await change("Cancel");
  await press();
  await expect(refusal(page)).toBeVisible();
  await expect(page.getByRole("main")).toContainText("Say why, so that everyone knows.");
  for (const name of people) await expect(box(name), "what was chosen stays").toBeChecked();
  await page.getByLabel("Reason", { exact: true }).fill("Booked by a test.");
  await press();
  await expect(outcome(page)).toHaveText("2 sessions cancelled.");
});

test("what a school has and offers: resources, services, a combo, many changed at once", async ({ page, another }) => {
  test.setTimeout(120_000);
  const owner = await another();
  const inside = await school(page, owner);
  const save = async (button: string, name: string) => {
    await owner.getByRole("button", { name: button }).click();
    await expect(outcome(owner)).toContainText(`${name} is saved.`);
  };
  const row = (name: string) => owner.getByRole("row").filter({ has: owner.getByRole("link", { name, exact: true }) });

  await test.step("a resource", async () => {
    await owner.goto(inside);
    await owner.getByRole("link", { name: "Resources", exact: true }).first().click();
    await expect(owner.getByRole("main")).toContainText("No resources here");
    await owner.getByRole("link", { name: "New resource" }).first().click();
    await owner.getByLabel("Name", { exact: true }).fill("Simulator");
    await owner.getByLabel("Kind", { exact: true }).selectOption({ label: "Chair" });
    await owner.getByLabel("Units", { exact: true }).fill("2");
    await save("Save resource", "Simulator");
    await expect(row("Simulator")).toContainText("In use");
  });

  await test.step("two services, one of which needs it", async () => {
    for (const [name, price, units] of [["Short ride", "100", "1"], ["Long ride", "150", "0"]]) {
      await owner.goto(`${inside}/services/new`);
      await owner.getByLabel("Name", { exact: true }).fill(name);
      await owner.getByLabel("Price", { exact: true }).fill(price);
      await owner.getByLabel("Simulator", { exact: true }).fill(units);
      await save("Save service", name);
    }
    await owner.goto(`${inside}/resources`);
    await row("Simulator").getByRole("link", { name: "Simulator" }).click();
    await expect(owner.getByRole("main")).toContainText("Short ride");
    await owner.getByRole("button", { name: "Archive resource" }).click();
    await expect(refusal(owner)).toContainText("Short ride needs it. Change the service first.");
  });

  await test.step("a combo of both", async () => {
    await owner.goto(`${inside}/services`);
    await owner.getByRole("link", { name: "New combo" }).click();
    await expect(owner.getByRole("heading", { level: 1 })).toHaveText("New combo");
    await owner.getByLabel("Name", { exact: true }).fill("Both rides");
    await owner.getByLabel("Price", { exact: true }).fill("220");
    const part = async (at: number, name: string) => {
      const field = owner.getByLabel(`Part ${at}`, { exact: true });
      const value = await field.locator("option", { hasText: name }).getAttribute("value");
      await field.selectOption(value ?? "");
    };
    await part(1, "Short ride");
    await owner.getByRole("button", { name: "Save combo" }).click();
    await expect(refusal(owner)).toBeVisible();
    await expect(owner.getByRole("main"), "one is none").toContainText("Choose at least two services.");
    await expect(owner.getByLabel("Name", { exact: true }), "what was typed stays").toHaveValue("Both rides");
    await part(2, "Long ride");
    await save("Save combo", "Both rides");
    await expect(row("Both rides")).toContainText("Combo");
    await expect(row("Both rides"), "as long as its parts").toContainText("2 h");
  });

  await test.step("the notice of both at once, not of what follows from them", async () => {
    const box = (name: string) => owner.getByRole("checkbox", { name: `Choose ${name}`, exact: true });
    await box("Both rides").check();
    await box("Short ride").check();
    await owner.getByLabel("What to do", { exact: true }).selectOption({ label: "Set notice (hours)" });
    await owner.getByLabel("Value", { exact: true }).fill("48");
    await owner.getByRole("button", { name: "Change services" }).click();
    await expect(refusal(owner)).toBeVisible();
    await expect(owner.getByRole("main")).toContainText("A combo has this from its parts; change those: Both rides.");
    await expect(box("Short ride"), "what was chosen stays").toBeChecked();
    await box("Both rides").uncheck();
    await box("Long ride").check();
    await owner.getByRole("button", { name: "Change services" }).click();
    await expect(outcome(owner)).toHaveText("2 services changed.");
    for (const name of ["Short ride", "Long ride"]) {
      await owner.goto(`${inside}/services`);
      await row(name).getByRole("link", { name, exact: true }).click();
      await expect(owner.getByLabel("Notice (hours)")).toHaveValue("48");
    }
  });
});

test("holidays come from a calendar file, and what can't be read is named", async ({ page, another, allow }) => {
  test.setTimeout(90_000);
  const owner = await another();
  const inside = await school(page, owner);
  allow(422, `${inside}/holidays/import`);
  const [one, first, behind] = [plus(today(), 30), plus(today(), 60), plus(today(), 63)];
  const stamp = (day: string) => day.replaceAll("-", "");
  const lines = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "BEGIN:VEVENT",
    "SUMMARY:Founders’ Day",
    `DTSTART;VALUE=DATE:${stamp(one)}`,
    "END:VEVENT",
    "this line is broken",
    "BEGIN:VEVENT",
    "SUMMARY:Pâques 復活節",
    `DTSTART;VALUE=DATE:${stamp(first)}`,
    `DTEND;VALUE=DATE:${stamp(behind)}`,
    "END:VEVENT",
    "END:VCALENDAR",
  ];
  const upload = async (content: string) => {
    const buffer = Buffer.from(content, "utf8");
    await owner.getByLabel("Calendar file").setInputFiles({ name: "days.ics", mimeType: "text/calendar", buffer });
    await owner.getByRole("button", { name: "Add days" }).click();
  };
  const report = owner.getByRole("main").getByRole("status");

  await owner.goto(inside);
  await owner.getByRole("link", { name: "Holidays", exact: true }).first().click();
  await upload(lines.join("\r\n"));
  await expect(report).toContainText("4 days added.");
  await expect(report).toContainText("Line 7: it isn't a name, a colon and a value.");
  await report.locator("summary").click();
  await expect(report).toContainText(`${longDay(one)}: Founders’ Day`);

  await upload(lines.join("\r\n"));
  await expect(report, "the same again adds nothing").toContainText("0 days added, 4 were there already.");
  await upload("no calendar at all");
  await expect(owner.getByLabel("Calendar file")).toHaveAttribute("aria-invalid", "true");
  await expect(owner.getByRole("main")).toContainText("This is no calendar file.");

  await owner.getByRole("link", { name: "All holidays" }).click();
  const rows = owner.locator("tbody tr");
  await expect(rows).toHaveCount(4);
  await expect(rows.filter({ hasText: longDay(one) })).toContainText("Founders’ Day");
  await expect(rows.filter({ hasText: "Pâques 復活節" })).toHaveCount(3);
});

test("a feed is made, read by a calendar program, and revoked", async ({ page, another }) => {
  await as(page, "chloe@cape-drive.test");
  await page.goto(`${INSIDE}/feeds`);
  await page.getByRole("button", { name: "Make a feed" }).click();
  await expect(outcome(page)).toContainText("Copy the address into your calendar program now: it isn't shown again.");
  const address = new URL(await outcome(page).locator("code").innerText()).pathname;
  expect(address).toMatch(/^\/ics\/.{20,}\.ics$/);
  await page.reload();
  await expect(page.getByRole("main"), "it is shown once").not.toContainText("/ics/");

  // A program has no session.
  const { request } = await another();
  const answer = await request.get(address);
  expect(answer.status()).toBe(200);
  expect(answer.headers()["content-type"]).toContain("text/calendar");
  const text = await answer.text();
  expect(text).toMatch(/^BEGIN:VCALENDAR\r\n/);
  expect(text).toContain("BEGIN:VEVENT");
  expect(text).toMatch(/END:VCALENDAR\s*$/);
  const again = await request.get(address, { headers: { "if-none-match": answer.headers().etag } });
  expect(again.status(), "nothing is new").toBe(304);
  await page.reload();
  await expect(page.getByRole("main")).toContainText("Last read ");

  await page.getByRole("listitem").filter({ hasText: "Last read " }).getByRole("button", { name: "Revoke" }).last().click();
  await expect(outcome(page)).toHaveText("The feed is revoked. Its address answers nothing any more.");
  expect((await request.get(address)).status()).toBe(404);
});
