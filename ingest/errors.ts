/** Why a run cannot go on. The command line prints `message` (and `hint`) as one sentence and exits with the code's status. */
export type TraceErrorCode =
  | "UNREADABLE"
  | "EMPTY"
  | "BINARY"
  | "WRONG_FORMAT"
  | "UNSUPPORTED_LAYOUT"
  | "UNSUPPORTED_COMPRESSION"
  | "WRONG_ARCHITECTURE"
  | "NO_EVENTS"
  | "BAD_OPTION"
  | "BAD_POLICY_FILE"
  | "BAD_COST_FILE"
  | "BAD_MANIFEST"
  | "UNKNOWN_KERNEL"
  | "UNWRITABLE"
  | "TOO_LARGE"
  | "TRACE_CHANGED"
  | "OUTSIDE_ROOT";

export class TraceError extends Error {
  readonly code: TraceErrorCode;
  readonly hint: string | undefined;
  /** `path:line` or `path` in front of the sentence. */
  readonly where: string | undefined;

  constructor(code: TraceErrorCode, message: string, where?: string, hint?: string) {
    super(message);
    this.name = "TraceError";
    this.code = code;
    this.where = where;
    this.hint = hint;
  }
}
