import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { minifyIntrospection, outputIntrospectionFile } from '@gql.tada/internal';
import { introspectionFromSchema } from 'graphql';
import type { Kysely } from 'kysely';
import { generate, getDialect } from 'kysely-codegen';
import { z } from 'zod';
import { printContract, schema } from '../../schema/schema.ts';
import { projectFolder } from '../config.ts';
import { hotlineFileSchema } from '../courses/hotline.ts';
import { itemFileSchema } from '../courses/item.ts';
import { manifestSchema } from '../courses/manifest.ts';
import { scaleSchema } from '../courses/scale.ts';
import { scenarioSchema } from '../courses/scenario.ts';
import { describeShape } from '../db/shape.ts';
import { describePermissions } from '../people/permission-table.ts';

/** The files that are made from others and committed: path from the project folder → text. Needs a migrated database. */
export async function generateFiles<T>(db: Kysely<T>): Promise<Map<string, string>> {
  const types = await generate({
    db,
    dialect: getDialect('postgres', { dateParser: 'string' }),
    excludePattern: '{graphile_worker.*,kysely_*}',
    outFile: null,
    print: false,
    logger: {
      log: () => {},
      info: () => {},
      warn: () => {},
      error: () => {},
      success: () => {},
      debug: () => {},
    } as never,
  });
  const jsonSchema = (schema: z.ZodType): string =>
    `${JSON.stringify(z.toJSONSchema(schema, { io: 'input' }), null, 2)}\n`;
  return new Map([
    ['schema/schema.graphql', printContract()],
    ['src/web/graphql-env.d.ts', webTypes()],
    ['src/db/types.ts', types],
    ['migrations/shape.txt', await describeShape(db)],
    ['src/people/permissions.txt', describePermissions()],
    ['courses/course.schema.json', jsonSchema(manifestSchema)],
    ['courses/items.schema.json', jsonSchema(itemFileSchema)],
    ['courses/scenario.schema.json', jsonSchema(scenarioSchema)],
    ['courses/scale.schema.json', jsonSchema(scaleSchema)],
    ['courses/hotlines.schema.json', jsonSchema(hotlineFileSchema)],
  ]);
}

/** What the browser's queries are typed by. */
function webTypes(): string {
  const introspection = introspectionFromSchema(schema, {
    descriptions: false,
  });
  return outputIntrospectionFile(minifyIntrospection(introspection), {
    fileType: '.d.ts',
    shouldPreprocess: true,
  });
}

/** @returns the paths that were out of date and have been written. */
export async function writeGenerated(files: ReadonlyMap<string, string>): Promise<string[]> {
  const stale: string[] = [];
  for (const [path, text] of files) {
    const file = join(projectFolder, path);
    if ((await readFile(file, 'utf8').catch(() => undefined)) === text) continue;
    await writeFile(file, text);
    stale.push(path);
  }
  return stale;
}
