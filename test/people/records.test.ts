import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { readRecords, type LinedRecord } from '../../src/people/roster/records.ts';
import { Random } from '../../src/commands/sample/random.ts';

const fileOf = (bytes: Buffer, chunk: number) => ({
  async *open() {
    for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
  },
});

async function read(text: string | Buffer, chunk = 1000): Promise<LinedRecord[]> {
  const all: LinedRecord[] = [];
  for await (const records of readRecords(fileOf(Buffer.from(text), chunk), 'utf-8')) all.push(...records);
  return all;
}

describe('the records of a CSV file', () => {
  it('tell the line on which each begins, whatever stands between and inside of them', async () => {
    expect(await read('\ufeffa,b\r\n\r\n"1\r\n2","say ""so"""\r\n, \n3,4,5\n\n"x",y')).toEqual([
      { line: 1, record: ['a', 'b'] },
      { line: 3, record: ['1\r\n2', 'say "so"'] },
      { line: 5, record: ['', ' '] },
      { line: 6, record: ['3', '4', '5'] },
      { line: 8, record: ['x', 'y'] },
    ]);
    expect(await read('a,b\r1,"2\r3"\r\r4,5\r')).toEqual([
      { line: 1, record: ['a', 'b'] },
      { line: 2, record: ['1', '2\r3'] },
      { line: 5, record: ['4', '5'] },
    ]);
    expect(await read('')).toEqual([]);
    expect(await read('\r\n\r\n')).toEqual([]);
  });

  it('are those of another parser, wherever the file is cut into pieces', async () => {
    for (let seed = 1; seed <= 15; seed += 1) {
      const random = new Random(seed);
      const pick = <T>(values: readonly T[]): T => random.pick(values);
      const lineBreak = pick(['\n', '\r\n']);
      const records = Array.from({ length: 1 + random.between(0, 2999) }, () =>
        Array.from({ length: 1 + random.between(0, 4) }, () =>
          pick([
            '',
            'a',
            '教师',
            ' 镕 ',
            '𠮷',
            '"x,y"',
            `"1${lineBreak}2"`,
            '"a ""b"" c"',
            '""',
            'long '.repeat(pick([1, 40])),
          ]),
        ).join(),
      );
      const text = records.join(lineBreak) + pick(['', lineBreak]);
      const expected: string[][] = parse(text, { relax_column_count: true, skip_empty_lines: true });
      const found = await read(text, pick([7, 1000, 65_536]));
      expect(found.map(({ record }) => record)).toEqual(expected);
      const lines = found.map(({ line }) => line);
      expect(lines).toEqual(lines.toSorted((a, b) => a - b));
      // The line that is told is the one on which the record stands.
      const physical = text.split('\n');
      for (const { record, line } of found.filter((each) => each.record[0] === '教师'))
        expect(physical[line - 1]!.startsWith(record[0]!)).toBe(true);
    }
  }, 30_000);

  it('are refused with the line where a quote is not where it may be', async () => {
    const rows = Array.from({ length: 20_000 }, (_each, index) => `${index},教师,"a, b"`).join('\n');
    await expect(read(`${rows}\n1,5" x,2\n${rows}`)).rejects.toThrow(/line 20001.*line 20001/);
    await expect(read(`${rows}\n1,"x"y,2\n${rows}`)).rejects.toThrow(/line 20001/);
    await expect(read(`${rows}\n1,"never closed\n${rows}`)).rejects.toThrow(/not well-formed CSV/);
    // Nor is all of the rest of a large file held for it.
    let taken = 0;
    const endless = {
      async *open() {
        yield Buffer.from('a,b\n1,"');
        for (; taken < 1000; taken += 1) yield Buffer.alloc(65_536, 'x\n');
      },
    };
    await expect(
      (async () => {
        for await (const _ of readRecords(endless, 'utf-8'));
      })(),
    ).rejects.toThrow(/not well-formed CSV/);
    expect(taken).toBeLessThan(200);
  });
});
