/** Who wrote a report: stands in every summary and in the metadata of every Arrow file. */
export interface ToolIdentity {
  readonly name: string;
  readonly version: string;
}
