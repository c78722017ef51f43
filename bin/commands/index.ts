import type { Command } from "../command.ts";
import { analyzeCommand } from "./analyze.ts";
import { batchCommand } from "./batch/index.ts";
import { captureCommand } from "./capture.ts";
import { convertCommand } from "./convert.ts";
import { checkCommand } from "./check.ts";
import { downtimeCommand } from "./downtime.ts";
import { encodeCommand } from "./encode.ts";
import { diffCommand } from "./diff.ts";
import { generateCommand } from "./generate.ts";
import { reportCommand } from "./report.ts";
import { verifyCommand } from "./verify.ts";

/** The commands, in the order in which the help lists them. */
export const commands: readonly Command[] = [
  analyzeCommand,
  verifyCommand,
  reportCommand,
  diffCommand,
  convertCommand,
  checkCommand,
  downtimeCommand,
  encodeCommand,
  generateCommand,
  captureCommand,
  batchCommand,
];
