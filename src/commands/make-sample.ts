import { parseArgs } from 'node:util';
import { Refusal } from '../errors.ts';
import { MOST_STAFF, writeRoster, type RosterOptions } from './sample/roster.ts';

/*
 * node src/commands/make-sample.ts county 430121 --seed 7 --out DIR [--today 2026-09-01]
 * node src/commands/make-sample.ts province 430000 --staff 1000000 --out DIR
 */

const USAGE =
  'make-sample.ts county [430121] | province [430000] [--staff 1000000], then --out DIR [--seed 1] [--today 2026-09-01]';

class WrongArguments extends Error {}

function readArguments(args: readonly string[]): { options: RosterOptions; folder: string } {
  const { values, positionals } = parse(args);
  const [kind, code, ...more] = positionals;
  if (more.length > 0) throw new WrongArguments(`"${more.join(' ')}" is one argument too many`);
  if (values.out === undefined || values.out === '') throw new WrongArguments('--out DIR is missing');
  const seed = wholeNumber('--seed', values.seed ?? '1');
  // A fixed day, so that the same command makes the same files on any day.
  const today = values.today ?? '2026-09-01';
  if (kind === 'county') {
    if (values.staff !== undefined) throw new WrongArguments('--staff is for a province only');
    return { options: { seed, scope: { kind, code: code ?? '430121' }, today }, folder: values.out };
  }
  if (kind === 'province') {
    const staff = wholeNumber('--staff', values.staff ?? String(MOST_STAFF));
    return { options: { seed, scope: { kind, code: code ?? '430000', staff }, today }, folder: values.out };
  }
  throw new WrongArguments(
    kind === undefined ? 'county or province is missing' : `"${kind}" is neither county nor province`,
  );
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        seed: { type: 'string' },
        out: { type: 'string' },
        today: { type: 'string' },
        staff: { type: 'string' },
      },
    });
  } catch (error) {
    throw new WrongArguments((error as Error).message.split('. ')[0]);
  }
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new WrongArguments(`${option} must be a whole number, not "${text}"`);
  return Number(text);
}

try {
  const { options, folder } = readArguments(process.argv.slice(2));
  const counts = await writeRoster(options, folder);
  console.log(
    `${folder}: ${counts.organizations} organizations, ${counts.people} people, ${counts.posts} posts (seed ${options.seed}, as of ${options.today}).`,
  );
} catch (error) {
  const isPath = error instanceof Error && 'code' in error && 'syscall' in error;
  if (!(error instanceof WrongArguments || error instanceof Refusal || isPath)) throw error;
  console.error(error instanceof WrongArguments ? `${error.message}. Usage: ${USAGE}` : error.message);
  process.exitCode = 2;
}
