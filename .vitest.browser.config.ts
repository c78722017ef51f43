import type { ViteUserConfig } from "vitest/config";

// Pages in a real browser: `npm run test:browser`, apart from `npm test`, which needs nothing but npm.
const config: ViteUserConfig = {
  test: {
    include: ["reports/**/*.browser.ts"],
    expect: { requireAssertions: true },
    testTimeout: 120_000,
    hookTimeout: 180_000,
    fileParallelism: false,
  },
};

export default config;
