import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The conditions by which Node.js itself picks a build of a package. graphql comes in several, and two of them in one process
  // refuse each other's types.
  ssr: { resolve: { conditions: ['node', 'module-sync', 'default'] } },
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
