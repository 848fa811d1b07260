import { destination, pino, type DestinationStream, type Logger } from 'pino';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/**
 * JSON lines on standard error. What may hold a secret or a person's number is cut out before it is written.
 * @param about said in each line, such as the id of the request in hand.
 */
export function makeLog(
  level: string,
  {
    about = () => ({}),
    to = destination({ dest: 2, sync: true }),
  }: { about?: () => object; to?: DestinationStream } = {},
): Log {
  return pino(
    {
      level,
      base: null,
      mixin: about,
      redact: {
        paths: [
          '*.authorization',
          '*.cookie',
          '*.token',
          '*.identityNumber',
          '*.password',
          '*.code',
          '*.variables',
          'variables',
          'headers',
          'req.headers',
          '*.connectionString',
        ],
        censor: '[redacted]',
      },
      hooks: { streamWrite: withoutPeople },
    },
    to,
  );
}

const PERSONAL: readonly [RegExp, string][] = [
  [/\b(Bearer|Basic)\s+[\w.~+/:=-]+/gi, '$1 [redacted]'],
  // A signed token by its look (RFC 7519).
  [/\beyJ[\w-]{5,}\.[\w-]{5,}(\.[\w-]*)?/g, '[token]'],
  [/[\w.+%-]+@[\w-]+(\.[\w-]+)+/g, '[e-mail]'],
  // A resident identity number (GB 11643).
  [/(?<![\w-])\d{17}[\dXx](?![\w-])/g, '[number]'],
  [/(?<![\w-])(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?![\w-])/g, '[number]'],
  // The rest of an address after its path may hold anything.
  [/(\/[\w/.-]*)\?[^\s"'\\]+/g, '$1?[redacted]'],
];

/** The last look at a line, whoever wrote it and wherever in it something stands. */
export function withoutPeople(line: string): string {
  return PERSONAL.reduce((text, [pattern, instead]) => text.replaceAll(pattern, instead), line);
}

/** SQLSTATE classes whose messages name parts of the statement and never a value of somebody's. */
const ABOUT_STATEMENTS = /^42/;

/**
 * What a log may say of a defect: its kind, its stack, and its message without what stands in quotes, since that is where messages repeat
 * what was given in. Details of the database, which name the row, are left out.
 */
export function describeError(error: unknown): { error: string; sqlState?: string } {
  if (!(error instanceof Error)) return { error: `thrown: ${typeof error}` };
  const { code } = error as { code?: unknown };
  const sqlState = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
  const message =
    sqlState !== undefined && ABOUT_STATEMENTS.test(sqlState)
      ? error.message
      : error.message.replaceAll(/"[^"]*"?|'[^']*'?|“[^”]*”?|`[^`]*`?/g, '"…"');
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const cause = error.cause instanceof Error ? `\ncaused by ${describeError(error.cause).error}` : '';
  return {
    error: `${error.name}: ${message}\n${frames.join('\n')}${cause}`,
    ...(sqlState === undefined ? {} : { sqlState }),
  };
}

export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
