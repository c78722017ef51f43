import type { ViteUserConfig } from "vitest/config";

// Only sources: without `include` vitest also collects the compiled copies in dist/.
const config: ViteUserConfig = {
  test: {
    include: ["{bin,ingest,replay,reports,fixtures}/**/*.test.ts"],
    setupFiles: ["./.vitest.setup.ts"],
    expect: { requireAssertions: true },
    testTimeout: 60_000,
  },
};

export default config;
