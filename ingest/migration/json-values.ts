/**
 * The JSON values of a text that holds one, or several behind each other, as a QMP session or a loop of
 * queries leaves them, with whatever else a terminal printed between them.
 */
export function jsonValues(text: string): {
  readonly values: readonly unknown[];
  /** Places where a value begins that is not complete. */
  readonly broken: number;
} {
  const values: unknown[] = [];
  let broken = 0;
  for (let at = 0; at < text.length; ) {
    const start = nextStart(text, at);
    if (start < 0) break;
    const end = valueEnd(text, start);
    const value = end < 0 ? undefined : parsed(text.slice(start, end));
    if (value === undefined) {
      broken += 1;
      // A bracket of something else on this line, or a value that was cut: what follows may be whole.
      const line = text.indexOf("\n", start);
      at = line < 0 ? text.length : line + 1;
    } else {
      values.push(value);
      at = end;
    }
  }
  return { values, broken };
}

function nextStart(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    const char = text[at];
    if (char === "{" || char === "[") return at;
  }
  return -1;
}

/** End of the object or array that begins there; -1 where it has none. */
function valueEnd(text: string, start: number): number {
  let depth = 0;
  let isInString = false;
  for (let at = start; at < text.length; at += 1) {
    const char = text[at];
    if (isInString) {
      if (char === "\\") at += 1;
      else if (char === '"') isInString = false;
    } else if (char === '"') isInString = true;
    else if (char === "{" || char === "[") depth += 1;
    else if (char === "}" || char === "]") {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
