import { defineConfig } from "@playwright/test";

// Debian's own chromium: nothing is downloaded. The switches keep it from calling home.
const launchOptions = {
  executablePath: "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

// Both projects run against the same database, one after the other: a test finds its own free times and makes its own
// people, and expects nothing to be untouched.
export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  fullyParallel: false,
  workers: 1,
  retries: 0,
  forbidOnly: true,
  reporter: "list",
  timeout: 45_000,
  expect: { timeout: 5_000 },
  use: {
    baseURL: process.env.BASE_URL ?? "http://127.0.0.1:3111",
    browserName: "chromium",
    launchOptions,
    locale: "en-GB",
    // A transition between pages that a quick test cuts short is an error to the browser, and to nobody else.
    contextOptions: { reducedMotion: "reduce" },
    viewport: { width: 1440, height: 900 },
    actionTimeout: 8_000,
    navigationTimeout: 15_000,
    screenshot: "only-on-failure",
    trace: "off",
    // Everyone comes from one address here; the limits have tests of their own.
    extraHTTPHeaders: { "x-benchmark-token": process.env.LESSONBOOK_BENCHMARK_TOKEN ?? "" },
  },
  projects: [
    { name: "scripts", use: { javaScriptEnabled: true } },
    { name: "plain", use: { javaScriptEnabled: false } },
  ],
});
