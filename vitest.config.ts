import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: ['test/support/database-server.ts'],
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two cores, each file with a service of its own: more at once only wait for each other.
    maxWorkers: 2,
    pool: 'forks',
  },
});
