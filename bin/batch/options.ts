import { availableParallelism } from "node:os";
import type { Argv } from "yargs";
import { badOption, byteCount, type RawValue, single, wholeNumber } from "../values.ts";
import { DEFAULT_QUEUE, QUEUE_NAME } from "./queue/queue-name.ts";
import type { PoolSetting } from "./run/unit-pool.ts";
import { parseShard, type Shard } from "./run/shard.ts";

/** The options that several batch commands share, each defined once. */

const WORK = "Work:";
const OUTPUT = "Output:";
const QUEUE = "Queue:";

interface ValueTypes {
  results: string;
  jobs: number;
  shard: Shard;
  retries: number;
  "retry-delay": number;
  timeout: number;
  "max-memory": number;
  "max-unpacked": number;
  root: string;
  redis: string;
  queue: string;
}
type BatchOptionName = keyof ValueTypes;

interface Spec<Value> {
  readonly group: string;
  readonly describe: string;
  readonly coerce: (raw: RawValue) => Value;
}

const SPECS: { readonly [Name in BatchOptionName]: Spec<ValueTypes[Name]> } = {
  results: {
    group: OUTPUT,
    describe: "Store of results: a folder, or s3://BUCKET/PREFIX",
    coerce: (raw) => single("results", raw),
  },
  jobs: {
    group: WORK,
    describe: `Traces worked on at once, 1 to 256 (default: ${availableParallelism()}, the CPUs here)`,
    coerce: (raw) => wholeNumber("jobs", raw, 1, 256),
  },
  shard: {
    group: WORK,
    describe:
      "Part of the batch, such as 2/8 (default: by SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX, else all)",
    coerce: (raw) => parseShard(raw),
  },
  retries: {
    group: WORK,
    describe:
      "Attempts after the first, where another may help (a lost worker, an unreadable file), 0 to 100 (default: 2)",
    coerce: (raw) => wholeNumber("retries", raw, 0, 100),
  },
  "retry-delay": {
    group: WORK,
    describe: "Milliseconds before the first of them, doubled with each (default: 500)",
    coerce: (raw) => wholeNumber("retry-delay", raw, 0, 3_600_000),
  },
  timeout: {
    group: WORK,
    describe: "Most seconds for one trace (default: 3600)",
    coerce: (raw) => wholeNumber("timeout", raw, 1, 1_000_000),
  },
  "max-memory": {
    group: WORK,
    describe: "Most memory of one worker, with M or G (default: 2G)",
    coerce: (raw) => byteCount("max-memory", raw),
  },
  "max-unpacked": {
    group: WORK,
    describe: "Most bytes that a packed trace may unpack to, with M or G (default: 64G)",
    coerce: (raw) => byteCount("max-unpacked", raw),
  },
  root: {
    group: WORK,
    describe: "Folder that every trace must be in (default: the manifest's)",
    coerce: (raw) => single("root", raw),
  },
  redis: {
    group: QUEUE,
    describe:
      "redis://HOST:PORT/DATABASE without a password (default: TLBI_REPLAY_REDIS_URL, REDIS_URL, else 127.0.0.1)",
    coerce: (raw) => single("redis", raw),
  },
  queue: {
    group: QUEUE,
    describe: `Name of the queue (default: ${DEFAULT_QUEUE})`,
    coerce: parseQueueName,
  },
};

function parseQueueName(raw: RawValue): string {
  const name = single("queue", raw);
  if (!QUEUE_NAME.test(name)) throw badOption("queue", "is made of letters, digits, '.', '_', '-'");
  return name;
}

/** Undefined where an option is not given. */
export type BatchValues<Name extends BatchOptionName> = {
  readonly [Each in Name]: ValueTypes[Each] | undefined;
};

/** How traces are worked on, wherever the work comes from. */
export const WORK_OPTIONS: readonly WorkOption[] = [
  "jobs",
  "timeout",
  "max-memory",
  "max-unpacked",
  "root",
];
export type WorkOption = "jobs" | "timeout" | "max-memory" | "max-unpacked" | "root";

export const DEFAULT_RETRIES = 2;
export const DEFAULT_RETRY_DELAY_MS = 500;
const DEFAULT_TIMEOUT_S = 3600;
const GIB = 2 ** 30;
const DEFAULT_MEMORY_BYTES = 2 * GIB;
const DEFAULT_CONTENT_BYTES = 64 * GIB;

export function withBatchOptions<T, Name extends BatchOptionName>(
  yargs: Argv<T>,
  ...names: readonly Name[]
): Argv<T & BatchValues<Name>> {
  let declared: Argv<unknown> = yargs;
  for (const name of names) {
    declared = declared.option(name, { type: "string", requiresArg: true, ...SPECS[name] });
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of yargs cannot follow a loop
  return declared as Argv<T & BatchValues<Name>>;
}

/** The setting of a pool that these options ask for. */
export function poolSettingOf(args: BatchValues<WorkOption>, store: string): PoolSetting {
  return {
    jobs: args.jobs ?? availableParallelism(),
    store,
    timeoutMs: (args.timeout ?? DEFAULT_TIMEOUT_S) * 1000,
    maxMemoryBytes: args["max-memory"] ?? DEFAULT_MEMORY_BYTES,
    maxContentBytes: args["max-unpacked"] ?? DEFAULT_CONTENT_BYTES,
    root: args.root,
  };
}
