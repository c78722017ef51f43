import type { EventKindName } from "../../ingest/events/kinds.ts";
import type { Architecture } from "./architecture.ts";

/** What is known of a trace so far. */
export interface TraceSight {
  readonly names: Iterable<string>;
  /** Events by kind; undefined where they were not counted. */
  readonly kinds: ReadonlyMap<EventKindName, number> | undefined;
  /** `uname -a` or /proc/version, and where it was saved. */
  readonly version: { readonly value: string; readonly origin: string } | undefined;
  /** Ids of `--policy`. */
  readonly policies: readonly string[];
}

export interface ArchitectureFound {
  /** Undefined: nothing tells. */
  readonly architecture: Architecture | undefined;
  /** What tells it, in words. */
  readonly because: string;
  /** Whether its events tell it, and not what stands beside them. */
  readonly isSure: boolean;
  /** Others whose events the trace has too: it is mixed. */
  readonly others: readonly { readonly architecture: Architecture; readonly because: string }[];
}

/**
 * Whose KVM recorded a trace: by the kinds of its events, by their names, by what was saved beside it, and
 * last by the policies that were asked for.
 */
export function detectArchitecture(
  architectures: readonly Architecture[],
  sight: TraceSight,
): ArchitectureFound {
  const names = [...sight.names];
  const byKind = architectures.map((one) =>
    one.kinds.find((kind) => (sight.kinds?.get(kind) ?? 0) > 0),
  );
  const byName = architectures.map((one) => names.find((name) => one.events.test(name)));
  const seen = architectures.flatMap((architecture, i) => {
    const event = byName[i] ?? byKind[i];
    return event === undefined
      ? []
      : [{ architecture, because: `it has ${event} events`, isKind: byKind[i] !== undefined }];
  });
  // Names that anybody may give a probe say less than what the probed functions are.
  const first = seen.find(({ isKind }) => isKind) ?? seen[0];
  if (first !== undefined) {
    return { ...first, isSure: true, others: seen.filter((one) => one !== first) };
  }
  return { ...besideEvents(architectures, sight), isSure: false, others: [] };
}

function besideEvents(
  architectures: readonly Architecture[],
  { version, policies }: TraceSight,
): Pick<ArchitectureFound, "architecture" | "because"> {
  for (const architecture of architectures) {
    const machine = architecture.machine.exec(version?.value ?? "")?.[0];
    if (machine !== undefined) {
      return { architecture, because: `${version!.origin} says ${machine}` };
    }
  }
  for (const architecture of architectures) {
    const asked = policies.find((id) => architecture.policies.some((policy) => policy.id === id));
    if (asked !== undefined) return { architecture, because: `--policy names ${asked}` };
  }
  return {
    architecture: undefined,
    because: "neither its events nor a file beside it tell",
  };
}
