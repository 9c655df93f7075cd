// An account, from registering to logging out everywhere, by what really arrives in the mail.
import { createHmac } from "node:crypto";
import { axe, expect, outcome, refusal, test, type Page } from "../fixtures";

const PASSWORD = "umbrella-quartz-trumpet-71";
const OTHER_PASSWORD = "velvet-ladder-ocean-92";

type Message = { to: string; subject: string; text: string; html: string };

/** The path of the link that was mailed to someone: `/verify/…`. Waits for the message. */
async function mailed(to: string, path: string): Promise<string> {
  const found: string[] = [];
  await expect
    .poll(
      async () => {
        const answer = await fetch(`${process.env.SMTP_HTTP}/messages?to=${encodeURIComponent(to)}`);
        const messages = (await answer.json()) as Message[];
        for (const { text, html } of messages) {
          const link = text.match(new RegExp(`https?://\\S+?(${path}/[0-9a-f]{64})`))?.[1];
          if (link && !found.includes(link)) {
            expect(html, "the same link in both forms of the message").toContain(link);
            found.push(link);
          }
        }
        return found.length;
      },
      { message: `a message to ${to} with ${path}`, timeout: 20_000 },
    )
    .toBeGreaterThan(0);
  return found[found.length - 1];
}

/** What an authenticator app shows (RFC 6238), `ahead` steps of 30 seconds from now. */
function totp(secret: string, ahead = 0): string {
  const bits = [...secret].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"));
  const key = Buffer.from((bits.join("").match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const mac = createHmac("sha1", key).update(counter).digest();
  const at = mac[mac.length - 1] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

async function logIn(page: Page, email: string, password: string) {
  await page.goto("/login");
  await page.getByLabel("E-mail or phone").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

async function giveCode(page: Page, code: string) {
  await expect(page).toHaveURL(/\/login\/code/);
  await page.getByLabel("Code").fill(code);
  await page.getByRole("button", { name: "Log in" }).click();
}

async function logOut(page: Page) {
  await page.locator("details.account-menu > summary").click();
  await page.getByRole("button", { name: "Log out", exact: true }).click();
  await expect(page).toHaveURL("/login");
}

test("someone registers, verifies, sets up a second step, and logs out everywhere", async ({ page, another, scripts }) => {
  test.setTimeout(150_000);
  expect(process.env.SMTP_HTTP, "where the test's mail server shows what it got").toBeTruthy();
  const id = Date.now().toString(36);
  const email = `nia-${id}@example.test`;
  const inside = page.locator("details.account-menu");

  await test.step("registers at a school", async () => {
    await page.goto("/s/cape-drive");
    await page.getByRole("main").getByRole("link", { name: "Register" }).click();
    await expect(page.getByLabel("School").locator("option:checked")).toHaveText("Cape Drive");
    await expect(page.getByLabel("I am a student")).toBeChecked();
    if (scripts) await axe(page, "/register");
    await page.getByLabel("Name").fill("Nia O’Brien-Łukasz");
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Phone").fill("12");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Register" }).click();

    // Beside the field; what was typed stays, the password doesn't.
    await expect(page.getByLabel("Phone")).toHaveAttribute("aria-invalid", "true");
    await expect(page.getByLabel("E-mail")).toHaveValue(email);
    await expect(page.getByLabel("School").locator("option:checked")).toHaveText("Cape Drive");
    await expect(page.getByLabel("Password")).toHaveValue("");
    await page.getByLabel("Phone").fill("");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Register" }).click();
    await expect(outcome(page)).toHaveText("If this address can be registered, a link to verify it has been sent.");
  });

  await test.step("can't log in before the address is verified; the link does it, once, with the password", async () => {
    await logIn(page, email, PASSWORD);
    await expect(refusal(page)).toBeVisible();
    const link = await mailed(email, "/verify");
    // A scanner of mail opens it first.
    await page.goto(link);
    await page.goto(link);
    if (scripts) await axe(page, "/verify");
    // Only who registered knows the password; the link stays good.
    await page.getByLabel("Password").fill(OTHER_PASSWORD);
    await page.getByRole("button", { name: "Verify e-mail" }).click();
    await expect(page.getByLabel("Password")).toHaveAttribute("aria-invalid", "true");
    await expect(page.getByRole("link", { name: "Forgot your password?" })).toBeVisible();
    if (scripts) await axe(page, "/verify, refused");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Verify e-mail" }).click();
    await expect(outcome(page)).toHaveText("Your e-mail is verified. You belong to Cape Drive now. Log in to go on.");
    await page.goto(link);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Verify e-mail" }).click();
    await expect(refusal(page)).toContainText("used or has expired");
  });

  await test.step("logs in, as a student of the school", async () => {
    await logIn(page, email, PASSWORD);
    await expect(page).toHaveURL("/t/cape-drive");
    await expect(inside).toBeVisible();
  });

  await test.step("says where to be picked up", async () => {
    await page.goto("/account");
    await page.getByRole("link", { name: "Profile" }).click();
    await page.getByLabel("Suburb").fill("Woodstock");
    await page.getByLabel("Latitude").fill("north");
    await page.getByLabel("Longitude").fill("18.45");
    await page.getByRole("button", { name: "Save profile" }).click();
    await expect(page.getByLabel("Latitude")).toHaveAttribute("aria-invalid", "true");
    await page.getByLabel("Latitude").fill("-33.93");
    await page.getByRole("button", { name: "Save profile" }).click();
    await expect(outcome(page)).toContainText("saved");
    await expect(page.getByLabel("Suburb")).toHaveValue("Woodstock");
    await expect(page.getByLabel("Latitude")).toHaveValue("-33.93");
  });

  let secret = "";
  let codes: string[] = [];
  await test.step("sets up a second step", async () => {
    await page.goto("/account/security");
    await page.getByRole("button", { name: "Set up" }).click();
    await expect(page.getByRole("img", { name: "QR picture for your authenticator app" })).toBeVisible();
    if (scripts) await axe(page, "/account/security, setting up");
    secret = (await page.locator(".setup code").innerText()).replaceAll(" ", "");
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    await page.getByLabel("Code").fill("000000");
    await page.getByRole("button", { name: "Turn on" }).click();
    await expect(page.getByLabel("Code")).toHaveAttribute("aria-invalid", "true");
    await page.getByLabel("Code").fill(totp(secret));
    await page.getByRole("button", { name: "Turn on" }).click();
    await expect(outcome(page)).toContainText("The second step is on.");
    codes = await page.locator(".codes code").allInnerTexts();
    expect(new Set(codes).size).toBe(10);
    if (scripts) await axe(page, "/account/security, on");
    await page.reload();
    await expect(page.locator(".codes"), "the codes show once").toHaveCount(0);
    await expect(page.getByRole("main")).toContainText("10 backup codes left.");
  });
  const backup = () => codes.pop() ?? "";

  const used = totp(secret, 1);
  await test.step("logs out, and in again with a code", async () => {
    await logOut(page);
    await logIn(page, email, PASSWORD);
    await expect(page).toHaveURL("/login/code");
    if (scripts) await axe(page, "/login/code");
    // Half-way in is not in.
    await page.goto("/account");
    await expect(page).toHaveURL(/\/login\?next=/);
    await page.goto("/login/code");
    await giveCode(page, "000000");
    await expect(page.getByLabel("Code")).toHaveAttribute("aria-invalid", "true");
    await giveCode(page, used);
    await expect(page).toHaveURL("/t/cape-drive");
  });

  const second = await another();
  await test.step("on another device the same code is refused; a backup code isn't", async () => {
    await logIn(second, email, PASSWORD);
    await giveCode(second, used);
    await expect(second.getByLabel("Code")).toHaveAttribute("aria-invalid", "true");
    await second.getByRole("link", { name: "Type a backup code" }).click();
    await giveCode(second, backup());
    await expect(second).toHaveURL("/t/cape-drive");
  });

  await test.step("sees both sessions, ends them from one", async () => {
    await second.goto("/account/sessions");
    const rows = second.locator("main tbody tr");
    await expect(rows).toHaveCount(2);
    await expect(rows.filter({ hasText: "This one" })).toHaveCount(1);
    if (scripts) await axe(second, "/account/sessions");
    await rows.getByRole("button", { name: "Log out" }).click();
    await expect(outcome(second)).toContainText("That session has ended.");
    await expect(rows).toHaveCount(1);
    await page.goto("/account");
    await expect(page).toHaveURL(/\/login\?next=/);

    await logIn(page, email, PASSWORD);
    await giveCode(page, backup());
    await expect(inside).toBeVisible();
    await page.goto("/account/sessions");
    await page.getByRole("button", { name: "Log out everywhere", exact: true }).click();
    await expect(outcome(page)).toHaveText("You are logged out everywhere.");
    for (const browser of [page, second]) {
      await browser.goto("/account");
      await expect(browser).toHaveURL(/\/login\?next=/);
    }
  });

  await test.step("logs in by a link in the mail, and still owes the code", async () => {
    await page.goto("/login");
    await page.getByRole("link", { name: "Log in by a link in the mail" }).click();
    await page.getByLabel("E-mail").fill(email.toUpperCase());
    await page.getByRole("button", { name: "Send link" }).click();
    await expect(outcome(page)).toHaveText("If an account exists, a link has been sent.");
    const link = await mailed(email, "/login/link");
    await page.goto(link);
    await page.goto(link);
    await page.getByRole("button", { name: "Log in" }).click();
    await giveCode(page, backup());
    await expect(page).toHaveURL("/t/cape-drive");
  });

  await test.step("forgets the password and sets another; every session ends, the second step stays", async () => {
    await second.goto("/login");
    await second.getByRole("link", { name: "Forgot your password?" }).click();
    await second.getByLabel("E-mail").fill(email);
    await second.getByRole("button", { name: "Send link" }).click();
    await expect(outcome(second)).toHaveText("If an account exists, a link has been sent.");
    await second.goto(await mailed(email, "/reset"));
    await second.getByLabel("Password").fill(OTHER_PASSWORD);
    await second.getByRole("button", { name: "Set password" }).click();
    await expect(outcome(second)).toContainText("Your password is set.");
    await page.goto("/account");
    await expect(page).toHaveURL(/\/login\?next=/);
    await logIn(page, email, OTHER_PASSWORD);
    await giveCode(page, backup());
    await expect(inside).toBeVisible();
  });

  await test.step("confirms who it is, and finds all of it in the history", async () => {
    await page.goto("/account/confirm?next=/account/security");
    if (scripts) await axe(page, "/account/confirm");
    await page.getByLabel("Password").fill(OTHER_PASSWORD);
    await page.getByLabel("Code").fill(backup());
    await page.getByRole("button", { name: "Confirm" }).click();
    await expect(page).toHaveURL("/account/security");
    const history = page.locator("#logins tbody tr");
    for (const how of ["with a code from the app", "with a backup code", "wrong code", "e-mail not verified yet"]) {
      await expect(history.filter({ hasText: how }).first()).toBeVisible();
    }
    await page.getByRole("button", { name: "Turn off" }).click();
    await expect(outcome(page)).toContainText("The second step is off.");
  });
});

test("where the code is asked for, nobody waits who hasn't given a password", async ({ page }) => {
  await page.goto("/login/code");
  await expect(page).toHaveURL("/login");
});
