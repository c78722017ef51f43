import { quoteForMessage } from "../../diagnostics.ts";
import { TraceError } from "../../errors.ts";
import type { RandomBytes } from "../../source/random-bytes.ts";
import type { BufferTable, CpuRegion, DatContents } from "./contents.ts";
import type { DatProblems } from "./dat-problems.ts";
import { FormatTexts } from "./format-texts.ts";
import type { Preamble } from "./preamble.ts";
import { SalvageV7 } from "./salvage-v7.ts";
import { checkLastSection } from "./section-chain.ts";
import { SectionsV6 } from "./sections-v6.ts";
import { SectionsV7 } from "./sections-v7.ts";
import { Symbols } from "./symbols.ts";
import type { Packing } from "./unpack.ts";

/** A trace.dat file whose description has been read. */
export interface OpenedDat {
  readonly contents: DatContents;
  readonly formats: FormatTexts;
  readonly symbols: Symbols | undefined;
  /** The buffer whose events are read. */
  readonly buffer: BufferTable;
}

/**
 * Reads what describes the events and where they stand; damage is reported, and what can be found
 * another way is.
 * @param instance name of the buffer whose events are read; undefined: see `chooseBuffer`.
 * @throws TraceError WRONG_FORMAT where no event could be read at all, BAD_OPTION where there is no
 * such instance.
 */
export async function openDat(
  file: RandomBytes,
  preamble: Preamble,
  packing: Packing | undefined,
  problems: DatProblems,
  path: string,
  instance?: string,
): Promise<OpenedDat> {
  for (const doubt of preamble.doubts) problems.note("DAMAGED_METADATA", doubt, 0);
  const contents =
    preamble.version === 6
      ? await readV6(file, preamble, problems, path)
      : await readV7(file, preamble, packing, problems);
  const formats = new FormatTexts();
  for (const bytes of contents.formatBytes) formats.addAll(bytes);
  contents.formatBytes.length = 0;
  const buffer =
    instance === undefined ? chooseBuffer(contents) : namedBuffer(contents, instance, path);
  if (formats.count === 0 || buffer === undefined) {
    const what = formats.count === 0 ? "no event formats" : "no table of ring-buffer pages";
    throw new TraceError(
      "WRONG_FORMAT",
      `this trace.dat file is damaged or cut: there are ${what} in it that can be read`,
      path,
      "nothing can be salvaged without them; record again, or take an earlier copy",
    );
  }
  reportOthers(contents, buffer, problems);
  const symbols =
    formats.hasProbes && contents.kallsyms !== undefined
      ? new Symbols(contents.kallsyms)
      : undefined;
  if (symbols !== undefined && symbols.badLines > 0) {
    const what = `${symbols.badLines} lines of the symbol table are no symbols`;
    problems.note("DAMAGED_METADATA", what, 0);
  }
  return { contents, formats, symbols, buffer: limitedTo(file, buffer, problems) };
}

async function readV6(
  file: RandomBytes,
  preamble: Preamble,
  problems: DatProblems,
  path: string,
): Promise<DatContents> {
  const sections = new SectionsV6(file, preamble, problems, path);
  await sections.read();
  return sections.contents;
}

async function readV7(
  file: RandomBytes,
  preamble: Preamble,
  packing: Packing | undefined,
  problems: DatProblems,
): Promise<DatContents> {
  const sections = new SectionsV7(file, preamble, packing, problems);
  await sections.read();
  const { buffers, formatBytes } = sections.contents;
  if (!sections.isWhole || buffers.length === 0 || formatBytes.length === 0) {
    await new SalvageV7(file, preamble, sections, problems).run();
  } else await checkLastSection(file, preamble, sections, problems);
  return sections.contents;
}

function hasPages(table: BufferTable): boolean {
  return table.regions.some(({ lengthBytes }) => lengthBytes > 0);
}

/** The top buffer, or the first with pages where it has none. */
function chooseBuffer({ buffers }: DatContents): BufferTable | undefined {
  const top = buffers.find(({ name }) => name === "");
  return top !== undefined && hasPages(top) ? top : (buffers.find(hasPages) ?? top ?? buffers[0]);
}

/** @throws TraceError BAD_OPTION that lists the names there are. */
function namedBuffer({ buffers }: DatContents, instance: string, path: string): BufferTable {
  const named = buffers.find(({ name }) => name === instance);
  if (named !== undefined) return named;
  const names = buffers.filter(({ name }) => name !== "").map(({ name }) => quoteForMessage(name));
  throw new TraceError(
    "BAD_OPTION",
    `this trace.dat has no instance ${quoteForMessage(instance)}`,
    path,
    names.length === 0 ? "it has only the top buffer" : `its instances are ${names.join(", ")}`,
  );
}

/** Tells of the buffers with events that are not read. */
function reportOthers({ buffers }: DatContents, chosen: BufferTable, problems: DatProblems): void {
  for (const table of buffers) {
    if (table === chosen || !hasPages(table)) continue;
    const bytes = table.regions.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
    const name = table.name === "" ? "the top buffer" : `\`${table.name}\``;
    problems.note("OTHER_BUFFER", `${name} with ${bytes} bytes of pages`, 0);
  }
}

/** Regions that lie behind the file's end, or whose size is none, are damage of the table. */
function limitedTo(file: RandomBytes, table: BufferTable, problems: DatProblems): BufferTable {
  const regions: CpuRegion[] = [];
  for (const region of table.regions) {
    if (region.lengthBytes > 0 && region.offset >= file.sizeBytes) {
      const where = `${region.lengthBytes} bytes of pages at offset ${region.offset}`;
      problems.note(
        "TRUNCATED",
        `CPU ${region.cpu}: ${where}, behind the file's end`,
        file.sizeBytes,
      );
    } else if (region.lengthBytes > 0) regions.push(region);
  }
  return { ...table, regions };
}
