/**
 * A third architecture, as it would be added: an object in a room of its own and one line in the registry. The
 * commands' own way of running a trace takes it without knowing it.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EventKind } from "../ingest/events/kinds.ts";
import type {
  Architecture,
  ArchitectureReplay,
  ArchitectureRequest,
} from "../replay/architectures/architecture.ts";
import { detectArchitecture } from "../replay/architectures/detect.ts";
import { ARCHITECTURES } from "../replay/architectures/registry.ts";
import { Path } from "../replay/paths.ts";
import { Tally } from "../replay/tally.ts";
import { Primitive } from "../replay/tlbi/primitives.ts";
import type { RunRequest, TraceRun } from "./opened-trace.ts";
import type { TraceOptions } from "./trace-options.ts";
import { runTrace } from "./trace-run.ts";

/** RISC-V's G-stage with one policy: each notifier call is one hfence.gvma for the whole VM. */
const RISCV: Architecture = {
  id: "riscv",
  label: "RISC-V KVM",
  events: /^kvm_riscv_/,
  kinds: [],
  machine: /\briscv64\b/,
  policies: [{ id: "riscv-gvma-all", summary: "hfence.gvma for the whole VM" }],
  start: startRiscv,
};

function startRiscv({ kernelOrigin }: ArchitectureRequest): ArchitectureReplay {
  const tally = new Tally("riscv-gvma-all", undefined);
  let operations = 0;
  return {
    policies: RISCV.policies.map((policy) => ({ ...policy, flags: {} })),
    recordedPolicy: undefined,
    settings: [{ name: "kernel", value: null, origin: kernelOrigin }],
    assumptions: [],
    consume(batch): void {
      for (let row = 0; row < batch.length; row += 1) {
        if (batch.kind[row] !== EventKind.unmap_gfn) continue;
        operations += 1;
        tally.add(Path.unmap, Primitive.VM, 0, 0, 1);
      }
    },
    finish: () => ({
      flushes: tally.flushRows(),
      instructions: [],
      fits: [],
      primitivesRecorded: false,
      operations,
      explanations: () => [],
    }),
  };
}

const WITH_RISCV: readonly Architecture[] = [...ARCHITECTURES, RISCV];

const REQUEST: RunRequest = {
  operationsOnly: false,
  compare: false,
  infers: true,
  choose: () => [],
};

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "architectures-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const UNMAP =
  "unmap: (kvm_unmap_gfn_range+0x0/0x80 [kvm]) kvm=0xffa0000000979000 start=0x1 end=0x2";
const FENCE = "kvm_riscv_fence: (kvm_riscv_hfence_gvma_all+0x0/0x80 [kvm])";
const ENTRY = "kvm_tdp_mmu_spte_changed: as id 0 gfn 0 level 2 old_spte 102995827 new_spte 0";

async function run(
  lines: readonly string[],
  options: Partial<TraceOptions> = {},
  architectures: readonly Architecture[] = WITH_RISCV,
): Promise<TraceRun> {
  const file = path.join(folder, "trace.txt");
  const text = lines.map(
    (line, i) => `           qemu-1145    [001] d..1.    34.35330${i}: ${line}\n`,
  );
  writeFileSync(file, `# tracer: nop\n#\n${text.join("")}`);
  const given: TraceOptions = { ...NO_OPTIONS, ...options, traces: [file] };
  return await runTrace(file, given, [], REQUEST, architectures);
}

const NO_OPTIONS: Omit<TraceOptions, "traces"> = {
  "input-format": undefined,
  probes: undefined,
  instance: undefined,
  "line-template": undefined,
  quiet: true,
  debug: false,
  cpu: undefined,
  "page-size": undefined,
  "ipa-bits": undefined,
  "nested-pa-bits": undefined,
  kernel: undefined,
  start: undefined,
  policy: undefined,
  "policy-file": undefined,
  flag: undefined,
  memslots: undefined,
};

describe("an architecture in the registry", () => {
  it("is recognised and replayed by the commands' own way", async () => {
    const { architecture, result, policies } = await run([FENCE, UNMAP, UNMAP]);
    expect(architecture.architecture?.id).toBe("riscv");
    expect(architecture.because).toBe("it has kvm_riscv_fence events");
    expect(policies.map(({ id }) => id)).toEqual(["riscv-gvma-all"]);
    expect(result.flushes).toMatchObject([{ path: "unmap", primitive: "VM", calls: 2, tlbi: 0 }]);
  });

  it("is chosen by one of its policies where nothing else tells", async () => {
    const { architecture } = await run([UNMAP], { policy: ["riscv-gvma-all"] });
    expect(architecture.because).toBe("--policy names riscv-gvma-all");
  });

  it("takes no policy of another", async () => {
    for (const [lines, policy, sentence] of [
      [[FENCE, UNMAP], "x86-once-5.18", /is a policy of x86 KVM, and .* is a trace of RISC-V KVM/],
      [[ENTRY], "riscv-gvma-all", /is a policy of RISC-V KVM, and .* is a trace of x86 KVM/],
      [[ENTRY], "range-6.9", /is a policy of arm64 KVM, and .* is a trace of x86 KVM/],
    ] as const) {
      await expect(run(lines, { policy: [policy] })).rejects.toMatchObject({
        code: "BAD_OPTION",
        message: expect.stringMatching(sentence),
      });
    }
  });

  it("says what it left alone of a mixed trace", async () => {
    const { reader, result } = await run([ENTRY, FENCE, UNMAP], {
      policy: ["x86-once-5.18"],
    });
    expect(result.flushes).toMatchObject([{ path: "unattributed", calls: 0, unknown_calls: 1 }]);
    expect(reader.diagnostics.hasDataLoss).toBe(true);
    expect(reader.diagnostics.examples.map(({ detail }) => detail)).toContain(
      "replayed as x86 KVM (it has kvm_tdp_mmu_spte_changed events); it has kvm_riscv_fence events of RISC-V KVM, which were left alone",
    );
  });
});

describe("whose trace it is", () => {
  const sight = { names: [], kinds: undefined, version: undefined, policies: [] };

  it("is told by what was saved beside it, after its events and before the policies", () => {
    const version = { value: "Linux h 6.12 x86_64 GNU/Linux", origin: "uname.txt" };
    expect(
      detectArchitecture(ARCHITECTURES, { ...sight, version, policies: ["range-6.9"] }),
    ).toMatchObject({ because: "uname.txt says x86_64", isSure: false });
    const kinds = new Map([["map" as const, 3]]);
    expect(detectArchitecture(ARCHITECTURES, { ...sight, version, kinds })).toMatchObject({
      because: "it has map events",
      isSure: true,
    });
  });

  it("is not known where nothing tells", () => {
    expect(detectArchitecture(ARCHITECTURES, sight)).toMatchObject({
      architecture: undefined,
      because: "neither its events nor a file beside it tell",
    });
  });
});
