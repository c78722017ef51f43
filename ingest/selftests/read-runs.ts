import { TraceError } from "../errors.ts";
import {
  type DirtyLogRun,
  PAGE_TABLE_STAGES,
  type PageTableRun,
  type PageTableStage,
  type SelftestRun,
} from "./runs.ts";

const KIB = 1024;
/** `Testing guest mode: PA-bits:40,  VA-bits:48,  4K pages`: each run begins so. */
const MODE = /guest mode:.*?(\d+)K pages/;
const COMMAND = /(?:^|[\s/])(kvm_page_table_test|dirty_log_perf_test)\b(.*)$/;
const STAGE = /^KVM_(\w+?)_MAPPINGS: total execution time: (\d+\.\d+)s/;
const RANGE = /guest physical test memory: \[(0x[0-9a-f]+), (0x[0-9a-f]+)\)/;
const ITERATION = /^Iteration (\d+) (dirty memory|get dirty log|clear dirty log) time: (\d+\.\d+)s/;
const ENABLE = /^Enabling dirty logging time: (\d+\.\d+)s/;
const DISABLE = /^Disabling dirty logging time: (\d+\.\d+)s/;
const ANY_TIME = /\btime: \d+\.\d+s/;
/** Known, and nothing to calibrate with: it holds the host's page faults. */
const POPULATE = /^Populate memory time:/;

const BACKINGS: readonly (readonly [RegExp, number])[] = [
  [/hugetlb_1gb|1gb/i, KIB ** 3],
  [/hugetlb_512mb/i, 512 * KIB ** 2],
  [/hugetlb_32mb/i, 32 * KIB ** 2],
  [/hugetlb_2mb|thp/i, 2 * KIB ** 2],
  [/hugetlb_64kb/i, 64 * KIB],
];

interface Draft {
  readonly line: number;
  readonly pageBytes: number;
  readonly command: string;
  memoryBytes: number;
  vcpus: number | undefined;
  backingBytes: number | undefined;
  readonly stages: Partial<Record<PageTableStage, number>>;
  readonly dirty: number[];
  readonly get: number[];
  readonly clear: number[];
  enable: number | undefined;
  disable: number | undefined;
  readonly leftOut: string[];
}

/**
 * Every run that a text holds: output of kvm_page_table_test and dirty_log_perf_test, with or without the
 * command lines in front.
 * @param vcpus of runs that do not say it. @throws TraceError WRONG_FORMAT where there is none.
 */
export function readSelftestRuns(
  text: string,
  path: string,
  vcpus?: number,
): readonly SelftestRun[] {
  const drafts: Draft[] = [];
  let command = "";
  for (const [at, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    const named = COMMAND.exec(line);
    if (named !== null) command = `${named[1]}${named[2]}`;
    const mode = MODE.exec(line);
    if (mode !== null) {
      drafts.push(newDraft(at + 1, Number(mode[1]) * KIB, command));
      command = "";
    } else {
      const draft = drafts.at(-1);
      if (draft !== undefined) readLine(line, draft);
    }
  }
  const runs = drafts.flatMap((draft) => finish(draft, path, vcpus));
  if (runs.length > 0) return runs;
  throw new TraceError(
    "WRONG_FORMAT",
    "this is no output of kvm_page_table_test or dirty_log_perf_test",
    path,
    "it has lines such as 'Testing guest mode: …' and 'KVM_ADJUST_MAPPINGS: total execution time: …'",
  );
}

function newDraft(line: number, pageBytes: number, command: string): Draft {
  const backing = option(command, "s");
  return {
    line,
    pageBytes,
    command,
    memoryBytes: 0,
    vcpus: wholeNumber(option(command, "v")),
    backingBytes: backing === undefined ? undefined : bytesOfBacking(backing, pageBytes),
    stages: {},
    dirty: [],
    get: [],
    clear: [],
    enable: undefined,
    disable: undefined,
    leftOut: [],
  };
}

function readLine(line: string, draft: Draft): void {
  const stage = STAGE.exec(line);
  const name = PAGE_TABLE_STAGES.find((one) => one === stage?.[1]);
  if (stage !== null && name !== undefined) {
    draft.stages[name] = Number(stage[2]);
    return;
  }
  if (readSetting(line, draft)) return;
  const iteration = ITERATION.exec(line);
  if (iteration !== null) {
    const list = { "dirty memory": draft.dirty, "get dirty log": draft.get }[iteration[2]!];
    (list ?? draft.clear)[Number(iteration[1]) - 1] = Number(iteration[3]);
    return;
  }
  const enable = ENABLE.exec(line);
  const disable = DISABLE.exec(line);
  if (enable !== null) draft.enable = Number(enable[1]);
  else if (disable !== null) draft.disable = Number(disable[1]);
  else if (ANY_TIME.test(line) && !POPULATE.test(line)) draft.leftOut.push(line);
}

/** Size, vCPUs and backing; true where the line tells one of them. */
function readSetting(line: string, draft: Draft): boolean {
  const size = /^Testing memory size\(aligned\): (0x[0-9a-f]+)/.exec(line)?.[1];
  const granularity = /^Testing memory backing src granularity: (0x[0-9a-f]+)/.exec(line)?.[1];
  const vcpus = /^Number of testing vCPUs: (\d+)/.exec(line)?.[1];
  const range = RANGE.exec(line);
  if (size !== undefined) draft.memoryBytes = Number(size);
  else if (granularity !== undefined) draft.backingBytes = Number(granularity);
  else if (vcpus !== undefined) draft.vcpus = Number(vcpus);
  else if (range !== null) draft.memoryBytes = Number(range[2]) - Number(range[1]);
  else return false;
  return true;
}

function finish(draft: Draft, path: string, vcpus: number | undefined): readonly SelftestRun[] {
  const { memoryBytes, pageBytes, backingBytes, leftOut, command } = draft;
  const any = {
    name: `${path}:${draft.line}`,
    vcpus: draft.vcpus ?? vcpus,
    memoryBytes,
    pageBytes,
    backingBytes,
    leftOut,
  };
  if (!(memoryBytes > 0)) return [];
  if (Object.keys(draft.stages).length > 0) {
    const run: PageTableRun = { kind: "kvm_page_table_test", ...any, stagesS: draft.stages };
    return [run];
  }
  if (draft.dirty.length === 0 && draft.get.length === 0) return [];
  const fraction = wholeNumber(option(command, "f")) ?? 1;
  const run: DirtyLogRun = {
    kind: "dirty_log_perf_test",
    ...any,
    dirtyS: dense(draft.dirty),
    getS: dense(draft.get),
    clearS: dense(draft.clear),
    enableS: draft.enable,
    disableS: draft.disable,
    slots: wholeNumber(option(command, "x")) ?? 1,
    writeShare: 1 / fraction,
  };
  return [run];
}

/** Up to the first iteration that is missing. */
function dense(times: readonly (number | undefined)[]): readonly number[] {
  const all: number[] = [];
  for (const time of times) {
    if (time === undefined) break;
    all.push(time);
  }
  return all;
}

/** Value of `-x value` or `-xvalue`. */
function option(command: string, letter: string): string | undefined {
  return new RegExp(`(?:^|\\s)-${letter}\\s*([^\\s-]\\S*)`).exec(command)?.[1];
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) && Number(text) > 0 ? Number(text) : undefined;
}

function bytesOfBacking(name: string, pageBytes: number): number | undefined {
  const found = BACKINGS.find(([pattern]) => pattern.test(name));
  if (found !== undefined) return found[1];
  return /^(?:anonymous|shmem|shared|default)$/.test(name) ? pageBytes : undefined;
}
