import type { PublishedCase } from "./published-case.ts";
import { YE_2020 } from "./ye-2020.ts";

/** What `downtime --case` takes. */
export const CASES: readonly PublishedCase[] = [YE_2020];
