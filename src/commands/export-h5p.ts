import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { ConfigError, readServerUrl, readToken } from '../config.ts';

/*
 * npm run h5p:export -- <id | hash> <file.h5p> [--server https://…]: takes a content out of the running service, for any H5P host. The id of an
 * uploaded content, or the hash of one that a course has (its player's address shows it). Who asks says XINQIAO_TOKEN.
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { server: { type: 'string' } },
});
try {
  const server = (values.server ?? readServerUrl()).replace(/\/$/, '');
  const token = readToken();
  const [wanted, file, more] = positionals;
  const name = wanted === undefined ? undefined : localName(wanted);
  if (name === undefined || file === undefined || more !== undefined || token === undefined) {
    console.error(
      'Usage: npm run h5p:export -- <id | hash> <file.h5p> [--server https://…], with XINQIAO_TOKEN in the environment.',
    );
    process.exitCode = 2;
  } else await take(server, token, name, file);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

/** As addresses have it: a global id is taken apart. */
function localName(wanted: string): string | undefined {
  if (/^(?:\d{1,18}|[\da-f]{40})$/.test(wanted)) return wanted;
  return /^H5pContent:(\d{1,18})$/.exec(Buffer.from(wanted, 'base64').toString())?.[1];
}

async function take(server: string, token: string, name: string, file: string): Promise<void> {
  const unfinished = `${file}.part`;
  try {
    const answer = await fetch(`${server}/h5p/${name}.h5p`, {
      headers: { authorization: `Bearer ${token}` },
    });
    if (!answer.ok || answer.body === null) {
      const problem = (await answer.json().catch(() => ({}))) as { detail?: string };
      throw new Error(problem.detail ?? `${server} answered ${answer.status}.`);
    }
    await pipeline(Readable.from(answer.body as AsyncIterable<Uint8Array>), createWriteStream(unfinished));
    await rename(unfinished, file);
    console.log(`Written: ${file}`);
  } catch (error) {
    process.exitCode = 1;
    console.error((error as Error).message);
  } finally {
    await rm(unfinished, { force: true });
  }
}
