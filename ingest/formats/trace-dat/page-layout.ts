import type { DatContents } from "./contents.ts";
import { fieldsOf } from "./format-texts.ts";
import { isPageSize, type Preamble } from "./preamble.ts";

/** How a ring-buffer page of this file is laid out. */
export interface PageLayout {
  readonly littleEndian: boolean;
  readonly longBytes: 4 | 8;
  /** Whole page (sub-buffer), header included. */
  readonly pageBytes: number;
  /** Of the header's fields in the page: u64 time stamp, long commit, then the data. */
  readonly timeAt: number;
  readonly commitAt: number;
  readonly dataAt: number;
}

/**
 * Layout by `header_page`, which describes the recorded kernel's pages.
 * @param tablePageBytes what the buffer's own table says of its pages; 0 where it does not.
 */
export function pageLayoutOf(
  preamble: Preamble,
  contents: DatContents,
  tablePageBytes: number,
): PageLayout {
  const { littleEndian } = preamble;
  const fields = new Map(fieldsOf(contents.headerPage ?? "").map((field) => [field.name, field]));
  const commit = fields.get("commit");
  const data = fields.get("data");
  const longBytes =
    commit?.sizeBytes === 4 || commit?.sizeBytes === 8 ? commit.sizeBytes : preamble.longBytes;
  const isUsual = data === undefined || commit === undefined || data.offset !== 8 + longBytes;
  const dataAt = isUsual ? 8 + longBytes : data.offset;
  const described = data === undefined ? 0 : dataAt + data.sizeBytes;
  const pageBytes = [tablePageBytes, described, preamble.pageBytes].find(isPageSize) ?? 4096;
  return { littleEndian, longBytes, pageBytes, timeAt: 0, commitAt: 8, dataAt };
}
