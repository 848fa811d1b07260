import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDatabase, makePool, type Database } from '../../src/db/database.ts';
import { prepared } from '../../src/db/prepared.ts';
import { makeTestDatabase, type TestDatabase } from '../support/database.ts';

describe('a prepared statement', () => {
  let database: TestDatabase;
  let db: Database;
  beforeAll(async () => {
    database = await makeTestDatabase();
    // One connection, whose statements can be looked at.
    db = makeDatabase(makePool(database.url, { name: 'prepared', size: 1 }));
  });
  afterAll(async () => {
    await db.destroy();
    await database.drop();
  });
  const kept = async (): Promise<string[]> =>
    (
      await sql<{
        statement: string;
      }>`select statement from pg_prepared_statements where name not like 'acting%' order by name`.execute(db)
    ).rows.map((row) => row.statement);

  it('is parsed once by each connection, whatever it is asked with; others are not kept', async () => {
    for (const number of [1, 2, 3]) {
      const { rows } = await sql<{ twice: number }>`${prepared} select ${number}::int * 2 as twice`.execute(
        db,
      );
      expect(rows).toEqual([{ twice: number * 2 }]);
      await sql`select ${number}::int`.execute(db);
    }
    const rows = await db
      .selectFrom('divisions')
      .modifyFront(prepared)
      .select('code')
      .where('code', '=', 'none')
      .execute();
    expect(rows).toEqual([]);
    expect(await kept()).toEqual([
      '/* prepared */ select $1::int * 2 as twice',
      'select /* prepared */ "code" from "divisions" where "code" = $1',
    ]);
  });

  it('sees what its transaction wrote, and stays good after one that failed', async () => {
    const count = async (executor: Database): Promise<number> =>
      (
        await sql<{
          n: number;
        }>`${prepared} select count(*)::int as n from divisions where code = ${'999999'}`.execute(executor)
      ).rows[0]!.n;
    await expect(
      db.transaction().execute(async (tx) => {
        expect(await count(tx)).toBe(0);
        await tx
          .insertInto('divisions')
          .values({ code: '999999', name: '某省', level: 'province', province_code: '999999' })
          .execute();
        expect(await count(tx)).toBe(1);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await count(db)).toBe(0);
  });
});
