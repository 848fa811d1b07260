import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { switchableChecks } from './test/access/checks.ts';

/** It switches checks of permissions off one by one; nothing else runs on source that can be switched. */
const WITHOUT_A_CHECK = 'test/access/matrix.test.ts';

/** Those that take a minute begin first: a long one that begins last has one core to itself while the other waits. */
const LONG = [
  WITHOUT_A_CHECK,
  'test/journeys/main-job.test.ts',
  'test/journeys/crash.test.ts',
  'test/journeys/courses.test.ts',
  'test/journeys/content.test.ts',
  'test/commands/import-roster.test.ts',
  'test/coverage/ledger.test.ts',
];
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONG.findIndex((name) => moduleId.endsWith(name));
      return at === -1 ? LONG.length : at;
    };
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}

export default defineConfig({
  // The conditions by which Node.js itself picks a build of a package. graphql comes in several, and two of them in one process
  // refuse each other's types.
  ssr: { resolve: { conditions: ['node', 'module-sync', 'default'] } },
  test: {
    globalSetup: ['test/support/database-server.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Two cores, each file with a service of its own: more at once only wait for each other.
    maxWorkers: 2,
    pool: 'forks',
    // A file has its own database and service; what it imports is shared with the next one, which saves a quarter of the time.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: 'all', include: ['test/**/*.test.ts'], exclude: [WITHOUT_A_CHECK] } },
      {
        extends: true,
        plugins: [switchableChecks()],
        test: { name: 'without a check', include: [WITHOUT_A_CHECK] },
      },
    ],
  },
});
