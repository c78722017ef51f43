import { RECORDED } from "../totals.ts";
import { SERIES } from "./theme.ts";

/** Colours of policies: the same through the page; grey for what was recorded, and where they run out. */
export function colourOf(policy: string, policies: readonly string[]): string {
  const grey = SERIES.at(-1)!;
  if (policy === RECORDED) return grey;
  const at = policies.filter((name) => name !== RECORDED).indexOf(policy);
  return at >= 0 && at < SERIES.length - 1 ? SERIES[at]! : grey;
}
