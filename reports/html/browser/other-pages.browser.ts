import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { downtimePage } from "../downtime/page.ts";
import { pageInputFor, requestOf } from "../downtime/page-input.test.data.ts";
import { fleetPage } from "../fleet/page.ts";
import { rollupOf } from "../fleet/rollup.test.data.ts";
import {
  accessibilityFaults,
  keepScreenshot,
  openPage,
  overflowOf,
  startBrowser,
} from "./open-page.ts";

let folder = "";
let browser: Browser;
beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "pages-"));
  browser = await startBrowser();
  fs.writeFileSync(path.join(folder, "fleet.html"), await fleetPage(rollupOf(240)));
  fs.writeFileSync(path.join(folder, "downtime.html"), await downtime());
});
afterAll(async () => {
  await browser.close();
  fs.rmSync(folder, { recursive: true });
});

async function downtime(): Promise<string> {
  return await downtimePage(pageInputFor(requestOf(), "192 GiB over 500 MB/s"));
}

describe.each([
  ["fleet", "heat"],
  ["downtime", "tornado"],
])("the page of a %s", (name, panels) => {
  it.each([
    [1280, "light"],
    [400, "dark"],
    [1280, "dark"],
    [400, "light"],
  ] as const)("opens at %i px in %s", async (width, scheme) => {
    const file = path.join(folder, `${name}.html`);
    expect(fs.statSync(file).size).toBeLessThan(2_000_000);
    const { page, errors, requests } = await openPage(browser, file, width, scheme);
    expect(await overflowOf(page)).toBeLessThanOrEqual(0);
    expect(await page.locator("figure.chart svg[role=img][aria-label]").count()).toBeGreaterThan(1);
    expect(await accessibilityFaults(page)).toEqual([]);
    const select = page.locator(`select[data-panels=${panels}]`);
    await select.focus();
    await page.keyboard.press("ArrowDown");
    await select.selectOption({ index: 1 });
    const shown = page.locator(`[data-panel=${panels}]:not([hidden])`);
    expect(await shown.count()).toBe(1);
    expect(await shown.getAttribute("data-value")).toBe(
      await select.locator("option").nth(1).innerText(),
    );
    await keepScreenshot(page, `${name}-${width}-${scheme}`);
    expect(errors).toEqual([]);
    expect(requests).toEqual([]);
    await page.context().close();
  });
});
