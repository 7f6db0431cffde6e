import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    environment: "happy-dom",
    // One page for all files: making one for each takes most of the time.
    isolate: false,
    include: ["uploader/tests/**/*.test.ts", "web/tests/**/*.test.ts"],
    // A test that forgets to fake time or the network must not hang the run.
    testTimeout: 10_000,
    unstubGlobals: true,
    restoreMocks: true,
  },
});
