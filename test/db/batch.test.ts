import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runBatch, Skipped } from '../../src/db/batch.ts';
import { makePool } from '../../src/db/database.ts';
import { makeTestDatabase, type TestDatabase } from '../support/database.ts';

const EVERY_KIND = `select 1 as small, 9007199254740993 as big, 1.50::numeric as exact, true as yes, null::text as nothing, '心桥' as words,
  '2026-09-01'::date as day, '2026-09-01 08:00+08'::timestamptz as moment, '{"a": [1, null]}'::jsonb as json, '{a,NULL,"b,c"}'::text[] as list,
  '\\x00ff'::bytea as bytes, $1::text as given, 1 as twice, null as twice`;
/** What is read only by a function that says no. */
const UNREADABLE = 'select 1::int2 as unreadable from generate_series(1, 3)';
const INT2 = 21;

describe('a batch of statements', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let client: pg.PoolClient;
  beforeAll(async () => {
    database = await makeTestDatabase();
    pool = makePool(database.url, { name: 'batch', size: 2 });
    await pool.query('create table written (n int primary key)');
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });
  /** On a connection of its own, as after a failure. */
  const on = async <T>(work: () => Promise<T>): Promise<T> => {
    client = await pool.connect();
    try {
      return await work();
    } finally {
      client.release(true);
    }
  };
  const types = (): pg.CustomTypesConfig =>
    (pool.options as unknown as { types: pg.CustomTypesConfig }).types;
  const written = async (): Promise<number[]> =>
    (await pool.query<{ n: number }>('select n from written order by n')).rows.map(({ n }) => n);

  it('answers as pg itself does, the first time and when what comes back is known', async () =>
    on(async () => {
      const named = { text: EVERY_KIND, values: ['one'], name: 'every kind' };
      const { rows } = await pool.query(EVERY_KIND, ['one']);
      for (const batch of [[named], [named, named], [{ text: EVERY_KIND, values: ['one'] }]])
        for (const result of await runBatch(client, batch, types()))
          expect(result).toMatchObject({
            status: 'fulfilled',
            value: { command: 'SELECT', rowCount: 1, rows },
          });
      // pg's own queries know what a batch has prepared, and a batch what they have.
      expect((await client.query({ ...named, values: ['two'] })).rows).toEqual([
        { ...rows[0], given: 'two' },
      ]);
      await client.query({ text: 'select $1::int as n', values: [1], name: 'from pg' });
      expect(
        await runBatch(client, [{ text: 'select $1::int as n', values: [2], name: 'from pg' }], types()),
      ).toMatchObject([{ value: { rows: [{ n: 2 }] } }]);
    }));

  it('takes what is too long to be gathered', async () =>
    on(async () => {
      const long = '桥'.repeat(100_000);
      expect(
        await runBatch(
          client,
          [
            { text: 'select $1::text as given', values: [long] },
            { text: 'select 2 as n', values: [] },
          ],
          types(),
        ),
      ).toMatchObject([{ value: { rows: [{ given: long }] } }, { value: { rows: [{ n: 2 }] } }]);
    }));

  it('knows of a write that no rows come of it', async () =>
    on(async () => {
      await pool.query('create table if not exists noted (n int)');
      const write = { text: 'insert into noted values ($1)', name: 'write' };
      for (const n of [1, 2])
        expect(
          await runBatch(
            client,
            [
              { ...write, values: [n] },
              { text: 'select count(*)::int as n from noted', values: [], name: 'count' },
            ],
            types(),
          ),
        ).toMatchObject([
          { value: { command: 'INSERT', rowCount: 1, rows: [] } },
          { value: { command: 'SELECT', rows: [{ n }] } },
        ]);
    }));

  it('has prepared what it answered, also for a transaction of pg’s own that fails', async () =>
    on(async () => {
      const kept = { text: 'select $1::int as n', values: [1], name: 'kept' };
      await runBatch(client, [kept], types());
      await client.query('begin');
      await expect(client.query('select 1 / 0')).rejects.toThrow('division by zero');
      await expect(client.query({ ...kept })).rejects.toThrow('transaction is aborted');
      await client.query('rollback');
      expect(await runBatch(client, [kept], types())).toMatchObject([{ value: { rows: [{ n: 1 }] } }]);
      expect((await client.query({ ...kept })).rows).toEqual([{ n: 1 }]);
    }));

  it('counts what was written, in one transaction', async () =>
    on(async () => {
      const results = await runBatch(
        client,
        [
          { text: 'insert into written select generate_series(1, $1)', values: [3] },
          { text: 'delete from written where n = $1', values: [3] },
          { text: 'select xmin = (pg_current_xact_id()::text)::xid as mine from written', values: [] },
          { text: '', values: [] },
        ],
        types(),
      );
      expect(
        results.map(
          (result) => result.status === 'fulfilled' && [result.value.command, result.value.rowCount],
        ),
      ).toEqual([
        ['INSERT', 3],
        ['DELETE', 1],
        ['SELECT', 2],
        ['', null],
      ]);
      expect(results[2]).toMatchObject({ value: { rows: [{ mine: true }, { mine: true }] } });
      expect(await written()).toEqual([1, 2]);
    }));

  const insert = { text: 'insert into written values ($1)', values: [7] };
  it.each([
    ['that fails', { text: 'select 1 / $1::int', values: [0] }, 'division by zero'],
    ['that can’t be sent', { text: 'select $1::jsonb', values: [circular()] }, 'circular'],
    ['that does not parse', { text: 'selekt', values: [] }, 'syntax error'],
    ['whose name is taken', { text: 'select 2', values: [], name: 'taken' }, 'taken'],
  ])('with one %s says which it was, and leaves nothing of the others', async (_what, bad, message) =>
    on(async () => {
      await runBatch(client, [{ text: 'select 1', values: [], name: 'taken' }], types());
      const results = await runBatch(client, [insert, bad, insert], types());
      expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
      const [before, itself, after] = results.map(
        (result) => (result as PromiseRejectedResult).reason as Error,
      );
      expect(before).toBeInstanceOf(Skipped);
      expect(after).toBeInstanceOf(Skipped);
      expect(itself).not.toBeInstanceOf(Skipped);
      expect(itself!.message).toContain(message);
      expect(await written()).toEqual([1, 2]);
    }),
  );

  it('with one whose rows can’t be read fails that one alone, since all were done', async () =>
    on(async () => {
      const unreadable = {
        getTypeParser: (oid: number, format?: 'text') =>
          oid === INT2
            ? () => {
                throw new Error('not read');
              }
            : (types().getTypeParser(oid, format) as (value: string) => unknown),
      } as pg.CustomTypesConfig;
      expect(
        await runBatch(
          client,
          [insert, { text: UNREADABLE, values: [] }, { text: 'select 5 as n', values: [] }],
          unreadable,
        ),
      ).toMatchObject([
        { status: 'fulfilled', value: { rowCount: 1 } },
        { status: 'rejected', reason: { message: 'not read' } },
        { status: 'fulfilled', value: { rows: [{ n: 5 }] } },
      ]);
      expect(await written()).toEqual([1, 2, 7]);
    }));
});

function circular(): object {
  const around: { self?: object } = {};
  around.self = around;
  return around;
}
