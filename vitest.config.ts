import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Several files start servers and children of their own; two cores carry two files at once.
    maxWorkers: 2,
  },
});
