import { describe, expect, it } from "vitest";
import { fleetPage } from "./page.ts";
import { rollupOf } from "./rollup.test.data.ts";

describe("the page of a fleet", () => {
  it("has the heat table, the worst twenty, drift and losses, in less than 2 MB", async () => {
    const page = await fleetPage(rollupOf(240));
    for (const id of ["heat", "groups", "worst", "drift", "losses", "parameters"]) {
      expect(page).toContain(`<section id="${id}">`);
    }
    expect(page).toContain("237 of 240 traces done");
    expect(page).toContain("15,051");
    expect(Buffer.byteLength(page)).toBeLessThan(2_000_000);
  });

  it("carries no markup, script or link that a trace's name chose", async () => {
    const page = await fleetPage(rollupOf(240));
    expect(page).not.toContain("<script>alert");
    expect(page).not.toContain("<img src=x");
    expect(page).not.toContain('href="javascript');
    expect(page).not.toContain("etc/passwd");
    expect(page).toContain('<a href="pages/3.html">');
  });

  it("says what a roll-up without groups lacks", async () => {
    const rollup = { ...rollupOf(0), groups: [], worst: [], worst_by: null, drift: null };
    const page = await fleetPage(rollup);
    expect(page).toContain("<strong>Hosts against kernels</strong>: No group has a figure.");
    expect(page).toContain("No trace has a figure to compare.");
  });
});
