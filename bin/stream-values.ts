import type { AccessFormatId } from "../ingest/accesses/access-format.ts";
import { PageNumbers } from "../ingest/accesses/page-numbers.ts";
import { splitStreamName } from "../ingest/accesses/registry.ts";
import type { Placing } from "../replay/accesses/page-placing.ts";
import { badOption, type RawValue, single } from "./values.ts";

/** Streams that need no file. */
export const STREAMS = ["generated", "proven"] as const;

/** Where guest accesses come from. */
export type StreamChoice =
  | { readonly kind: (typeof STREAMS)[number] }
  | {
      readonly kind: "file";
      readonly format: AccessFormatId | "auto";
      readonly path: string;
    };

/** How a sequence goes through the trace's time. */
export const STREAM_TIMES = ["pace", "clock"] as const;
export type StreamTime = (typeof STREAM_TIMES)[number];

export const STREAM_ADDRESSES = ["va", "ipa"] as const;

/** DAMON's intervals, which its trace does not tell. */
export interface DamonIntervals {
  readonly sampleNs: number;
  readonly aggregationNs: number;
}

export function parseStream(raw: RawValue): StreamChoice {
  const value = single("stream", raw);
  const own = STREAMS.find((name) => name === value);
  if (own !== undefined) return { kind: own };
  const { format, path } = splitStreamName(value);
  if (path === "") throw badOption("stream", `names the format ${format} without a file`);
  return { kind: "file", format, path };
}

/** `packed`, `identity`, an offset (`0x40000000`, `-0x1000`), or two addresses that are one: `VA=IPA`. */
export function parseStreamMap(raw: RawValue): Placing {
  const value = single("stream-map", raw);
  if (value === "packed") return { mode: "packed" };
  if (value === "identity") return { mode: "offset", offsetPages: 0 };
  const pair = /^(0x[0-9a-f]{1,16})=(0x[0-9a-f]{1,16})$/i.exec(value);
  if (pair !== null) {
    return { mode: "offset", offsetPages: pageAt(value, pair[2]!) - pageAt(value, pair[1]!) };
  }
  const offset = /^([+-]?)(0x[0-9a-f]{1,13})$/i.exec(value);
  if (offset === null) {
    throw badOption(
      "stream-map",
      `'${value}' is no mapping of addresses to IPAs`,
      "write packed, identity, an offset such as 0x40000000 or -0x1000, or VA=IPA such as 0xffff800000000000=0x40000000",
    );
  }
  const pages = pageAt(value, offset[2]!);
  return { mode: "offset", offsetPages: offset[1] === "-" ? -pages : pages };
}

export function parseDamonIntervals(raw: RawValue): DamonIntervals {
  const value = single("stream-damon", raw);
  const fields = /^(\d{1,9}),(\d{1,9})$/.exec(value);
  const sampleUs = Number(fields?.[1]);
  const aggregationUs = Number(fields?.[2]);
  if (!(sampleUs > 0 && aggregationUs >= sampleUs)) {
    throw badOption(
      "stream-damon",
      `'${value}' is not SAMPLE,AGGREGATION in µs, the second no shorter`,
      "as /sys/kernel/mm/damon/admin/…/monitoring_attrs/intervals has them: 5000,100000",
    );
  }
  return { sampleNs: sampleUs * 1000, aggregationNs: aggregationUs * 1000 };
}

/** Number of the page of 4 KiB that begins at an address. */
function pageAt(value: string, address: string): number {
  const bits = BigInt(address);
  const pages = new PageNumbers(4096);
  const isAddress = pages.set(Number(bits >> 32n), Number(bits & 0xffff_ffffn));
  if (!isAddress) throw badOption("stream-map", `'${value}': ${address} is no address`);
  if (pages.offset !== 0) {
    throw badOption("stream-map", `'${value}': ${address} is not the begin of a page of 4 KiB`);
  }
  return pages.page;
}
