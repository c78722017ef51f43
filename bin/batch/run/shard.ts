import { badOption, type RawValue, single } from "../../values.ts";

/** One of several equal parts of a batch. */
export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
  /** Where it comes from: `--shard`, or names of variables. */
  readonly origin: string;
}

const MOST = 1_000_000;

/** `2/8`: the second of eight. @throws TraceError BAD_OPTION. */
export function parseShard(raw: RawValue): Shard {
  const text = single("shard", raw);
  const match = /^(\d{1,7})\/(\d{1,7})$/.exec(text);
  const index = Number(match?.[1]);
  const count = Number(match?.[2]);
  if (match === null || index < 1 || index > count || count > MOST) {
    throw badOption("shard", `'${text}' is not a part such as 1/8, 2/8, … 8/8`);
  }
  return { index, count, origin: "--shard" };
}

/**
 * The part that a scheduler gave this process: a task of a Slurm array, or a pod of a Kubernetes Indexed
 * Job, which knows its number but not how many there are (the recipe sets JOB_COMPLETIONS). Undefined where
 * there is none.
 * @throws TraceError BAD_OPTION where the variables contradict each other.
 */
export function shardOfEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Shard | undefined {
  const task = numberOf(environment, "SLURM_ARRAY_TASK_ID");
  if (task !== undefined) {
    const count = needed(environment, "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_ID");
    const first = numberOf(environment, "SLURM_ARRAY_TASK_MIN") ?? 0;
    const step = numberOf(environment, "SLURM_ARRAY_TASK_STEP") ?? 1;
    const index = (task - first) / Math.max(1, step) + 1;
    return checked(index, count, "SLURM_ARRAY_TASK_ID, _MIN, _STEP and _COUNT");
  }
  const completion = numberOf(environment, "JOB_COMPLETION_INDEX");
  if (completion === undefined) return undefined;
  const count = needed(environment, "JOB_COMPLETIONS", "JOB_COMPLETION_INDEX");
  return checked(completion + 1, count, "JOB_COMPLETION_INDEX and JOB_COMPLETIONS");
}

/** The part's items: every count-th of all, the largest first, so that the parts are about equal. */
export function itemsOfShard<Item extends { readonly bytes: number; readonly key: string }>(
  items: readonly Item[],
  shard: Shard | undefined,
): readonly Item[] {
  const bySize = items.toSorted((a, b) => b.bytes - a.bytes || (a.key < b.key ? -1 : 1));
  if (shard === undefined) return bySize;
  return bySize.filter((_item, i) => i % shard.count === shard.index - 1);
}

function numberOf(
  environment: Readonly<Record<string, string | undefined>>,
  name: string,
): number | undefined {
  const text = environment[name];
  if (text === undefined || text === "") return undefined;
  if (!/^\d{1,9}$/.test(text)) throw badOption("shard", `${name} is '${text}', not a number`);
  return Number(text);
}

function needed(
  environment: Readonly<Record<string, string | undefined>>,
  name: string,
  beside: string,
): number {
  const value = numberOf(environment, name);
  if (value !== undefined) return value;
  throw badOption(
    "shard",
    `${beside} is set, and ${name} is not: how many parts there are is not known`,
    `set ${name}, or give --shard i/n`,
  );
}

function checked(index: number, count: number, origin: string): Shard {
  if (!Number.isInteger(index) || index < 1 || index > count || count > MOST) {
    throw badOption("shard", `${origin} do not name a part of the batch`, "give --shard i/n");
  }
  return { index, count, origin };
}
