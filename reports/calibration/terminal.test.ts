import { describe, expect, it } from "vitest";
import type { CalibrationResult } from "../../replay/calibrate/calibration.ts";
import { formatCalibration } from "./terminal.ts";

const RESULT: CalibrationResult = {
  fits: [
    {
      constant: "t_ipa",
      load: "idle",
      valueNs: 1491.7,
      lowNs: 1402.2,
      highNs: 1533.9,
      method: "Theil–Sen line: time = offset + value · pages",
      points: [
        { label: "a.txt:1", x: 262_144, yNs: 540e6, fittedNs: 513e6 },
        { label: "a.txt:9", x: 524_288, yNs: 1070e6, fittedNs: 1097e6 },
      ],
      relativeResidual: 0.0335,
      warnings: [],
    },
    {
      constant: "t_vmid",
      load: "loaded",
      valueNs: 73_214,
      lowNs: undefined,
      highNs: undefined,
      method: "median of 12 calls of __kvm_tlb_flush_vmid",
      points: [],
      relativeResidual: undefined,
      warnings: ["function_graph adds some 0.1 to 1 µs to a call: an upper bound"],
    },
  ],
  notFitted: [{ constant: "t_rng", because: "it takes a trace" }],
  inputs: [
    { name: "a.txt:1", kind: "kvm_page_table_test", vcpus: 1, leftOut: ["Dancing time: 3.0s"] },
    { name: "b\u001b[31m", kind: "function_graph", vcpus: undefined, leftOut: ["x"] },
  ],
  notes: ["the measurements disagree"],
};

describe("formatCalibration", () => {
  it("shows fits with unit and interval or why there is none, residuals, and what could not be fitted", () => {
    expect(
      formatCalibration(RESULT),
    ).toBe(`2 fits from 2 measurements; idle and loaded numbers are never mixed
constant  load    value (ns)  90 % interval (ns)  points  residual
t_ipa     idle         1,490       1,400 … 1,530       2     3.4 %
t_vmid    loaded      73,200      none (see how)

How
  t_ipa (idle): Theil–Sen line: time = offset + value · pages
  t_vmid (loaded): median of 12 calls of __kvm_tlb_flush_vmid
    function_graph adds some 0.1 to 1 µs to a call: an upper bound

Residuals of t_ipa (idle)
measurement     work  measured (ms)  fitted (ms)  residual
a.txt:1      262,144        540.000      513.000    +5.0 %
a.txt:9      524,288       1070.000     1097.000    −2.5 %

Not fitted
  t_rng: it takes a trace

Notes
  the measurements disagree

Left out
  a.txt:1: Dancing time: 3.0s
  b\\u001b[31m: x
`);
  });

  it("says that nothing could be fitted", () => {
    const text = formatCalibration({ ...RESULT, fits: [], notes: [], inputs: [] });
    expect(text).toBe(`No constant could be fitted from these measurements.

Not fitted
  t_rng: it takes a trace
`);
  });

  it("does not print more points than a screen holds", () => {
    const [fit] = RESULT.fits;
    const points = Array.from({ length: 50 }, (_, at) => ({
      label: `p${at}`,
      x: 1,
      yNs: 1,
      fittedNs: 1,
    }));
    const text = formatCalibration({ ...RESULT, fits: [{ ...fit!, points }] });
    expect(text).toContain("… and 10 points more");
    expect(text).not.toContain("p40");
  });
});
