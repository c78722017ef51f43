import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { TraceError } from "../ingest/errors.ts";
import type { TerminalStream } from "../reports/terminal.ts";
import { createLog } from "./log.ts";
import { printResult } from "./stdout.ts";

/** A stream that keeps its text, in the shape of a terminal or of a file. */
function keeping(isTTY: boolean): { stream: Writable & TerminalStream; text: () => string } {
  const chunks: string[] = [];
  const stream = new Writable({
    highWaterMark: 1,
    write: (chunk, _encoding, done) => {
      chunks.push(String(chunk));
      done();
    },
  });
  const terminal: TerminalStream = { isTTY, columns: 80, hasColors: () => true };
  return { stream: Object.assign(stream, terminal), text: () => chunks.join("") };
}

function said(quiet: boolean, debug: boolean, isTTY = false): string {
  const { stream, text } = keeping(isTTY);
  const log = createLog({ quiet, debug, stream });
  log.info("reading\u0007");
  log.warn("lost");
  log.debug("detail");
  return text();
}

describe("the log", () => {
  it("has levels", () => {
    expect(said(false, false)).toBe("reading\\u0007\nwarning: lost\n");
    expect(said(true, false)).toBe("warning: lost\n");
    expect(said(true, true)).toBe("warning: lost\ndebug: detail\n");
  });

  it("is coloured on a terminal only", () => {
    expect(said(true, false, true)).toBe("\u001b[33mwarning:\u001b[39m lost\n");
  });
});

describe("printResult", () => {
  it("keeps bytes off a terminal", async () => {
    const terminal = keeping(true);
    await printResult("text\n", terminal.stream);
    await expect(printResult(Uint8Array.of(1), terminal.stream)).rejects.toThrow(TraceError);
    expect(terminal.text()).toBe("text\n");
    const file = keeping(false);
    await printResult(Buffer.from("abc"), file.stream);
    expect(file.text()).toBe("abc");
  });
});
