import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { env } from "node:process";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  accessibilityFaults,
  keepScreenshot,
  type OpenedPage,
  openPage,
  overflowOf,
  startBrowser,
} from "./open-page.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const CLI = path.join(ROOT, "dist/bin/tlbi-replay.js");
const FIXTURES = path.join(ROOT, "fixtures/captures");

/** Captures of the repository, and more where TLBI_CAPTURES names a folder of them. */
function capturesToOpen(): readonly { readonly name: string; readonly args: readonly string[] }[] {
  const more = env["TLBI_CAPTURES"];
  const large = more === undefined ? undefined : path.join(more, "migc-huge2M-612");
  return [
    {
      name: "s2-huge-612",
      args: [
        path.join(FIXTURES, "s2-huge-612"),
        "--tlb",
        "neoverse-n1",
        "--tlb-knob",
        "episodes=24",
      ],
    },
    { name: "tiny-612-lost-overwrite", args: [path.join(FIXTURES, "tiny-612-lost-overwrite")] },
    ...(large !== undefined && fs.existsSync(large)
      ? [{ name: "migc-huge2M-612", args: [large] }]
      : []),
  ];
}

let folder = "";
let browser: Browser;
beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "page-"));
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
  fs.rmSync(folder, { recursive: true });
});

/** Makes a page; exit code 3 (bounds) is a page too. */
function makePage(name: string, args: readonly string[]): string {
  const file = path.join(folder, `${name}.html`);
  try {
    execFileSync(process.execPath, [CLI, "analyze", ...args, "--html", file, "--quiet"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
  } catch (error) {
    if (!fs.existsSync(file)) throw error;
  }
  return file;
}

function expectQuiet({ errors, requests }: OpenedPage): void {
  expect(errors).toEqual([]);
  expect(requests).toEqual([]);
}

describe.each(capturesToOpen())("the page of $name", ({ name, args }) => {
  let file = "";
  beforeAll(() => {
    file = makePage(name, args);
  });

  it("is one file of less than 2 MB", () => {
    expect(fs.statSync(file).size).toBeLessThan(2_000_000);
    expect(fs.statSync(file).size).toBeGreaterThan(50_000);
  });

  it.each([
    [1280, "light"],
    [400, "light"],
    [1280, "dark"],
    [400, "dark"],
  ] as const)("opens at %i px in %s: charts, no request, no error", async (width, scheme) => {
    const opened = await openPage(browser, file, width, scheme);
    const { page } = opened;
    expect(await overflowOf(page)).toBeLessThanOrEqual(0);
    expect(await page.locator("figure.chart svg[role=img][aria-label]").count()).toBeGreaterThan(3);
    expect(await page.locator("figure.chart svg:not([aria-label])").count()).toBe(0);
    expect(await page.locator("#timeline-plot canvas").count()).toBe(1);
    expect(await page.locator("#answer .answer").first().innerText()).toMatch(/issues .* calls/);
    expect(await accessibilityFaults(page)).toEqual([]);
    await keepScreenshot(page, `${name}-${width}-${scheme}`);
    expectQuiet(opened);
    await page.context().close();
  });

  it("has the numbers of each chart in a table", async () => {
    const { page } = await openPage(browser, file, 1280);
    const summaries = await page.locator("details > summary").allInnerTexts();
    for (const wanted of [/Invalidation calls: numbers/, /Timeline: numbers/, /Heat map: pages/]) {
      expect(summaries.some((text) => wanted.test(text))).toBe(true);
    }
    await page.context().close();
  });

  it("zooms, moves and opens operations by keyboard alone", async () => {
    const opened = await openPage(browser, file, 1280);
    const { page } = opened;
    const view = page.locator("#timeline-view");
    const whole = await view.innerText();
    await page.locator("#timeline-plot").focus();
    await page.keyboard.press("+");
    const zoomed = await view.innerText();
    expect(zoomed).not.toBe(whole);
    await page.keyboard.press("ArrowRight");
    expect(await view.innerText()).not.toBe(zoomed);
    await page.keyboard.press("0");
    expect(await view.innerText()).toBe(whole);
    await page.keyboard.press("n");
    const detail = page.locator("#timeline-detail");
    expect(await detail.locator("h3").innerText()).toMatch(/ at .*TLBI/);
    expect(await detail.locator("pre").innerText()).toMatch(/^line \d+, byte \d+ /);
    await page.keyboard.press("n");
    await page.keyboard.press("p");
    expect(await detail.isVisible()).toBe(true);
    expectQuiet(opened);
    await page.context().close();
  });

  it("reaches every control by Tab", async () => {
    const { page } = await openPage(browser, file, 1280);
    const reached = new Set<string>();
    for (let i = 0; i < 60; i += 1) {
      await page.keyboard.press("Tab");
      reached.add(String(await page.evaluate("document.activeElement.id")));
    }
    for (const id of [
      "theme",
      "timeline-policy",
      "timeline-in",
      "timeline-plot",
      "timeline-kept",
    ]) {
      expect(reached.has(id), id).toBe(true);
    }
    await page.context().close();
  });

  it("zooms by dragging, opens a storm by a click, and from the list of stalls", async () => {
    const opened = await openPage(browser, file, 1280);
    const { page } = opened;
    const plot = page.locator("#timeline-plot .u-over");
    await plot.scrollIntoViewIfNeeded();
    const box = await plot.boundingBox();
    if (box === null) throw new Error("no plot");
    const whole = await page.locator("#timeline-view").innerText();
    await page.mouse.click(box.x + box.width * 0.4, box.y + box.height * 0.8);
    expect(await page.locator("#timeline-detail pre").isVisible()).toBe(true);
    await page.mouse.move(box.x + box.width * 0.3, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 60, { steps: 5 });
    await page.mouse.up();
    expect(await page.locator("#timeline-view").innerText()).not.toBe(whole);
    await page.locator("#timeline-all").click();
    expect(await page.locator("#timeline-view").innerText()).toBe(whole);
    await page.locator("#stalls [data-panel]:not([hidden]) [data-operation]").first().click();
    expect(await page.locator("#timeline-view").innerText()).not.toBe(whole);
    expect(await page.locator("#timeline-detail dd").first().innerText()).toMatch(/0x|whole VM/);
    expectQuiet(opened);
    await page.context().close();
  });

  it("draws anew for another policy, colour, measure and theme", async () => {
    const opened = await openPage(browser, file, 1280);
    const { page } = opened;
    const legend = page.locator("#timeline-plot .u-legend");
    const before = await legend.innerText();
    await page.locator("#timeline-colour").selectOption("path");
    expect(await legend.innerText()).not.toBe(before);
    await page.locator("#timeline-policy").selectOption({ index: 1 });
    await page.locator("#timeline-measure").selectOption({ index: 1 });
    await page.locator("#theme").click();
    expect(await page.locator("html").getAttribute("data-theme")).toBe("dark");
    const panels = page.locator("[data-panel=heat]:not([hidden])");
    const shown = await panels.getAttribute("data-value");
    await page.locator("select[data-panels=heat]").selectOption({ index: 1 });
    expect(await panels.count()).toBe(1);
    expect(await panels.getAttribute("data-value")).not.toBe(shown);
    expectQuiet(opened);
    await page.context().close();
  });

  it("prices the stall of each policy, and of each of the top operations", async () => {
    const { page } = await openPage(browser, file, 1280);
    const text = await page.locator("#policies").innerText();
    expect(text).toMatch(/Stall, estimated/);
    expect(text).toMatch(/\d (µs|ms|s) \[\d/);
    expect(await page.locator("#policies details", { hasText: "t_ipa" }).count()).toBe(2);
    const stalls = await page.locator("#stalls [data-panel]:not([hidden])").innerText();
    expect(stalls).toMatch(/estimated stall/);
    expect(stalls).toMatch(/\[\d|unknown: a call has no price/);
    await page.context().close();
  });

  it("has a band for each phase of a migration, and no trace of phases without logging", async () => {
    const opened = await openPage(browser, file, 1280);
    const { page } = opened;
    const bands = await page.evaluate(
      "JSON.parse(document.getElementById('timeline-data').textContent).phases.map((one) => one.kind)",
    );
    const choices = await page.locator("#timeline-colour option").allInnerTexts();
    if (name === "tiny-612-lost-overwrite") {
      expect(bands).toEqual([]);
      expect(choices.join()).not.toMatch(/migration/);
    } else {
      expect(bands).toContain("pass");
      await page.locator("#timeline-colour").selectOption("phase");
      expect(await page.locator("#timeline-plot .u-legend").innerText()).toMatch(/pass/);
      expect(await page.locator("#timeline").innerText()).toMatch(/Calls by phase/);
    }
    expectQuiet(opened);
    await page.context().close();
  });

  it("prints: drawings instead of the canvas, light, nothing cut", async () => {
    const opened = await openPage(browser, file, 900, "dark");
    const { page } = opened;
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    expect(await page.locator("#timeline-plot").isVisible()).toBe(false);
    expect(await page.locator("#timeline figure.paper").isVisible()).toBe(true);
    const ground = await page.evaluate(
      "getComputedStyle(document.documentElement).backgroundColor",
    );
    expect(ground).toBe("rgb(255, 255, 255)");
    await keepScreenshot(page, `${name}-print`);
    expect((await page.pdf({ format: "A4" })).length).toBeGreaterThan(10_000);
    expectQuiet(opened);
    await page.context().close();
  });
});

describe("a trace that wants to be a script", () => {
  const ATTACKS = [
    "</script><script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=2>",
    "\"'><svg/onload=window.pwned=3>",
    "<!--<script>",
  ];

  it("is shown as text: names of commands, events, files and comments", async () => {
    const text = gunzipSync(fs.readFileSync(path.join(FIXTURES, "tiny-612/trace.txt.gz"))).toString(
      "latin1",
    );
    const lines = text.split("\n").map((line, i) => {
      const attack = ATTACKS[i % ATTACKS.length]!;
      // The name of the command stands before `-PID [CPU]`.
      return line.replace(/^\s*\S.*?(-\d+\s+\[\d+\])/, `${attack}$1`);
    });
    lines.push(
      ...ATTACKS.map((attack) => `  x-1     [000] .....  999.000001: ${attack}: ${attack}`),
      ...ATTACKS,
    );
    const hostile = path.join(folder, "<img src=x onerror=window.pwned=4>.txt");
    fs.writeFileSync(hostile, lines.join("\n"));
    for (const name of ["kprobes.txt", "capture.json"]) {
      const from = path.join(FIXTURES, "tiny-612", name);
      if (fs.existsSync(from)) fs.copyFileSync(from, path.join(folder, name));
    }
    const opened = await openPage(browser, makePage("hostile", [hostile]), 1280);
    const { page } = opened;
    await page.locator("#timeline-plot").focus();
    await page.keyboard.press("n");
    const shown = await page.locator("#timeline-detail pre").innerText();
    expect(shown).toMatch(/window\.pwned=[123]|<!--<script>/);
    await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true");
    expect(await page.evaluate("window.pwned")).toBeUndefined();
    expect(await page.locator("body").innerText()).toContain("<img src=x onerror=window.pwned=4>");
    expect(await page.locator("img").count()).toBe(0);
    expectQuiet(opened);
    await page.context().close();
  });

  it("cannot run a script even if markup got in: the page's policy refuses it", async () => {
    const file = path.join(folder, "s2-huge-612.html");
    const injected = fs
      .readFileSync(file, "utf8")
      .replace("<main>", "<main><script>window.pwned=5</script><img src=x onerror=window.pwned=6>");
    const copy = path.join(folder, "injected.html");
    fs.writeFileSync(copy, injected);
    const { page, errors } = await openPage(browser, copy, 1280);
    expect(await page.evaluate("window.pwned")).toBeUndefined();
    expect(errors.some((error) => error.includes("Content Security Policy"))).toBe(true);
    await page.context().close();
  });
});
