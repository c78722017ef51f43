/** What one line of `bpftrace -f json` holds. */
export type JsonRecord =
  /** What printf printed; one that ends in a newline has lost it. */
  | { readonly kind: "printed"; readonly text: string }
  | { readonly kind: "lost"; readonly events: number }
  /** A map, a histogram, a message: no event. */
  | { readonly kind: "other"; readonly type: string };

/** Undefined: the line is no JSON of bpftrace. */
export function readJsonRecord(line: string): JsonRecord | undefined {
  const record = parseObject(line);
  if (record === undefined || !("type" in record) || typeof record.type !== "string") {
    return undefined;
  }
  const data = "data" in record ? record.data : undefined;
  if (record.type === "printf") {
    if (typeof data !== "string") return undefined;
    return { kind: "printed", text: data.endsWith("\n") ? data.slice(0, -1) : data };
  }
  if (record.type === "lost_events") {
    const isCounted =
      typeof data === "object" &&
      data !== null &&
      "events" in data &&
      Number.isSafeInteger(data.events);
    return { kind: "lost", events: isCounted ? Number(data.events) : Number.NaN };
  }
  return { kind: "other", type: record.type };
}

function parseObject(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
