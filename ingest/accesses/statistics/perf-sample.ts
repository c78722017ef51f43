/** One line of perf script that tells an address. */
export interface PerfSample {
  readonly pid: string;
  /** NaN where it is not printed. */
  readonly seconds: number;
  readonly event: string;
  /** Hexadecimal. */
  readonly va: string;
  /** Hexadecimal; undefined where it is not printed. */
  readonly pa: string | undefined;
  /** By the data source, where it is printed. */
  readonly isStore: boolean;
}

const TIME = /^\d{1,12}\.\d{6,9}:$/;
const TASK = /^-?\d+(?:\/-?\d+)?$/;
const HEX = /^[0-9a-f]{1,16}$/;
const CPU = /^\[\d+\]$/;

/**
 * Takes a line of `perf script -F comm,pid,tid,cpu,time,event,addr[,data_src][,phys_addr]` apart: what
 * stands behind the event must be the address, then what `data_src` prints, then the physical address, and
 * nothing else. (A `weight` or an `ip` could not be told from an address.)
 */
export function parsePerfSample(text: string): PerfSample | undefined {
  const words = text.trim().split(/\s+/);
  const time = words.findIndex((word) => TIME.test(word));
  const event = words.findIndex((word, i) => i > Math.max(time, 0) && isEvent(word));
  if (event < 1) return undefined;
  const before = words.slice(0, time >= 0 ? time : event);
  const task = before.findLastIndex((word) => TASK.test(word) && !CPU.test(word));
  if (task < 1) return undefined;
  const [va, ...behind] = words.slice(event + 1);
  if (va === undefined || !HEX.test(va)) return undefined;
  const source = behind.findIndex((word) => word.startsWith("|OP"));
  // Before the data source in words stands its number; the words end with a part that has a bar in it.
  const rest =
    source < 0 ? behind : behind.slice(behind.findLastIndex((word) => word.includes("|")) + 1);
  const last = source < 0 ? rest : withoutWords(rest);
  if (last.length > 1 || (last[0] !== undefined && !HEX.test(last[0]))) return undefined;
  return {
    pid: before[task]!.split("/")[0]!,
    seconds: time < 0 ? Number.NaN : Number(words[time]!.slice(0, -1)),
    event: words[event]!.replace(/:+$/, ""),
    va,
    pa: last[0],
    isStore: source >= 0 && behind[source + 1]?.startsWith("STORE") === true,
  };
}

function isEvent(word: string): boolean {
  return word.length > 1 && word.endsWith(":") && !TIME.test(word);
}

/** The last part of a data source may go on in words (`|BLK  N/A`): an address has more digits. */
function withoutWords(words: readonly string[]): readonly string[] {
  const last = words.at(-1);
  return last !== undefined && HEX.test(last) && last.length >= 4 ? [last] : [];
}
