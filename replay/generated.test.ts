/**
 * The replay against the generator, which has a page-table model of its own and counts what it writes:
 * two independent accounts of the same operations must agree call by call.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { generateTrace } from "../fixtures/generator/generate.ts";
import {
  BACKINGS,
  DEFAULT_OPTIONS,
  type GeneratorOptions,
  WORKLOADS,
} from "../fixtures/generator/options.ts";
import { GENERATED_PRIMITIVES, type GeneratedTruth } from "../fixtures/generator/truth.ts";
import type { EventBatch } from "../ingest/events/columns.ts";
import { EVENT_KINDS, UNKNOWN_CPU } from "../ingest/events/kinds.ts";
import { CSV_COLUMNS } from "../ingest/formats/csv/header.ts";
import { openTrace } from "../ingest/open-trace.ts";
import type { TraceReader } from "../ingest/reader.ts";
import { inChunks } from "../ingest/testing/read-text.ts";
import { replayConfig, resolveConfiguration } from "./configuration.ts";
import { Replay, type ReplayResult } from "./replay.ts";

interface Machine {
  readonly name: string;
  /** Whose call shapes the generator writes, and the version that the replay is told. */
  readonly shape: GeneratorOptions["kernel"];
  readonly version: string;
  readonly cpu: GeneratorOptions["cpu"];
}

const WITH = { tlbirange: true, fwb: true, lpa2: false } as const;
const WITHOUT = { tlbirange: false, fwb: false, lpa2: false } as const;
const MACHINES: readonly Machine[] = [
  { name: "6.1.192", shape: "6.1", version: "6.1.192", cpu: WITH },
  { name: "6.12", shape: "6.12", version: "6.12", cpu: WITH },
  { name: "6.12 without the features", shape: "6.12", version: "6.12", cpu: WITHOUT },
];

interface Generated {
  readonly text: string;
  readonly truth: GeneratedTruth;
}

async function generate(options: Partial<GeneratorOptions>): Promise<Generated> {
  const parts: string[] = [];
  const all: GeneratorOptions = { ...DEFAULT_OPTIONS, size: { events: 12_000 }, ...options };
  const truth = await generateTrace(all, (chunk) => {
    parts.push(chunk);
  });
  return { text: parts.join(""), truth };
}

function configurationOf({ version, cpu }: Machine, operationsOnly: boolean) {
  return resolveConfiguration(
    {
      kernel: version,
      cpu: cpu.tlbirange ? ["tlbirange", "fwb", "ttl"] : ["ttl"],
      pageSizeBytes: 4096,
      ipaBits: undefined,
      start: undefined,
      operationsOnly,
    },
    {},
  );
}

async function open(text: string): Promise<TraceReader> {
  // Cut where no line ends, so that chunk borders are part of what is tested.
  return await openTrace("-", { stdin: inChunks(Buffer.from(text, "latin1"), [65_521]) });
}

interface Run {
  readonly result: ReplayResult;
  readonly reader: TraceReader;
}

/** Replays a trace, and hands over each batch before the next is read. */
async function replay(
  text: string,
  machine: Machine,
  options: { readonly operationsOnly?: boolean; readonly each?: BatchListener } = {},
): Promise<Run> {
  const configuration = configurationOf(machine, options.operationsOnly ?? false);
  const reader = await open(text);
  const policy = configuration.recordedPolicy!;
  const config = replayConfig(configuration, [policy], true);
  const engine = new Replay(config, reader.pointers, reader.diagnostics);
  for await (const batch of reader.batches()) {
    engine.consume(batch);
    options.each?.(batch, reader);
  }
  return { result: engine.finish(), reader };
}
type BatchListener = (batch: EventBatch, reader: TraceReader) => void;

/** What must be true of a prediction that is exact, with what is not beside it. */
function verdict({ result, reader }: Run, truth: GeneratedTruth) {
  const fit = result.fits[0]!;
  const calls = GENERATED_PRIMITIVES.map((name) => {
    const { predicted, recorded, matched, missed, spurious, unknown } = fit.calls[name];
    return { name, predicted, recorded, matched, off: [missed, spurious, unknown] };
  });
  return {
    calls,
    hintMismatches: fit.hintMismatches,
    mismatches: fit.mismatches.slice(0, 3),
    losses: reader.diagnostics.hasDataLoss,
    events: reader.info().events - truth.events,
  };
}

function exact(truth: GeneratedTruth) {
  const calls = GENERATED_PRIMITIVES.map((name) => {
    const count = truth.primitives[name];
    return { name, predicted: count, recorded: count, matched: count, off: [0, 0, 0] };
  });
  return { calls, hintMismatches: 0, mismatches: [], losses: false, events: 0 };
}

function numberCell(value: number): string {
  return Number.isNaN(value) ? "" : String(value);
}

/** An event CSV from the columns of the batches, with the documented header. */
class CsvWriter {
  readonly #rows: string[] = [CSV_COLUMNS.map((column) => column.name).join(",")];

  add(batch: EventBatch, reader: TraceReader): void {
    const { pointers } = reader;
    const pointer = (id: number): string => (id === 0 ? "" : pointers.text(id));
    for (let row = 0; row < batch.length; row += 1) {
      const kind = EVENT_KINDS[batch.kind[row]!]!;
      const prot = (BigInt(batch.protHigh[row]!) << 32n) | BigInt(batch.prot[row]!);
      const cells: Readonly<Record<string, string>> = {
        ts_ns: String(batch.tsNs[row]!),
        cpu: batch.cpu[row] === UNKNOWN_CPU ? "" : String(batch.cpu[row]!),
        pid: String(batch.pid[row]!),
        event: kind,
        pgt: pointer(batch.pgt[row]!),
        mmu: pointer(batch.mmu[row]!),
        kvm: pointer(batch.kvm[row]!),
        addr: numberCell(batch.addr[row]!),
        len: numberCell(batch.len[row]!),
        phys: numberCell(batch.phys[row]!),
        prot: kind === "map" || kind === "relax_perms" ? `0x${prot.toString(16)}` : "",
        arg0: numberCell(batch.arg0[row]!),
        arg1: numberCell(batch.arg1[row]!),
        arg2: numberCell(batch.arg2[row]!),
        arg3: numberCell(batch.arg3[row]!),
      };
      this.#rows.push(CSV_COLUMNS.map((column) => cells[column.name]!).join(","));
    }
  }

  text(): string {
    return `${this.#rows.join("\n")}\n`;
  }
}

const WORK = WORKLOADS.flatMap((workload) => BACKINGS.map((backing) => ({ workload, backing })));
const SEEDS = [1, 20_260_917];

describe.each(MACHINES)("$name", (machine) => {
  const base: Partial<GeneratorOptions> = { kernel: machine.shape, cpu: machine.cpu };
  const seen = { VM: 0, IPA: 0, IPA_LOCAL: 0, RANGE: 0, CPU: 0 };

  it.each(WORK)("$workload on $backing: every call is predicted", async ({ workload, backing }) => {
    for (const seed of SEEDS) {
      const { text, truth } = await generate({ ...base, seed, workload, backing });
      const run = await replay(text, machine);
      expect(verdict(run, truth), `seed ${seed}`).toEqual(exact(truth));
      for (const name of GENERATED_PRIMITIVES) seen[name] += truth.primitives[name];

      const blind = await replay(text, machine, { operationsOnly: true });
      const { missed, spurious } = blind.result.fits[0]!;
      expect([missed, spurious], `operations only, seed ${seed}`).toEqual([0, 0]);
    }
  });

  it("these traces have every call that this machine can issue", () => {
    const issued = GENERATED_PRIMITIVES.filter((name) => seen[name] > 0);
    const wanted: Readonly<Record<string, readonly string[]>> = {
      "6.1.192": ["VM", "IPA", "CPU"],
      "6.12": ["IPA", "IPA_LOCAL", "RANGE", "CPU"],
      "6.12 without the features": ["VM", "IPA", "IPA_LOCAL", "CPU"],
    };
    expect(issued).toEqual(wanted[machine.name]);
  });

  it("a longer trace of several VMs", async () => {
    const size = { events: 40_000 };
    const { text, truth } = await generate({ ...base, seed: 3, vms: 5, vcpus: 3, size });
    expect(verdict(await replay(text, machine), truth)).toEqual(exact(truth));
  });

  it.each(WORKLOADS)("%s: the same events as CSV give the same result", async (workload) => {
    const { text, truth } = await generate({ ...base, seed: 9, workload });
    const csv = new CsvWriter();
    const fromText = await replay(text, machine, {
      each: (batch, reader) => {
        csv.add(batch, reader);
      },
    });
    const fromCsv = await replay(csv.text(), machine);
    expect(fromCsv.reader.info()).toMatchObject({ format: "csv", events: truth.events });
    expect(Object.fromEntries(fromCsv.reader.diagnostics.counts())).toEqual(
      Object.fromEntries(fromText.reader.diagnostics.counts()),
    );
    expect(fromCsv.result).toEqual(fromText.result);
    expect(verdict(fromCsv, truth)).toEqual(exact(truth));
  });
});

function onePageMore(line: string): string {
  return line.replace(/pages=(\d+)/, (_, pages) => `pages=${Number(pages) + 1}`);
}

describe("the comparison can fail", () => {
  const machine = MACHINES[1]!;
  let made: Generated;

  beforeAll(async () => {
    made = await generate({ kernel: machine.shape, cpu: machine.cpu, seed: 5 });
  });

  /** The trace with one line changed: the `at`th that has this event's name. */
  function changed(event: string, at: number, change: (line: string) => string | undefined) {
    const lines = made.text.split("\n");
    const places = lines.flatMap((line, i) => (line.includes(`: ${event}: (`) ? [i] : []));
    const place = places[at];
    if (place === undefined) throw new Error(`only ${places.length} ${event} in the trace`);
    const line = change(lines[place]!);
    lines.splice(place, 1, ...(line === undefined ? [] : [line]));
    // The header's count is corrected: a loss would be another finding.
    const count = made.truth.events - (line === undefined ? 1 : 0);
    return lines.join("\n").replace(/written: \d+\/\d+/, `written: ${count}/${count}`);
  }

  it.each([
    ["hw_vmid_range", "RANGE"],
    ["hw_vmid_ipa", "IPA"],
    ["hw_vmid_ipa_nsh", "IPA_LOCAL"],
  ] as const)("without one recorded %s, one %s is spurious", async (event, name) => {
    const run = await replay(
      changed(event, 3, () => undefined),
      machine,
    );
    const fit = run.result.fits[0]!;
    expect([fit.missed, fit.spurious]).toEqual([0, 1]);
    expect(fit.calls[name].spurious).toBe(1);
    expect(fit.calls[name].recorded).toBe(made.truth.primitives[name] - 1);
  });

  it("one page more in a recorded range is one call missed and one spurious", async () => {
    const run = await replay(changed("hw_vmid_range", 3, onePageMore), machine);
    const fit = run.result.fits[0]!;
    expect([fit.missed, fit.spurious]).toEqual([1, 1]);
  });

  it("another version is not exact", async () => {
    const run = await replay(made.text, { ...machine, version: "6.6.10" });
    const fit = run.result.fits[0]!;
    expect(fit.calls.IPA.missed).toBeGreaterThan(0);
  });

  it("an operation at another address than the invalidation", async () => {
    const run = await replay(
      changed("relax_perms", 3, (line) => line.replace(/addr=0x(\w+)/, "addr=0x7ffffff000")),
      machine,
    );
    const { missed, spurious } = run.result.fits[0]!;
    expect([missed, spurious]).toEqual([1, 1]);
  });
});
