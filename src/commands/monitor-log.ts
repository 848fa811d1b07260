import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { parseVerifierKey } from '../certification/log/checkpoint.ts';
import { lookAtLog, type ReadLog, type Seen } from '../certification/log/monitor.ts';

/*
 * npm run log:monitor -- <address|folder> --key <verifier key> [--state <file>]: reads a transparency log and says whether it has only
 * grown since the last time, of which it keeps the checkpoint in the file. It ends with 0; 1 when the log was changed, rolled back, forked or is not
 * signed as it should be: the file then stays as it was, and what was seen now lies beside it as evidence; 2 when it could not be read.
 * To be run by anybody but the operator. The file may also hold a checkpoint alone, as somebody wrote it down.
 */

const BROKEN = 1;
const NOT_READ = 2;
const PATIENCE_S = 120;

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { key: { type: 'string' }, state: { type: 'string', default: 'log-monitor.json' } },
  });
  const [where] = positionals;
  if (where === undefined || positionals.length > 1 || values.key === undefined)
    throw new Error('Use: npm run log:monitor -- <address|folder> --key <verifier key> [--state <file>]');
  const key = parseVerifierKey(values.key);
  if (key === undefined)
    throw new Error(
      '--key is no verifier key: it looks like host/log+0123abcd+AQ…, and the operator tells it.',
    );
  const look = await lookAtLog(readerOf(where), key, await readSeen(values.state));
  if (look.outcome === 'consistent') {
    await writeWhole(values.state, stateText(look.seen));
    const { checkpoint, added, events } = look;
    console.log(
      `The log has only grown: ${checkpoint.size} leaves, ${added} of them new${added === 0 ? '' : ` (${[...events].map(([event, count]) => `${event} ${count}`).join(', ')})`}.`,
    );
    console.log(`Root ${checkpoint.root.toString('base64')}`);
  } else {
    await writeWhole(`${values.state}.broken`, look.note);
    console.error(`THE LOG CAN NOT BE TRUSTED. ${look.why}`);
    console.error(
      `Evidence: ${values.state} holds what it signed before, ${values.state}.broken what it gives now.`,
    );
    process.exitCode = BROKEN;
  }
} catch (error) {
  console.error(`Not checked. ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = NOT_READ;
}

function readerOf(where: string): ReadLog {
  if (!/^https?:\/\//.test(where)) return async (path) => readFile(join(where, path));
  const base = where.replace(/\/+$/, '');
  return async (path) => {
    for (;;) {
      const response = await fetch(`${base}/${path}`);
      if (response.status === 429) {
        const seconds = Number(response.headers.get('retry-after') ?? 5);
        await sleep(Math.min(Number.isFinite(seconds) ? seconds : 5, PATIENCE_S) * 1000);
        continue;
      }
      if (!response.ok) throw new Error(`${base}/${path} answers ${response.status}.`);
      return Buffer.from(await response.arrayBuffer());
    }
  };
}

/** undefined: the log is looked at for the first time. */
async function readSeen(file: string): Promise<Seen | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (!text.startsWith('{')) return { note: text, edge: undefined };
  const { note, edge } = JSON.parse(text) as { note?: unknown; edge?: unknown };
  if (
    typeof note !== 'string' ||
    !Array.isArray(edge) ||
    !edge.every((hash): hash is string => typeof hash === 'string' && /^[A-Za-z0-9+/]{43}=$/.test(hash))
  )
    throw new Error(`${file} is not what was kept.`);
  return { note, edge: edge.map((hash) => Buffer.from(hash, 'base64')) };
}

function stateText({ note, edge }: Seen): string {
  return `${JSON.stringify({ note, edge: edge?.map((hash) => hash.toString('base64')) }, undefined, 2)}\n`;
}

async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}
