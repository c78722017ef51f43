import { env } from "node:process";

import { configureGlobal } from "fast-check";

// The same cases in every run; FC_SEED=n tries others.
configureGlobal({ seed: Number(env["FC_SEED"] ?? 1) });
