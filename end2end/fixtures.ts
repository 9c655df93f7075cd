// What every browser test shares: a browser whose every trouble fails the test, logging in, and axe.
import { AxeBuilder } from "@axe-core/playwright";
import { test as base, expect, type BrowserContext, type Locator, type Page } from "@playwright/test";

export { expect };
export type { Locator, Page };

/** The password of every demo account. */
export const PASSWORD = "demo-orchard-kettle-42";

type Cookies = Awaited<ReturnType<BrowserContext["cookies"]>>;

/** Watches browsers; what it has noted by the end of a test fails the test. */
class Watch {
  readonly troubles: string[] = [];
  private readonly allowed: { status: number; path: string | RegExp }[] = [];

  constructor(
    private readonly origin: string,
    private readonly scripts: boolean,
  ) {}

  /** Lets one refusal pass that a test asks for on purpose. */
  allow(status: 401 | 403 | 404 | 422, path: string | RegExp) {
    this.allowed.push({ status, path });
  }

  on(context: BrowserContext) {
    // Violations of the content security policy arrive here too, as errors.
    context.on("console", (message) => {
      const kind = message.type();
      if (kind !== "error" && kind !== "warning") return;
      // The browser's own line about a refused document; `response` below judges it.
      if (/^Failed to load resource: the server responded with a status of/.test(message.text())) return;
      this.troubles.push(`console ${kind}: ${message.text()} (${message.location().url})`);
    });
    context.on("weberror", (error) => this.troubles.push(`script error: ${error.error().stack || error.error()} (${error.page()?.url()})`));
    context.on("requestfailed", (request) => {
      if (!this.ours(request.url())) return;
      const why = request.failure()?.errorText ?? "";
      // A page that is left, or a link that turns out to be a download, ends a request; that is no failure.
      if (why === "net::ERR_ABORTED") return;
      // With scripts switched off, chromium says so of every script that a page names.
      if (!this.scripts && why === "csp" && request.resourceType() === "script") return;
      this.troubles.push(`request failed: ${request.method()} ${request.url()}: ${why}`);
    });
    context.on("response", (response) => {
      const status = response.status();
      if (status < 400 || !this.ours(response.url())) return;
      const path = new URL(response.url()).pathname;
      // A page may be open still when its reader has lost the right to follow it.
      if (response.request().resourceType() === "eventsource" && [401, 403, 404].includes(status)) return;
      const document = response.request().resourceType() === "document";
      if (document && this.allowed.some((one) => one.status === status && matches(one.path, path))) return;
      this.troubles.push(`status ${status}: ${response.request().method()} ${response.url()}`);
    });
  }

  private ours(url: string): boolean {
    return new URL(url).origin === this.origin;
  }
}

function matches(wanted: string | RegExp, path: string): boolean {
  return typeof wanted === "string" ? wanted === path : wanted.test(path);
}

type Fixtures = {
  /** Whether pages run scripts in this project. */
  scripts: boolean;
  watch: Watch;
  /** `allow(404, "/s/nowhere")`: this document may be refused so. */
  allow: Watch["allow"];
  /** A page of someone else: a browser of its own, watched like the first. */
  another: () => Promise<Page>;
};

type WorkerFixtures = {
  /** The cookies of an account, logged in once, for tests that only read. */
  session: (account: string) => Promise<Cookies>;
};

export const test = base.extend<Fixtures, WorkerFixtures>({
  scripts: async ({ javaScriptEnabled }, use) => {
    await use(javaScriptEnabled !== false);
  },

  watch: [
    async ({ context, baseURL, scripts }, use) => {
      const watch = new Watch(new URL(baseURL ?? "").origin, scripts);
      watch.on(context);
      await use(watch);
      expect(watch.troubles, "the browser had no trouble").toEqual([]);
    },
    { auto: true },
  ],

  allow: async ({ watch }, use) => {
    await use((status, path) => watch.allow(status, path));
  },

  // Contexts made from `browser` take the options of the project: address, scripts, viewport.
  another: async ({ browser, watch }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async () => {
      const context = await browser.newContext();
      contexts.push(context);
      watch.on(context);
      return context.newPage();
    });
    await Promise.all(contexts.map((context) => context.close()));
  },

  session: [
    async ({ browser }, use, worker) => {
      const known = new Map<string, Cookies>();
      await use(async (account) => {
        const there = known.get(account);
        if (there) return there;
        const context = await browser.newContext({ baseURL: worker.project.use.baseURL });
        await as(await context.newPage(), account);
        const cookies = await context.cookies();
        await context.close();
        known.set(account, cookies);
        return cookies;
      });
    },
    { scope: "worker" },
  ],
});

/** Logs in by the form, as `account`. */
export async function as(page: Page, account: string, password = PASSWORD) {
  await page.goto("/login");
  await page.getByLabel("E-mail or phone").fill(account);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.locator("details.account-menu"), `${account} is logged in`).toBeVisible();
}

/** Types into a field, or chooses in it, whichever it is: long lists of people are typed, short ones chosen. */
export async function give(page: Page, label: string, choice: { name: string; typed: string }) {
  const field = page.getByLabel(label, { exact: true });
  const select = await field.evaluate((element) => element instanceof HTMLSelectElement);
  if (select) await field.selectOption({ label: choice.name });
  else await field.fill(choice.typed);
}

/** What the last form did, once. */
export function outcome(page: Page): Locator {
  return page.locator(".flash").and(page.getByRole("status"));
}

/** Why the last form did nothing, once. */
export function refusal(page: Page): Locator {
  return page.locator(".flash").and(page.getByRole("alert"));
}

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** No violation of WCAG 2.2 A and AA that a machine can find. Needs scripts. The legacy mode differs for frames of other
 * origins alone, which no page has; without it each look opens a second page and takes half as long again. */
export async function axe(page: Page, where: string) {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).withTags(TAGS).analyze();
  const readable = violations.map((violation) => ({
    rule: `${violation.id} (${violation.impact}): ${violation.help}`,
    at: violation.nodes.map((node) => `${node.target.join(" ")}: ${node.failureSummary?.split("\n").at(-1)?.trim()}`),
  }));
  expect.soft(readable, `axe: ${where}`).toEqual([]);
}
