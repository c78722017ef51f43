/**
 * A slow and obvious reading of the lines of a trace, to hold the fast one against: one regular expression a
 * layout, tried over the whole text. The comm is a number of bytes, whatever they are: so a comm with a
 * line end in it needs no rule of its own.
 */
export interface SlowEvent {
  readonly pid: number;
  readonly cpu: number;
  /** ns, or ticks. */
  readonly time: bigint;
  /** Undefined where the line gives a number instead. */
  readonly name: string | undefined;
}

export interface SlowReading {
  readonly layout: string;
  readonly events: readonly SlowEvent[];
  /** Of `CPU:1 [LOST 5 EVENTS]` and the like. */
  readonly lossLines: number;
}

interface SlowLayout {
  readonly name: string;
  readonly pattern: RegExp;
  readonly radix: 10 | 16;
  /** ns of one unit of `time` where there is no fraction and `unit` stands there. */
  readonly nsPerUnit: bigint;
}

const FLAGS = "[.0-9A-Za-z]{4,8}";
/** With the option fields the kernel prints a marker as `UNKNOWN TYPE 5`. */
const NAME = "(?<name>[^:\\s]+(?=:)|<[^\\n]*>(?=\\n|$)|UNKNOWN TYPE 5(?=\\n|$))";

const LAYOUTS: readonly SlowLayout[] = [
  {
    name: "default layout",
    pattern: new RegExp(
      `^(?!#)[^]{16}-(?<pid>\\d+) +(?:\\([ \\d-]+\\) )?\\[(?<cpu>\\d+)\\] (?:${FLAGS} )? *(?<time>\\d+)(?:\\.(?<fraction>\\d{6,9}))?: +${NAME}`,
      "gm",
    ),
    radix: 10,
    nsPerUnit: 1n,
  },
  {
    name: "latency format",
    pattern: new RegExp(
      `^(?!# )[^]{8}-(?<pid>\\d+) +(?<cpu>\\d+)[.A-Za-z][.0-9A-Za-z]{3,7} +(?<time>\\d+)(?<unit>us[ +!#*@$])?: ${NAME}`,
      "gm",
    ),
    radix: 10,
    nsPerUnit: 1000n,
  },
  {
    name: "verbose latency format",
    pattern: new RegExp(
      `^(?!#)[^]{16} +(?<pid>\\d+) +(?<cpu>\\d+) \\d+ [0-9a-f]{8} [0-9a-f]{8} \\[(?<time>[0-9a-f]{8,})\\] \\d+(?<unit>\\.\\d{3}ms)? \\(\\+[^)]*\\): ${NAME}`,
      "gm",
    ),
    radix: 16,
    nsPerUnit: 1000n,
  },
  {
    name: "raw",
    pattern: /^(?<pid>\d+) (?<cpu>\d+) (?<time>\d+) (?:type: \d+$|# [0-9a-f]+ )/gm,
    radix: 10,
    nsPerUnit: 1n,
  },
  {
    name: "hex",
    pattern: /^(?<pid>[0-9a-f]{8}) (?<cpu>[0-9a-f]{8}) (?<time>[0-9a-f]{16}) type: \d+$/gm,
    radix: 16,
    nsPerUnit: 1n,
  },
];

/** Reads a text in the layout that most events can be read in. */
export function readSlowly(text: string): SlowReading {
  const readings = LAYOUTS.map((layout) => ({
    layout: layout.name,
    events: [...text.matchAll(layout.pattern)].map((match) => eventOf(match, layout)),
  }));
  const best = readings.reduce((a, b) => (b.events.length > a.events.length ? b : a));
  const lossLines = text.match(/^CPU:\d+ \[(?:LOST (?:\d+ )?EVENTS|(?:\d+ )?EVENTS DROPPED)\]$/gm);
  return { ...best, lossLines: lossLines?.length ?? 0 };
}

function eventOf({ groups = {} }: RegExpExecArray, layout: SlowLayout): SlowEvent {
  const { pid = "", cpu = "", time = "", fraction, unit } = groups;
  const name = groups["name"] === "UNKNOWN TYPE 5" ? "print" : groups["name"];
  const hex = layout.name === "hex" ? 16 : 10;
  const whole = BigInt(layout.radix === 16 ? `0x${time}` : time);
  const ns =
    fraction !== undefined
      ? whole * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"))
      : unit === undefined
        ? whole
        : whole * layout.nsPerUnit;
  return { pid: Number.parseInt(pid, hex), cpu: Number.parseInt(cpu, hex), time: ns, name };
}
