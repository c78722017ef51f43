#!/usr/bin/env node
import { commands } from "./commands/index.ts";
import { installLifecycle } from "./lifecycle.ts";
import { run, wantsDebug } from "./program.ts";

const argv = process.argv.slice(2);
installLifecycle(wantsDebug(argv));
// Not process.exit(), which would cut off what stdout has not passed on yet.
process.exitCode = await run(argv, commands);
