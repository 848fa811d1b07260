import { describe, expect, it } from 'vitest';
import { readRecords } from '../../src/people/roster/records.ts';
import { narrow, readDay, readEncoding } from '../../src/people/roster/text.ts';

const open = (bytes: Buffer, piece = 1) => ({
  async *open() {
    for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
  },
});
/** Byte by byte, so that every character is met in pieces. */
async function textOf(bytes: Buffer): Promise<string> {
  const file = open(bytes);
  let text = '';
  for await (const records of readRecords(file, (await readEncoding(file)).encoding))
    for (const { record } of records) text += record.join();
  return text;
}

describe('the text of a file', () => {
  // 姓名,单位 and 镕 (in GBK), 㐀 (four bytes in GB18030).
  const gb18030 = [0xd0, 0xd5, 0xc3, 0xfb, 0x2c, 0xb5, 0xa5, 0xce, 0xbb, 0xe9, 0x46, 0x81, 0x39, 0xee, 0x39];

  it('is read from UTF-8 with and without a mark, and from GB18030', async () => {
    expect(await textOf(Buffer.from('姓名,单位'))).toBe('姓名,单位');
    expect(await textOf(Buffer.from('\ufeff姓名'))).toBe('姓名');
    expect(await textOf(Buffer.from(gb18030))).toBe('姓名,单位镕㐀');
  });

  it.each([
    ['UTF-16', Buffer.from('\ufeff姓名', 'utf16le'), /UTF-16/],
    ['a picture', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0]), /not a text file/],
    ['bytes of no encoding', Buffer.from([0x41, 0xff, 0xff, 0x41]), /neither UTF-8 nor GBK/],
    ['UTF-8 cut in the middle of a character', Buffer.from('姓名,单').subarray(0, -1), /cut off/],
  ])('is refused by its name when it is %s', async (_name, bytes, reason) => {
    await expect(readEncoding(open(bytes, 64))).rejects.toThrow(reason);
  });
});

describe('a field', () => {
  it('is compared in its plain width', () => {
    expect(narrow(' ４３０１２１ ')).toBe('430121');
    expect(narrow('43000019800101123ｘ\u200b')).toBe('43000019800101123x');
  });

  it.each([
    ['2024-09-01', '2024-09-01'],
    ['2024/9/1', '2024-09-01'],
    ['2024.09.1', '2024-09-01'],
    ['2024年9月1日', '2024-09-01'],
    ['20240901', '2024-09-01'],
    ['２０２４－０９－０１', '2024-09-01'],
    ['2024-09-01 00:00:00', '2024-09-01'],
    ['2024-09-01T00:00', '2024-09-01'],
    ['2023-02-29', undefined],
    ['0000-01-01', undefined],
    ['2024-13-01', undefined],
    ['2024-09-01 08:30', undefined],
    ['45536', undefined],
    ['1/9/2024', undefined],
    ['', undefined],
  ])('%j is the day %s', (text, day) => {
    expect(readDay(text)).toBe(day);
  });
});
