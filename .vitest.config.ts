import { defineConfig, type ViteUserConfigFnObject } from "vitest/config";

/**
 * Only sources: without `include` vitest also collects the compiled copies in dist/. What needs a server
 * that npm does not install runs with `--mode distributed` alone.
 */
const config: ViteUserConfigFnObject = defineConfig(({ mode }) => ({
  test: {
    include:
      mode === "distributed"
        ? ["bin/**/*.distributed-test.ts"]
        : ["{bin,ingest,replay,reports,fixtures}/**/*.test.ts"],
    setupFiles: ["./.vitest.setup.ts"],
    expect: { requireAssertions: true },
    testTimeout: mode === "distributed" ? 180_000 : 60_000,
    hookTimeout: 60_000,
  },
}));

export default config;
