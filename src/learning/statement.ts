import { hash, randomUUID } from 'node:crypto';
import { mend, MAX_DEPTH, TooDeep } from './mend.ts';
import { findFault, instantOf, type Fault } from './xapi.ts';

/** An xAPI Statement as taken: what progress is judged by read out, the rest as the text that is stored. */
export interface TakenStatement {
  readonly id: string;
  readonly verb: string;
  /** Whether it speaks of the whole content and not of a part nested in it. */
  readonly ofWhole: boolean;
  /** Id of what it is about, an activity's or another's. */
  readonly about: string;
  readonly result: StatementResult;
  /** Of all that the content said, as a signed 64-bit number: whether another of the same id says the same. */
  readonly digest: string;
  /** JSON of the statement as it is stored, with what only the server says. */
  readonly text: string;
}

export interface StatementResult {
  /** −1 to 1; of raw, min and max where the content gave only these. */
  readonly scaled: number | undefined;
  readonly success: boolean | undefined;
  readonly completion: boolean | undefined;
}

export const MAX_BYTES = 64 * 1024;

/** Who and what stands behind the statements of a call, as the server knows it. */
export interface Stamp {
  readonly actor: Readonly<Record<string, unknown>>;
  readonly authority: Readonly<Record<string, unknown>>;
  /** IRI of the activity that is played. */
  readonly activityId: string;
  readonly now: Date;
}

/**
 * Reads what a player sent: what contents are known to get wrong is put right (`mend.ts`), then it is held to the specification (`xapi.ts`).
 * Whatever actor the page names is thrown away; a time that is yet to come, or none, becomes the time of storing.
 */
export function takeStatement(given: unknown, stamp: Stamp): TakenStatement | Fault {
  let statement: unknown;
  try {
    statement = mend(given, stamp.activityId);
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error;
    return { path: '', message: `The statement is nested more than ${MAX_DEPTH} deep.` };
  }
  const fault = findFault(statement);
  if (fault !== undefined) return fault;
  const { id = randomUUID(), timestamp, ...said } = statement as Shape;
  const now = stamp.now.toISOString();
  const happened = timestamp !== undefined && instantOf(timestamp) <= stamp.now.getTime() ? timestamp : now;
  const text = JSON.stringify(said);
  if (text.length * 3 > MAX_BYTES && Buffer.byteLength(text) > MAX_BYTES)
    return { path: '', message: `The statement is larger than ${MAX_BYTES / 1024} kB.` };
  // JSON may spell what the database can't keep: NUL, and half of a character.
  if (/\\u/.test(text) && /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(text))
    return { path: '', message: 'The statement holds a character that is none (U+0000 or half of a pair).' };
  const lower = id.toLowerCase();
  return {
    id: lower,
    verb: said.verb.id,
    ofWhole: isOfWhole(said),
    about: said.object.id ?? '',
    result: resultOf(said.result),
    digest: hash('sha256', `${timestamp ?? ''}${text}`, 'buffer')
      .readBigInt64BE()
      .toString(),
    text: `{"id":"${lower}","timestamp":"${happened}","stored":"${now}",${stampText(stamp)},${text.slice(1)}`,
  };
}

/** What has been checked. */
interface Shape {
  readonly id?: string;
  readonly timestamp?: string;
  readonly verb: { readonly id: string };
  readonly object: {
    readonly id?: string;
    readonly definition?: { readonly extensions?: Readonly<Record<string, unknown>> };
  };
  readonly context?: {
    readonly contextActivities?: { readonly parent?: readonly { readonly id: string }[] };
  };
  readonly result?: {
    readonly score?: { readonly [key in 'scaled' | 'raw' | 'min' | 'max']?: number };
    readonly success?: boolean;
    readonly completion?: boolean;
  };
}

const PART = 'http://h5p.org/x-api/h5p-subContentId';

/** A part has the whole as its parent, or says by H5P's own mark that it is one. A parent that is the thing itself is none. */
function isOfWhole({ object, context }: Shape): boolean {
  const parents = context?.contextActivities?.parent ?? [];
  return (
    parents.every(({ id }) => id === object.id) && typeof object.definition?.extensions?.[PART] !== 'string'
  );
}

function resultOf(result: Shape['result']): StatementResult {
  const { scaled, raw, min = 0, max } = result?.score ?? {};
  return {
    scaled:
      scaled ?? (raw !== undefined && max !== undefined && max > min ? (raw - min) / (max - min) : undefined),
    success: result?.success,
    completion: result?.completion,
  };
}

const stampTexts = new WeakMap<Stamp, string>();
function stampText(stamp: Stamp): string {
  let text = stampTexts.get(stamp);
  if (text === undefined) {
    text = `"actor":${JSON.stringify(stamp.actor)},"authority":${JSON.stringify(stamp.authority)}`;
    stampTexts.set(stamp, text);
  }
  return text;
}
