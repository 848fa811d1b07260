import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectFolder } from '../../src/config.ts';
import { checkJournal, type CheckEnd } from '../../src/journal/check.service.ts';
import { insertJournalEntry } from '../../src/journal/journal.repository.ts';
import {
  hashEntry,
  HEAD_FORM,
  macOf,
  SEAL_FORM,
  sealEntry,
  sealKey,
  type Head,
} from '../../src/journal/seal.ts';
import { findHead, insertSeals, listSealed } from '../../src/journal/seal.repository.ts';
import { makeSealingService, type SealingService } from '../../src/journal/sealing.service.ts';
import { silentLog } from '../../src/log.ts';
import { withOrigin } from '../../src/origin.ts';
import { makeTestDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/service.ts';

const KEY = randomBytes(32);

describe('the chain over the journal', () => {
  let database: TestDatabase;
  let sealing: SealingService;

  beforeEach(async () => {
    database = await makeTestDatabase();
    sealing = makeSealingService({ db: database.db, identityKey: KEY, log: silentLog });
  });
  afterEach(async () => database.drop());

  const query = async (sql: string, values: unknown[] = []) =>
    (await database.pool.query(sql, values)).rows as Record<string, unknown>[];
  const write = async (number: number, executor = database.db): Promise<void> =>
    insertJournalEntry(executor, {
      at: new Date('2030-03-04T04:00:00.123Z'),
      actor: 'person:1',
      action: 'thing.change',
      subject: `thing:${number}`,
      detail: { number, rate: 0.95, é: ['心桥', null] },
    });
  /** @returns each fault as a line, and what the check ended with. */
  const check = async (
    more: { identityKey?: Buffer | undefined; heads?: Head[] } = {},
  ): Promise<CheckEnd & { lines: string[] }> => {
    const lines: string[] = [];
    const end = await checkJournal(database.db, {
      identityKey: KEY,
      heads: [],
      tell: ({ where, what }) => lines.push(`${where}: ${what}`),
      wait: async () => {},
      ...more,
    });
    expect(end.faults).toBe(lines.length);
    return { ...end, lines };
  };
  const inOrder = async (entries: number): Promise<Head | undefined> => {
    const { lines, entries: read, head } = await check();
    expect(lines).toEqual([]);
    expect(read).toBe(entries);
    expect(head?.seq ?? 0n).toBe(BigInt(entries));
    return head;
  };

  describe('grows', () => {
    it('by what twenty write at once, and by a long transaction that commits last, without a gap', async () => {
      const { promise: late, resolve: commit } = Promise.withResolvers<void>();
      const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
      const long = database.db.transaction().execute(async (tx) => {
        await write(1000, tx);
        begin();
        await late;
      });
      await begun;
      const stop = sealing.startSealing();
      const [writers, more] = [20, 10];
      // More than the pool of the test has connections, so that some wait for others as well.
      await Promise.all(
        Array.from({ length: writers }, async (_, writer) => {
          for (let number = 0; number < more; number += 1)
            await database.db.transaction().execute(async (tx) => write(writer * more + number, tx as never));
        }),
      );
      // Nobody waits for the one that is still open.
      await until(async () =>
        (await findHead(database.db))?.seq === BigInt(writers * more) ? true : undefined,
      );
      await inOrder(writers * more);
      commit();
      await long;
      await stop();
      await inOrder(writers * more + 1);
      const [last] = await query(
        'select subject from journal_entries join journal_seals on entry_id = id order by seq desc limit 1',
      );
      expect(last).toEqual({ subject: 'thing:1000' });
    });

    it('by nothing of what was taken back, though its number is used up', async () => {
      await write(1);
      await expect(
        database.db.transaction().execute(async (tx) => {
          await write(2, tx);
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      await write(3);
      await sealing.seal();
      await inOrder(2);
      expect((await query('select id from journal_entries order by id')).map((row) => row['id'])).toEqual([
        '1',
        '3',
      ]);
    });

    it('by each entry once, whoever else seals and wherever a sealer breaks off', async () => {
      for (let number = 0; number < 30; number += 1) await write(number);
      // It has taken what waits and written the seals, and does not come to its end.
      await query(
        `create function break_off() returns trigger language plpgsql as $$ begin raise 'the power is gone'; end $$`,
      );
      await query('create trigger breaks before insert on journal_head execute function break_off()');
      await expect(sealing.seal()).rejects.toThrow('the power is gone');
      expect(await query('select count(*)::int from journal_seals')).toEqual([{ count: 0 }]);
      await query('drop trigger breaks on journal_head');
      const others = Array.from({ length: 4 }, () =>
        makeSealingService({ db: database.db, identityKey: KEY, log: silentLog }),
      );
      await Promise.all([sealing, ...others].map(async (each) => each.seal()));
      await sealing.seal();
      await inOrder(30);
      expect(await query('select count(*)::int from journal_unsealed')).toEqual([{ count: 0 }]);
    });

    it('in more than a batch and a page, and an empty one is in order', async () => {
      await inOrder(0);
      await query(
        `insert into journal_entries (at, actor, action, subject) select now(), 'person:1', 'thing.change', 'thing:' || n from generate_series(1, 6100) n`,
      );
      await sealing.seal();
      expect(await inOrder(6100)).toBeDefined();
    });

    it('with where each came from', async () => {
      await withOrigin({ requestId: 'r-1', address: '192.0.2.7' }, async () => write(1));
      await write(2);
      expect(await query('select request_id, address from journal_entries order by id')).toEqual([
        { request_id: 'r-1', address: '192.0.2.7' },
        { request_id: null, address: null },
      ]);
    });
  });

  describe('is computed', () => {
    it('as it is written down, whatever the database’s own forms are', () => {
      const entry = {
        id: '7',
        at: '2030-03-04T04:00:00.123000Z',
        recordedAt: '2030-03-04T04:00:00.456789Z',
        actor: 'person:1',
        action: 'thing.change',
        subject: 'thing:1',
        detail: '{"b": 1.0, "a": "心\\u0007"}',
        concerns: ['-5', '430121'],
        personId: null,
        requestId: 'job:3',
        address: null,
      };
      // Computed in another language from what seal.ts says.
      expect(hashEntry(entry)).toBe('2a63de5e7a47fdcd6f86dcad0039e75fc9256b49c2d9fa8ab1614c11d37b8c2a');
      expect(hashEntry({ ...entry, detail: '{"a":"心\\u0007","b":1}' })).toBe(hashEntry(entry));
      const seal = sealEntry(
        entry,
        { seq: 4n, hash: 'ab'.repeat(32) },
        '2030-03-04T04:00:01.000000Z',
        Buffer.alloc(32),
      );
      expect(seal).toMatchObject({
        seq: 5n,
        entryId: '7',
        hash: '34522d5d3a559f921e2460224ff2d99597e2fb221fefc0b8a2611e4c75f00922',
        mac: '3ffbfb3150e7c937ba87b5fbbf7f357f79e663a2713b1a6f472b7270f4077b3a',
      });
    });

    it('under a key that is none of the service’s others', () => {
      expect(sealKey(KEY).equals(KEY)).toBe(false);
      const head = { seq: 1n, hash: 'ab'.repeat(32) };
      expect(macOf(SEAL_FORM, head, sealKey(KEY))).not.toBe(macOf(HEAD_FORM, head, sealKey(KEY)));
    });
  });

  describe('refuses', () => {
    it.each([
      'update journal_entries set detail = detail',
      'update journal_entries set id = default where false',
      'delete from journal_entries where false',
      'truncate journal_entries cascade',
      'update journal_seals set sealed_at = now()',
      'delete from journal_seals',
      'truncate journal_seals',
    ])('%s, to a superuser too', async (statement) => {
      await write(1);
      await sealing.seal();
      await expect(query(statement)).rejects.toThrow('append-only');
      await expect(query(`set session_replication_role = replica; ${statement}`)).rejects.toThrow(
        'append-only',
      );
      await inOrder(1);
    });

    it('a time of recording of somebody’s own', async () => {
      await query(
        `insert into journal_entries (at, recorded_at, actor, action, subject) values (now(), '2001-01-01', 'person:1', 'a.b', 'c:1')`,
      );
      const [row] = await query(
        `select recorded_at > now() - interval '1 hour' as mine from journal_entries`,
      );
      expect(row).toEqual({ mine: true });
    });
  });

  describe('tells', () => {
    /** Ten entries of the same ids and seals, and the head that somebody has kept. */
    let head: Head;
    beforeEach(async () => {
      for (let number = 1; number <= 10; number += 1) await write(number);
      await sealing.seal();
      head = (await inOrder(10))!;
    });

    /** As somebody may who has the whole database in hand. */
    const tamper = async (...statements: string[]): Promise<void> => {
      const client = await database.pool.connect();
      try {
        for (const table of ['journal_entries', 'journal_seals', 'journal_unsealed'])
          await client.query(`alter table ${table} disable trigger all`);
        for (const statement of statements) await client.query(statement);
        for (const table of ['journal_entries', 'journal_seals', 'journal_unsealed'])
          await client.query(`alter table ${table} enable trigger all`);
      } finally {
        client.release();
      }
    };
    /** Seals anew from a place on, as the sealer does, but under another key. */
    const sealAnew = async (from: bigint, key: Buffer): Promise<void> => {
      const rows = await listSealed(database.db, 0n, 1_000);
      let end: Head = rows.find(({ seal }) => seal.seq === from - 1n)!.seal;
      const seals = rows
        .filter(({ seal }) => seal.seq >= from)
        .map(({ seal, entry }) => {
          const made = sealEntry(entry!, end, seal.sealedAt, key);
          end = made;
          return made;
        });
      await tamper(`delete from journal_seals where seq >= ${from}`);
      await insertSeals(database.db, seals, { ...end, mac: macOf(HEAD_FORM, end, key) });
    };

    const ALTERED = 'the entry is not the one that was sealed: altered';
    const UNFOLLOWING = 'does not follow from the seal before: altered, or in another order';
    const FOREIGN = 'not sealed under this service’s key';

    it.each([
      [`update journal_entries set detail = jsonb_set(detail, '{number}', '5') where id = 4`],
      [`update journal_entries set at = at + interval '1 microsecond' where id = 4`],
      [`update journal_entries set recorded_at = recorded_at - interval '1 microsecond' where id = 4`],
      [`update journal_entries set actor = 'person:2' where id = 4`],
      [`update journal_entries set concerns = '{430121}' where id = 4`],
      [`update journal_entries set address = '192.0.2.1' where id = 4`],
      [`update journal_entries set detail = '{"number": 1e400}' where id = 4`],
    ])('of %s', async (statement) => {
      await tamper(statement);
      expect((await check()).lines).toEqual([`seal 4 (entry 4): ${ALTERED}`]);
      // Without the key as well.
      expect((await check({ identityKey: undefined })).lines).toEqual([`seal 4 (entry 4): ${ALTERED}`]);
    });

    it('of an entry that is gone, with its seal or without', async () => {
      await tamper('delete from journal_entries where id = 4');
      expect((await check()).lines).toEqual(['seal 4 (entry 4): the entry is gone: removed']);
      await tamper('delete from journal_seals where seq between 4 and 5');
      expect((await check()).lines).toEqual([
        'seals 4 to 5: missing: removed',
        expect.stringMatching(/^entry 5: not sealed/),
      ]);
    });

    it('of entries gone from the end, also where the end was set back', async () => {
      await tamper('delete from journal_seals where seq > 8', 'delete from journal_entries where id > 8');
      expect((await check()).lines).toEqual(['seals 9 to 10: missing at the end: removed']);
      // What comes after does not cover it up.
      await write(11);
      await sealing.seal();
      expect((await check()).lines).toEqual(['seals 9 to 10: missing: removed']);
      await tamper('delete from journal_seals where seq > 8', 'delete from journal_entries where id > 8');
      await query(
        'update journal_head set seq = s.seq, hash = s.hash, mac = s.mac from journal_seals s where s.seq = 8',
      );
      expect((await check()).lines).toEqual([
        'the end of the chain: not signed under this service’s key (journal_head)',
      ]);
      await query('delete from journal_head');
      expect((await check()).lines).toEqual(['the end of the chain: gone from the database (journal_head)']);
      await write(12);
      await expect(sealing.seal()).rejects.toThrow('end of the journal’s chain is gone');
    });

    it('of everything gone, to whom has kept a head', async () => {
      await tamper('delete from journal_seals', 'delete from journal_entries');
      await query('delete from journal_head');
      expect((await check()).lines).toEqual([]);
      expect((await check({ heads: [head] })).lines).toEqual([
        `seals 1 to 10: missing at the end: the head 10:${head.hash} that was given comes after all that is there`,
      ]);
    });

    it('of two that changed places', async () => {
      await tamper(
        'alter table journal_seals drop constraint journal_seals_entry_id_key',
        'update journal_seals set entry_id = 9 - entry_id where entry_id in (4, 5)',
      );
      expect((await check()).lines).toEqual([
        `seals 4 to 5 (entries 5 to 4): ${ALTERED}`,
        `seals 4 to 5 (entries 5 to 4): ${UNFOLLOWING}`,
      ]);
    });

    it('of one that was put in past the service, with a seal or without', async () => {
      await tamper(
        `insert into journal_entries (at, actor, action, subject) values (now(), 'person:1', 'thing.change', 'thing:99')`,
      );
      expect((await check()).lines).toEqual([
        expect.stringMatching(/^entry 11: not sealed within 10 seconds/),
      ]);
      await tamper(
        `insert into journal_seals (seq, entry_id, sealed_at, entry_hash, hash, mac) select 11, 11, sealed_at, entry_hash, hash, mac from journal_seals where seq = 10`,
      );
      expect((await check()).lines).toEqual([
        `seal 11 (entry 11): ${ALTERED}`,
        `seal 11 (entry 11): ${UNFOLLOWING}`,
        `seal 11 (entry 11): ${FOREIGN}`,
      ]);
    });

    it('of one that was written anew with all that follows, by who has not the key', async () => {
      await tamper(`update journal_entries set subject = 'thing:99' where id = 4`);
      await sealAnew(4n, sealKey(randomBytes(32)));
      expect((await check()).lines).toEqual([
        `seals 4 to 10 (entries 4 to 10): ${FOREIGN}`,
        'the end of the chain: not signed under this service’s key (journal_head)',
      ]);
      // Without the key it looks in order, but for whom has kept a head.
      expect((await check({ identityKey: undefined })).lines).toEqual([]);
      expect((await check({ identityKey: undefined, heads: [head] })).lines).toEqual([
        `seal 10: differs from the head that was given, 10:${head.hash}`,
      ]);
    });

    it('even of one that was written anew by who has the key, to whom has kept a head', async () => {
      await tamper(`update journal_entries set subject = 'thing:99' where id = 4`);
      await sealAnew(4n, sealKey(KEY));
      expect((await check()).lines).toEqual([]);
      expect((await check({ heads: [head] })).lines).toEqual([
        `seal 10: differs from the head that was given, 10:${head.hash}`,
      ]);
    });

    it('of nothing where a head is in the middle by now', async () => {
      await write(11);
      await sealing.seal();
      expect((await check({ heads: [head] })).lines).toEqual([]);
    });
  });

  it('is checked from the shell, which answers by its exit code', async () => {
    for (let number = 1; number <= 3; number += 1) await write(number);
    await sealing.seal();
    const run = async (args: string[] = [], key: string = KEY.toString('base64')) => {
      const child = spawn(process.execPath, ['src/commands/check-journal.ts', ...args], {
        cwd: projectFolder,
        env: { DATABASE_URL: database.url, IDENTITY_KEY: key },
      });
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
      const code = await new Promise((resolve) => child.once('close', resolve));
      return { code, said };
    };
    const { code, said } = await run();
    expect({ code, said }).toEqual({
      code: 0,
      said: expect.stringMatching(/^The journal is in order: 3 entries\.\nHead 3:[0-9a-f]{64}\n$/) as string,
    });
    const head = /3:[0-9a-f]{64}/.exec(said)![0];
    expect((await run(['--head', head])).code).toBe(0);
    expect(await run(['--head', `4${head.slice(1)}`])).toMatchObject({
      code: 1,
      said: expect.stringMatching(/^seal 4: missing at the end/) as string,
    });
    expect((await run([], Buffer.alloc(32, 1).toString('base64'))).said).toMatch(
      /^seals 1 to 3 \(entries 1 to 3\): not sealed under this service’s key\n/,
    );
    expect((await run(['--head', 'x'])).code).toBe(2);
  });
});
