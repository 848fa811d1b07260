import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  assignTeachers,
  finishActivities,
  sitExam,
  startService,
  SUBMIT,
  until,
  type Learner,
  type TestService,
} from '../support/service.ts';

describe('the service’s doors besides GraphQL', () => {
  let service: TestService;
  let learners: Learner[];
  const numbers: string[] = [];
  const pass = async (learner: Learner): Promise<string> => {
    await finishActivities(service, learner);
    await service.ask(learner.key, SUBMIT, { id: await sitExam(service, learner, { right: true }) });
    return until(async () => {
      const { data } = await service.ask(learner.key, '{ viewer { certificates { number } } }');
      return data.viewer.certificates[0]?.number as string | undefined;
    });
  };
  beforeAll(async () => {
    service = await startService();
    ({ learners } = await assignTeachers(service, ['t1', 't2', 't3', 't4']));
    for (const learner of learners.slice(0, 2)) numbers.push(await pass(learner));
    await service.database.pool.query(`
      insert into role_grants (person_id, role, division_code, starts_on, reason)
      select person_id, 'hr_verifier', '430102', '2020-01-01', 'HR of the neighbour' from person_sources where source_id = 't4'`);
  });
  afterAll(async () => service.stop());

  const feed = async (query: string, as = 'hr') => {
    const response = await service.fetch(`/feed/credit-records${query}`, as);
    return {
      status: response.status,
      body: (await response.json()) as {
        records: { certificateNumber: string }[];
        nextCursor: string | null;
        hasMore: boolean;
        title?: string;
      },
    };
  };

  it('pages the feed without loss or doubling while records come in', async () => {
    // A record is told when no older transaction can come before it any more, be it of another test's database.
    const first = await until(async () => {
      const page = await feed('?limit=1');
      return page.body.hasMore ? page : undefined;
    });
    expect(first.body.records.map((record) => record.certificateNumber)).toEqual([numbers[0]]);
    numbers.push(await pass(learners[2]!));
    const rest = await until(async () => {
      const page = await feed(`?limit=10&after=${first.body.nextCursor}`);
      return page.body.records.length === 2 ? page : undefined;
    });
    expect(rest.body.records.map((record) => record.certificateNumber)).toEqual(numbers.slice(1));
    const none = await feed(`?after=${rest.body.nextCursor}`);
    expect(none.body).toEqual({ records: [], nextCursor: rest.body.nextCursor, hasMore: false });
  });

  it.each([
    '?limit=0',
    '?limit=501',
    '?limit=ten',
    '?limit=1e2',
    '?after=made-up',
    '?after=1&after=2',
    '?limit=1&limit=2',
  ])('refuses %s with where and why', async (query) => {
    const { status, body } = await feed(query);
    expect({ status, title: body.title }).toEqual({ status: 400, title: 'INVALID_INPUT' });
  });

  it('shows the feed of one’s own division alone, and nobody’s to nobody', async () => {
    expect((await feed('', 'sample:staff:t4')).body.records).toEqual([]);
    expect((await feed('', 't1')).body.records ?? []).toEqual([]);
    expect((await service.fetch('/feed/credit-records')).status).toBe(401);
  });

  it('hands a certificate to its holder and to HR, and tells others nothing, not even that it is there', async () => {
    for (const as of ['t1', 'hr', 'coordinator']) {
      const response = await service.fetch(`/certificates/${numbers[0]}.pdf`, as);
      expect({ as, status: response.status, type: response.headers.get('content-type') }).toEqual({
        as,
        status: 200,
        type: 'application/pdf',
      });
      expect(
        Buffer.from(await response.arrayBuffer())
          .subarray(0, 5)
          .toString(),
      ).toBe('%PDF-');
      expect(response.headers.get('cache-control')).toBe('private, no-store');
    }
    const nothing = await service.fetch('/certificates/XQ2026-0000-0000-0000.pdf', 't2');
    const expected = { status: nothing.status, body: await nothing.text() };
    expect(expected.status).toBe(404);
    for (const path of [
      `${numbers[0]}.pdf`,
      'x.pdf',
      '%00.pdf',
      `${'9'.repeat(300)}.pdf`,
      encodeURIComponent('证书.pdf'),
      numbers[0]!,
    ]) {
      for (const as of ['t2', 'sample:staff:t4']) {
        const response = await service.fetch(`/certificates/${path}`, as);
        expect({ path, status: response.status, body: await response.text() }).toEqual({ path, ...expected });
      }
    }
    expect((await service.fetch(`/certificates/${numbers[0]}.pdf`)).status).toBe(401);
  });

  it('answers every path with the headers that keep a page to itself', async () => {
    for (const path of [
      '/',
      '/verify/XQ',
      '/healthz',
      '/readyz',
      '/nothing',
      '/graphql?query=%7B__typename%7D',
    ]) {
      const { headers } = await service.fetch(path);
      expect({
        path,
        sniff: headers.get('x-content-type-options'),
        referrer: headers.get('referrer-policy'),
      }).toMatchObject({
        path,
        sniff: 'nosniff',
        referrer: expect.stringMatching(/no-referrer|same-origin/),
      });
      expect(headers.get('content-security-policy')).toMatch(
        /default-src '(none|self)'.*frame-ancestors '(self|none)'/,
      );
      expect(headers.get('x-powered-by')).toBeNull();
    }
    const wrong = await fetch(`${service.app.publicUrl}/feed/credit-records`, { method: 'DELETE' });
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toMatch(/GET/);
  });

  /** As it is written, without a client that would tidy the path. */
  const raw = async (origin: string, path: string): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(origin);
      request({ hostname, port, path }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        );
      })
        .on('error', reject)
        .end();
    });

  it.each([
    '/../package.json',
    '/contents/../../identity.key',
    '/..%2f..%2fidentity.key',
    '/contents/..%2f..%2fidentity.key',
    '/contents/%2e%2e/identity.key',
    '/contents/..%5c..%5cidentity.key',
    '/.built-from',
  ])('serves no file outside its folders: %s', async (path) => {
    for (const origin of [service.app.publicUrl, service.app.contentUrl]) {
      const { status, body } = await raw(origin, path);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(body).not.toMatch(/"name": "xinqiao"|^[A-Za-z0-9+/]{43}=$/);
    }
  });

  it('gives the content origin neither session nor API', async () => {
    for (const path of ['/graphql', '/feed/credit-records', '/certificates/x.pdf', '/', '/verify'])
      expect(
        (await fetch(`${service.app.contentUrl}${path}`, { headers: { authorization: 'Bearer sample:hr' } }))
          .status,
      ).toBe(404);
    const { rows } = await service.database.pool.query('select contents from course_versions');
    const [hash] = Object.values(Object.values(rows[0].contents as object)[0] as object) as string[];
    const player = await fetch(`${service.app.contentUrl}/player/${hash}`);
    expect(player.status).toBe(200);
    expect(player.headers.get('content-security-policy') ?? '').toContain(
      `frame-ancestors ${service.app.publicUrl}`,
    );
    expect(player.headers.get('set-cookie')).toBeNull();
  });

  it('says that it is not ready while the database is away', async () => {
    expect((await service.fetch('/readyz')).status).toBe(200);
    expect(await (await service.fetch('/healthz')).json()).toEqual({ status: 'ok' });
  });
});
