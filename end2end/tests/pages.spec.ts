// Every page, as everyone who may see it: it says what it is, fits, reads well, and works by keyboard.
import { readFileSync } from "node:fs";
import { as, axe, expect, test, type Page } from "../fixtures";
import { dayOf, moment, names, plus, times, today } from "../school";

type Message = { text: string };

const ACCOUNTS = {
  visitor: null,
  student: "sipho@cape-drive.test",
  instructor: "thandi@cape-drive.test",
  staff: "staff@cape-drive.test",
  owner: "owner@cape-drive.test",
  super_admin: "super@lessonbook.test",
} as const;
type Role = keyof typeof ACCOUNTS;

const EVERYONE = Object.keys(ACCOUNTS) as Role[];
const MEMBERS: Role[] = ["student", "instructor", "staff", "owner"];
const TEACHING: Role[] = ["instructor", "staff", "owner"];
const RUNNING: Role[] = ["staff", "owner"];

/** What tests of pages that only read have at hand: a page of someone else, logged in. */
type Someone = (account: string) => Promise<Page>;

/** An address, or the page and the link on it that leads there, or what makes the address. */
type Where = string | { on: string; link: string } | ((someone: Someone) => Promise<string>);

type Row = {
  /** As in `routes()`. */
  route: string;
  /** What distinguishes several rows of one route. */
  as?: string;
  where: Where;
  roles: Role[];
  /** Who it is, when not the one whom the role stands for elsewhere. */
  account?: string;
  /** Title, without the program's name. */
  title: string | RegExp;
  h1: string | RegExp;
};

const FIRST_ROW = "main tbody th[scope=row] a";
/** Whose group lesson and whose offer they are. */
const KAGISO = "kagiso@cape-drive.test";
const MIA = "mia@cape-drive.test";
const LESSON = "(Driving lesson|Test preparation|Theory class|Lesson and mock test)";
const SPAN = "\\w{3} \\d{1,2} \\w{3}.*, \\d\\d:\\d\\d–\\d\\d:\\d\\d";
const LONG_DAY = "\\w{3} \\d{1,2} \\w{3} \\d{4}";
const WEEK = "\\d{1,2} \\w{3}( \\d{4})? – \\d{1,2} \\w{3} \\d{4}";
const SERVICE = { on: "/s/cape-drive", link: "main a.choice[href*='service=']" };

/** The link of a new invite, from its mail. Students take no seat, so there may be many. */
async function invite(someone: Someone): Promise<string> {
  const email = `pages-${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}@example.test`;
  const owner = await someone(ACCOUNTS.owner);
  const form = { tenant: "cape-drive", email, role: "student" };
  const answer = await owner.request.post("/fn/team/invite", { form, headers: { accept: "application/json" } });
  expect(answer.status(), await answer.text()).toBe(200);
  let path = "";
  await expect
    .poll(
      async () => {
        const found = await fetch(`${process.env.SMTP_HTTP}/messages?to=${encodeURIComponent(email)}`);
        const [message] = (await found.json()) as Message[];
        path = /https?:\/\/[^/\s]+(\/invite\/[0-9a-f]{64})/.exec(message?.text ?? "")?.[1] ?? "";
        return path;
      },
      { message: `a mail to ${email} with the link of its invite`, timeout: 15_000 },
    )
    .not.toBe("");
  return path;
}

/** A lesson of the student that can still be moved; its instructor is the one of these tests. */
async function moving(someone: Someone): Promise<string> {
  const student = await someone(ACCOUNTS.student);
  await student.goto(`/t/cape-drive/bookings?status=confirmed&from=${plus(today(), 2)}`);
  return `${await student.locator(FIRST_ROW).first().getAttribute("href")}/move`;
}

/** The book page with a service, an instructor and more. */
function chosen(more: Record<string, string>): Where {
  return async (someone) => {
    const id = await names(await someone(ACCOUNTS.student));
    return times(id("Driving lesson"), id("Johan Botha"), more);
  };
}

/** The plan of a series of three. */
function plan(more: Record<string, string>): Where {
  return async (someone) => {
    const id = await names(await someone(ACCOUNTS.student));
    const [service, instructor] = [id("Driving lesson"), id("Johan Botha")];
    const when = { date: dayOf(4, 1), time: "10:00", every: "weekly", until: "count", count: "3" };
    const query = new URLSearchParams({ plan: "1", service, instructor, ...when, pickup: "12 Kloof Street", ...more });
    return `/t/cape-drive/series?${query}`;
  };
}

/** An offer of the waiting list. Who joins it for a time that is free is offered that time soon. */
async function offer(someone: Someone): Promise<string> {
  const mia = await someone(MIA);
  const found = async () => {
    const list = await mia.request.get("/t/cape-drive/waiting");
    return /\/t\/cape-drive\/offers\/[0-9a-f-]{36}/.exec(await list.text())?.[0] ?? "";
  };
  let path = await found();
  if (path === "") {
    const id = await names(mia);
    const wanted = { service: id("Driving lesson"), instructor: id("Johan Botha"), date: dayOf(8, 2), time: "10:00" };
    const answer = await mia.request.post("/fn/waiting/join", {
      form: { tenant: "cape-drive", ...wanted, pickup: "12 Kloof Street" },
      headers: { accept: "application/json" },
    });
    // The other browser may have been faster.
    expect([200, 409], await answer.text()).toContain(answer.status());
    const asked = async () => (path = await found());
    await expect.poll(asked, { message: "an offer", timeout: 30_000, intervals: [1_000] }).not.toBe("");
  }
  return path;
}

const ROWS: Row[] = [
  { route: "/", where: "/", roles: ["visitor"], title: "Lessons, booked and kept", h1: "Lessons, booked and kept" },
  { route: "/", as: "signed in", where: "/", roles: EVERYONE.slice(1), title: "Your schools", h1: "Your schools" },
  { route: "/login", where: "/login", roles: ["visitor", "student"], title: "Log in", h1: "Log in" },
  // Nobody is half-way in here, so it leads back; the code itself is asked for in accounts.spec.ts.
  { route: "/login/code", where: "/login/code", roles: ["visitor"], title: "Log in", h1: "Log in" },
  { route: "/login/link", where: "/login/link", roles: ["visitor"], title: "Log in by a link", h1: "Log in by a link" },
  { route: "/login/link/{token}", where: "/login/link/unknown", roles: ["visitor"], title: "Log in", h1: "Log in" },
  { route: "/register", where: "/register", roles: ["visitor"], title: "Register", h1: "Register" },
  { route: "/register", as: "for a school", where: "/register?school=north-mentors", roles: ["visitor"], title: "Register", h1: "Register" },
  { route: "/verify/{token}", where: "/verify/unknown", roles: ["visitor"], title: "Verify your e-mail", h1: "Verify your e-mail" },
  { route: "/forgot", where: "/forgot", roles: ["visitor"], title: "Forgot your password", h1: "Forgot your password" },
  { route: "/reset/{token}", where: "/reset/unknown", roles: ["visitor"], title: "Set your password", h1: "Set your password" },
  { route: "/invite/{token}", where: invite, roles: ["visitor", "instructor"], title: "Join Cape Drive", h1: "Join Cape Drive" },
  { route: "/account", where: "/account", roles: EVERYONE.slice(1), title: "Account", h1: "Account" },
  { route: "/account/security", where: "/account/security", roles: ["student", "owner", "super_admin"], title: "Security", h1: "Security" },
  { route: "/account/sessions", where: "/account/sessions", roles: ["student", "super_admin"], title: "Sessions", h1: "Sessions" },
  { route: "/account/profile", where: "/account/profile", roles: ["instructor"], title: "Profile", h1: "Profile" },
  {
    route: "/account/confirm",
    where: "/account/confirm?next=/account",
    roles: ["student"],
    title: "Confirm that it is you",
    h1: "Confirm that it is you",
  },
  {
    route: "/account/email/{token}",
    where: "/account/email/unknown",
    roles: ["visitor", "student"],
    title: "Change your e-mail",
    h1: "Change your e-mail",
  },
  { route: "/s/{tenant}", where: "/s/cape-drive", roles: EVERYONE, title: "Cape Drive", h1: "Cape Drive" },
  {
    route: "/s/{tenant}/instructors/{id}",
    where: { on: "/s/cape-drive", link: "main a.choice[href*='/instructors/']" },
    roles: EVERYONE,
    title: /^.+, instructor$/,
    h1: /\w/,
  },
  { route: "/s/{tenant}/book", where: "/s/cape-drive/book", roles: EVERYONE, title: "Book a lesson, Cape Drive", h1: "Book a lesson" },
  { route: "/s/{tenant}/book", as: "a service", where: SERVICE, roles: ["visitor", "student"], title: /^Book .+, Cape Drive$/, h1: "Book a lesson" },
  {
    route: "/s/{tenant}/book",
    as: "why a time isn't free",
    where: chosen({ date: dayOf(3, 1), time: "06:00" }),
    roles: ["visitor", "student"],
    title: /^Book .+, Cape Drive$/,
    h1: "Book a lesson",
  },
  {
    route: "/s/{tenant}/book",
    as: "a time that can't be had",
    where: chosen({ at: moment(plus(today(), 90), "10:00") }),
    roles: ["visitor", "student"],
    title: /^Book .+, Cape Drive$/,
    h1: "Book a lesson",
  },
  { route: "/t/{tenant}", where: "/t/cape-drive", roles: MEMBERS, title: "Dashboard", h1: /\w/ },
  { route: "/t/{tenant}/bookings", where: "/t/cape-drive/bookings?from=", roles: MEMBERS, title: "Lessons", h1: "Lessons" },
  { route: "/t/{tenant}/bookings", as: "none", where: "/t/cape-drive/bookings?q=no-such-lesson", roles: MEMBERS, title: "Lessons", h1: "Lessons" },
  {
    route: "/t/{tenant}/bookings",
    as: "a series",
    where: "/t/cape-drive/bookings?series=00000000-0000-0000-0000-000000000000",
    roles: ["student", "staff"],
    title: "Lessons",
    h1: "Lessons",
  },
  { route: "/t/{tenant}/bookings/new", where: "/t/cape-drive/bookings/new", roles: RUNNING, title: "Book for a student", h1: "Book for a student" },
  {
    route: "/t/{tenant}/bookings/{id}",
    where: { on: "/t/cape-drive/bookings", link: FIRST_ROW },
    roles: MEMBERS,
    title: new RegExp(`^${LESSON}, ${SPAN}$`),
    h1: new RegExp(`^${LESSON}$`),
  },
  {
    route: "/t/{tenant}/bookings/{id}/move",
    where: moving,
    roles: MEMBERS,
    title: new RegExp(`^Move ${LESSON}, ${SPAN}$`),
    h1: new RegExp(`^Move ${LESSON}$`),
  },
  {
    route: "/t/{tenant}/bookings/{id}/move",
    as: "to a time",
    where: async (someone) => `${await moving(someone)}?date=${dayOf(3, 1)}&time=06:00`,
    roles: ["student", "staff"],
    title: new RegExp(`^Move ${LESSON}, ${SPAN}$`),
    h1: new RegExp(`^Move ${LESSON}$`),
  },
  { route: "/t/{tenant}/series", where: "/t/cape-drive/series", roles: ["student", ...RUNNING], title: "Repeat a lesson", h1: "Repeat a lesson" },
  {
    route: "/t/{tenant}/series",
    as: "a plan of one's own",
    where: plan({}),
    roles: ["student"],
    title: /^Plan: Driving lesson, Every Tuesday at 10:00$/,
    h1: "Repeat a lesson",
  },
  {
    route: "/t/{tenant}/series",
    as: "a plan for a student",
    where: plan({ student: ACCOUNTS.student }),
    roles: RUNNING,
    title: /^Plan: Driving lesson, Every Tuesday at 10:00$/,
    h1: "Repeat a lesson",
  },
  { route: "/t/{tenant}/groups/new", where: "/t/cape-drive/groups/new", roles: TEACHING, title: "New group lesson", h1: "New group lesson" },
  {
    route: "/t/{tenant}/groups/{id}",
    where: { on: `/t/cape-drive/calendar?date=${dayOf(1, 2)}`, link: "main .cal-list a[href*='/groups/']" },
    roles: RUNNING,
    title: new RegExp(`^Theory class, ${SPAN}$`),
    h1: "Theory class",
  },
  {
    route: "/t/{tenant}/groups/{id}",
    as: "full, one's own",
    where: { on: `/t/cape-drive/calendar?date=${dayOf(1, 3)}`, link: "main .cal-list a[href*='/groups/']" },
    roles: ["instructor"],
    account: KAGISO,
    title: new RegExp(`^Theory class, ${SPAN}$`),
    h1: "Theory class",
  },
  {
    route: "/t/{tenant}/calendar",
    where: `/t/cape-drive/calendar?date=${dayOf(1, 1)}`,
    roles: TEACHING,
    title: new RegExp(`^Calendar, ${LONG_DAY}$`),
    h1: new RegExp(`^${LONG_DAY}$`),
  },
  {
    route: "/t/{tenant}/calendar",
    as: "none",
    where: `/t/cape-drive/calendar?date=${dayOf(60, 6)}`,
    roles: TEACHING,
    title: new RegExp(`^Calendar, ${LONG_DAY}$`),
    h1: new RegExp(`^${LONG_DAY}$`),
  },
  {
    route: "/t/{tenant}/calendar",
    as: "a week",
    where: `/t/cape-drive/calendar?view=week&date=${dayOf(1, 1)}`,
    roles: TEACHING,
    title: new RegExp(`^Calendar, ${WEEK}$`),
    h1: new RegExp(`^${WEEK}$`),
  },
  {
    route: "/t/{tenant}/calendar",
    as: "a week of all",
    where: `/t/cape-drive/calendar?view=week&instructor=all&date=${dayOf(1, 1)}`,
    roles: RUNNING,
    title: new RegExp(`^Calendar, ${WEEK}$`),
    h1: new RegExp(`^${WEEK}$`),
  },
  {
    route: "/t/{tenant}/calendar",
    as: "by resources",
    where: `/t/cape-drive/calendar?by=resources&date=${dayOf(1, 2)}`,
    roles: RUNNING,
    title: new RegExp(`^Calendar, ${LONG_DAY}$`),
    h1: new RegExp(`^${LONG_DAY}$`),
  },
  {
    route: "/t/{tenant}/calendar",
    as: "a week by resources",
    where: `/t/cape-drive/calendar?by=resources&view=week&date=${dayOf(1, 2)}`,
    roles: RUNNING,
    title: new RegExp(`^Calendar, ${WEEK}$`),
    h1: new RegExp(`^${WEEK}$`),
  },
  {
    route: "/t/{tenant}/attendance",
    where: `/t/cape-drive/attendance?date=${dayOf(-1, 1)}`,
    roles: TEACHING,
    title: new RegExp(`^Attendance, ${LONG_DAY}$`),
    h1: new RegExp(`^${LONG_DAY}$`),
  },
  {
    route: "/t/{tenant}/attendance",
    as: "to come",
    where: `/t/cape-drive/attendance?date=${dayOf(1, 1)}`,
    roles: TEACHING,
    title: new RegExp(`^Attendance, ${LONG_DAY}$`),
    h1: new RegExp(`^${LONG_DAY}$`),
  },
  { route: "/t/{tenant}/waiting", where: "/t/cape-drive/waiting", roles: ["student", ...RUNNING], title: "Waiting list", h1: "Waiting list" },
  {
    route: "/t/{tenant}/waiting",
    as: "none",
    where: "/t/cape-drive/waiting?q=nobody-like-this",
    roles: RUNNING,
    title: "Waiting list",
    h1: "Waiting list",
  },
  {
    route: "/t/{tenant}/offers/{id}",
    where: offer,
    roles: RUNNING,
    title: new RegExp(`^Offer: Driving lesson, ${SPAN}$`),
    h1: "Driving lesson",
  },
  {
    route: "/t/{tenant}/offers/{id}",
    as: "one's own",
    where: offer,
    roles: ["student"],
    account: MIA,
    title: new RegExp(`^Offer: Driving lesson, ${SPAN}$`),
    h1: "Driving lesson",
  },
  {
    route: "/t/{tenant}/waiting",
    as: "with an offer",
    where: async (someone) => {
      await offer(someone);
      return "/t/cape-drive/waiting";
    },
    roles: ["student"],
    account: MIA,
    title: "Waiting list",
    h1: "Waiting list",
  },
  { route: "/t/{tenant}/feeds", where: "/t/cape-drive/feeds", roles: MEMBERS, title: "Calendar feed", h1: "Calendar feed" },
  { route: "/t/{tenant}/instructors", where: "/t/cape-drive/instructors", roles: TEACHING, title: "Instructors", h1: "Instructors" },
  {
    route: "/t/{tenant}/instructors/{id}",
    where: { on: "/t/cape-drive/instructors", link: FIRST_ROW },
    roles: TEACHING,
    title: /^.+, instructor$/,
    h1: /\w/,
  },
  {
    route: "/t/{tenant}/instructors",
    as: "removed",
    where: "/t/cape-drive/instructors?status=removed",
    roles: RUNNING,
    title: "Removed instructors",
    h1: "Removed instructors",
  },
  { route: "/t/{tenant}/students", where: "/t/cape-drive/students", roles: TEACHING, title: "Students", h1: "Students" },
  {
    route: "/t/{tenant}/students",
    as: "removed",
    where: "/t/cape-drive/students?status=removed",
    roles: RUNNING,
    title: "Removed students",
    h1: "Removed students",
  },
  { route: "/t/{tenant}/students/import", where: "/t/cape-drive/students/import", roles: RUNNING, title: "Import people", h1: "Import people" },
  {
    route: "/t/{tenant}/students/{id}",
    where: { on: "/t/cape-drive/students?q=cape-drive.test", link: FIRST_ROW },
    roles: TEACHING,
    title: /^.+, student$/,
    h1: /\w/,
  },
  { route: "/t/{tenant}/services", where: "/t/cape-drive/services", roles: TEACHING, title: "Services", h1: "Services" },
  { route: "/t/{tenant}/services/{id}", as: "new", where: "/t/cape-drive/services/new", roles: RUNNING, title: "New service", h1: "New service" },
  {
    route: "/t/{tenant}/services/{id}",
    where: { on: "/t/cape-drive/services", link: FIRST_ROW },
    roles: RUNNING,
    title: "Driving lesson",
    h1: "Driving lesson",
  },
  {
    route: "/t/{tenant}/services/{id}",
    as: "a new combo",
    where: "/t/cape-drive/services/new?kind=combo",
    roles: RUNNING,
    title: "New combo",
    h1: "New combo",
  },
  {
    route: "/t/{tenant}/services/{id}",
    as: "a combo",
    where: { on: "/t/cape-drive/services?q=mock", link: FIRST_ROW },
    roles: RUNNING,
    title: "Lesson and mock test",
    h1: "Lesson and mock test",
  },
  { route: "/t/{tenant}/resources", where: "/t/cape-drive/resources", roles: RUNNING, title: "Resources", h1: "Resources" },
  {
    route: "/t/{tenant}/resources",
    as: "none",
    where: "/t/cape-drive/resources?q=no-such-thing",
    roles: RUNNING,
    title: "Resources",
    h1: "Resources",
  },
  { route: "/t/{tenant}/resources/{id}", as: "new", where: "/t/cape-drive/resources/new", roles: RUNNING, title: "New resource", h1: "New resource" },
  {
    route: "/t/{tenant}/resources/{id}",
    where: { on: "/t/cape-drive/resources", link: FIRST_ROW },
    roles: RUNNING,
    title: "Classroom",
    h1: "Classroom",
  },
  { route: "/t/{tenant}/holidays", where: "/t/cape-drive/holidays", roles: RUNNING, title: "Holidays", h1: "Holidays" },
  { route: "/t/{tenant}/holidays", as: "over", where: "/t/cape-drive/holidays?past=1", roles: RUNNING, title: "Holidays", h1: "Holidays" },
  { route: "/t/{tenant}/team", where: "/t/cape-drive/team", roles: ["owner"], title: "Team", h1: "Team" },
  { route: "/t/{tenant}/team", as: "nobody", where: "/t/cape-drive/team?q=nobody-like-this", roles: ["owner"], title: "Team", h1: "Team" },
  { route: "/t/{tenant}/settings", where: "/t/cape-drive/settings", roles: ["owner"], title: "Settings", h1: "Settings" },
  { route: "/t/{tenant}/outbox", where: "/t/cape-drive/outbox", roles: RUNNING, title: "Messages", h1: "Messages" },
  { route: "/t/{tenant}/outbox", as: "none", where: "/t/cape-drive/outbox?q=no-such-message", roles: RUNNING, title: "Messages", h1: "Messages" },
  { route: "/t/{tenant}/audit", where: "/t/cape-drive/audit", roles: ["owner"], title: "Audit", h1: "Audit" },
  { route: "/t/{tenant}/audit", as: "none", where: "/t/cape-drive/audit?q=no-such-entry", roles: ["owner"], title: "Audit", h1: "Audit" },
  { route: "/admin", where: "/admin", roles: ["super_admin"], title: "Platform", h1: "Platform" },
  { route: "/admin/tenants", where: "/admin/tenants", roles: ["super_admin"], title: "Schools", h1: "Schools" },
  { route: "/admin/tenants/new", where: "/admin/tenants/new", roles: ["super_admin"], title: "New school", h1: "New school" },
  {
    route: "/admin/tenants/{id}",
    where: { on: "/admin/tenants?q=cape-drive", link: FIRST_ROW },
    roles: ["super_admin"],
    title: "Cape Drive, school",
    h1: "Cape Drive",
  },
  {
    route: "/admin/tenants/{id}",
    as: "suspended",
    where: { on: "/admin/tenants?q=closed-clinic", link: FIRST_ROW },
    roles: ["super_admin"],
    title: "Closed Clinic, school",
    h1: "Closed Clinic",
  },
  { route: "/admin/users", where: "/admin/users", roles: ["super_admin"], title: "Users", h1: "Users" },
  { route: "/admin/users", as: "none", where: "/admin/users?q=no-such-user", roles: ["super_admin"], title: "Users", h1: "Users" },
  {
    route: "/admin/users/{id}",
    where: { on: "/admin/users?q=owner@cape-drive.test", link: FIRST_ROW },
    roles: ["super_admin"],
    title: "Nandi Jacobs, user",
    h1: "Nandi Jacobs",
  },
  {
    route: "/admin/users/{id}",
    as: "oneself",
    where: { on: "/admin/users?q=super@lessonbook.test", link: FIRST_ROW },
    roles: ["super_admin"],
    title: "Sam Platform, user",
    h1: "Sam Platform",
  },
  { route: "/admin/outbox", where: "/admin/outbox", roles: ["super_admin"], title: "Messages", h1: "Messages" },
  { route: "/admin/audit", where: "/admin/audit", roles: ["super_admin"], title: "Audit", h1: "Audit" },
  { route: "/admin/audit", as: "a school", where: "/admin/audit?school=cape-drive", roles: ["super_admin"], title: "Audit", h1: "Audit" },
  { route: "/admin/audit", as: "no school", where: "/admin/audit?school=nowhere", roles: ["super_admin"], title: "Audit", h1: "Audit" },
  { route: "/admin/docs", where: "/admin/docs", roles: ["super_admin"], title: "Rules", h1: "Rules" },
];

/** Another school, which says mentor and mentee, and has other people's names. */
const MENTORSHIP: [account: string, path: string, title: string][] = [
  ["ada@north-mentors.test", "/t/north-mentors", "Dashboard"],
  ["kim@north-mentors.test", "/t/north-mentors", "Dashboard"],
  ["owner@north-mentors.test", "/t/north-mentors", "Dashboard"],
  ["owner@north-mentors.test", "/t/north-mentors/instructors", "Mentors"],
  ["owner@north-mentors.test", "/t/north-mentors/students", "Mentees"],
  ["owner@north-mentors.test", "/t/north-mentors/team", "Team"],
  ["owner@north-mentors.test", "/t/north-mentors/settings", "Settings"],
  ["kim@north-mentors.test", "/s/north-mentors", "North Mentors"],
];

async function open(page: Page, where: Exclude<Where, Function>) {
  if (typeof where === "string") {
    expect((await page.goto(where))?.status(), where).toBe(200);
    return;
  }
  await page.goto(where.on);
  const link = page.locator(where.link).first();
  const href = await link.getAttribute("href");
  expect((await page.goto(href ?? ""))?.status(), `the first link of ${where.on}`).toBe(200);
}

/** What sticks out at the right of the window, if anything. A table may scroll within itself. */
async function overflow(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width && document.body.scrollWidth <= width) return [];
    const wide = [...document.querySelectorAll("body *")].filter((element) => element.getBoundingClientRect().right > width + 1);
    const said = wide.map((element) => `${element.tagName.toLowerCase()}.${element.className} “${element.textContent?.slice(0, 40)}”`);
    return [`${document.documentElement.scrollWidth} px in a window of ${width} px`, ...said.slice(0, 5)];
  });
}

/** Wide and light, narrow and dark: both layouts and both themes. */
async function fits(page: Page, scripts: boolean) {
  for (const { width, height, theme } of [
    { width: 1440, height: 900, theme: "light" },
    { width: 360, height: 780, theme: "dark" },
  ] as const) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    expect.soft(await overflow(page), `nothing sticks out at ${width} px`).toEqual([]);
    if (scripts) await axe(page, `${page.url()} at ${width} px, ${theme}`);
  }
}

test("every route has a row here", () => {
  const source = readFileSync(new URL("../../app/src/pages/mod.rs", import.meta.url), "utf8");
  const routes = [...source.matchAll(/page!\("([^"]+)"/g)].map((found) => found[1]);
  expect(routes.length).toBeGreaterThan(40);
  expect([...new Set(ROWS.map((row) => row.route))].sort()).toEqual([...routes].sort());
});

for (const row of ROWS) {
  for (const role of row.roles) {
    test(`${row.route}${row.as ? ` (${row.as})` : ""} as ${role}`, async ({ page, session, scripts, another }) => {
      const account = row.account ?? ACCOUNTS[role];
      if (account) await page.context().addCookies(await session(account));
      const someone: Someone = async (account) => {
        const other = await another();
        await other.context().addCookies(await session(account));
        return other;
      };
      await open(page, typeof row.where === "function" ? await row.where(someone) : row.where);
      const named = typeof row.title === "string" ? `${row.title} · Lessonbook` : row.title;
      const title = await page.title();
      if (typeof named === "string") expect.soft(title).toBe(named);
      else expect.soft(title.replace(/ · Lessonbook$/, "")).toMatch(named);
      const h1 = page.getByRole("heading", { level: 1 });
      await expect(h1, "one heading").toHaveCount(1);
      await expect(h1).toHaveText(row.h1);
      await expect(page.getByRole("main")).toHaveCount(1);
      await fits(page, scripts);
    });
  }
}

for (const [account, path, title] of MENTORSHIP) {
  test(`${path} as ${account}`, async ({ page, session, scripts }) => {
    await page.context().addCookies(await session(account));
    await open(page, path);
    expect.soft(await page.title()).toBe(`${title} · Lessonbook`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
    await fits(page, scripts);
  });
}

test("the book page, step by step to the summary, as a student", async ({ page, session, scripts }) => {
  await page.context().addCookies(await session(ACCOUNTS.student));
  await toSummary(page);
  await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
  await expect(page.getByRole("button", { name: "Book lesson" })).toBeVisible();
  await fits(page, scripts);
  // A thumb finds its target.
  for (const target of await page.locator(".slot, a.day, .summary button").all()) {
    const box = await target.boundingBox();
    expect.soft(Math.round(box?.height ?? 0), await target.innerText()).toBeGreaterThanOrEqual(44);
  }
});

test("the book page holds no script until it has times, and then the one that keeps them true", async ({ page }) => {
  await open(page, SERVICE);
  const held = page.locator("script, link[rel=modulepreload]");
  await expect(held).toHaveCount(0);
  await page.getByRole("link", { name: "Any instructor" }).click();
  await expect(page.locator("#live")).toBeVisible();
  await expect(held).toHaveCount(1);
  await expect(held).toHaveAttribute("data-wasm", /\.wasm$/);
});

test("a page with islands starts them; without scripts nothing is loaded for them", async ({ page, session, scripts }) => {
  await page.context().addCookies(await session(ACCOUNTS.owner));
  const loaded: string[] = [];
  page.on("request", (request) => {
    if (/\.(js|wasm)$/.test(new URL(request.url()).pathname)) loaded.push(request.url());
  });
  await page.goto("/t/cape-drive/instructors");
  const islands = page.locator("leptos-island");
  expect(await islands.count()).toBeGreaterThan(0);
  if (scripts) await expect(page.locator("leptos-island:not([data-started])")).toHaveCount(0);
  else expect(loaded.filter((url) => url.endsWith(".wasm")), "no wasm for nobody").toEqual([]);
});

test("text at twice its size stays on the book page at 720 px", async ({ page, session }) => {
  await page.context().addCookies(await session(ACCOUNTS.student));
  await page.setViewportSize({ width: 720, height: 900 });
  await toSummary(page);
  const size = () => page.evaluate(() => Number.parseFloat(getComputedStyle(document.querySelector("h1")!).fontSize));
  const before = await size();
  await page.evaluate(() => {
    const all = [...document.querySelectorAll<HTMLElement>("body, body *")].filter((element) => "style" in element);
    const sizes = all.map((element) => Number.parseFloat(getComputedStyle(element).fontSize));
    all.forEach((element, at) => (element.style.fontSize = `${sizes[at] * 2}px`));
  });
  expect(await size()).toBe(before * 2);
  expect(await overflow(page), "nothing sticks out").toEqual([]);
});

test("errors are pages: nothing there, not allowed, not logged in", async ({ page, session, scripts, allow }) => {
  allow(404, /^\/(s\/)?nowhere/);
  allow(403, "/admin");
  for (const path of ["/nowhere", "/s/nowhere"]) {
    expect((await page.goto(path))?.status()).toBe(404);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Not found");
    expect.soft(await page.title()).toBe("Not found · Lessonbook");
    await fits(page, scripts);
  }
  await page.goto("/t/cape-drive/students?q=a&page=2");
  await expect(page).toHaveURL(`/login?next=${encodeURIComponent("/t/cape-drive/students?q=a&page=2")}`);
  await page.context().addCookies(await session(ACCOUNTS.student));
  expect((await page.goto("/admin"))?.status()).toBe(403);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Not allowed");
});

test("a refused form reads well", async ({ page, session, scripts }) => {
  await page.context().addCookies(await session(ACCOUNTS.super_admin));
  await page.goto("/admin/tenants/new");
  await page.getByLabel("Name", { exact: true }).fill("A very long name of a school ".repeat(3));
  await page.getByLabel("Slug").fill("Not A Slug");
  await page.getByLabel("Time zone").fill("Nowhere");
  await page.getByLabel("Owner e-mail").fill("owner@example.test");
  await page.getByRole("button", { name: "Create school" }).click();
  const slug = page.getByLabel("Slug");
  await expect(slug).toHaveAttribute("aria-invalid", "true");
  await expect(slug).toHaveValue("Not A Slug");
  await fits(page, scripts);
  // The summary on top leads to the field.
  await page.locator(".error-summary").getByRole("link", { name: /^Slug/ }).click();
  await expect(slug).toBeFocused();
});

test("the keyboard reaches everything, and shows where it is", async ({ page, session }) => {
  await page.context().addCookies(await session(ACCOUNTS.owner));
  await page.goto("/t/cape-drive/instructors?city=Paarl");
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to content" });
  await expect(skip, "the first stop").toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press("Enter");
  await expect(page.locator("#main")).toBeFocused();

  await page.reload();
  const wanted = await page
    .locator("a[href], button, input:not([type=hidden]), select, textarea, summary")
    .evaluateAll((all) => {
      const visible = all.filter((element) => element.checkVisibility({ visibilityProperty: true }));
      visible.forEach((element, at) => element.setAttribute("data-stop", String(at)));
      return visible.length;
    });
  expect(wanted).toBeGreaterThan(20);
  const seen = new Set<string>();
  for (let presses = 0; presses < wanted + 5; presses++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      // A field in a box may show its ring on the box.
      const boxes = [element, element.parentElement].filter((box) => box !== null);
      const ring = boxes.some((box) => {
        const style = getComputedStyle(box);
        const outlined = style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 2;
        return outlined || style.boxShadow !== "none";
      });
      const size = element.getBoundingClientRect();
      return {
        stop: element.getAttribute("data-stop") ?? "",
        name: `${element.tagName.toLowerCase()} “${element.textContent?.trim().slice(0, 30)}”`,
        ring: ring && size.width > 0 && size.height > 0,
      };
    });
    if (!stop) break;
    seen.add(stop.stop);
    expect.soft(stop.ring, `a ring around ${stop.name}`).toBe(true);
  }
  expect(seen.size, "every visible link, button and field was a stop").toBe(wanted);
});

test("a lesson is booked by keyboard alone", async ({ page }) => {
  await as(page, "naledi@cape-drive.test");
  await toSummary(page);
  const press = page.getByRole("button", { name: "Book lesson" });
  await page.getByLabel("Pickup address").focus();
  await page.keyboard.type("12 Kloof Street");
  await page.keyboard.press("Tab");
  await expect(page.getByLabel("Note")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(press).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator(".flash").and(page.getByRole("status"))).toContainText("Booked: ");
  await page.getByLabel("Reason").fill("Booked by a test.");
  await page.getByRole("button", { name: "Cancel lesson" }).click();
  await expect(page.locator(".flash").and(page.getByRole("status"))).toContainText("Cancelled: ");
});

/** To the summary of the first free time, next week or later. */
async function toSummary(page: Page) {
  await open(page, SERVICE);
  await page.getByRole("link", { name: "Any instructor" }).click();
  await page.getByRole("link", { name: "Later", exact: true }).click();
  const days = page.getByRole("navigation", { name: "Day" }).locator("a:not([data-free='0'])");
  await days.first().click();
  await page.locator("#live .slot").first().click();
  await expect(page.locator(".summary")).toBeVisible();
}
