import { randomUUID } from 'node:crypto';
import { InvalidInput } from '../errors.ts';
import type { H5pActivity } from '../courses/manifest.ts';

/** An xAPI Statement as taken: its id and verb read out, its actor replaced by the one the server knows. */
export interface TakenStatement {
  readonly id: string;
  readonly verb: string;
  /** Whether it speaks of the whole content and not of a part nested in it. */
  readonly ofWhole: boolean;
  readonly body: Readonly<Record<string, unknown>>;
}

const MAX_BYTES = 32 * 1024;
/** Far more than any content says; walking or storing without end would exhaust a stack. */
const MAX_DEPTH = 50;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/**
 * Reads what a player sent. Shape by xAPI 1.0.3 part 2, section 2.4 as far as progress needs it: a verb with an IRI, an object,
 * an id that is a UUID (given here when the content gives none). Whatever actor the page names is thrown away.
 * @throws InvalidInput naming the statement's place in the list.
 */
export function takeStatement(
  given: unknown,
  path: string,
  stamp: { actor: Readonly<Record<string, unknown>>; now: Date },
): TakenStatement {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new InvalidInput(path, 'A statement is an object.');
  const statement = given as Record<string, unknown>;
  if (isDeeperThan(MAX_DEPTH, statement))
    throw new InvalidInput(path, `The statement is nested more than ${MAX_DEPTH} deep.`);
  const text = JSON.stringify(statement);
  if (Buffer.byteLength(text) > MAX_BYTES)
    throw new InvalidInput(path, `The statement is larger than ${MAX_BYTES / 1024} kB.`);
  // JSON may spell what the database can't keep: NUL, and half of a character.
  if (/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(text))
    throw new InvalidInput(path, 'The statement holds a character that is none (U+0000 or half of a pair).');
  const verb = (statement['verb'] as { id?: unknown } | undefined)?.id;
  if (typeof verb !== 'string' || !URL.canParse(verb))
    throw new InvalidInput(`${path}.verb.id`, 'The verb needs an IRI.');
  if (typeof statement['object'] !== 'object' || statement['object'] === null)
    throw new InvalidInput(`${path}.object`, 'The statement needs an object.');
  const id = statement['id'] ?? randomUUID();
  if (typeof id !== 'string' || !UUID.test(id))
    throw new InvalidInput(`${path}.id`, 'The id must be a UUID.');
  // One parent may be given without a list: section 2.4.6.2.
  const context = statement['context'] as { contextActivities?: { parent?: unknown } } | null | undefined;
  const parents = [context?.contextActivities?.parent ?? []].flat();
  return {
    id: id.toLowerCase(),
    verb,
    ofWhole: parents.length === 0,
    body: { ...statement, id: id.toLowerCase(), actor: stamp.actor, stored: stamp.now.toISOString() },
  };
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((each) => isDeeperThan(levels - 1, each));
}

type Rule = H5pActivity['complete'];

const FINISHING = new Set(['completed', 'answered', 'passed', 'failed', 'mastered']);

/** Whether a statement completes its activity by the rule in the manifest. Contents that finish twice complete once. */
export function completes(rule: Rule, statement: TakenStatement): boolean {
  if (!statement.ofWhole) return false;
  return rule === 'viewed' || FINISHING.has(statement.verb.split('/').at(-1) ?? '');
}
