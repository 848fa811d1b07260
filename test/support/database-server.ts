import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { projectFolder } from '../../src/config.ts';
import { makeDatabase, makePool } from '../../src/db/database.ts';
import { startScratch } from '../../src/db/embedded.ts';
import { migrate } from '../../src/db/migrate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string with {database} in place of the name. */
    databaseServer: string;
    /** What is made once for all files lies in it. */
    runFolder: string;
    /** Our courses folder with `core-gatekeeper` alone: a service that takes all of them in takes twice as long to start. */
    coreCourses: string;
  }
}

/** One PostgreSQL for the whole run, without fsync, with a migrated database that test files copy. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startScratch();
  const url = await server.url('migrated');
  const pool = makePool(url, { name: 'migrate', size: 2 });
  const db = makeDatabase(pool);
  await migrate(db, pool);
  await db.destroy();
  project.provide('databaseServer', url.replace('/migrated?', '/{database}?'));
  const runFolder = await mkdtemp(join(tmpdir(), 'xinqiao-run-'));
  const coreCourses = join(runFolder, 'courses');
  for (const name of ['core-gatekeeper', 'libraries', 'hotlines.yaml'])
    await cp(join(projectFolder, 'courses', name), join(coreCourses, name), { recursive: true });
  project.provide('coreCourses', coreCourses);
  project.provide('runFolder', runFolder);
  return async () => {
    await server.stop();
    await rm(runFolder, { recursive: true });
  };
}
