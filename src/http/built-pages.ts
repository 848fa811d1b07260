import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export type BuiltPages = (file: string) => Promise<string>;

/** The app's pages as they were built, each read once: they do not change while the service runs. */
export function makeBuiltPages(folder: string): BuiltPages {
  const read = new Map<string, Promise<string>>();
  return async (file) => {
    let text = read.get(file);
    if (text === undefined) {
      text = readFile(join(folder, file), 'utf8');
      read.set(file, text);
      // One that could not be read is read again.
      text.catch(() => read.delete(file));
    }
    return text;
  };
}
