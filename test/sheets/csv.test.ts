import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import type { CellToWrite } from '../../src/sheets/cells.ts';
import { writeCsv } from '../../src/sheets/csv.ts';
import { bytesOf } from './workbook.ts';

async function csvOf(titles: readonly string[], rows: readonly (readonly CellToWrite[])[]): Promise<string> {
  return (await bytesOf(writeCsv({ columns: titles.map((title) => ({ title })), rows }))).toString('utf8');
}

describe('CSV', () => {
  it('has a mark, its titles and lines that end as the standard has it', async () => {
    expect(await csvOf(['姓名', '学时'], [['张三', 3], ['李四', null], ['王五']])).toBe(
      '\ufeff姓名,学时\r\n张三,3\r\n李四,\r\n王五,\r\n',
    );
    expect(await csvOf(['a'], [])).toBe('\ufeffa\r\n');
  });

  it('quotes what would divide fields or rows', async () => {
    const cells = ['a,b', '他说"好"', '一\n二', 'a;b', ' a', 'a\tb', 'a b'];
    const text = await csvOf(['a'], [cells]);
    expect(text).toContain('\r\n"a,b","他说""好""","一\n二","a;b"," a","a\tb",a b\r\n');
    expect(parse(text, { bom: true, relax_column_count: true })[1]).toEqual(cells);
  });

  it('keeps texts from becoming formulas, and leaves numbers as they are', async () => {
    const texts = ['=1+1', '+86', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1', '＋1', '－1', '＠1'];
    const text = await csvOf(['=标题'], [texts, [-1, 1e-7, 0.1 + 0.2, '1-1', 'a=b']]);
    const [titles, guarded, others] = parse(text, { bom: true, relax_column_count: true });
    expect(titles).toEqual(["'=标题"]);
    expect(guarded).toEqual(texts.map((each) => `'${each}`));
    expect(others).toEqual(['-1', '0.0000001', '0.3', '1-1', 'a=b']);
  });

  it('has the values of marked cells', async () => {
    expect(await csvOf(['a'], [[{ value: '=x', mark: true, note: 'why' }]])).toBe("\ufeffa\r\n'=x\r\n");
  });

  it('streams, and fails as its rows fail', async () => {
    async function* rows() {
      for (let at = 0; at < 50_000; at += 1) yield [`教师${at}`, at];
    }
    const bytes = await bytesOf(writeCsv({ columns: [{ title: 'a' }, { title: 'b' }], rows: rows() }));
    expect(bytes.toString('utf8').trimEnd().split('\r\n')).toHaveLength(50_001);
    async function* failing() {
      yield ['a'];
      await Promise.resolve();
      throw new TypeError('no more');
    }
    await expect(bytesOf(writeCsv({ columns: [{ title: 'a' }], rows: failing() }))).rejects.toThrow(
      TypeError,
    );
  });
});
