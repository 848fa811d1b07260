import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLogService } from '../../src/certification/log/log.service.ts';
import { openCheckpoint, parseVerifierKey } from '../../src/certification/log/checkpoint.ts';
import { readLogEntry } from '../../src/certification/log/entry.ts';
import { entriesIn } from '../../src/certification/log/tile.ts';
import { leafHash, rootByInclusion } from '../../src/certification/log/tree.ts';
import { projectFolder } from '../../src/config.ts';
import { silentLog } from '../../src/log.ts';
import { generateKeyPairSync } from 'node:crypto';
import {
  assignTeachers,
  finishActivities,
  sitExam,
  startService,
  SUBMIT,
  TestClock,
  until,
  type Learner,
  type TestService,
} from '../support/service.ts';

const PROOF = `query ($number: String!, $code: String) { transparencyLog { origin verifierKey size }
  verifyCertificate(number: $number, code: $code) { state log { checkpoint size pending entries { event position at entry proof } } } }`;

describe('the log of certificates', () => {
  let service: TestService;
  let learners: Learner[];
  let folder: string;

  const mine = async (learner: Learner) =>
    (await service.ask(learner.key, '{ viewer { certificates { id number verificationUrl } } }')).data.viewer
      .certificates as { id: string; number: string; verificationUrl: string }[];
  const earn = async (learner: Learner) => {
    await finishActivities(service, learner);
    await service.ask(learner.key, SUBMIT, { id: await sitExam(service, learner, { right: true }) });
    return until(async () => (await mine(learner))[0]);
  };
  const revoke = async (id: string): Promise<void> => {
    const answer = await service.ask(
      'issuer',
      'mutation ($id: ID!) { revokeCertificate(input: { certificateId: $id, reason: "误发" }) { __typename } }',
      { id },
    );
    expect(answer.data.revokeCertificate.__typename).toBe('RevokeCertificatePayload');
  };
  const query = async (text: string, values: unknown[] = []) =>
    (await service.database.pool.query(text, values)).rows as Record<string, unknown>[];
  const file = async (path: string): Promise<Response> => service.fetch(`/log/${path}`);
  const sequence = async (): Promise<void> => service.app.services.transparency.sequence();
  /** As many leaves as there are changes, once all have their places. */
  const settled = async (leaves: number) =>
    until(async () => {
      await sequence();
      const [row] = await query('select count(*)::int as n from log_entries');
      return row!['n'] === leaves ? true : undefined;
    });
  const proofOf = async ({ number, verificationUrl }: { number: string; verificationUrl: string }) =>
    (await service.ask(null, PROOF, { number, code: new URL(verificationUrl).hash.replace('#code=', '') }))
      .data;
  const verifierKey = (): string => service.app.services.transparency.verifierKey;
  const monitor = async (where: string, state: string, key = verifierKey()) =>
    new Promise<{ code: number | null; said: string }>((resolve) => {
      const child = spawn(
        process.execPath,
        [join(projectFolder, 'src/commands/monitor-log.ts'), where, '--key', key, '--state', state],
        { env: { PATH: process.env['PATH'] } },
      );
      let said = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)));
      child.on('close', (code) => resolve({ code, said }));
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'xinqiao-log-'));
    service = await startService({ clock: new TestClock('2030-03-04T04:00:00Z') });
    ({ learners } = await assignTeachers(service, ['t1', 't2']));
    for (const learner of learners) await earn(learner);
    await settled(2);
  });
  afterAll(async () => {
    await service.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('has a leaf for each issue, superseding and revocation, and proves it to who has the document', async () => {
    const [first] = await mine(learners[0]!);
    await service.database.pool.query(
      "update people set name = '陈改名' where id = (select person_id from certificates where number = $1)",
      [first!.number],
    );
    await service.ask(
      'issuer',
      'mutation ($id: ID!) { supersedeCertificate(input: { certificateId: $id, reason: "姓名更正" }) { __typename } }',
      { id: first!.id },
    );
    const successor = (await mine(learners[0]!)).find(({ id }) => id !== first!.id)!;
    await revoke(successor.id);
    await settled(5);
    const { transparencyLog, verifyCertificate } = await proofOf(first!);
    const proven = verifyCertificate.log;
    expect(proven).toMatchObject({ size: 5, pending: false });
    expect(proven.entries.map(({ event }: { event: string }) => event)).toEqual(['ISSUE', 'SUPERSEDE']);
    expect((await proofOf(successor)).verifyCertificate.log.entries).toMatchObject([
      { event: 'ISSUE' },
      { event: 'REVOKE', at: '2030-03-04T04:00:00.000Z' },
    ]);
    const opened = openCheckpoint(proven.checkpoint, parseVerifierKey(transparencyLog.verifierKey)!);
    const { root } = (opened as { checkpoint: { root: Buffer } }).checkpoint;
    for (const { position, entry, proof } of proven.entries as {
      position: number;
      entry: string;
      proof: string[];
    }[]) {
      const hashes = proof.map((hash) => Buffer.from(hash, 'base64'));
      expect(rootByInclusion(leafHash(Buffer.from(entry)), position, 5, hashes)).toEqual(root);
      expect(readLogEntry(Buffer.from(entry))).toBeDefined();
    }
  });

  it('tells who has only the number nothing', async () => {
    const [first] = await mine(learners[0]!);
    const { data } = await service.ask(null, PROOF, { number: first!.number, code: null });
    expect(data.verifyCertificate.log).toBeNull();
    const everything = Buffer.from(await (await file('tile/entries/000.p/5')).arrayBuffer()).toString();
    for (const secret of [first!.number, '陈', new URL(first!.verificationUrl).hash.slice(6)])
      expect(everything).not.toContain(secret);
  });

  it('is served as plain files, each only as far as the log goes', async () => {
    expect((await file('checkpoint')).headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect((await file('checkpoint')).headers.get('access-control-allow-origin')).toBe('*');
    const bundle = await file('tile/entries/000.p/3');
    expect(entriesIn(new Uint8Array(await bundle.arrayBuffer()))).toHaveLength(3);
    expect((await (await file('tile/0/000.p/5')).arrayBuffer()).byteLength).toBe(160);
    for (const path of [
      'tile/0/000',
      'tile/0/000.p/6',
      'tile/0/001.p/1',
      'tile/1/000.p/1',
      'tile/entries/000.p/0',
      'tile/x',
      'tile/',
    ])
      expect((await file(path)).status, `of ${path}`).toBe(404);
  });

  it('notes what is changed past the service too, and nothing that is rolled back', async () => {
    const [second] = await mine(learners[1]!);
    const client = await service.database.pool.connect();
    const end =
      "update certificates set revoked_at = now(), revoked_on = '2030-03-04', revoked_by = person_id, revocation_reason = 'x' where number = $1";
    await client.query('begin');
    await client.query(end, [second!.number]);
    await client.query('rollback');
    client.release();
    await settled(5);
    await query(end, [second!.number]);
    await query(
      'update certificates set revoked_at = null, revoked_on = null, revoked_by = null, revocation_reason = null where number = $1',
      [second!.number],
    );
    await settled(7);
    expect(
      (await query('select event from log_entries where position >= 5 order by position')).map(
        ({ event }) => event,
      ),
    ).toEqual(['revoke', 'restored']);
  });

  it('gives each change one place, without a gap, whoever sequences and whenever one dies', async () => {
    const others = ['a', 'b'].map(() =>
      makeLogService({
        db: service.app.db,
        clock: service.clock,
        log: silentLog,
        key: generateKeyPairSync('ed25519').privateKey,
        publicUrl: service.app.publicUrl,
      }),
    );
    const [{ id } = {}] = await query('select id from certificates order by id limit 1');
    const many = async (count: number): Promise<void> => {
      await query(
        "insert into log_pending (certificate_id, event, at) select $1, 'revoke', now() from generate_series(1, $2::int)",
        [id, count],
      );
    };
    // Some wait in transactions that are open while others are sequenced, and come in later.
    const late = await service.database.pool.connect();
    await late.query('begin');
    await late.query("insert into log_pending (certificate_id, event, at) values ($1, 'revoke', now())", [
      id,
    ]);
    await Promise.all([
      many(300),
      ...others.map(async (other) => other.sequence()),
      many(300),
      ...others.map(async (other) => other.sequence()),
      many(400),
    ]);
    await sequence();
    await late.query('commit');
    late.release();
    // One that dies in the middle leaves nothing: what it took is still to be taken.
    const dying = await service.database.pool.connect();
    await dying.query('begin');
    await dying.query('delete from log_pending');
    await dying.query('rollback');
    dying.release();
    await settled(7 + 1_001);
    const [state] = await query(
      'select count(*)::int as n, max(position)::int as last, count(distinct position)::int as places, (select count(*)::int from log_pending) as pending, (select max(size)::int from log_checkpoints) as size from log_entries',
    );
    expect(state).toEqual({ n: 1_008, last: 1_007, places: 1_008, pending: 0, size: 1_008 });
    const [first] = await mine(learners[0]!);
    expect((await proofOf(first!)).verifyCertificate.log.size).toBe(1_008);
  });

  it('is found consistent by a monitor at an address and in a folder, time after time', async () => {
    const state = join(folder, 'state.json');
    const address = `${service.app.publicUrl}/log`;
    expect(await monitor(address, state)).toMatchObject({
      code: 0,
      said: expect.stringContaining('1008 leaves, 1008 of them new'),
    });
    expect(await monitor(address, state)).toMatchObject({
      code: 0,
      said: expect.stringContaining('0 of them new'),
    });
    // The same files by a plain file server, or none.
    const copy = join(folder, 'copy');
    for (const path of [
      'checkpoint',
      ...['entries', '0'].flatMap((top) => ['000', '001', '002', '003.p/240'].map((n) => `tile/${top}/${n}`)),
    ]) {
      const to = join(copy, path);
      await mkdir(dirname(to), { recursive: true });
      await writeFile(to, Buffer.from(await (await file(path)).arrayBuffer()));
    }
    expect(await monitor(copy, join(folder, 'fresh.json'))).toMatchObject({ code: 0 });
    // What lies there is changed, by somebody without the key.
    const other = join(folder, 'other');
    await cp(copy, other, { recursive: true });
    const bytes = await readFile(join(other, 'tile/entries/001'));
    await writeFile(
      join(other, 'tile/entries/001'),
      Buffer.from(bytes.toString('latin1').replace('revoke', 'rewoke'), 'latin1'),
    );
    expect(await monitor(other, join(folder, 'third.json'))).toMatchObject({
      code: 1,
      said: expect.stringContaining('THE LOG CAN NOT BE TRUSTED. Leaf 256 is not well formed'),
    });
    expect(await monitor(join(folder, 'nowhere'), state)).toMatchObject({
      code: 2,
      said: expect.stringContaining('Not checked.'),
    });
    expect(await monitor(copy, state, 'x')).toMatchObject({
      code: 2,
      said: expect.stringContaining('no verifier key'),
    });
  });

  it('is found rewritten when the operator makes the whole of it anew without one leaf', async () => {
    const state = join(folder, 'rewritten.json');
    const address = `${service.app.publicUrl}/log`;
    expect(await monitor(address, state)).toMatchObject({ code: 0 });
    await expect(query('delete from log_entries where position = 1')).rejects.toThrow('append-only');
    for (const table of ['log_entries', 'log_checkpoints'])
      await query(`alter table ${table} disable trigger append_only`);
    // Everything is entered again but the first, and signed with the right key.
    await query(`with taken as (delete from log_entries returning certificate_id, event, position)
      insert into log_pending (certificate_id, event, at) select certificate_id, event, now() from taken where position > 0 order by position`);
    await query('delete from log_tiles');
    await query('delete from log_checkpoints');
    await settled(1_007);
    expect(await monitor(address, state)).toMatchObject({
      code: 1,
      said: expect.stringContaining('rolled back: it had 1008 leaves'),
    });
    const [{ id } = {}] = await query('select id from certificates order by id limit 1');
    await query(
      "insert into log_pending (certificate_id, event, at) values ($1, 'revoke', now()), ($1, 'revoke', now())",
      [id],
    );
    await settled(1_009);
    expect(await monitor(address, state)).toMatchObject({
      code: 1,
      said: expect.stringContaining('It was rewritten'),
    });
  });

  it('does not go on from a tree that is not the one that was signed', async () => {
    await query(
      "update log_tiles set hashes = overlay(hashes placing '\\x00'::bytea from 5) where level = 0 and index = 3",
    );
    const [{ id } = {}] = await query('select id from certificates order by id limit 1');
    await query("insert into log_pending (certificate_id, event, at) values ($1, 'revoke', now())", [id]);
    // While the service itself is at it, who asks besides does nothing.
    const refusal = await until(async () =>
      sequence().then(
        () => undefined,
        (error: Error) => error.message,
      ),
    );
    expect(refusal).toContain('not the one that was signed');
    expect(await query('select count(*)::int as n from log_pending')).toEqual([{ n: 1 }]);
  });
});
