import type { Ranged } from "../../replay/migration/distribution.ts";
import { durationText } from "../../replay/migration/significant.ts";
import { sizeText } from "../../reports/downtime/units.ts";
import type { SettingEntry } from "../../reports/summary.ts";
import type { Given, SourceFacts } from "./source-facts.ts";
import type { DowntimeValues } from "./values.ts";

/** Effective values with their origins, in the order in which they were settled. */
export class SettingList {
  readonly #entries: SettingEntry[] = [];

  get entries(): readonly SettingEntry[] {
    return this.#entries;
  }

  text(name: string, value: string, origin: string): void {
    this.#entries.push({ name, value, origin });
  }

  /** A size in bytes, or nothing where it is not given. */
  size(name: string, given: Given<number> | undefined): number | undefined {
    if (given !== undefined) this.text(name, sizeText(given.value), given.origin);
    return given?.value;
  }

  sizes(name: string, { value, origin }: Given<Ranged>): void {
    const { low, high } = value;
    this.text(name, low === high ? sizeText(low) : `${sizeText(low)} to ${sizeText(high)}`, origin);
  }

  /** `--zero-pages`, what a report says, or none. */
  sizeOr(name: string, values: DowntimeValues, facts: SourceFacts): number {
    const option = values["zero-pages"];
    const given =
      option === undefined ? facts.zeroBytes : { value: option, origin: "--zero-pages" };
    return this.size(name, given) ?? 0;
  }

  count(name: string, { value, origin }: Given<number>): number {
    this.text(name, String(value), origin);
    return value;
  }

  rate(name: string, given: Given<Ranged> | undefined): Ranged | undefined {
    if (given === undefined) return undefined;
    const { low, high } = given.value;
    this.text(
      name,
      low === high ? rateText(low) : `${rateText(low)} to ${rateText(high)}`,
      given.origin,
    );
    return given.value;
  }

  time(name: string, given: Given<number> | undefined): void {
    if (given !== undefined) this.text(name, durationText(given.value), given.origin);
  }
}

function rateText(bytesPerS: number): string {
  return `${Number((bytesPerS / 1e6).toPrecision(6))} MB/s`;
}
