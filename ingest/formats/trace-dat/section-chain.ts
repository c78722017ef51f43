import type { RandomBytes } from "../../source/random-bytes.ts";
import { DatDamage } from "./byte-reader.ts";
import type { DatProblems } from "./dat-problems.ts";
import { OptionId } from "./options.ts";
import type { Preamble } from "./preamble.ts";
import { SECTION_HEADER_BYTES, type SectionHeader, type SectionsV7 } from "./sections-v7.ts";

/**
 * Reports a version 7 file that ends inside a section which nothing points to, such as the short texts
 * at its end. The sections follow each other from the preamble on, each with its size, up to the file's
 * last byte. Sections of pages are left out: what they lack is reported with each CPU's pages.
 */
export async function checkLastSection(
  file: RandomBytes,
  preamble: Preamble,
  sections: SectionsV7,
  problems: DatProblems,
): Promise<void> {
  let at = preamble.endOffset;
  while (at < file.sizeBytes) {
    const header = await headerOrEnd(sections, at);
    if (header === undefined) {
      const bytes = file.sizeBytes - at;
      const what = `${bytes} bytes that are no whole section (${SECTION_HEADER_BYTES} bytes begin one)`;
      problems.note("DAMAGED_METADATA", what, at);
      return;
    }
    const end = header.offset + header.lengthBytes;
    if (end > file.sizeBytes && header.id !== OptionId.buffer) {
      const missing = end - file.sizeBytes;
      const what = `the section of kind ${header.id} here is cut off: ${missing} bytes are missing`;
      problems.note("DAMAGED_METADATA", what, at);
    }
    at = end;
  }
}

async function headerOrEnd(sections: SectionsV7, at: number): Promise<SectionHeader | undefined> {
  try {
    return await sections.headerAt(at);
  } catch (error) {
    if (error instanceof DatDamage) return undefined;
    throw error;
  }
}
