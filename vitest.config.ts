import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 120_000,
    globalSetup: ['test/whole/setup.ts'],
    // More than a small machine has cores: the tests of faults mostly wait, for a lease to end or a message to return.
    maxWorkers: 6,
  },
});
