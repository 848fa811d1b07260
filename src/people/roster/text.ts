import { isAscii, isUtf8 } from 'node:buffer';
import { UnreadableFile } from './said.ts';

export type Encoding = 'utf-8' | 'gb18030';

/** A file that can be read from its beginning more than once. */
export interface Reopenable {
  open(): AsyncIterable<Uint8Array>;
}

/**
 * How the text of a file is written, as bureaus save it: UTF-8 with or without a byte order mark, or GB18030 (GBK and GB2312 are parts
 * of it), which spreadsheets in China write for "CSV". Reads the file through, so that what follows may trust it.
 * @returns its encoding and how many lines it has at most.
 * @throws UnreadableFile with the encoding's name, when it is another.
 */
export async function readEncoding(file: Reopenable): Promise<{ encoding: Encoding; lines: number }> {
  let lines = 1;
  let first = true;
  let chinese = false;
  let utf8 = true;
  /** The beginning of a character whose end is in the next chunk. */
  let begun: Uint8Array = Buffer.alloc(0);
  for await (const chunk of file.open()) {
    if (first && chunk.length > 1) {
      const mark = `${chunk[0]} ${chunk[1]}`;
      if (mark === '255 254' || mark === '254 255')
        throw new UnreadableFile(
          'it is UTF-16 text; save it as "CSV UTF-8"',
          '文件是 UTF-16 编码，请另存为“CSV UTF-8”',
        );
      first = false;
    }
    if (chunk.includes(0)) throw new UnreadableFile('it is not a text file', '不是文本文件');
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1;
    if (!utf8) continue;
    const bytes = begun.length === 0 ? chunk : Buffer.concat([begun, chunk]);
    const end = endOfCharacters(bytes);
    begun = bytes.subarray(end);
    utf8 = isUtf8(bytes.subarray(0, end));
    chinese ||= !isAscii(bytes);
  }
  if (utf8 && begun.length === 0) return { encoding: 'utf-8', lines };
  // All of it was UTF-8 up to the last character. With Chinese before it this is no chance: who knows how much more is missing.
  if (utf8 && chinese)
    throw new UnreadableFile(
      'it is UTF-8 text that ends in the middle of a character: it was cut off',
      'UTF-8 文本在一个字的中间结束：文件不完整',
    );
  const gb18030 = new TextDecoder('gb18030', { fatal: true });
  const isChinese = (text: string | undefined): boolean =>
    // Bytes of another encoding often decode to something; in Chinese text nothing comes from the private or unassigned parts.
    text !== undefined && !/[\p{Co}\p{Cn}\u0080-\u009f\ufffd]/u.test(text);
  for await (const chunk of file.open())
    if (!isChinese(decode(gb18030, chunk, { stream: true }))) throw neither();
  if (!isChinese(decode(gb18030))) throw neither();
  return { encoding: 'gb18030', lines };
}

/** Where the last whole character of UTF-8 ends: what follows is at most three bytes that begin another. */
function endOfCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function neither(): UnreadableFile {
  return new UnreadableFile(
    'it is neither UTF-8 nor GBK text; save it as "CSV UTF-8"',
    '既不是 UTF-8 也不是 GBK 编码，请另存为“CSV UTF-8”',
  );
}

function decode(decoder: TextDecoder, bytes?: Uint8Array, options?: TextDecodeOptions): string | undefined {
  try {
    return decoder.decode(bytes, options);
  } catch {
    return undefined;
  }
}

/** Digits, letters and signs in their plain width, as codes and numbers are compared: ４３０１２１ is 430121. */
export function narrow(text: string): string {
  // Nearly all are plain already, and there are millions.
  if (/^[\x21-\x7e]*$/.test(text)) return text;
  return text
    .normalize('NFKC')
    .replaceAll(/[\u200b-\u200d\u2060\ufeff]/g, '')
    .trim();
}

/**
 * A calendar day as people and spreadsheets write it: 2024-09-01, 2024/9/1, 2024.9.1, 2024年9月1日, 20240901, with a time of midnight or
 * none. @returns `YYYY-MM-DD`; undefined: no day, or one that does not exist. A bare number, as a spreadsheet keeps its dates, is none:
 * it could as well be anything else.
 */
export function readDay(text: string): string | undefined {
  const match =
    /^(\d{4})(?:-|\/|\.|年)(\d{1,2})(?:-|\/|\.|月)(\d{1,2})日?(?:[T ]0?0:00(?::00)?)?$/.exec(narrow(text)) ??
    /^(\d{4})(\d{2})(\d{2})$/.exec(narrow(text));
  // Calendars have no year 0, nor has the database.
  if (match === null || match[1] === '0000') return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month)
    ? `${match[1]}-${match[2]!.padStart(2, '0')}-${match[3]!.padStart(2, '0')}`
    : undefined;
}

function daysOf(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
