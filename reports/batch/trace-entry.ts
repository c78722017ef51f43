/** A trace of a fleet as the reports see it. */
export interface TraceEntry {
  /** Address of its result. */
  readonly key: string;
  /** Its name in the manifest. */
  readonly trace: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly host_model: string | null;
  readonly vm_type: string | null;
  readonly kernel: string | null;
  /** Free columns. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Why there is no result of a trace. `MISSING`: nobody has worked on it yet. */
export interface TraceProblem {
  readonly code: string;
  readonly message: string;
}

/** Where the manifest says nothing and the trace does not either. */
export const UNKNOWN = "unknown";
