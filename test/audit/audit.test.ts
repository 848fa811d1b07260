import { randomUUID } from 'node:crypto';
import { graphql } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeContext } from '../../schema/context.ts';
import { schema } from '../../schema/schema.ts';
import { SAMPLE_COUNTY } from '../../src/commands/sample/county.ts';
import { checkJournal } from '../../src/journal/check.service.ts';
import { insertJournalEntry } from '../../src/journal/journal.repository.ts';
import { withOrigin } from '../../src/origin.ts';
import type { Viewer } from '../../src/people/permission.ts';
import { forViewer } from '../../src/people/acting.ts';
import type { Scope } from '../../src/regions/division.ts';
import {
  assignTeachers,
  finishActivities,
  sitExam,
  startService,
  SUBMIT,
  TestClock,
  until,
  type TestService,
} from '../support/service.ts';

const NEIGHBOUR = '430102';
const gid = (type: string, id: string | number): string => Buffer.from(`${type}:${id}`).toString('base64');

const JOURNAL = `query ($unitId: ID, $actor: String, $action: String, $subject: String, $personId: ID, $from: DateTime, $until: DateTime, $first: Int, $after: String) {
  journal(unitId: $unitId, actor: $actor, action: $action, subject: $subject, personId: $personId, from: $from, until: $until, first: $first, after: $after) {
    nodes { id at action actionTitle actor { reference name person { name } } subject { reference node { __typename } } person { name } detail
      origin { requestId address } seal { position hash sealedAt } }
    pageInfo { hasNextPage endCursor } } }`;

describe('the journal, to auditors', () => {
  let service: TestService;
  const clock = new TestClock('2030-03-04T04:00:00Z');
  let school: string;
  let teacher: string;

  const query = async (sql: string, values: unknown[] = []) =>
    (await service.database.pool.query(sql, values)).rows as Record<string, unknown>[];
  const auditor = (...scopes: Scope[]): Viewer => ({
    personId: '1',
    grants: scopes.map((scope) => ({ role: 'auditor', scope })),
  });
  /** Actions and subjects that an auditor of these sees, but for those of reading. */
  const seen = async (...scopes: Scope[]): Promise<string[]> => {
    const viewer = auditor(...scopes);
    const entries = await forViewer(viewer, async () =>
      service.app.services.audit.list(viewer, {}, { after: undefined, limit: 1_000 }),
    );
    return entries!.filter(({ action }) => action !== 'journal.read').map(({ action }) => action);
  };
  const ask = async (variables: object = {}, as = 'auditor') => {
    const { data, errors } = await service.ask(as, JOURNAL, variables as Record<string, unknown>);
    return { nodes: data?.journal?.nodes, pageInfo: data?.journal?.pageInfo, errors, journal: data?.journal };
  };
  const county = (code: string): Scope => ({ kind: 'division', code });

  beforeAll(async () => {
    service = await startService({ clock });
    const { learners } = await assignTeachers(service, ['t1', 't2']);
    await finishActivities(service, learners[0]!);
    await service.ask('t1', SUBMIT, { id: await sitExam(service, learners[0]!, { right: true }) });
    await until(async () => {
      const { data } = await service.ask('t1', '{ viewer { certificates { id } } }');
      return data.viewer.certificates.length > 0 ? true : undefined;
    });
    await service.app.ledger.rebuild();
    school = (await query(`select id from organizations where source_id = 's1'`))[0]!['id'] as string;
    teacher = (await query(`select person_id from person_sources where source_id = 't1'`))[0]![
      'person_id'
    ] as string;
    // A school of the neighbour's, and somebody who went there from s1.
    await query(`
      insert into organizations (source, source_id, name, kind, division_code, province_code, prefecture_code, county_code)
      values ('x', 'n1', '邻校', 'primary', '430102', '430000', '430100', '430102')`);
    await query(`
      insert into people (name) values ('调动')`);
    await query(`
      insert into posts (person_id, organization_id, role, workload, starts_on, ends_on)
      select p.id, o.id, 'class_teacher', 'full', case o.source_id when 's1' then '2020-09-01' else '2029-09-01' end::date, case o.source_id when 's1' then '2029-08-31'::date end
      from people p, organizations o where p.name = '调动' and o.source_id in ('s1', 'n1')`);
  });
  afterAll(async () => service.stop());

  describe('shows', () => {
    it('what concerns a county to its own, to those above, and to nobody beside it', async () => {
      const own = [
        'attempt.grade',
        'attempt.start',
        'certificate.issue',
        'certification.plan',
        'cohort.assign',
        'roster.apply',
        'roster.request',
        'simulation.grade',
        'simulation.start',
      ];
      expect((await seen(county(SAMPLE_COUNTY))).toSorted()).toEqual(own);
      expect((await seen(county('430000'))).toSorted()).toEqual(own);
      expect((await seen(county(NEIGHBOUR), county(SAMPLE_COUNTY))).toSorted()).toEqual(own);
      expect(await seen(county(NEIGHBOUR))).toEqual([]);
      expect(await seen(county('440000'))).toEqual([]);
      expect((await seen({ kind: 'nation' })).toSorted()).toEqual([...own, 'coverage.rebuild'].toSorted());
      // What is about the county as a whole is not the school's.
      expect((await seen({ kind: 'organization', id: school })).toSorted()).toEqual([
        'attempt.grade',
        'attempt.start',
        'certificate.issue',
        'simulation.grade',
        'simulation.start',
      ]);
    });

    it('what concerns a person where they stood then', async () => {
      const person = (await query(`select id from people where name = '调动'`))[0]!['id'] as string;
      for (const [day, action] of [
        ['2025-01-01', 'test.before'],
        ['2029-08-31', 'test.last-day'],
        ['2029-09-01', 'test.after'],
        ['2019-01-01', 'test.nowhere'],
      ] as const)
        await insertJournalEntry(service.database.db, {
          at: new Date(`${day}T12:00:00+08:00`),
          actor: 'worker:test',
          action,
          subject: `person:${person}`,
          personId: person,
        });
      const ofTest = async (scope: Scope) =>
        (await seen(scope)).filter((action) => action.startsWith('test.'));
      expect(await ofTest(county(SAMPLE_COUNTY))).toEqual(['test.last-day', 'test.before']);
      expect(await ofTest(county(NEIGHBOUR))).toEqual(['test.after']);
      expect(await ofTest({ kind: 'nation' })).toHaveLength(4);
    });

    it('a merger to both counties', async () => {
      await query(
        `insert into role_grants (person_id, role, division_code, starts_on, reason) select person_id, 'coordinator', '430100', '2020-01-01', 'test' from sample_sign_ins where key = 'issuer'`,
      );
      const ids = await query(
        `select id from organizations where source_id in ('s2', 'n1') order by source_id desc`,
      );
      const { data } = await service.ask(
        'issuer',
        `mutation ($input: MergeOrganizationsInput!) { mergeOrganizations(input: $input) { __typename } }`,
        {
          input: {
            organizationIds: [gid('Organization', ids[0]!['id'] as string)],
            intoId: gid('Organization', ids[1]!['id'] as string),
            on: '2030-03-04',
          },
        },
      );
      expect(data.mergeOrganizations.__typename).toBe('MergeOrganizationsPayload');
      expect(await seen(county(NEIGHBOUR))).toContain('organization.merge');
      expect(await seen(county(SAMPLE_COUNTY))).toContain('organization.merge');
    });

    it('that a table was taken out, to who audits all that it names', async () => {
      const audit = service.app.services.audit;
      const keys = async (named: string[], ...scopes: Scope[]) => {
        const grants = scopes.map((scope) => ({ role: 'coordinator' as const, scope }));
        return audit.unitsOfTable({ personId: '1', grants }, named);
      };
      const own = { provinceCode: '430000', prefectureCode: '430100', countyCode: SAMPLE_COUNTY };
      expect(await keys(['Division:430121', 'Certification:1'], county('430000'))).toEqual([own]);
      expect(await keys(['Division:430121', 'Division:430102'], county('430000'))).toEqual([
        { ...own, countyCode: null },
      ]);
      expect(await keys([`Organization:${school}`])).toEqual([{ ...own, organizationId: school }]);
      expect(await keys(['Certification:1'], county(SAMPLE_COUNTY))).toEqual([own]);
      const nobodys = { provinceCode: null, prefectureCode: null, countyCode: null };
      expect(await keys([], { kind: 'nation' }, county(SAMPLE_COUNTY))).toEqual([nobodys]);
      expect(await keys(['Division:999999'], county(SAMPLE_COUNTY))).toEqual([nobodys]);
      expect(await keys(['Certification:1'])).toEqual([]);
    });
  });

  describe('tells of an entry', () => {
    it('who, what, whom, from where, and its place in the chain', async () => {
      const sealed = async () => {
        const { nodes } = await ask({ action: 'cohort.assign' });
        return nodes[0].seal === null ? undefined : nodes;
      };
      const [entry, ...others] = await until(sealed);
      expect(others).toEqual([]);
      expect(entry).toMatchObject({
        at: '2030-03-04T04:00:00.000Z',
        action: 'cohort.assign',
        actionTitle: '分配培训人员',
        actor: { reference: expect.stringMatching(/^person:\d+$/) as string, name: '林静', person: null },
        // Cohorts are the coordinators' to see.
        subject: { reference: expect.stringMatching(/^cohort:\d+$/) as string, node: null },
        detail: { role: 'class_teacher', people: 2, assigned: 2 },
        seal: {
          position: expect.stringMatching(/^\d+$/) as string,
          hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        },
      });
      const [planned] = (await ask({ action: 'certification.plan' })).nodes;
      expect(planned.subject.node).toEqual({ __typename: 'Certification' });
      const [issued] = (await ask({ action: 'certificate.issue' })).nodes;
      expect(issued).toMatchObject({
        actor: { reference: 'worker:issue-certificate', name: 'issue-certificate', person: null },
        person: null,
        origin: { requestId: expect.stringMatching(/^job:\d+$/) as string, address: null },
      });
    });

    it('what was asked in a request with the request’s id and address', async () => {
      const viewer: Viewer = {
        personId: teacher,
        grants: [{ role: 'coordinator', scope: county(SAMPLE_COUNTY) }],
      };
      const requestId = randomUUID();
      const answer = await withOrigin({ requestId, address: '192.0.2.44' }, async () =>
        graphql({
          schema,
          source: `mutation ($input: RenameOrganizationInput!) { renameOrganization(input: $input) { __typename } }`,
          variableValues: {
            input: { organizationId: gid('Organization', school), name: '星沙小学', on: '2030-03-04' },
          },
          contextValue: makeContext(service.app.services, viewer),
        }),
      );
      expect(answer.data).toEqual({ renameOrganization: { __typename: 'RenameOrganizationPayload' } });
      const [entry] = (await ask({ subject: gid('Organization', school) })).nodes;
      expect(entry).toMatchObject({
        action: 'organization.rename',
        origin: { requestId, address: '192.0.2.44' },
        subject: { reference: `organization:${school}`, node: { __typename: 'Organization' } },
      });
    });
  });

  describe('is asked', () => {
    it.each([
      ['by who acted', async () => ({ actor: `person:${teacher}` }), 'actor'],
      ['by who acted, by id', async () => ({ actor: gid('Person', teacher) }), 'actor'],
      ['by whom it concerns', async () => ({ personId: gid('Person', teacher) }), 'person_id'],
      ['by action', async () => ({ action: 'attempt.start' }), 'action'],
      ['by part of the service', async () => ({ actor: 'worker:issue-certificate' }), 'actor'],
      ['from a day on', async () => ({ from: '2030-01-01T00:00:00Z' }), 'from'],
      ['before a day', async () => ({ until: '2029-08-31T04:00:01Z' }), 'until'],
      ['of a unit', async () => ({ unitId: gid('Organization', school) }), 'unit'],
    ])('%s', async (_what, filter, by) => {
      const given = (await filter()) as Record<string, string>;
      const { nodes } = await ask({ ...given, first: 100 });
      const wanted: Record<string, [string, unknown]> = {
        actor: ['actor = $1', given['actor']?.includes(':') === true ? given['actor'] : `person:${teacher}`],
        person_id: ['person_id = $1::bigint', teacher],
        action: ['action = $1', given['action']],
        from: ['at >= $1::timestamptz', given['from']],
        until: ['at < $1::timestamptz', given['until']],
        unit: ['concerns @> array[-$1::bigint]', school],
      };
      const [condition, value] = wanted[by]!;
      const rows = await query(
        `select id from journal_entries where concerns @> '{430121}' and ${condition} order by at desc, id desc`,
        [value],
      );
      expect(rows.length).toBeGreaterThan(0);
      expect(nodes.map(({ id }: { id: string }) => id)).toEqual(
        rows.map((row) => gid('JournalEntry', row['id'] as string)),
      );
    });

    it('page by page, each entry once', async () => {
      const all = (await ask({ first: 100 })).nodes.map(({ id }: { id: string }) => id);
      expect(all.length).toBeGreaterThan(8);
      const paged: string[] = [];
      let after: string | undefined;
      do {
        const { nodes, pageInfo } = await ask({ first: 3, after });
        paged.push(...nodes.map(({ id }: { id: string }) => id));
        after = pageInfo.hasNextPage ? pageInfo.endCursor : undefined;
      } while (after !== undefined);
      expect(paged).toEqual(all);
    });

    it('and refused to who is no auditor, for what is not theirs, and for what can’t be meant', async () => {
      const codeOf = async (as: string | null, variables: object = {}) =>
        (await service.ask(as, JOURNAL, variables as Record<string, unknown>)).errors?.[0]?.extensions?.code;
      expect(await codeOf('coordinator')).toBe('NOT_ALLOWED');
      expect(await codeOf('t1')).toBe('NOT_ALLOWED');
      expect(await codeOf(null)).toBe('NOT_SIGNED_IN');
      for (const unitId of [gid('Division', NEIGHBOUR), gid('Division', '430000'), gid('Division', '999999')])
        expect(await ask({ unitId })).toMatchObject({ journal: null, errors: undefined });
      for (const wrong of [
        { after: 'x' },
        { action: 'x' },
        { actor: 'x y' },
        { subject: gid('Course', 1) },
        { first: 101 },
      ])
        expect(await codeOf('auditor', wrong)).toBe('INVALID_INPUT');
      const [foreign] = await query(`select id from journal_entries where action = 'test.after'`);
      const node = await service.ask('auditor', 'query ($id: ID!) { node(id: $id) { id } }', {
        id: gid('JournalEntry', foreign!['id'] as string),
      });
      expect(node.data.node).toBeNull();
    });
  });

  it('is read by whom and when, once an hour and for each that was asked about', async () => {
    clock.move(60);
    const read = async () =>
      query(
        `select subject, concerns::text[] from journal_entries where action = 'journal.read' and at >= $1 and actor <> 'person:1' order by id`,
        [clock.now()],
      );
    for (let time = 0; time < 3; time += 1) await ask();
    await ask({ unitId: gid('Organization', school) });
    expect(await read()).toEqual([
      { subject: 'journal:all', concerns: ['430000', '430100', SAMPLE_COUNTY] },
      {
        subject: `organization:${school}`,
        concerns: expect.arrayContaining([SAMPLE_COUNTY, `-${school}`]) as string[],
      },
    ]);
    clock.move(60);
    await ask();
    expect(await read()).toHaveLength(1);
  });

  it('comes as a file, with titles', async () => {
    const response = await fetch(`${service.app.publicUrl}/export`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sample:auditor' },
      body: JSON.stringify({
        format: 'csv',
        language: 'zh-CN',
        query: `query ($after: String) { journal(first: 2, after: $after, action: "cohort.assign") { nodes { at actionTitle action actor { name reference } subject { reference } detail
          origin { requestId address } seal { position } } pageInfo { hasNextPage endCursor } } }`,
      }),
    });
    expect(response.status).toBe(200);
    const [head, ...lines] = (await response.text()).replace('\ufeff', '').trimEnd().split('\r\n');
    expect(head).toBe('时间,操作,操作代码,操作人,操作人标识,操作对象,详情,请求编号,网络地址,封存序号');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^2030-03-04 12:00:00,分配培训人员,cohort\.assign,林静,person:\d+,cohort:\d+,"\{""role""/,
    );
    const [entry] = await query(
      `select concerns::text[] from journal_entries where action = 'table.export' order by id desc limit 1`,
    );
    expect(entry).toEqual({ concerns: ['430000', '430100', SAMPLE_COUNTY] });
  });

  it('and is in order as a whole, while the service goes on', async () => {
    const lines: unknown[] = [];
    const { entries, faults, head } = await checkJournal(service.database.db, {
      identityKey: undefined,
      heads: [],
      tell: (fault) => lines.push(fault),
    });
    expect(lines).toEqual([]);
    expect(faults).toBe(0);
    expect(entries).toBeGreaterThan(15);
    expect(head).toBeDefined();
  });
});
