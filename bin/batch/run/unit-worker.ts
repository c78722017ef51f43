/** A worker process of a batch: one trace at a time, its result straight to the store. */
import v8 from "node:v8";
import workerpool from "workerpool";
import { openStore } from "../store/open-store.ts";
import type { ResultStore } from "../store/result-store.ts";
import { resultJson } from "../../../reports/batch/result-document.ts";
import { runUnit } from "../unit.ts";
import { failureOf, type UnitOutcome } from "./outcome.ts";
import { OUT_OF_MEMORY_EXIT, type UnitJob } from "./unit-job.ts";

const WATCH_MS = 100;

let opened: { readonly text: string; readonly store: ResultStore } | undefined;

async function storeOf(text: string): Promise<ResultStore> {
  if (opened?.text === text) return opened.store;
  opened?.store.close();
  opened = { text, store: await openStore(text) };
  return opened.store;
}

async function unit(job: UnitJob): Promise<UnitOutcome> {
  const look = (): void => {
    if (process.memoryUsage.rss() > job.maxMemoryBytes) process.exit(OUT_OF_MEMORY_EXIT);
  };
  const watch = setInterval(look, WATCH_MS);
  look();
  try {
    const document = await runUnit(job.item, job.shared, job.setting);
    const store = await storeOf(job.store);
    await store.write("results", job.item.key, resultJson(document));
    const [input] = document.summary.inputs;
    const isLossy = input?.losses.length !== 0 || document.summary.inference !== undefined;
    return { ok: true, isLossy };
  } catch (error) {
    return failureOf(error);
  } finally {
    clearInterval(watch);
  }
}

// As in the executable: see there.
v8.setFlagsFromString("--semi-space-growth-factor=1");
workerpool.worker({ unit });
