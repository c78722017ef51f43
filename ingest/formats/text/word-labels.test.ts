import { expect, it } from "vitest";

import { literal } from "../bytes.ts";
import { READ_AHEAD_BYTES } from "../words.ts";
import { WordLabels } from "./word-labels.ts";

const TEXTS = [" a=", " ab=", " abc=", " abcd=", " pages=", " base_gfn_offset="];

function lineOf(text: string): Uint8Array {
  return literal(`.${text}\n${"#".repeat(READ_AHEAD_BYTES)}`);
}

it.each(TEXTS.map((text, i) => [text, i] as const))("finds %j and nothing else", (text, i) => {
  const labels = new WordLabels(TEXTS);
  expect(labels.behind(i, lineOf(`${text}0x1`), 1)).toBe(1 + text.length);
  expect(labels.behind(i, lineOf(text), 1)).toBe(1 + text.length);
  for (let at = 0; at < text.length; at += 1) {
    const other = `${text.slice(0, at)}~${text.slice(at + 1)}0x1`;
    expect(labels.behind(i, lineOf(other), 1), other).toBe(-1);
    // A line that ends inside the text.
    expect(labels.behind(i, lineOf(text.slice(0, at)), 1), `${at} bytes`).toBe(-1);
  }
});
