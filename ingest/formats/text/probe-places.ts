import type { EventName } from "./event-names.ts";
import type { ProbeDefinitions } from "../../vocabulary/probe-definitions.ts";
import { isBareAddress, type ProbePoint, readProbePoint, withDeclared } from "./probe-point.ts";

/** A probe whose function cannot be told: its line is a loss. */
export interface LostProbe {
  readonly lost: string;
}

/** How a text says where a probe sits, and which function that is. */
export interface ProbePlaces {
  /** Undefined: the location, as cut out of a line, is none. */
  pointOf(name: EventName, location: Uint8Array): ProbePoint | LostProbe | undefined;
}

/** The kernel prints the function's symbol; other programs that could not look it up do not. */
export const KERNEL_PLACES: ProbePlaces = {
  pointOf(_name: EventName, location: Uint8Array): ProbePoint | LostProbe | undefined {
    const point = readProbePoint(location);
    if (point !== undefined) return point;
    if (Buffer.from(location).toString("latin1").startsWith("__probe_")) {
      return { lost: "a probe printed with the `fields` option, without its function" };
    }
    return isBareAddress(location)
      ? { lost: "a probe without its function's name (text that another program printed)" }
      : undefined;
  },
};

/** The kernel's text, with the list that defined its probes: it says what the user's argument names stand for. */
export function kernelPlacesWith(definitions: ProbeDefinitions): ProbePlaces {
  if (definitions.count === 0) return KERNEL_PLACES;
  return {
    pointOf(name: EventName, location: Uint8Array): ProbePoint | LostProbe | undefined {
      const point = KERNEL_PLACES.pointOf(name, location);
      if (point === undefined || "lost" in point) return point;
      return withDeclared(point, definitions.of(name.name, name.group));
    },
  };
}
