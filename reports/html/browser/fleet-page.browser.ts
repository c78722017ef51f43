import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { traceChunks } from "../../../fixtures/generator/generate.ts";
import { DEFAULT_OPTIONS } from "../../../fixtures/generator/options.ts";
import {
  accessibilityFaults,
  keepScreenshot,
  openPage,
  overflowOf,
  startBrowser,
} from "./open-page.ts";

const CLI = fileURLToPath(new URL("../../../dist/bin/tlbi-replay.js", import.meta.url));
const TRACES = 210;
const HOSTS = ["altra-q80", "graviton3", "<b onclick=window.pwned=1>kunpeng"];
const WORKLOADS = ["mixed", "migration", "unmap-heavy"] as const;

let folder = "";
let browser: Browser;

/** A fleet through the commands that make it: plan, run, merge. */
beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "fleet-"));
  const rows = ["trace,host_model,vm_type,kernel"];
  for (let i = 0; i < TRACES; i += 1) {
    const kernel = i % 2 === 0 ? "6.1" : "6.12";
    const options = {
      ...DEFAULT_OPTIONS,
      seed: i + 1,
      kernel,
      workload: WORKLOADS[i % WORKLOADS.length]!,
      size: { events: 300 },
    } as const;
    let text = "";
    for await (const chunk of traceChunks(options)) text += chunk;
    fs.writeFileSync(path.join(folder, `trace-${i}.txt`), text);
    rows.push(`trace-${i}.txt,${HOSTS[i % 3]!},${i % 4 < 2 ? "small" : "large"},${kernel}`);
  }
  fs.writeFileSync(path.join(folder, "broken.txt"), "this is no trace\n");
  rows.push("broken.txt,altra-q80,small,6.1");
  fs.writeFileSync(path.join(folder, "fleet.csv"), `${rows.join("\n")}\n`);
  cli("plan", "--csv", path.join(folder, "fleet.csv"), "--out", path.join(folder, "plan.json"));
  const results = path.join(folder, "results");
  cli("run", path.join(folder, "plan.json"), "--results", results, "--jobs", "2");
  const merge = ["merge", path.join(folder, "plan.json"), "--results", results];
  cli(...merge, "--out", path.join(folder, "out"));
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
  fs.rmSync(folder, { recursive: true });
});

/** Exit code 3: some traces failed, or lost data. */
function cli(...args: readonly string[]): void {
  try {
    execFileSync(process.execPath, [CLI, "batch", ...args, "--quiet"], { stdio: "pipe" });
  } catch (error) {
    if (!(error instanceof Error && "status" in error && error.status === 3)) throw error;
  }
}

describe(`the page of a fleet of ${TRACES} generated traces`, () => {
  it.each([
    [1280, "light"],
    [400, "dark"],
  ] as const)("opens at %i px in %s", async (width, scheme) => {
    const file = path.join(folder, "out", "fleet.html");
    expect(fs.statSync(file).size).toBeLessThan(2_000_000);
    const { page, errors, requests } = await openPage(browser, file, width, scheme);
    const answer = await page.locator("#answer").innerText();
    expect(answer).toContain(`${TRACES} of ${TRACES + 1} traces done`);
    expect(await page.locator("#worst tbody tr").count()).toBe(20);
    expect(
      await page.locator("#heat [data-panel]:not([hidden]) td[class^=q]").count(),
    ).toBeGreaterThan(5);
    const first = page.locator("#worst tbody tr").first().locator("a");
    expect(await first.getAttribute("href")).toBe("worst-01.html");
    expect(
      fs.readdirSync(path.join(folder, "out")).filter((name) => name.startsWith("worst-")),
    ).toHaveLength(20);
    expect(await page.locator("#losses").textContent()).toContain("broken.txt");
    expect(await page.locator("figure.chart svg[role=img]").count()).toBeGreaterThan(0);
    expect(await overflowOf(page)).toBeLessThanOrEqual(0);
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(await page.evaluate("window.pwned")).toBeUndefined();
    await keepScreenshot(page, `real-fleet-${width}-${scheme}`);
    expect(errors).toEqual([]);
    expect(requests).toEqual([]);
    await first.click();
    expect(await page.locator("h1").innerText()).toContain("trace-");
    expect(await page.locator("#policies figure").count()).toBeGreaterThan(2);
    expect(errors).toEqual([]);
    await page.context().close();
  });
});
