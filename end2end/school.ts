// What tests of the booking engine share: days that nothing else touches, the ids behind names, and people who act beside
// the browser.
import { as, expect, outcome, test as base, type Locator, type Page } from "./fixtures";

export const INSIDE = "/t/cape-drive";
export const OWNER = "owner@cape-drive.test";
export const STAFF = "staff@cape-drive.test";

const SUPER = "super@lessonbook.test";
/** What the owner of a test's own school chooses. */
const NEW_PASSWORD = "umbrella-quartz-trumpet-71";

type Fixtures = {
  /** A page of someone else, logged in. */
  someone: (account: string) => Promise<Page>;
  /** What puts things back when the test is over, however it ends: the last first. */
  undo: (step: () => Promise<unknown>) => void;
};

export const test = base.extend<Fixtures>({
  someone: async ({ another, session }, use) => {
    await use(async (account) => {
      const page = await another();
      await page.context().addCookies(await session(account));
      return page;
    });
  },

  // Named, so that their browsers are still there then.
  undo: async ({ another }, use) => {
    void another;
    const steps: (() => Promise<unknown>)[] = [];
    await use((step) => void steps.push(step));
    const failed: unknown[] = [];
    for (const step of steps.reverse()) await step().catch((error: unknown) => failed.push(error));
    expect(failed, "all is put back").toEqual([]);
  },
});

// Days are local days of Cape Drive, "2027-03-30", whose clock never changes.

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const ZONE = "Africa/Johannesburg";

function midnight(day: string): Date {
  return new Date(`${day}T00:00:00Z`);
}

/** The local day and clock of a moment. */
export function local(at: Date): { day: string; clock: string } {
  const day = new Intl.DateTimeFormat("en-CA", { timeZone: ZONE, year: "numeric", month: "2-digit", day: "2-digit" });
  const clock = new Intl.DateTimeFormat("en-GB", { timeZone: ZONE, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return { day: day.format(at), clock: clock.format(at) };
}

export function today(): string {
  return local(new Date()).day;
}

export function plus(day: string, days: number): string {
  const at = midnight(day);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}

/** A day of a week counted from the current one; weekday 0 is Monday. The demo's lessons end with week 2, and week 8 is
 * the last that can be booked as a whole. */
export function dayOf(week: number, weekday: number): string {
  const back = (midnight(today()).getUTCDay() + 6) % 7;
  return plus(today(), week * 7 + weekday - back);
}

export function moment(day: string, clock: string): string {
  return `${day}T${clock}:00+02:00`;
}

/** "Tue 30 Mar", as pages write it. */
export function shortDay(day: string): string {
  const at = midnight(day);
  return `${DAYS[at.getUTCDay()]} ${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`;
}

/** "Tue 30 Mar 2027". */
export function longDay(day: string): string {
  return `${shortDay(day)} ${day.slice(0, 4)}`;
}

/** "Tue 30 Mar, 16:00–17:00", with the year when it isn't this one. */
export function span(day: string, from: string, to: string): string {
  const date = day.slice(0, 4) === today().slice(0, 4) ? shortDay(day) : longDay(day);
  return `${date}, ${from}–${to}`;
}

/** "10:00" an hour after "09:00". */
export function hourAfter(clock: string): string {
  return `${String(Number(clock.slice(0, 2)) + 1).padStart(2, "0")}${clock.slice(2)}`;
}

/** Makes a school of the test's own with three seats. `admin` stays on its page; the owner, `owner@{slug}.test`, is logged
 * in on the other. */
export async function newSchool(admin: Page, owner: Page, wanted: { slug: string; name: string; zone: string }) {
  const email = `owner@${wanted.slug}.test`;
  await as(admin, SUPER);
  await admin.goto("/admin/tenants/new");
  await admin.getByLabel("Name", { exact: true }).fill(wanted.name);
  await admin.getByLabel("Slug").fill(wanted.slug);
  await admin.getByLabel("Time zone").fill(wanted.zone);
  await admin.getByLabel("Owner name").fill("Inês Sousa");
  await admin.getByLabel("Owner e-mail").fill(email);
  await admin.getByLabel("Seats").fill("3");
  await admin.getByRole("button", { name: "Create school" }).click();
  const link = await outcome(admin).locator("code").innerText();
  await owner.goto(new URL(link).pathname);
  await owner.getByLabel("Password").fill(NEW_PASSWORD);
  await owner.getByRole("button", { name: "Set password" }).click();
  await as(owner, email, NEW_PASSWORD);
}

/** Finds the ids of services and instructors by their names, as the school's public page has them. */
export async function names(page: Page, slug = "cape-drive"): Promise<(name: string) => string> {
  await page.goto(`/s/${slug}`);
  const found = await page.locator("main a.choice").evaluateAll((links) =>
    links.map((link) => {
      const id = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(link.getAttribute("href") ?? "")?.[0] ?? "";
      return [link.querySelector("strong")?.textContent?.trim() ?? "", id] as const;
    }),
  );
  const ids = new Map(found);
  return (name) => {
    expect([...ids.keys()], `the school's page has ${name}`).toContain(name);
    return ids.get(name) ?? "";
  };
}

type Done = { next: string; message: string; id: string };

function send(page: Page, action: string, form: Record<string, string>) {
  return page.request.post(`/fn/${action}`, {
    form: { tenant: "cape-drive", ...form },
    headers: { accept: "application/json" },
  });
}

/** Posts a form as a program would, as whoever is logged in on the page. */
export async function post(page: Page, action: string, form: Record<string, string>): Promise<Done> {
  const answer = await send(page, action, form);
  expect(answer.status(), `${action}: ${await answer.text()}`).toBe(200);
  return (await answer.json()) as Done;
}

/** The same to put something back; it may have been put back already. */
export async function putBack(page: Page, action: string, form: Record<string, string>) {
  const answer = await send(page, action, form);
  expect([200, 404, 409], `${action}: ${await answer.text()}`).toContain(answer.status());
}

type Wanted = { student: string; service: string; instructor: string; date: string; time: string; pickup?: string };

/** Books for a student, by whoever runs the school on the page; the lesson's id. */
export async function bookFor(page: Page, wanted: Wanted): Promise<string> {
  return (await post(page, "booking/book_for_student", { pickup: "", ...wanted })).id;
}

/** Cancels lessons, by whoever runs the school on the page. */
export async function callOff(page: Page, lessons: string[], tenant = "cape-drive") {
  if (lessons.length === 0) return;
  const chosen = Object.fromEntries(lessons.map((id, at) => [`bookings[${at}]`, id]));
  await putBack(page, "booking/bulk", { tenant, step: "cancel", reason: "Booked by a test.", ...chosen });
}

/** The id at the end of an address. */
export function idIn(address: string): string {
  return /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(address)?.[0] ?? "";
}

/** The book page with a service, an instructor and more. */
export function times(service: string, instructor: string, more: Record<string, string>, slug = "cape-drive"): string {
  return `/s/${slug}/book?${new URLSearchParams({ service, instructor, ...more })}`;
}

/** Starts of the free times that are listed; not those of a lesson for several that stands already. */
export async function listed(page: Page): Promise<string[]> {
  const free = page.locator("#live .slot:not(:has(small)) time[datetime]");
  await expect(free, "some time is free").not.toHaveCount(0);
  return free.evaluateAll((all) => all.map((time) => time.getAttribute("datetime") ?? ""));
}

/** A free time in the list. */
export function slot(page: Page, start: string): Locator {
  return page.locator("#live .slot", { has: page.locator(`time[datetime="${start}"]`) });
}

/** Chooses a free time: the summary has it then. */
export async function choose(page: Page, start: string) {
  await slot(page, start).click();
  await expect(page.locator(`.summary time[datetime="${start}"]`)).toBeVisible();
}

type Message = { text: string };

/** Waits for a message to `address` with `text` in it. */
export async function mailed(address: string, text: string) {
  const smtp = process.env.SMTP_HTTP;
  expect(smtp, "SMTP_HTTP names the test mail server").toBeTruthy();
  const count = async () => {
    const answer = await fetch(`${smtp}/messages?to=${encodeURIComponent(address)}`);
    return ((await answer.json()) as Message[]).filter((message) => message.text.includes(text)).length;
  };
  await expect.poll(count, { message: `a mail to ${address} with ${text}`, timeout: 15_000 }).toBeGreaterThan(0);
}
