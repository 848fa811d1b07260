import type { Progress, Refusal, Result } from './contract.ts';

/* How the command talks to the person at the shell. */

const PLAIN_EVERY_MS = 5_000;
const VALUE_WIDTH = 24;
/** What stands in two cells of a terminal: Chinese, Japanese, Korean, full width. */
const WIDE = /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]/;

/** Where lines go: of a terminal or of a file. */
export interface Output {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** One line that is written over and over on a terminal; elsewhere a line now and then. */
export class StatusLine {
  readonly #output: Output;
  readonly #now: () => number;
  #shown = false;
  #last: { kind: string; at: number } | undefined;

  /** @param now milliseconds of a clock that only goes on. */
  constructor(output: Output, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#now = now;
  }

  /** @param kind the same for what may be left out where it would fill a log. */
  show(kind: string, text: string): void {
    if (this.#output.isTTY === true) {
      this.#output.write(`\r\u001B[2K${cut(visible(text), (this.#output.columns ?? 80) - 1)}`);
      this.#shown = true;
      return;
    }
    const at = this.#now();
    if (this.#last?.kind === kind && at - this.#last.at < PLAIN_EVERY_MS) return;
    this.#last = { kind, at };
    this.#output.write(`${visible(text)}\n`);
  }

  /** A line that stays. */
  say(text: string): void {
    this.clear();
    this.#output.write(`${visible(text)}\n`);
  }

  clear(): void {
    if (this.#shown) this.#output.write('\r\u001B[2K');
    this.#shown = false;
  }
}

const PHASES = {
  READING: 'Reading the files',
  MATCHING: 'Comparing with what is known',
  WRITING: 'Writing',
  COUNTING: 'Counting coverage',
} as const;

export function describeProgress(progress: Progress | null): string {
  if (progress === null) return 'Waiting for its turn';
  const { phase, rowsDone, rowsTotal, rowsPerSecond, secondsLeft } = progress;
  return [
    `${PHASES[phase]}: ${count(rowsDone)} of ${count(rowsTotal)} rows`,
    ...(rowsPerSecond === null ? [] : [`${count(Math.round(rowsPerSecond))} rows/s`]),
    ...(secondsLeft === null ? [] : [`${count(Math.ceil(secondsLeft))} s left of this`]),
  ].join(', ');
}

/** What became of an import, over several lines. */
export function describeResult(id: string, division: string, result: Result): string {
  const lines = [`Import ${id} for ${division}: ${ENDS[result.state]}`];
  if (result.reason !== null) lines.push(result.reason);
  if (result.state === 'APPLIED' || result.state === 'CHECKED') {
    const rows: [string, string][] = [
      [
        'rows',
        `${count(result.rowsRead)} read, ${count(result.rowsIgnored)} of students and parents ignored`,
      ],
      [
        'organizations',
        `${count(result.organizationsAdded)} added, ${count(result.organizationsChanged)} changed`,
      ],
      [
        'people',
        `${count(result.peopleAdded)} added, ${count(result.peopleChanged)} changed, ${count(result.peopleMissing)} left out of the file`,
      ],
      [
        'posts',
        `${count(result.postsAdded)} added, ${count(result.postsChanged)} changed, ${count(result.postsEnded)} of these ended`,
      ],
      ['refused', `${count(result.rowsRefused)} ${result.rowsRefused === 1 ? 'row' : 'rows'}`],
    ];
    lines.push(...rows.map(([what, text]) => `  ${pad(what, 15)}${text}`));
  }
  if (result.refusals.nodes.length > 0) {
    lines.push('', ...tableOf(result.refusals.nodes));
    if (result.refusals.pageInfo.hasNextPage)
      lines.push('… and more: `refusals` of this import in GraphQL lists them all.');
  }
  return lines.map(visible).join('\n');
}

const ENDS = {
  QUEUED: 'it goes on.',
  APPLIED: 'it went in.',
  CHECKED: 'checked. This is what it would do; nothing was written.',
  REFUSED: 'refused whole, nothing was written.',
  CANCELLED: 'stopped, nothing was written.',
} as const;

function tableOf(refusals: readonly Refusal[]): string[] {
  const rows = [
    ['file', 'line', 'column', 'value', 'reason'],
    ...refusals.map(({ file, line, column, value, reason }) =>
      [file, String(line), column ?? '', cut(visible(value ?? ''), VALUE_WIDTH), reason].map(visible),
    ),
  ];
  const widths = rows[0]!.map((_head, index) => Math.max(...rows.map((row) => widthOf(row[index]!))));
  return rows.map((row) =>
    row.map((cell, index) => (index === row.length - 1 ? cell : pad(cell, widths[index]! + 2))).join(''),
  );
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}

/** What comes from a file must not reach the terminal as a command to it, nor turn the line around. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu, '\uFFFD');
}

export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += WIDE.test(character) || character > '\uFFFF' ? 2 : 1;
  return width;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  for (const character of text) {
    if (widthOf(kept) + widthOf(character) > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}
