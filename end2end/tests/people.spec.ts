// The school's people: the instructors table, counts of lessons, downloads, associating, importing.
import { readFile } from "node:fs/promises";
import { as, expect, give, outcome, test, type Locator, type Page } from "../fixtures";

const INSIDE = "/t/cape-drive";
const OWNER = "owner@cape-drive.test";

/** Names that programs have tripped over. */
const NAMES = [
  "Zoë Ñúñez-O’Connor",
  "王小明",
  "さくら 田中",
  "김 하늘",
  "محمد بن عبد الله",
  "שרה כהן",
  "Дмитрий Ёлкин",
  "Ἀλέξανδρος",
  "อนันดา ศรีสุข",
  "प्रिया शर्मा",
  "👩🏽‍🎓 Ama",
  '"Quote" & <b>Bold</b>',
  "=1+1",
];

/** Marks what a test makes, so that it can be found, and made again by the next run. */
function mark(): string {
  return `e2e${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
}

function cell(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** The rows of a CSV text, as RFC 4180 has it. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== ",") rows.push([]);
  }
  return rows.filter((row) => row.some((value) => value !== ""));
}

async function download(page: Page, press: Locator): Promise<{ name: string; rows: Record<string, string>[] }> {
  const [file] = await Promise.all([page.waitForEvent("download"), press.click()]);
  const [head, ...rows] = parseCsv(await readFile(await file.path(), "utf8"));
  for (const row of rows) expect(row, "each row is as wide as the first").toHaveLength(head.length);
  return { name: file.suggestedFilename(), rows: rows.map((row) => Object.fromEntries(head.map((name, at) => [name, row[at]]))) };
}

function city(page: Page): Locator {
  return page.getByRole("combobox", { name: "City", exact: true });
}

/** The values of a column, without the rows that open. */
async function column(page: Page, label: string): Promise<string[]> {
  return page.locator(`#list > .table-wrap > table > tbody > tr > td[data-label="${label}"]`).allInnerTexts();
}

async function choose(page: Page, name: string, content: string, button: string) {
  await page.getByLabel("File").setInputFiles({ name, mimeType: "text/csv", buffer: Buffer.from(content, "utf8") });
  await page.getByRole("button", { name: button }).click();
}

/** Imports one instructor and one student, whom no other test knows. */
async function twoPeople(page: Page): Promise<{ instructor: string; student: string; email: string }> {
  const id = mark();
  const people = { instructor: `Ines ${id}`, student: `Stu ${id}`, email: `stu-${id}@example.test` };
  const lines = [
    "kind,name,email,phone,city",
    `instructor,${people.instructor},ines-${id}@example.test,,`,
    `student,${people.student},${people.email},,`,
  ];
  await page.goto(`${INSIDE}/students/import`);
  await choose(page, "people.csv", lines.join("\n"), "Import people");
  await expect(page.getByRole("status")).toContainText("1 instructor and 1 student are in the school now.");
  return people;
}

test("the instructors table sorts and filters", async ({ page }) => {
  await as(page, OWNER);
  await page.getByRole("link", { name: "Instructors", exact: true }).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Instructors");
  // The demo's twelve fit on one page, however many other tests have imported.
  await page.getByRole("searchbox").fill("@cape-drive.test");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(page.locator(".filter-total")).toHaveText("12 instructors");
  const head = page.getByRole("columnheader", { name: "Lessons left" }).first();
  await expect(head).not.toHaveAttribute("aria-sort", /./);

  const numbers = async () => (await column(page, "Lessons left")).map((text) => Number(text.replaceAll(",", "")));
  await head.getByRole("link").click();
  await expect(head).toHaveAttribute("aria-sort", "ascending");
  const up = await numbers();
  expect(up).toHaveLength(12);
  expect(new Set(up).size, "there is something to sort").toBeGreaterThan(1);
  expect(up).toEqual([...up].sort((a, b) => a - b));
  await head.getByRole("link").click();
  await expect(head).toHaveAttribute("aria-sort", "descending");
  expect(await numbers()).toEqual([...up].sort((a, b) => b - a));

  await city(page).selectOption({ label: "Stellenbosch" });
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(page).toHaveURL(/city=Stellenbosch/);
  const cities = await column(page, "City");
  expect(cities.length).toBeGreaterThanOrEqual(3);
  expect(new Set(cities)).toEqual(new Set(["Stellenbosch"]));
  await expect(city(page)).toHaveValue("Stellenbosch");
  await expect(head, "filtering keeps the order").toHaveAttribute("aria-sort", "descending");
  await expect(page.locator(".filter-total")).toHaveText(`${cities.length} instructors`);

  await page.getByRole("searchbox").fill("pieter");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(page.locator(".filter-total")).toHaveText("1 instructor");
  await expect(page.locator("#list")).toContainText("Pieter van der Merwe");
  await page.getByRole("searchbox").fill("nobody has this name");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(page.locator("#list")).toContainText("No instructor here");
  await page.getByRole("link", { name: "Clear" }).click();
  await expect(city(page)).toHaveValue("");
});

test("the owner opens a row, adds a lesson and uses it again", async ({ page, scripts }) => {
  await as(page, OWNER);
  await page.goto(`${INSIDE}/instructors?q=fatima`);
  const details = page.locator("details.row-open");
  const table = details.getByRole("table");
  await expect(details, "one instructor").toHaveCount(1);
  await expect(table).toBeHidden();
  await details.locator("summary").click();
  await expect(table).toBeVisible();
  for (const head of ["Student", "Seat", "Total", "Used", "Left", "Pack", "Last lesson"]) {
    await expect(table.getByRole("columnheader", { name: head, exact: true })).toBeVisible();
  }

  const mentee = table.getByRole("row").filter({ has: page.getByRole("button", { name: "Add lesson" }) }).first();
  const who = await mentee.getByRole("rowheader").innerText();
  const count = mentee.locator("output");
  const before = Number.parseInt(await count.innerText());
  let loads = 0;
  page.on("framenavigated", () => (loads += 1));

  const press = async (name: string, after: number, said: string) => {
    // Until its island has started, a button posts its form like any other.
    if (scripts) await expect(page.locator("leptos-island:not([data-started])")).toHaveCount(0);
    await mentee.getByRole("button", { name }).click();
    if (!scripts) await expect(outcome(page)).toHaveText(`Lesson ${said}: ${after} left.`);
    await expect(count).toHaveText(`${after} left`);
    await expect(table, "the row stays open").toBeVisible();
  };
  await press("Add lesson", before + 1, "added");
  if (scripts) expect(loads, "nothing was loaded").toBe(0);
  else expect(loads, "the page came again").toBeGreaterThan(0);

  // The count is what the database has, and the ledger says who did it.
  await page.goto(`${INSIDE}/instructors?q=fatima`);
  await details.locator("summary").click();
  await expect(mentee.getByRole("rowheader")).toHaveText(who);
  await expect(count).toHaveText(`${before + 1} left`);
  await press("Use lesson", before, "used");
  await mentee.getByRole("rowheader").getByRole("link").click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(who);
  const ledger = page.locator("section", { has: page.getByRole("heading", { name: "Ledger" }) }).locator("tbody tr");
  await expect(ledger.nth(0)).toContainText(/Used.*−1/s);
  await expect(ledger.nth(1)).toContainText(/Added.*\+1/s);
  for (const row of [0, 1]) await expect(ledger.nth(row)).toContainText("Nandi Jacobs");
});

test("the download has what the filtered table has", async ({ page }) => {
  await as(page, OWNER);
  await page.goto(`${INSIDE}/instructors?city=Somerset+West&sort=name`);
  const names = await page.locator("#list > .table-wrap > table > tbody > tr > th[scope=row] a").allInnerTexts();
  const left = await column(page, "Lessons left");
  const csv = await download(page, page.getByRole("link", { name: "Download CSV" }));
  expect(csv.name).toBe("instructors.csv");
  expect(csv.rows.map((row) => row.name)).toEqual(names);
  expect(csv.rows.map((row) => row.lessons_left)).toEqual(left);
  expect(names).toContain("Lwazi Dlamini");
  for (const row of csv.rows) {
    expect(Object.keys(row)[0], "ids first").toBe("id");
    expect(row.id).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    expect(row.city).toBe("Somerset West");
    expect(row.created_at, "RFC 3339 with the school's offset").toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+\+02:00$/);
  }

  const mentees = await download(page, page.getByRole("link", { name: "Download mentees" }));
  expect(mentees.rows.length).toBeGreaterThan(0);
  expect(new Set(mentees.rows.map((row) => row.instructor)).size).toBeLessThanOrEqual(names.length);
  for (const row of mentees.rows) {
    expect(names).toContain(row.instructor);
    if (row.pack_id) expect(Number(row.lessons_total) - Number(row.lessons_used)).toBe(Number(row.lessons_left));
  }
});

test("the owner associates a student with an instructor", async ({ page }) => {
  await as(page, OWNER);
  const people = await twoPeople(page);
  await page.goto(`${INSIDE}/students`);
  await page.locator("summary", { hasText: "Associate a student" }).click();
  await page.getByLabel("Instructor", { exact: true }).selectOption({ label: people.instructor });
  await give(page, "Student", { name: people.student, typed: people.email });
  const lessons = page.getByLabel("Lessons", { exact: true });
  await expect(lessons).toHaveValue("4");
  await expect(page.getByLabel("Expires")).toHaveValue("");
  await page.getByLabel("Expires").fill("2020-02-03");
  await page.getByRole("button", { name: "Associate" }).click();

  // The past is refused beside the field; the form stays open with what was typed.
  await expect(page.getByLabel("Expires")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByLabel("Instructor", { exact: true }).locator("option:checked")).toHaveText(people.instructor);
  await page.getByLabel("Expires").fill("");
  await page.getByRole("button", { name: "Associate" }).click();
  await expect(outcome(page)).toHaveText(`${people.student} is with ${people.instructor} now: 4 lessons.`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(people.student);
  await expect(page.getByRole("main")).toContainText("4 of 4 lessons left");
  await expect(page.getByRole("main")).toContainText("no expiry");

  await page.goto(`${INSIDE}/instructors?q=${encodeURIComponent(people.instructor)}`);
  await page.locator("details.row-open summary").click();
  await expect(page.locator("details.row-open")).toContainText(people.student);
  await expect(page.locator("details.row-open output")).toHaveText("4 left");
});

test("people of many scripts are checked, imported, found and downloaded as they are", async ({ page, allow }) => {
  allow(422, `${INSIDE}/students/import`);
  await as(page, OWNER);
  const id = mark();
  const city = `City ${id}`;
  const row = (kind: string, name: string, at: number) => [kind, name, `p${at}-${id}@example.test`, "", city].map(cell).join(",");
  const lines = ["kind,name,email,phone,city", row("instructor", `Łukasz ${id}`, 0)];
  NAMES.forEach((name, at) => lines.push(row("student", name, at + 1)));
  const file = lines.join("\r\n");
  const found = async () => {
    await page.goto(`${INSIDE}/students?q=${id}`);
    return page.locator("#list tbody tr th[scope=row]").allInnerTexts();
  };

  await page.goto(`${INSIDE}/students`);
  await page.getByRole("link", { name: "Import people" }).click();
  await choose(page, "people.csv", file, "Check the file");
  await expect(page.getByRole("status")).toContainText(`1 instructor and ${NAMES.length} students would be imported.`);
  expect(await found(), "checking changes nothing").toEqual([]);

  await page.goto(`${INSIDE}/students/import`);
  await choose(page, "people.csv", file, "Import people");
  await expect(page.getByRole("status")).toContainText(`1 instructor and ${NAMES.length} students are in the school now.`);
  expect((await found()).sort()).toEqual([...NAMES].sort());
  const csv = await download(page, page.getByRole("link", { name: "Download CSV" }));
  // What a spreadsheet would compute becomes text.
  const safe = NAMES.map((name) => (name.startsWith("=") ? `'${name}` : name));
  expect(csv.rows.map((person) => person.name).sort()).toEqual(safe.sort());
  await page.getByRole("link", { name: "محمد بن عبد الله" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("محمد بن عبد الله");

  await test.step("the same file again is refused, line by line", async () => {
    await page.goto(`${INSIDE}/students/import`);
    await choose(page, "people.csv", file, "Import people");
    await expect(page.getByRole("alert")).toContainText("Nothing was imported.");
    await expect(page.getByRole("alert").locator("tbody tr")).toHaveCount(NAMES.length + 1);
  });
});

test("a file with errors imports nobody and names the lines", async ({ page, allow }) => {
  allow(422, `${INSIDE}/students/import`);
  await as(page, OWNER);
  const id = mark();
  const good = `student,Good ${id},good-${id}@example.test,,`;
  const lines = ["kind,name,email,phone,city", good, `teacher,Bad ${id},bad-${id}@example.test,,`, `student,,worse-${id},12,`];
  await page.goto(`${INSIDE}/students/import`);
  await choose(page, "people.csv", lines.join("\n"), "Import people");
  const errors = page.getByRole("alert").locator("tbody tr");
  await expect(errors).toHaveCount(4);
  for (const [at, line, field] of [[0, "3", "kind"], [1, "4", "name"], [2, "4", "email"], [3, "4", "phone"]] as const) {
    await expect(errors.nth(at).getByRole("rowheader")).toHaveText(line);
    await expect(errors.nth(at).locator("td").first()).toHaveText(field);
  }
  await page.goto(`${INSIDE}/students?q=${id}`);
  await expect(page.locator("#list")).toContainText("No student here");
});

test("the list narrows: by the button, and with scripts while one types", async ({ page, scripts }) => {
  await as(page, OWNER);
  await page.goto(`${INSIDE}/instructors`);
  const names = page.locator("#list > .table-wrap > table > tbody > tr > th[scope=row]");
  await expect(names).not.toHaveCount(1);
  await page.getByRole("searchbox").pressSequentially("thandi@");
  if (scripts) {
    await expect(names).toHaveCount(1);
    await expect(page).toHaveURL(/\?q=thandi%40$/);
    await expect(page.getByRole("searchbox")).toBeFocused();
    await expect(page.locator("#filter-total")).toHaveText("1 instructor");
    // The islands of the rows that came are alive: the count changes in place.
    await page.locator("#list details.row-open summary").click();
    const counter = page.locator("#list .counter").first();
    const before = parseInt(await counter.locator("output").innerText());
    await counter.getByRole("button", { name: "Add lesson" }).click();
    await expect(counter.locator("output")).toHaveText(`${before + 1} left`);
  } else {
    await page.getByRole("button", { name: "Filter" }).click();
    await expect(names).toHaveCount(1);
  }
});
