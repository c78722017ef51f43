import type { UniqueCurve } from "../../replay/migration/dirty-process.ts";
import type { Ranged } from "../../replay/migration/distribution.ts";
import type { DirtyLogMode, VmmId } from "../../replay/migration/vmm.ts";

/** A value and who says so. */
export interface Given<Value> {
  readonly value: Value;
  readonly origin: string;
}

/** What a trace or a VMM's report says of a migration; options override each, assumptions fill the rest. */
export interface SourceFacts {
  readonly memoryBytes?: Given<number>;
  readonly zeroBytes?: Given<number>;
  readonly vcpus?: Given<number>;
  /** Leaves that backed the guest before logging. */
  readonly blockBytes?: Given<number>;
  readonly bandwidth?: Given<Ranged>;
  readonly downtimeLimitS?: Given<number>;
  readonly dirtyRate?: Given<number>;
  readonly curve?: Given<UniqueCurve>;
  readonly dirtyLog?: Given<DirtyLogMode>;
  readonly vmm?: Given<VmmId>;
  /** Valid PTEs below each block that a roll-back has to put together, in order. */
  readonly blockPtes?: Given<Float64Array>;
  /** The same with every PTE that the trace leaves open; absent where it leaves none. */
  readonly blockPtesMost?: Float64Array;
  readonly faultingVcpus?: Given<number>;
  /** Factors on the writing pace, one a replicate: the trace's intervals drawn again. */
  readonly paces?: Given<readonly number[]>;
  readonly warnings: readonly Warning[];
}

/** What a reader has to know; of a value only where the estimate uses it from this origin. */
export interface Warning {
  readonly text: string;
  readonly ofOrigin?: string;
}

/** Those that hold for an estimate with these settings. */
export function warningsOf(
  warnings: readonly Warning[],
  settings: readonly { readonly origin: string }[],
): readonly string[] {
  return warnings
    .filter(
      ({ ofOrigin }) =>
        ofOrigin === undefined || settings.some(({ origin }) => origin === ofOrigin),
    )
    .map(({ text }) => text);
}

/** The first source that has it. */
export function firstOf<Value>(
  ...given: readonly (Given<Value> | undefined)[]
): Given<Value> | undefined {
  return given.find((one) => one !== undefined);
}

/** An option as a source; undefined where it is not given. */
export function fromOption<Value>(
  name: string,
  value: Value | undefined,
): Given<Value> | undefined {
  return value === undefined ? undefined : { value, origin: `--${name}` };
}
