import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { env } from "node:process";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";

/** A page that was opened, and what must not have happened meanwhile. */
export interface OpenedPage {
  readonly page: Page;
  /** Errors of the console and of scripts. */
  readonly errors: readonly string[];
  /** Anything that was fetched, but the file itself. */
  readonly requests: readonly string[];
}

/** Debian's Chromium, or the one that CHROMIUM names. */
export async function startBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: env["CHROMIUM"] ?? "/usr/bin/chromium",
    // Continuous integration runs as root, where the sandbox does not start.
    args: ["--no-sandbox", "--disable-gpu"],
  });
}

export async function openPage(
  browser: Browser,
  file: string,
  width: number,
  colorScheme: "light" | "dark" = "light",
): Promise<OpenedPage> {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme,
    offline: true,
  });
  const page = await context.newPage();
  const errors: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(error.message));
  const address = pathToFileURL(file).href;
  page.on("request", (request) => {
    const url = request.url();
    if (url !== address && !url.startsWith("data:")) requests.push(url);
  });
  await page.goto(address);
  return { page, errors, requests };
}

/** Faults that axe-core finds and calls serious or critical. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  const source = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core"), "utf8");
  await page.evaluate(source);
  const found: unknown = await page.evaluate(
    "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(({ target, failureSummary }) => target.join(' ') + ' ' + failureSummary).join(' | ')))",
  );
  return Array.isArray(found) ? found.map(String) : ["axe gave nothing"];
}

/** Pixels that the document is wider than the window. */
export async function overflowOf(page: Page): Promise<number> {
  return Number(await page.evaluate("document.documentElement.scrollWidth - innerWidth"));
}

/** Saves what a person should look at, where SCREENSHOTS names a folder. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  const folder = env["SCREENSHOTS"];
  if (folder === undefined) return;
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
}
