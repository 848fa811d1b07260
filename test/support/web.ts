import { join } from 'node:path';
import { inject } from 'vitest';
import { buildWeb } from '../../src/commands/build-web.ts';
import { oneAtATime } from './database.ts';

const BUILDING = 2;

/** The browser's pages, built once for the whole run. @returns their folder, for reading alone. */
export async function builtWeb(): Promise<string> {
  const folder = join(inject('runFolder'), 'web');
  await oneAtATime(BUILDING, async () => buildWeb(folder));
  return folder;
}
