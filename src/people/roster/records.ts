import { parse, type CsvError } from 'csv-parse/sync';
import { UnreadableFile } from './said.ts';
import type { Encoding, Reopenable } from './text.ts';

/** A record of a CSV file (RFC 4180), and the line on which it begins. */
export interface LinedRecord {
  readonly record: string[];
  readonly line: number;
}

/** Bytes that are read as one piece of text: some hundred records. Much longer texts are kept apart in memory, and that costs. */
const PIECE = 48 * 1024;
/** A piece without an end is no record but a quote that is never closed. */
const LONGEST_PIECE = 8 * 1024 * 1024;
const [LINE_FEED, CARRIAGE_RETURN, QUOTE] = [10, 13, 34];

/**
 * The records of a file, as many at once as have been read; lines with nothing on them are none. A record may have more or fewer fields
 * than another.
 * @throws UnreadableFile for what is no CSV.
 */
export async function* readRecords(file: Reopenable, encoding: Encoding): AsyncGenerator<LinedRecord[]> {
  const decoder = new TextDecoder(encoding);
  // It was looked through before, and a buffer does it in a fraction of the time.
  const decode = (bytes: Buffer): string =>
    encoding === 'utf-8' ? bytes.toString('utf8') : decoder.decode(bytes);
  let line = 1;
  let lineBreak: '\n' | '\r' | undefined;
  for await (const bytes of pieces(file.open())) {
    const text = line === 1 ? decode(bytes).replace(/^\ufeff/, '') : decode(bytes);
    lineBreak ??= /\r(?!\n)/.test(text) && !text.includes('\n') ? '\r' : '\n';
    const { records, lines } = parsePiece(text, line, lineBreak);
    line += lines;
    if (records.length > 0) yield records;
  }
}

/** The bytes in pieces that end with a record: at the end of a line, and not inside quotes. */
async function* pieces(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let waiting: Uint8Array[] = [];
  let length = 0;
  let enough = PIECE;
  for await (const chunk of bytes) {
    waiting.push(chunk);
    length += chunk.length;
    if (length < enough) continue;
    const all = Buffer.concat(waiting, length);
    const end = length >= LONGEST_PIECE ? length : endOfRecords(all);
    if (end > 0) yield all.subarray(0, end);
    [waiting, length] = [[all.subarray(end)], length - end];
    // What has no end waits for as much again, so that it is not looked through for every chunk.
    enough = Math.min(LONGEST_PIECE, Math.max(PIECE, 2 * length));
  }
  if (length > 0) yield Buffer.concat(waiting, length);
}

/** Where the last whole record of bytes ends that begin with one; 0: nowhere. */
function endOfRecords(bytes: Buffer): number {
  const lineBreak = bytes.includes(LINE_FEED) ? LINE_FEED : CARRIAGE_RETURN;
  let end = 0;
  let isQuoted = false;
  for (let at = 0; at < bytes.length; isQuoted = !isQuoted) {
    const quote = bytes.indexOf(QUOTE, at);
    const until = quote === -1 ? bytes.length : quote;
    if (!isQuoted) {
      const last = bytes.subarray(at, until).lastIndexOf(lineBreak);
      if (last !== -1) end = at + last + 1;
    }
    at = until + 1;
  }
  return end;
}

/** @param firstLine of the piece. */
function parsePiece(
  text: string,
  firstLine: number,
  lineBreak: '\n' | '\r',
): { records: LinedRecord[]; lines: number } {
  const records: LinedRecord[] = [];
  const quoted: { at: number; text: string }[] = [];
  let open: { text: string; line: number } | undefined;
  const lines = text.split(lineBreak);
  for (const [index, part] of lines.entries()) {
    const hasQuotes = part.includes('"');
    if (open === undefined && !hasQuotes) {
      // Where nothing is quoted a comma is a comma; most lines are such, and a parser takes several times as long.
      const plain = withoutReturn(part);
      if (plain !== '') records.push({ record: plain.split(','), line: firstLine + index });
      continue;
    }
    const isWhole: boolean = hasQuotes ? (part.split('"').length % 2 === 1) === (open === undefined) : false;
    open =
      open === undefined
        ? { text: part, line: firstLine + index }
        : { ...open, text: open.text + lineBreak + part };
    if (!isWhole) continue;
    quoted.push({ at: records.length, text: withoutReturn(open.text) });
    records.push({ record: [], line: open.line });
    open = undefined;
  }
  const parsed = open === undefined ? parseQuoted(quoted.map((each) => each.text)) : undefined;
  if (parsed === undefined) throw malformed(text, firstLine, lineBreak);
  for (const [index, { at }] of quoted.entries()) records[at] = { ...records[at]!, record: parsed[index]! };
  return { records, lines: lines.length - 1 };
}

/** @returns undefined where one of them is malformed. */
function parseQuoted(texts: readonly string[]): string[][] | undefined {
  if (texts.length === 0) return [];
  try {
    // Not the return, which may stand in a field.
    const records = parse(texts.join('\n'), { relax_column_count: true, record_delimiter: '\n' });
    return records.length === texts.length ? records : undefined;
  } catch {
    return undefined;
  }
}

/** What is wrong, as the parser tells it of the piece as a whole. */
function malformed(text: string, firstLine: number, lineBreak: '\n' | '\r'): UnreadableFile {
  let line: number | undefined;
  let message = 'a quote is not where it may be';
  try {
    parse(text, {
      relax_column_count: true,
      skip_empty_lines: true,
      record_delimiter: lineBreak === '\n' ? ['\r\n', '\n'] : '\r',
    });
  } catch (error) {
    const told = error as CsvError & { lines?: number };
    line = told.lines === undefined ? undefined : firstLine - 1 + told.lines;
    message = told.message.replaceAll(
      /\bline (\d+)/g,
      (_all, at: string) => `line ${firstLine - 1 + Number(at)}`,
    );
  }
  return new UnreadableFile(
    `it is not well-formed CSV${line === undefined ? '' : ` (line ${line})`}: ${message}`,
    `CSV 格式有误${line === undefined ? '' : `（第 ${line} 行）`}：${message}`,
  );
}

function withoutReturn(text: string): string {
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}
