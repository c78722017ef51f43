#!/usr/bin/env node
import v8 from "node:v8";
import { commands } from "./commands/index.ts";
import { installLifecycle } from "./lifecycle.ts";
import { run, wantsDebug } from "./program.ts";

// The replay makes only short-lived garbage: a young generation that grows with the length of a trace
// would buy nothing and cost 10 MB on a large one (measured: `npm run bench`, peak RSS).
v8.setFlagsFromString("--semi-space-growth-factor=1");

const argv = process.argv.slice(2);
installLifecycle(wantsDebug(argv));
// Not process.exit(), which would cut off what stdout has not passed on yet.
process.exitCode = await run(argv, commands);
