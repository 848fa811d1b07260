import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { Migrator, type Migration, type MigrationProvider } from 'kysely/migration';
import { runMigrations } from 'graphile-worker';
import type pg from 'pg';
import { projectFolder } from '../config.ts';
import { applyLock } from './apply-lock.ts';

const migrationsFolder = join(projectFolder, 'migrations');

const provider: MigrationProvider = {
  async getMigrations() {
    const files = (await readdir(migrationsFolder)).filter((file) => /^\d{4}-.*\.ts$/.test(file)).sort();
    const entries = files.map(
      async (file) => [file.slice(0, -3), (await import(join(migrationsFolder, file))) as Migration] as const,
    );
    return Object.fromEntries(await Promise.all(entries));
  },
};

/** Brings the database to the newest shape, ours and the job queue's, and locks it; safe to run from several processes at once. */
export async function migrate<T>(db: Kysely<T>, pool: pg.Pool): Promise<readonly string[]> {
  const { error, results } = await new Migrator({ db, provider }).migrateToLatest();
  if (error !== undefined) {
    const failed = results?.find((result) => result.status === 'Error')?.migrationName;
    if (failed === undefined && error instanceof Error) throw error;
    throw new Error(
      `Migration ${failed ?? '(none in particular)'} failed: ${error instanceof Error ? error.message : JSON.stringify(error)}`,
      { cause: error },
    );
  }
  await runMigrations({ pgPool: pool });
  await applyLock(pool);
  return (results ?? []).map((result) => result.migrationName);
}
