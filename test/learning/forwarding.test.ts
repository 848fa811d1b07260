import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { actingAs } from '../../src/db/acting.ts';
import { findFault } from '../../src/learning/xapi.ts';
import {
  assignTeachers,
  startService,
  TestClock,
  type Learner,
  type TestService,
} from '../support/service.ts';

type Statement = Record<string, unknown> & { id: string };

/** A learning record store by the letter: xAPI 1.0.3, part three, section 2.1.1, as strict as it may be. */
class Store {
  readonly taken = new Map<string, string>();
  /** Of each message, how many statements came. */
  readonly messages: number[] = [];
  /** Answered instead, once each. */
  readonly troubles: { status: number; headers?: Record<string, string> }[] = [];
  /** What it will not have, though it is in order. */
  dislikes: (statement: Statement) => boolean = () => false;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request).then(({ status, headers = {}, body = '' }) =>
        response.writeHead(status, headers).end(body),
      );
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/xapi`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(
    request: IncomingMessage,
  ): Promise<{ status: number; headers?: Record<string, string>; body?: string }> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.method !== 'POST' || request.url !== '/xapi/statements') return { status: 404 };
    // Part three, 3.3: a request names its version.
    if (!/^1\.0(\.\d+)?$/.test(String(request.headers['x-experience-api-version']))) return { status: 400 };
    if (request.headers['content-type'] !== 'application/json') return { status: 400 };
    if (request.headers.authorization !== `Basic ${Buffer.from('key:so:secret').toString('base64')}`)
      return { status: 401 };
    const trouble = this.troubles.shift();
    if (trouble !== undefined) return trouble;
    const statements = JSON.parse(Buffer.concat(chunks).toString()) as Statement[];
    this.messages.push(statements.length);
    const ids = statements.map(({ id }) => id);
    if (new Set(ids).size !== ids.length) return { status: 400 };
    for (const statement of statements) {
      const agent = statement['actor'] as {
        objectType?: string;
        account?: { homePage: string; name: string };
      };
      if (typeof agent.account?.homePage !== 'string' || typeof agent.account.name !== 'string')
        return { status: 400 };
      if (findFault(statement) !== undefined || this.dislikes(statement)) return { status: 400 };
    }
    // One that is known and says something else: 409, and nothing of the message is taken.
    for (const statement of statements)
      if ((this.taken.get(statement.id) ?? JSON.stringify(statement)) !== JSON.stringify(statement))
        return { status: 409 };
    for (const statement of statements) this.taken.set(statement.id, JSON.stringify(statement));
    return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(ids) };
  }

  get statements(): Statement[] {
    return [...this.taken.values()].map((text) => JSON.parse(text) as Statement);
  }
}

const RECORD = `mutation ($input: RecordStatementsInput!) { recordStatements(input: $input) { __typename
  ... on RecordStatementsPayload { refused { path message } } ... on Refusal { code message } } }`;
const LOOK = `{ lrsForwarding { enabled pending refused lastSentAt lastError failedAt retryAt } }`;

describe('forwarding to a learning record store', () => {
  const store = new Store();
  let service: TestService;
  let clock: TestClock;
  let learners: Learner[];
  let count = 0;
  beforeAll(async () => {
    clock = new TestClock('2030-03-04T04:00:30Z');
    service = await startService({
      clock,
      env: { LRS_URL: await store.listen(), LRS_KEY: 'key', LRS_SECRET: 'so:secret' },
    });
    ({ learners } = await assignTeachers(service, ['t1', 't2']));
    // The sample's is an operator of the county.
    await service.database.pool.query(
      `insert into role_grants (person_id, role, starts_on, reason) select person_id, 'operator', '2020-01-01', 'x' from sample_sign_ins where key = 'issuer'`,
    );
  });
  afterAll(async () => {
    await service.stop();
    await store.close();
  });
  beforeEach(() => {
    store.messages.length = 0;
    store.dislikes = () => false;
  });

  const statement = (more: object = {}) => ({
    id: `00000000-0000-4000-8000-${String((count += 1)).padStart(12, '0')}`,
    verb: { id: 'http://adlnet.gov/expapi/verbs/answered', display: { 'en-US': 'answered' } },
    object: { id: 'https://c.example/1', definition: { interactionType: 'choice' } },
    ...more,
  });
  const record = async (statements: unknown[], who = 0) => {
    const learner = learners[who]!;
    const { data } = await service.ask(learner.key, RECORD, {
      input: {
        assignmentId: learner.assignmentId,
        activityKey: 'signs-lesson',
        language: 'zh_CN',
        statements,
      },
    });
    expect(data.recordStatements).toMatchObject({ refused: [] });
  };
  const look = async (as = 'issuer') => (await service.ask(as, LOOK)).data.lrsForwarding;
  const forward = async () => service.app.services.forwarding.forward();

  it('sends each once, in order, under a pseudonym and the same id again', async () => {
    const first = statement({ result: { response: '0', success: true } });
    await record([first, statement()]);
    expect(await look()).toMatchObject({ enabled: true, pending: 2, refused: 0, lastSentAt: null });
    await forward();
    expect(store.messages).toEqual([2]);
    expect(await look()).toMatchObject({
      pending: 0,
      lastSentAt: '2030-03-04T04:00:30.000Z',
      lastError: null,
    });
    // What comes again from the page is owed no second time.
    await record([first]);
    await forward();
    expect(store.messages).toEqual([2]);
    const [one, two] = store.statements;
    expect(one).toMatchObject({
      verb: first.verb,
      object: first.object,
      result: { response: '0', success: true },
      timestamp: '2030-03-04T04:00:30.000Z',
      context: {
        platform: 'Xinqiao',
        contextActivities: { grouping: [{ id: `${service.app.publicUrl}/xapi/core-gatekeeper` }] },
      },
    });
    expect(one!['actor']).toEqual(two!['actor']);
    expect(one!['actor']).toEqual({
      objectType: 'Agent',
      account: { homePage: service.app.publicUrl, name: expect.stringMatching(/^[\w-]{22}$/) },
    });
    // An id that another learner's page used as well is another statement there.
    await record([first], 1);
    await forward();
    expect(store.statements).toHaveLength(3);
    expect(store.statements[2]!['actor']).not.toEqual(one!['actor']);
  });

  it('tells nothing that somebody wrote, nobody whom a content named, and no name of ours', async () => {
    const before = store.taken.size;
    await record([
      statement({
        object: { id: 'https://c.example/2', definition: { interactionType: 'long-fill-in' } },
        result: { response: '我班上的小华', completion: true },
        context: {
          instructor: { mbox: 'mailto:hua@x.example' },
          team: { objectType: 'Group', member: [{ mbox: 'mailto:hua@x.example' }] },
        },
      }),
      statement({ object: { objectType: 'Agent', mbox: 'mailto:hua@x.example' } }),
      statement({
        object: { objectType: 'StatementRef', id: '00000000-0000-4000-8000-000000000001' },
        result: { response: '我班上的小华' },
      }),
    ]);
    await forward();
    const sent = store.statements.slice(before);
    expect(sent).toHaveLength(2);
    expect(sent[0]!['result']).toEqual({ completion: true });
    // It points at what the store has.
    expect(sent[1]!['object']).toEqual({ objectType: 'StatementRef', id: store.statements[0]!.id });
    const { rows } = await service.database.pool.query('select id, name from people');
    const text = JSON.stringify(store.statements);
    for (const word of ['小华', 'hua@', 'person:', ...rows.map(({ name }) => name as string)])
      expect(text).not.toContain(word);
    expect(await look()).toMatchObject({ pending: 0, refused: 0 });
  });

  it('parts those that the store will not have from those that it will', async () => {
    const bad = new Set(['x:bad']);
    store.dislikes = ({ verb }) => bad.has((verb as { id: string }).id);
    const before = store.taken.size;
    await record(
      Array.from({ length: 20 }, (_, index) => statement(index % 9 === 4 ? { verb: { id: 'x:bad' } } : {})),
    );
    await forward();
    expect(store.taken.size).toBe(before + 18);
    expect(await look()).toMatchObject({ pending: 0, refused: 2, lastError: null });
    store.messages.length = 0;
    await forward();
    expect(store.messages).toEqual([]);
    const { rows } = await service.database.pool.query('select reason from forwarding_debts');
    expect(rows).toEqual([{ reason: 'HTTP 400' }, { reason: 'HTTP 400' }]);
  });

  it('waits as long as the store asks, and loses nothing', async () => {
    await record([statement()]);
    store.troubles.push({ status: 429, headers: { 'retry-after': '90' } });
    await forward();
    expect(await look()).toMatchObject({
      pending: 1,
      lastError: 'It answered 429.',
      retryAt: '2030-03-04T04:02:00.000Z',
    });
    await forward();
    expect(store.messages).toEqual([]);
    clock.move(2);
    await forward();
    expect(store.messages).toEqual([1]);
    expect(await look()).toMatchObject({ pending: 0, retryAt: null });
  });

  it('tries again later, and later still, whatever is wrong with the store', async () => {
    await record([statement(), statement()]);
    const waits: number[] = [];
    for (const status of [500, 401, 503, 302]) {
      store.troubles.push({ status });
      await forward();
      const { retryAt, pending } = await look();
      expect(pending).toBe(2);
      waits.push((Date.parse(retryAt as string) - clock.now().getTime()) / 1000);
      clock.move(24 * 60);
    }
    expect(waits).toEqual([30, 60, 120, 240]);
    await forward();
    expect(store.messages).toEqual([2]);
  });

  it('sends again what the store took without our hearing of it, which it then knows', async () => {
    await record([statement(), statement()]);
    const { rows } = await service.database.pool.query(
      'select * from forwarding_debts where refused_at is null',
    );
    await forward();
    const before = store.taken.size;
    for (const row of rows)
      await service.database.pool.query(
        'insert into forwarding_debts (assignment_id, statement_id, stored_at) values ($1, $2, $3)',
        [row.assignment_id, row.statement_id, row.stored_at],
      );
    await forward();
    expect(store.messages).toEqual([2, 2]);
    expect(store.taken.size).toBe(before);
    expect(await look()).toMatchObject({ pending: 0 });
  });

  it('is done by one process at a time, in messages of fifty', async () => {
    await record(Array.from({ length: 100 }, () => statement()));
    await record(
      Array.from({ length: 30 }, () => statement()),
      1,
    );
    await Promise.all([forward(), forward(), forward()]);
    await forward();
    expect(store.messages).toEqual([50, 50, 30]);
  });

  it('forgets what it owes about somebody who is erased', async () => {
    await record([statement()], 1);
    const { rows } = await service.database.pool.query(
      `select person_id from person_sources where source_id = 't2'`,
    );
    expect((await look()).pending).toBe(1);
    const { db, services } = service.app;
    await actingAs('keeper', async () =>
      db
        .transaction()
        .execute(async (tx) =>
          services.learning.personalData.erase!(tx, [rows[0].person_id as string], clock.now()),
        ),
    );
    expect((await look()).pending).toBe(0);
    for (const table of [
      'statements',
      'statement_ids',
      'statement_counts',
      'forwarding_debts',
      'activity_progress',
    ])
      expect(
        (
          await service.database.pool.query(
            `select from ${table} t join assignments a on a.id = t.assignment_id where a.person_id = $1`,
            [rows[0].person_id],
          )
        ).rowCount,
      ).toBe(0);
  });

  it('is shown to operators of the whole service alone', async () => {
    for (const as of ['operator', 'coordinator', 't1', 'hr']) expect(await look(as)).toBeNull();
    expect((await service.ask(null, LOOK)).data.lrsForwarding).toBeNull();
  });
});
