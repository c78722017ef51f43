/** What a check found; an empty list of problems is a pass. */
export interface CheckResult {
  readonly name: string;
  readonly problems: readonly string[];
  /** Why it could not be made. */
  readonly skipped?: string;
  /** What was compared, for the person who reads the log. */
  readonly note: string;
}
