// A school made, its owner let in by a one-time link, the school closed and opened again; an account the same.
import { PASSWORD, as, expect, outcome, refusal, test } from "../fixtures";

const SUPER = "super@lessonbook.test";
const NEW_PASSWORD = "umbrella-quartz-trumpet-71";

test("a school is made, suspended and opened again; its owner is shut out meanwhile", async ({ page, another, allow }) => {
  const slug = `e2e-${Date.now().toString(36)}`;
  const name = `Schule ${slug} “Übung”`;
  const email = `owner@${slug}.test`;
  allow(403, new RegExp(`^/t/${slug}`));
  allow(404, `/s/${slug}`);

  await as(page, SUPER);
  await page.getByRole("link", { name: "New school" }).first().click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Slug").fill("cape-drive");
  await page.getByLabel("Preset").selectOption({ label: "Mentorship" });
  await page.getByLabel("Time zone").fill("Europe/Lisbon");
  await page.getByLabel("Owner name").fill("Inês Sousa");
  await page.getByLabel("Owner e-mail").fill(email);
  await page.getByLabel("Seats").fill("5");
  await page.getByRole("button", { name: "Create school" }).click();

  // The slug is taken: said beside the field, and everything typed stays.
  await expect(page.getByLabel("Slug")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue(name);
  await expect(page.getByLabel("Preset").locator("option:checked")).toHaveText("Mentorship");
  await page.getByLabel("Slug").fill(slug);
  await page.getByRole("button", { name: "Create school" }).click();

  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  await expect(outcome(page)).toContainText(`open at /s/${slug}`);
  const school = page.url();
  const link = await outcome(page).locator("code").innerText();
  expect(link).toMatch(/^https?:\/\/.+\/reset\/\S{20,}$/);
  await page.reload();
  await expect(page.getByRole("main"), "the link shows once").not.toContainText("/reset/");

  await test.step("the platform changes its seats", async () => {
    await expect(page.getByRole("main")).toContainText("1 of 5 taken");
    await page.getByLabel("Seats").fill("7");
    await page.getByRole("button", { name: "Save school" }).click();
    await expect(outcome(page)).toHaveText(`${name} is saved.`);
    await expect(page.getByRole("main")).toContainText("1 of 7 taken");
    await expect(page.getByRole("main").getByRole("link", { name: "Inês Sousa" })).toBeVisible();
  });

  const owner = await another();
  const inside = `/t/${slug}`;
  await test.step("the owner sets a password by the link, once", async () => {
    const path = new URL(link).pathname;
    await owner.goto(path);
    await owner.getByLabel("Password").fill("password123");
    await owner.getByRole("button", { name: "Set password" }).click();
    await expect(owner.getByLabel("Password"), "too easy to guess").toHaveAttribute("aria-invalid", "true");
    await owner.getByLabel("Password").fill(NEW_PASSWORD);
    await owner.getByRole("button", { name: "Set password" }).click();
    await expect(owner).toHaveURL("/login");
    await expect(outcome(owner)).toContainText("Your password is set.");
    await owner.goto(path);
    await owner.getByLabel("Password").fill("another-quartz-trumpet-72");
    await owner.getByRole("button", { name: "Set password" }).click();
    await expect(refusal(owner), "a used link is refused").toBeVisible();
    await as(owner, email, NEW_PASSWORD);
    await expect(owner).toHaveURL(inside);
    await expect(owner.getByRole("heading", { level: 1 })).toHaveText(name);
    // The preset's words.
    await expect(owner.getByRole("link", { name: "Mentees", exact: true }).first()).toBeVisible();
  });

  const visitor = await another();
  await visitor.goto(`/s/${slug}`);
  await expect(visitor.getByRole("heading", { level: 1 })).toHaveText(name);

  await test.step("suspended, with a reason", async () => {
    await page.goto(school);
    await page.getByLabel("Reason").fill("Unpaid since March.");
    await page.getByRole("button", { name: "Suspend school" }).click();
    await expect(outcome(page)).toContainText("is suspended");
    await expect(page.getByRole("main")).toContainText("Unpaid since March.");
    await page.goto(`/admin/tenants?q=${slug}&status=suspended`);
    await expect(page.getByRole("row").filter({ hasText: slug })).toContainText("Suspended");
  });

  await test.step("the owner is shut out at once, in reading and in writing", async () => {
    const refused = await owner.goto(inside);
    expect(refused?.status()).toBe(403);
    await expect(owner.getByRole("main")).toContainText("This school is closed for now.");
    expect((await owner.goto(`${inside}/students`))?.status()).toBe(403);
    const gone = await visitor.goto(`/s/${slug}`);
    expect(gone?.status()).toBe(404);
    await expect(visitor.getByRole("heading", { level: 1 })).toHaveText("Not found");
    await expect(visitor.getByRole("main")).not.toContainText(name);
  });

  await test.step("opened again", async () => {
    await page.goto(school);
    await page.getByLabel("Reason").fill("Paid.");
    await page.getByRole("button", { name: "Activate school" }).click();
    await expect(outcome(page)).toContainText("is open again");
    // The session that was shut out is good again.
    expect((await owner.goto(inside))?.status()).toBe(200);
    await expect(owner.getByRole("heading", { level: 1 })).toHaveText(name);
    expect((await visitor.goto(`/s/${slug}`))?.status()).toBe(200);
  });
});

test("a form sent from a school that has just been suspended saves nothing", async ({ page, another, allow }) => {
  const slug = `e2e-w${Date.now().toString(36)}`;
  allow(403, new RegExp(`^/t/${slug}`));
  allow(404, `/s/${slug}`);
  await as(page, SUPER);
  await page.goto("/admin/tenants/new");
  await page.getByLabel("Name", { exact: true }).fill(slug);
  await page.getByLabel("Slug").fill(slug);
  await page.getByLabel("Time zone").fill("Europe/Lisbon");
  await page.getByLabel("Owner name").fill("Inês Sousa");
  await page.getByLabel("Owner e-mail").fill(`owner@${slug}.test`);
  await page.getByLabel("Seats").fill("5");
  await page.getByRole("button", { name: "Create school" }).click();
  const link = await outcome(page).locator("code").innerText();

  const owner = await another();
  await owner.goto(new URL(link).pathname);
  await owner.getByLabel("Password").fill(NEW_PASSWORD);
  await owner.getByRole("button", { name: "Set password" }).click();
  await as(owner, `owner@${slug}.test`, NEW_PASSWORD);
  await owner.goto(`/t/${slug}/services/new`);
  await owner.getByLabel("Name", { exact: true }).fill("Too late");
  await owner.getByLabel("Price").fill("10");

  await page.getByLabel("Reason").fill("In between.");
  await page.getByRole("button", { name: "Suspend school" }).click();
  await expect(outcome(page)).toContainText("is suspended");
  await owner.getByRole("button", { name: "Save service" }).click();
  await expect(owner.getByRole("main")).toContainText("This school is closed for now.");

  await page.getByLabel("Reason").fill("And on.");
  await page.getByRole("button", { name: "Activate school" }).click();
  await expect(outcome(page)).toContainText("is open again");
  await owner.goto(`/t/${slug}/services`);
  await expect(owner.getByRole("main")).not.toContainText("Too late");
});

test("an account is disabled and deleted, and comes back each time; its holder is shut out meanwhile", async ({ page, another }) => {
  const email = "zodwa@cape-drive.test";
  const student = await another();
  await as(student, email);
  await as(page, SUPER);
  await page.goto(`/admin/users?q=${email}`);
  await page.locator("main tbody th[scope=row] a").click();
  const name = await page.getByRole("heading", { level: 1 }).innerText();
  const user = page.url();
  const change = async (verb: string, reason: string, done: string) => {
    await page.getByLabel("Reason").fill(reason);
    await page.getByRole("button", { name: verb }).click();
    await expect(outcome(page)).toContainText(`${name} is ${done}`);
    await expect(page).toHaveURL(user);
  };
  const shutOut = async () => {
    await student.goto("/t/cape-drive");
    await expect(student, "the session has ended").toHaveURL(/\/login\?next=/);
    await student.getByLabel("E-mail or phone").fill(email);
    await student.getByLabel("Password").fill(PASSWORD);
    await student.getByRole("button", { name: "Log in" }).click();
    await expect(refusal(student)).toBeVisible();
  };
  const letIn = async () => {
    await as(student, email);
    expect((await student.goto("/t/cape-drive"))?.status()).toBe(200);
  };

  await test.step("disabled and enabled", async () => {
    await change("Disable user", "Shares the password.", "disabled.");
    await shutOut();
    await change("Enable user", "Has a new one.", "enabled");
    await letIn();
  });

  await test.step("deleted and restored", async () => {
    await change("Delete user", "Asked for it.", "deleted.");
    await shutOut();
    await page.goto(`/admin/users?q=${email}`);
    await expect(page.getByRole("main")).toContainText("No user here");
    await page.goto(`/admin/users?q=${email}&status=deleted`);
    await expect(page.locator("tbody tr")).toContainText("Deleted");
    await page.goto(user);
    await change("Restore user", "Changed their mind.", "restored");
    await expect(page.getByRole("main")).toContainText("Member active");
    await letIn();
  });

  await test.step("the last owner of a school stays", async () => {
    await page.goto("/admin/users?q=owner@closed-clinic.test");
    await page.locator("main tbody th[scope=row] a").click();
    for (const verb of ["Disable user", "Delete user"]) {
      await page.getByLabel("Reason").fill("Never answers.");
      await page.getByRole("button", { name: verb }).click();
      await expect(refusal(page)).toContainText("A school keeps at least one owner.");
      await expect(page.getByLabel("Reason"), "what was typed stays").toHaveValue("Never answers.");
    }
  });
});

test("lists of the platform search and page", async ({ page }) => {
  await as(page, SUPER);
  await page.goto("/admin/users?page_size=25");
  await expect(page.getByRole("navigation", { name: "Pages" })).toContainText("1–25 of ");
  const first = await page.locator("tbody th").first().innerText();
  await page.getByRole("link", { name: "Next" }).click();
  await expect(page.getByRole("navigation", { name: "Pages" })).toContainText("26–50 of ");
  await expect(page.locator("tbody th").first()).not.toHaveText(first);
  await page.getByRole("searchbox").fill("owner@closed-clinic.test");
  await page.getByRole("button", { name: "Filter" }).click();
  const rows = page.locator("tbody tr");
  await expect(rows).toHaveCount(1);
  // The state of the school stands beside that of the member.
  await expect(rows).toContainText("Member active");
  await expect(rows).toContainText("School suspended");
});
