// Who belongs to a school: an invite by mail, the powers of an owner, a school deleted and restored, its own words.
import { as, expect, outcome, refusal, test, type Page } from "../fixtures";
import { newSchool } from "../school";

const STAFF_PASSWORD = "kettle-harbour-violin-38";

type Message = { to: string; subject: string; text: string; html: string };

/** The link in the newest mail to `address` whose text holds one, waiting until it is there. */
async function linkTo(address: string, path: RegExp): Promise<string> {
  const smtp = process.env.SMTP_HTTP;
  expect(smtp, "SMTP_HTTP names the test mail server").toBeTruthy();
  let found = "";
  await expect
    .poll(
      async () => {
        const answer = await fetch(`${smtp}/messages?to=${encodeURIComponent(address)}`);
        const messages = (await answer.json()) as Message[];
        const links = messages.map((message) => path.exec(message.text)?.[0] ?? "").filter((link) => link !== "");
        found = links.at(-1) ?? "";
        return found;
      },
      { message: `a mail to ${address} with ${path}`, timeout: 15_000 },
    )
    .not.toBe("");
  return new URL(found).pathname;
}

/** Presses a button that may first ask to confirm who one is, then sends the form again. */
async function confirmed(page: Page, button: string, password: string) {
  await page.getByRole("button", { name: button }).click();
  if (new URL(page.url()).pathname !== "/account/confirm") return;
  await page.getByLabel("Password").fill(password);
  await page.getByRole("main").getByRole("button").first().click();
  await page.getByRole("button", { name: button }).click();
}

test("an owner invites staff by mail, gives and takes powers, and removes them", async ({ page, another, allow }) => {
  const slug = `e2e-t${Date.now().toString(36)}`;
  const inside = `/t/${slug}`;
  const email = `staff@${slug}.test`;
  allow(403, `${inside}/team`);
  allow(404, new RegExp(`^${inside}`));
  const owner = await another();
  await newSchool(page, owner, { slug, zone: "Europe/Lisbon", name: "Team & “Tests”" });

  await owner.goto(`${inside}/team`);
  await expect(owner.getByRole("heading", { level: 1 })).toHaveText("Team");
  await expect(owner.getByRole("main")).toContainText("1 of 3 seats");
  const member = (text: string) => owner.locator("tr").filter({ hasText: text });

  await test.step("invited, with what is wrong said beside the field", async () => {
    await owner.getByText("Invite someone").click();
    await owner.getByLabel("E-mail", { exact: true }).fill(`owner@${slug}.test`);
    await owner.getByRole("button", { name: "Invite", exact: true }).click();
    await expect(refusal(owner), "a member already").toBeVisible();
    const field = owner.getByLabel("E-mail", { exact: true });
    await expect(field, "what was typed stays, in a form that is open").toHaveValue(`owner@${slug}.test`);
    await field.fill(email);
    await owner.getByLabel("Role").first().selectOption({ label: "Staff" });
    await owner.getByRole("button", { name: "Invite", exact: true }).click();
    await expect(outcome(owner)).toContainText(`Invited ${email} as staff.`);
    await expect(outcome(owner)).toContainText("The mail was sent.");
    await expect(owner.getByRole("main")).toContainText("1 of 3 seats, 1 invited");
    await expect(member(email)).toContainText("Staff");
  });

  const staff = await another();
  await test.step("the link of the mail lets them in", async () => {
    const path = await linkTo(email, /https?:\/\/\S+\/invite\/[0-9a-f]{20,}/);
    await staff.goto(path);
    await expect(staff.getByRole("main")).toContainText("Team & “Tests”");
    await staff.getByLabel("Name").fill("Łukasz Wójcik");
    await staff.getByLabel("Password").fill(STAFF_PASSWORD);
    await staff.locator("form[action='/fn/team/accept'] button").click();
    await expect(staff, "in, and on the dashboard").toHaveURL(inside);
    await expect(staff.getByRole("heading", { level: 1 })).toHaveText("Team & “Tests”");
    expect((await staff.goto(`${inside}/team`))?.status(), "the team is the owner's").toBe(403);
    await owner.goto(`${inside}/team`);
    await expect(owner.getByRole("main")).toContainText("2 of 3 seats");
    await expect(owner.getByRole("heading", { name: "Open invites" })).toHaveCount(0);
  });

  await test.step("a permission is taken away", async () => {
    const acts = member("Change or remove");
    await acts.locator("summary").click();
    await expect(acts.getByLabel("Download lists")).toBeChecked();
    await acts.getByLabel("Download lists").uncheck();
    await acts.getByRole("button", { name: "Save permissions" }).click();
    await expect(outcome(owner)).toContainText("Łukasz Wójcik");
    await acts.locator("summary").click();
    await expect(acts.getByLabel("Download lists")).not.toBeChecked();
    expect((await staff.request.get(`${inside}/bookings.csv`)).status()).toBe(403);
  });

  await test.step("removed, with a reason", async () => {
    await owner.goto(`${inside}/team`);
    const acts = member("Change or remove");
    await acts.locator("summary").click();
    const out = acts.locator("form[action='/fn/team/remove']");
    await out.getByLabel("Reason").fill("Moved to another town.");
    await out.getByRole("button", { name: "Remove member" }).click();
    await expect(outcome(owner)).toContainText("Łukasz Wójcik");
    await expect(owner.getByRole("main")).toContainText("1 of 3 seats");
    expect((await staff.goto(inside))?.status(), "the session is shut out").toBe(404);
  });
});

test("a deleted school is closed to its owner, and restored as it was", async ({ page, another, allow }) => {
  const slug = `e2e-d${Date.now().toString(36)}`;
  const inside = `/t/${slug}`;
  allow(403, new RegExp(`^${inside}`));
  allow(404, `/s/${slug}`);
  const owner = await another();
  await newSchool(page, owner, { slug, zone: "Europe/Lisbon", name: slug });
  expect((await owner.goto(inside))?.status()).toBe(200);

  await page.getByLabel("Reason").fill("The school has moved elsewhere.");
  await confirmed(page, "Delete school", "demo-orchard-kettle-42");
  await expect(outcome(page)).toContainText("is deleted");
  await expect(page.getByRole("main")).toContainText("The school has moved elsewhere.");
  const here = new URL(page.url()).pathname;
  await page.goto(`/admin/tenants?q=${slug}&status=active`);
  await expect(page.locator("tbody tr")).toHaveCount(0);
  await page.goto(`/admin/tenants?q=${slug}&status=deleted`);
  await expect(page.locator("tbody tr")).toContainText("Deleted");

  const refused = await owner.goto(inside);
  expect(refused?.status()).toBe(403);
  await expect(owner.getByRole("main")).toContainText("This school is closed for now.");
  expect((await owner.goto(`/s/${slug}`))?.status()).toBe(404);

  await page.goto(here);
  await page.getByLabel("Reason").fill("They have come back.");
  await page.getByRole("button", { name: "Restore school" }).click();
  await expect(outcome(page)).toContainText("is restored");
  expect((await owner.goto(inside))?.status(), "the same session, the same role").toBe(200);
  expect((await owner.goto(`${inside}/team`))?.status()).toBe(200);
  expect((await owner.goto(`/s/${slug}`))?.status()).toBe(200);
});

test("an owner sets the school's words, hours and colour, and all pages follow", async ({ page, another }) => {
  const slug = `e2e-w${Date.now().toString(36)}`;
  const inside = `/t/${slug}`;
  const owner = await another();
  await newSchool(page, owner, { slug, zone: "Europe/Lisbon", name: slug });

  await owner.goto(`${inside}/settings`);
  await owner.getByLabel("Name", { exact: true }).fill("Wheels of Lisbon");
  await owner.getByLabel("Lesson", { exact: true }).fill("ride");
  await owner.getByLabel("Monday").fill("09:00-12:00, 13:00-17:00");
  await owner.getByLabel("Tuesday").fill("09:00-");
  await owner.getByLabel("Accent colour").fill("#a3195b");
  await owner.getByRole("button", { name: "Save settings" }).click();
  await expect(refusal(owner)).toBeVisible();
  await expect(owner.getByLabel("Tuesday")).toHaveAttribute("aria-invalid", "true");
  await expect(owner.getByLabel("Lesson", { exact: true }), "what was typed stays").toHaveValue("ride");
  await owner.getByLabel("Tuesday").fill("");
  await owner.getByRole("button", { name: "Save settings" }).click();
  await expect(outcome(owner)).toBeVisible();
  await expect(owner.locator("head style")).toHaveCount(1);
  const accent = () => owner.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--accent").trim());
  expect(await accent(), "dark enough to be read by light").toBe("#a3195b");
  await owner.emulateMedia({ colorScheme: "dark" });
  expect(await accent(), "lighter by dark").not.toBe("#a3195b");
  await owner.emulateMedia({ colorScheme: "light" });

  await owner.goto(`${inside}/bookings`);
  await expect(owner.getByRole("heading", { level: 1 })).toHaveText("Rides");
  await owner.goto(`/s/${slug}`);
  await expect(owner.getByRole("heading", { level: 1 })).toHaveText("Wheels of Lisbon");
  await expect(owner.getByRole("main")).toContainText("09:00–12:00, 13:00–17:00");
});

test("a super-admin acts as an owner, says so on every page, and stops", async ({ page, another, allow }) => {
  const slug = `e2e-i${Date.now().toString(36)}`;
  allow(403, "/admin");
  const owner = await another();
  await newSchool(page, owner, { slug, zone: "Europe/Lisbon", name: slug });

  await page.goto(`/admin/users?q=owner@${slug}.test`);
  await page.locator("main tbody th[scope=row] a").click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Inês Sousa");
  const user = new URL(page.url()).pathname;
  await page.getByLabel("What for").fill("They asked for help with their settings.");
  await confirmed(page, "Act as this user", "demo-orchard-kettle-42");
  const banner = page.locator(".acting");
  await expect(banner).toContainText("You act as Inês Sousa.");
  await page.goto(`/t/${slug}/settings`);
  await expect(banner).toBeVisible();
  expect((await page.goto("/admin"))?.status(), "as an owner, not as both").toBe(403);
  await page.goto(`/t/${slug}`);
  await banner.getByRole("button", { name: "Stop" }).click();
  await expect(banner).toHaveCount(0);
  await page.goto(user);
  await expect(page.getByRole("heading", { level: 1 }), "back in one's own place").toHaveText("Inês Sousa");
});
