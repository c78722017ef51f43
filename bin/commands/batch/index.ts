/** `batch …`: thousands of traces, on this machine, as parts of a scheduler's job, or from a queue. */
import type { Argv, CommandModule } from "yargs";
import type { Command } from "../../command.ts";
import { mergeCommand } from "./merge.ts";
import { planCommand } from "./plan.ts";
import { runCommand } from "./run.ts";
import { statusCommand } from "./status.ts";
import { submitCommand } from "./submit.ts";
import { workerCommand } from "./worker.ts";

const ACTIONS: readonly Command[] = [
  planCommand,
  runCommand,
  mergeCommand,
  submitCommand,
  workerCommand,
  statusCommand,
];

export const batchCommand: Command = {
  command: "batch",
  describe: "Work on many traces: plan, run, merge, and a queue for several machines",
  builder: (yargs: Argv<object>): Argv<object> =>
    yargs.command(ACTIONS.map(asModule)).demandCommand(1, 1, "batch needs one of its commands"),
  handler: () => {},
};

function asModule(command: Command): CommandModule<object, never> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked where the command is defined
  return command as CommandModule<object, never>;
}
