import type { Command } from "../command.ts";
import { analyzeCommand } from "./analyze.ts";
import { captureCommand } from "./capture.ts";
import { convertCommand } from "./convert.ts";
import { checkCommand } from "./check.ts";
import { downtimeCommand } from "./downtime.ts";
import { encodeCommand } from "./encode.ts";
import { generateCommand } from "./generate.ts";
import { verifyCommand } from "./verify.ts";

/** The commands, in the order in which the help lists them. */
export const commands: readonly Command[] = [
  analyzeCommand,
  verifyCommand,
  convertCommand,
  checkCommand,
  downtimeCommand,
  encodeCommand,
  generateCommand,
  captureCommand,
];
