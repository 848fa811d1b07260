import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateFiles } from '../../src/commands/generated.ts';
import { projectFolder } from '../../src/config.ts';
import { makeTestDatabase, type TestDatabase } from '../support/database.ts';

/* A file made from others must say what they say: `npm run generate` makes them all. */

describe('generated files', () => {
  let database: TestDatabase;
  let files: Map<string, string>;
  beforeAll(async () => {
    database = await makeTestDatabase();
    files = await generateFiles(database.db);
  });
  afterAll(async () => database.drop());

  it.each([
    'schema/schema.graphql',
    'src/web/graphql-env.d.ts',
    'src/db/types.ts',
    'migrations/shape.txt',
    'src/people/permissions.txt',
    'courses/course.schema.json',
    'courses/items.schema.json',
  ])('%s is fresh', async (path) => {
    expect(files.get(path)?.length).toBeGreaterThan(500);
    expect(await readFile(join(projectFolder, path), 'utf8')).toBe(files.get(path));
  });

  it('are all of those', () => {
    expect(files.size).toBe(10);
  });
});
