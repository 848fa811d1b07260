/* What the page in the frame may say, and how often. Whatever runs there may send anything; what is not of these shapes is not heard. */

export const whys = ['library', 'network', 'script', 'content'] as const;
export type Why = (typeof whys)[number];

export type PlayerMessage =
  | { readonly type: 'ready' | 'opened' | 'used' }
  | { readonly type: 'statement'; readonly statement: object }
  | { readonly type: 'state'; readonly data: string }
  | { readonly type: 'height'; readonly pixels: number }
  | { readonly type: 'failed'; readonly why: Why; readonly library: string }
  | { readonly type: 'trouble' };

/** As the service takes them. */
const STATEMENT_CHARACTERS = 64 * 1024;
const STATEMENT_DEPTH = 50;
const STATE_CHARACTERS = 128 * 1024;
/** The names of libraries, and nothing else that a content would have this page say. */
const LIBRARIES = /^[\w.-]{1,80}(?: [\w.-]{1,80}){0,4}/;
const HEIGHT = { least: 120, most: 20_000 };

/** undefined: nothing that a player says. */
export function readMessage(data: unknown): PlayerMessage | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const said = data as Readonly<Record<string, unknown>>;
  if (said['xinqiao'] !== 1) return undefined;
  switch (said['type']) {
    case 'ready':
    case 'opened':
    case 'used':
    case 'trouble':
      return { type: said['type'] };
    case 'statement': {
      const statement = readStatement(said['statement']);
      return statement === undefined ? undefined : { type: 'statement', statement };
    }
    case 'state': {
      const state = said['data'];
      return typeof state === 'string' && state.length <= STATE_CHARACTERS
        ? { type: 'state', data: state }
        : undefined;
    }
    case 'height': {
      const { pixels } = said;
      return typeof pixels === 'number' && Number.isFinite(pixels)
        ? { type: 'height', pixels: Math.min(Math.max(Math.ceil(pixels), HEIGHT.least), HEIGHT.most) }
        : undefined;
    }
    case 'failed': {
      const why = whys.find((each) => each === said['why']);
      const { detail } = said;
      if (why === undefined || typeof detail !== 'string') return undefined;
      return { type: 'failed', why, library: why === 'library' ? (LIBRARIES.exec(detail)?.[0] ?? '') : '' };
    }
    default:
      return undefined;
  }
}

/** Text, since an object from elsewhere may refer to itself, or to one thing so often that reading it would never end. */
function readStatement(text: unknown): object | undefined {
  if (typeof text !== 'string' || text.length > STATEMENT_CHARACTERS) return undefined;
  try {
    const statement: unknown = JSON.parse(text);
    return typeof statement === 'object' &&
      statement !== null &&
      !Array.isArray(statement) &&
      !isDeeper(statement, STATEMENT_DEPTH)
      ? statement
      : undefined;
  } catch {
    return undefined;
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    (levels === 0 || Object.values(value).some((each) => isDeeper(each, levels - 1)))
  );
}

/** More than any content says, at once and for long: a book that tells all its answers at the end says some hundreds. */
const AT_ONCE = 400;
const A_SECOND = 10;

/** Counts what comes from one frame. @returns whether the next message at `now` (milliseconds) is still heard. */
export function makeEar(): (now: number) => boolean {
  let left = AT_ONCE;
  let before: number | undefined;
  return (now) => {
    if (before !== undefined) left = Math.min(AT_ONCE, left + (Math.max(0, now - before) / 1000) * A_SECOND);
    before = now;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}
