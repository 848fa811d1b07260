import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SAMPLE_COUNTY } from '../../src/commands/sample/county.ts';
import type { Conflict } from '../../src/errors.ts';
import type { Viewer } from '../../src/people/permission.ts';
import { writeWorkbook } from '../../src/sheets/write.ts';
import { codeIn, readPdf } from '../support/pdf.ts';
import {
  assignTeachers,
  finishActivities,
  importRoster,
  sitExam,
  smallRoster,
  startService,
  SUBMIT,
  TestClock,
  until,
  type GraphqlAnswer,
  type Learner,
  type TestService,
} from '../support/service.ts';

const REQUEST = `issueRequest { id state path remark rowsTotal rowsIssued rowsRefused requestedBy { name } decidedBy { staffNumber }
  rows(first: 100) { nodes { line completedOn validUntil classHours evidence oldNumber issuingBody person { staffNumber } certification { code } } } }`;
const refusal = '... on Refusal { code message } ... on InvalidInput { path }';
const MANUAL = `mutation ($input: RequestManualIssueInput!) { requestManualIssue(input: $input) { __typename ... on RequestManualIssuePayload { ${REQUEST} } ${refusal} } }`;
const IMPORT_OLD = `mutation ($input: ImportOldCertificatesInput!) { importOldCertificates(input: $input) { __typename
  ... on ImportOldCertificatesPayload { rowsRead unchanged ${REQUEST} }
  ... on RowsRefused { rows { line column value reason(language: en) } } ${refusal} } }`;
const APPROVE = `mutation ($input: ApproveIssueRequestInput!) { approveIssueRequest(input: $input) { __typename ... on ApproveIssueRequestPayload { ${REQUEST} } ${refusal} } }`;
const DECLINE = `mutation ($input: DeclineIssueRequestInput!) { declineIssueRequest(input: $input) { __typename ... on DeclineIssueRequestPayload { ${REQUEST} } ${refusal} } }`;
const REVOKE = `mutation ($input: RevokeCertificateInput!) { revokeCertificate(input: $input) { __typename ... on Refusal { code } } }`;
const CERTIFICATES = `{ viewer { certificates { id number path evidence percent completedOn classHours issuedOn validUntil verificationUrl recordedFrom { number issuingBody issuedOn } } } }`;
const VERIFY = `query ($number: String!, $code: String) { verifyCertificate(number: $number, code: $code) { state path evidence recordedFrom { number } } }`;

const gid = (type: string, id: string | number): string => Buffer.from(`${type}:${id}`).toString('base64');
const idOf = (globalId: string): string => Buffer.from(globalId, 'base64').toString().split(':')[1]!;
const as = (staffNumber: string): string => `sample:staff:${staffNumber}`;
const county = gid('Division', SAMPLE_COUNTY);

describe('a certificate outside of the earned path', () => {
  let service: TestService;
  let clock: TestClock;
  let certificationId: string;
  let learners: Map<string, Learner>;
  const people: Record<string, string> = {};

  const query = async (sql: string, values: unknown[] = []) =>
    (await service.database.pool.query(sql, values)).rows as Record<string, unknown>[];
  const count = async (table: string): Promise<number> =>
    Number((await query(`select count(*) as n from ${table}`))[0]!['n']);
  const request = async (who: string | null, staffNumber: string, more: Record<string, unknown> = {}) =>
    (
      await service.ask(who, MANUAL, {
        input: {
          certificationId,
          personId: people[staffNumber],
          completedOn: '2029-09-15',
          classHours: 1,
          reason: '外地调入',
          evidence: '原单位培训记录第 12 页',
          ...more,
        },
      })
    ).data.requestManualIssue;
  const approve = async (who: string | null, issueRequestId: string) =>
    (await service.ask(who, APPROVE, { input: { issueRequestId } })).data.approveIssueRequest;
  const decline = async (who: string | null, issueRequestId: string, reason = '证据不足') =>
    (await service.ask(who, DECLINE, { input: { issueRequestId, reason } })).data.declineIssueRequest;
  const certificatesOf = async (staffNumber: string) =>
    (await service.ask(as(staffNumber), CERTIFICATES)).data.viewer.certificates as Record<string, string>[];
  const covered = async (): Promise<number> =>
    (
      await service.ask(
        'coordinator',
        'query ($c: ID!, $u: ID!) { coverage(certificationId: $c, unitId: $u) { covered } }',
        { c: certificationId, u: county },
      )
    ).data.coverage.covered as number;
  const grant = async (staffNumber: string, role: string, place: { division?: string; school?: string }) =>
    query(
      `insert into role_grants (person_id, role, division_code, organization_id, starts_on, reason)
       select p.id, $2, $3, (select id from organizations where source_id = $4), '2020-01-01', 'test' from people p where staff_number = $1`,
      [staffNumber, role, place.division ?? null, place.school ?? null],
    );
  const issuer = (staffNumber: string): Viewer => ({
    personId: idOf(people[staffNumber]!),
    grants: [{ role: 'issuer', scope: { kind: 'division', code: SAMPLE_COUNTY } }],
  });
  const upload = async (
    who: string,
    bytes: Uint8Array,
    { name = 'old.csv', divisionCode = SAMPLE_COUNTY } = {},
  ) => {
    const form = new FormData();
    const input = { divisionCode, reason: '历年培训', file: null };
    form.set('operations', JSON.stringify({ query: IMPORT_OLD, variables: { input } }));
    form.set('map', JSON.stringify({ 0: ['variables.input.file'] }));
    form.set('0', new Blob([new Uint8Array(bytes)]), name);
    const answer = await fetch(`${service.app.publicUrl}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${who.includes(':') ? who : `sample:${who}`}` },
      body: form,
    });
    return ((await answer.json()) as GraphqlAnswer).data.importOldCertificates;
  };
  const HEADER =
    'staff_number,name,certification,issued_on,valid_until,old_number,issuing_body,reason,class_hours';
  const csv = (...rows: string[]): Buffer => Buffer.from([HEADER, ...rows].join('\n'));

  beforeAll(async () => {
    clock = new TestClock('2030-03-04T04:00:00Z');
    service = await startService({ clock });
    const ids = ['t1', 't2', 't3', 't4', 't5', 't6', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'b1', 'b2', 'b3'];
    const prepared = await assignTeachers(service, ids);
    certificationId = prepared.certificationId;
    learners = new Map(prepared.learners.map((learner) => [learner.key, learner]));
    await importRoster(service, smallRoster([{ id: 's2t', family: '李', given: '红', orgs: 's2' }]));
    for (const { id, number } of await query(
      'select id, staff_number as number from people where staff_number is not null',
    ))
      people[number as string] = gid('Person', id as string);
    // Issuers of the county who teach themselves, one of a single school, one of the neighbouring county.
    for (const each of ['t5', 't6']) await grant(each, 'issuer', { division: SAMPLE_COUNTY });
    await grant('s2t', 'issuer', { school: 's2' });
    await grant('t4', 'issuer', { division: '430102' });
  });
  afterAll(async () => service.stop());

  describe('asked for by hand', () => {
    it('is not issued until another issuer approves, and says then what it rests on', async () => {
      const before = await covered();
      const asked = await request('issuer', 't1');
      expect(asked).toEqual({
        __typename: 'RequestManualIssuePayload',
        issueRequest: {
          id: expect.any(String),
          state: 'WAITING',
          path: 'MANUAL',
          remark: null,
          rowsTotal: 1,
          rowsIssued: 0,
          rowsRefused: 0,
          requestedBy: { name: '周岚' },
          decidedBy: null,
          rows: {
            nodes: [
              {
                line: 1,
                completedOn: '2029-09-15',
                validUntil: '2032-09-14',
                classHours: 1,
                evidence: '原单位培训记录第 12 页',
                oldNumber: null,
                issuingBody: null,
                person: { staffNumber: 't1' },
                certification: { code: 'gatekeeper-2026' },
              },
            ],
          },
        },
      });
      expect(await certificatesOf('t1')).toEqual([]);
      expect(await covered()).toBe(before);

      expect(await approve(as('t5'), asked.issueRequest.id)).toMatchObject({
        issueRequest: { state: 'APPROVED', rowsIssued: 1, rowsRefused: 0, decidedBy: { staffNumber: 't5' } },
      });
      const [certificate] = await certificatesOf('t1');
      expect(certificate).toMatchObject({
        path: 'MANUAL',
        evidence: '于2029年9月15日完成培训，由长沙县教育局经两人审核认定',
        percent: null,
        completedOn: '2029-09-15',
        classHours: 1,
        issuedOn: '2030-03-04',
        validUntil: '2032-09-14',
        recordedFrom: null,
      });
      expect(await covered()).toBe(before + 1);
      // What it fulfils says so, and earning it as well brings no second one.
      const learner = learners.get('t1')!;
      const { data } = await service.ask(
        't1',
        'query ($id: ID!) { node(id: $id) { ... on Assignment { state certificate { id } } } }',
        { id: learner.assignmentId },
      );
      expect(data.node).toEqual({ state: 'CERTIFIED', certificate: { id: certificate!['id'] } });
      await finishActivities(service, learner);
      await service.app.services.certificates.issue(idOf(learner.assignmentId));
      expect(await certificatesOf('t1')).toHaveLength(1);

      const pdf = await service.fetch(`/certificates/${certificate!['number']}.pdf`, 't1');
      const { text, qr } = await readPdf(Buffer.from(await pdf.arrayBuffer()));
      expect(codeIn(qr)).toBe(certificate!['verificationUrl']);
      for (const said of [
        '王小明',
        '经两人审核认定',
        '未在本平台考试',
        '认定 1 学时',
        'no examination of this service',
      ])
        expect(text.replaceAll(/\s/g, '')).toContain(said.replaceAll(' ', ''));
      for (const unsaid of ['原单位培训记录', '课程学习', '成绩'])
        expect(text.replaceAll(/\s/g, '')).not.toContain(unsaid);
    });

    it('is told apart from an earned one by whoever verifies it, with its evidence to who has the document', async () => {
      const [certificate] = await certificatesOf('t1');
      const { number, verificationUrl } = certificate!;
      const code = new URL(verificationUrl!).hash.replace('#code=', '');
      const verify = async (variables: Record<string, unknown>) =>
        (await service.ask(null, VERIFY, { number, ...variables })).data.verifyCertificate;
      expect(await verify({})).toEqual({
        state: 'VALID',
        path: 'MANUAL',
        evidence: null,
        recordedFrom: null,
      });
      expect(await verify({ code })).toMatchObject({ evidence: certificate!['evidence'] });
      const byHr = await service.ask(
        'hr',
        'query ($number: String!) { certificate(number: $number) { path evidence(language: en) percent issueRequest { id } } }',
        { number },
      );
      // Who asked and who approved is for issuers.
      expect(byHr.data.certificate).toEqual({
        path: 'MANUAL',
        evidence:
          'Training completed on 15 September 2029; recognized by 长沙县教育局 after review by two people',
        percent: null,
        issueRequest: null,
      });
      const byIssuer = await service.ask(
        'issuer',
        'query ($number: String!) { certificate(number: $number) { issueRequest { requestedBy { name } decidedBy { staffNumber } } } }',
        { number },
      );
      expect(byIssuer.data.certificate.issueRequest).toEqual({
        requestedBy: { name: '周岚' },
        decidedBy: { staffNumber: 't5' },
      });
    });

    it('leaves a credit record and journal entries like any other', async () => {
      const records = await query(
        `select r.kind, r.class_hours::float as hours from credit_records r join certificates c on c.id = r.certificate_id where c.person_id = $1`,
        [idOf(people['t1']!)],
      );
      expect(records).toEqual([{ kind: 'earned', hours: 1 }]);
      const entries = await query(
        `select action, actor from journal_entries where action in ('issue-request.make', 'issue-request.approve', 'certificate.issue') order by id`,
      );
      expect(entries.map(({ action }) => action)).toEqual([
        'issue-request.make',
        'issue-request.approve',
        'certificate.issue',
      ]);
      expect(entries[2]!['actor']).toBe(`person:${idOf(people['t5']!)}`);
    });

    it('is approved by nobody who asked for it, and asked for and approved by nobody for themselves', async () => {
      expect(await request(as('t5'), 't5')).toMatchObject({ code: 'NOT_ALLOWED' });
      const about = (await request('issuer', 't5')).issueRequest.id;
      for (const who of ['issuer', as('t5')]) {
        expect(await approve(who, about)).toMatchObject({ code: 'NOT_ALLOWED' });
        expect(await decline(who, about)).toMatchObject({ code: 'NOT_ALLOWED' });
      }
      expect(await certificatesOf('t5')).toEqual([]);
      expect(await decline(as('t6'), about)).toMatchObject({
        issueRequest: { state: 'DECLINED', remark: '证据不足' },
      });
      expect(await approve(as('t6'), about)).toMatchObject({ code: 'ALREADY_DECIDED' });
      expect(await certificatesOf('t5')).toEqual([]);
    });

    it('is revoked by no issuer who holds it', async () => {
      const asked = await request('issuer', 't6');
      await approve(as('t5'), asked.issueRequest.id);
      const [own] = await certificatesOf('t6');
      const revoke = async (who: string) =>
        (await service.ask(who, REVOKE, { input: { certificateId: own!['id'], reason: '误发' } })).data
          .revokeCertificate;
      expect(await revoke(as('t6'))).toMatchObject({ code: 'NOT_ALLOWED' });
      expect(await revoke(as('t5'))).toEqual({ __typename: 'RevokeCertificatePayload' });
    });

    it('is for issuers of where the person works; to all others neither is there', async () => {
      const nobody = { personId: gid('Person', 999_999_999) };
      for (const who of ['coordinator', 'hr', as('a1'), as('t4'), as('s2t')]) {
        const refused = await request(who, 't2');
        expect(refused).toMatchObject({ code: 'NOT_FOUND' });
        expect(await request(who, 't2', nobody)).toEqual(refused);
      }
      expect(await request(null, 't2')).toMatchObject({ code: 'NOT_SIGNED_IN' });
      const { id } = (await request('issuer', 't2')).issueRequest as { id: string };
      const see = async (who: string | null, node: string) =>
        (await service.ask(who, 'query ($id: ID!) { node(id: $id) { id } }', { id: node })).data.node;
      const list = async (who: string | null, unitId: string) =>
        (
          await service.ask(
            who,
            'query ($unitId: ID!) { issueRequests(unitId: $unitId, state: WAITING) { nodes { id } } }',
            { unitId },
          )
        ).data?.issueRequests?.nodes ?? null;
      for (const who of ['coordinator', 'hr', as('t2'), as('t4'), as('s2t')]) {
        const missing = await approve(who, gid('IssueRequest', 999_999_999));
        expect(missing).toMatchObject({ code: 'NOT_FOUND' });
        expect(await approve(who, id)).toEqual(missing);
        expect(await decline(who, id)).toEqual(missing);
        expect(await see(who, id)).toBeNull();
        expect(await list(who, county)).toBeNull();
      }
      expect(await list(as('t5'), county)).toEqual([{ id }]);
      expect(
        await list(
          as('s2t'),
          gid(
            'Organization',
            String((await query(`select id from organizations where source_id = 's2'`))[0]!['id']),
          ),
        ),
      ).toEqual([]);
      // The certification, too, must hold where the person works.
      expect(
        await request('issuer', 's2t', { certificationId: gid('Certification', 999_999_999) }),
      ).toMatchObject({ code: 'NOT_FOUND' });
      await decline(as('t5'), id);
    });

    it('is asked for with grounds, and days and hours that make sense', async () => {
      for (const [more, path] of [
        [{ completedOn: '2030-03-05' }, 'input.completedOn'],
        // Three years from then ended yesterday.
        [{ completedOn: '2027-03-04' }, 'input.completedOn'],
        [{ classHours: -1 }, 'input.classHours'],
        [{ classHours: 1000 }, 'input.classHours'],
        [{ reason: '  ' }, 'input.reason'],
        [{ reason: 'x'.repeat(201) }, 'input.reason'],
        [{ evidence: ' ' }, 'input.evidence'],
        [{ evidence: 'x'.repeat(501) }, 'input.evidence'],
      ] as const)
        expect(await request('issuer', 't2', more)).toMatchObject({ code: 'INVALID_INPUT', path });
      const last = await request('issuer', 't2', { completedOn: '2027-03-05' });
      expect(last.issueRequest.rows.nodes[0].validUntil).toBe('2030-03-04');
      await decline(as('t5'), last.issueRequest.id);
      await importRoster(service, smallRoster([{ id: 'p1', family: '李', given: '校', roles: 'principal' }]));
      const [principal] = await query(`select id from people where staff_number = 'p1'`);
      expect(
        await request('issuer', 't2', { personId: gid('Person', principal!['id'] as string) }),
      ).toMatchObject({ path: 'input.certificationId' });
    });

    it('is asked for once at a time, and not for who has one', async () => {
      expect(await request('issuer', 't1')).toMatchObject({ code: 'ALREADY_ISSUED' });
      const answers = await Promise.all(
        ['issuer', as('t5'), as('t6')].map(async (who) => request(who, 't2')),
      );
      const codes = answers.map((answer): string => answer.code ?? 'asked').toSorted();
      expect(codes).toEqual(['REQUEST_WAITING', 'REQUEST_WAITING', 'asked']);
      const { id } = answers.find((answer) => answer.issueRequest !== undefined).issueRequest;
      // Whoever was first: as if it had been somebody who decides nothing here.
      await query(`update issue_requests set requested_by = $1 where id = $2`, [
        idOf(people['t3']!),
        idOf(id),
      ]);
      expect(await decline('issuer', id, ' ')).toMatchObject({ path: 'input.reason' });
      await decline('issuer', id);
      expect(await request('issuer', 't2')).toMatchObject({ __typename: 'RequestManualIssuePayload' });
    });

    it('is issued once when two approve at the same moment, and not at all when one who declines is first', async () => {
      const [waiting] = await query(`select id from issue_requests where state = 'waiting'`);
      const requestId = waiting!['id'] as string;
      const { issueRequests } = service.app.services;
      const both = await Promise.allSettled(
        ['t5', 't6', 't5', 't6'].map(async (who) =>
          issueRequests.approve(issuer(who), { requestId, remark: null }),
        ),
      );
      expect(both.filter((each) => each.status === 'fulfilled')).toHaveLength(1);
      expect(
        both.flatMap((each) => (each.status === 'rejected' ? [(each.reason as Conflict).code] : [])),
      ).toEqual(Array.from({ length: 3 }, () => 'ALREADY_DECIDED'));
      expect(await certificatesOf('t2')).toHaveLength(1);
      const records = await query('select 1 from credit_records where person_id = $1', [idOf(people['t2']!)]);
      expect(records).toHaveLength(1);

      const asked = (await request('issuer', 't3')).issueRequest.id as string;
      const ends = await Promise.allSettled([
        issueRequests.approve(issuer('t5'), { requestId: idOf(asked), remark: null }),
        issueRequests.decline(issuer('t6'), { requestId: idOf(asked), reason: '证据不足' }),
      ]);
      expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      const [kept] = await query('select state from issue_requests where id = $1', [idOf(asked)]);
      expect(await certificatesOf('t3')).toHaveLength(kept!['state'] === 'approved' ? 1 : 0);
    });

    it('and the same one earned at the same moment are one', async () => {
      const learner = learners.get('a1')!;
      const asked = (await request('issuer', 'a1')).issueRequest.id as string;
      await finishActivities(service, learner);
      const attempt = await sitExam(service, learner, { right: true });
      const [, decided] = await Promise.all([
        service.ask(learner.key, SUBMIT, { id: attempt }),
        approve(as('t5'), asked),
      ]);
      const certificates = await until(async () => {
        const all = await certificatesOf('a1');
        const owed = await query(`select 1 from graphile_worker.jobs where run_at <= now()`);
        return owed.length === 0 ? all : undefined;
      });
      expect(certificates).toHaveLength(1);
      const [state] = await query('select state from issue_requests where id = $1', [idOf(asked)]);
      // Whichever was first: a request that came too late issued nothing, and still waits unless it had been approved by then.
      expect([
        certificates[0]!['path'],
        decided.code ?? decided.issueRequest.rowsIssued,
        state!['state'],
      ]).toBeOneOf([
        ['MANUAL', 1, 'approved'],
        ['EARNED', 0, 'approved'],
        ['EARNED', 'ALREADY_ISSUED', 'waiting'],
      ]);
    });

    it('is not issued to who has earned one since it was asked for', async () => {
      const learner = learners.get('a6')!;
      const asked = (await request('issuer', 'a6')).issueRequest.id as string;
      await finishActivities(service, learner);
      const attempt = await sitExam(service, learner, { right: true });
      await service.ask(learner.key, SUBMIT, { id: attempt });
      const [earned] = await until(async () => {
        const all = await certificatesOf('a6');
        return all.length === 0 ? undefined : all;
      });
      expect(earned).toMatchObject({ path: 'EARNED', percent: 100, completedOn: null, recordedFrom: null });
      expect(await approve(as('t6'), asked)).toMatchObject({ code: 'ALREADY_ISSUED' });
      expect(await certificatesOf('a6')).toEqual([earned]);
      expect(await decline(as('t6'), asked)).toMatchObject({ issueRequest: { state: 'DECLINED' } });
    });

    it('is approved though who asked is no issuer any more, and not by one who is none any more', async () => {
      const asked = (await request(as('t5'), 'a2')).issueRequest.id as string;
      await query(
        `update role_grants set revoked_at = now(), ended_at = now(), end_reason = 'x' where person_id = $1`,
        [idOf(people['t5']!)],
      );
      expect(await approve(as('t5'), asked)).toMatchObject({ code: 'NOT_FOUND' });
      expect(await approve(as('t6'), asked)).toMatchObject({ issueRequest: { state: 'APPROVED' } });
      expect(await certificatesOf('a2')).toHaveLength(1);
      await query(
        `update role_grants set revoked_at = null, ended_at = null, end_reason = null where person_id = $1`,
        [idOf(people['t5']!)],
      );
    });

    it('is not issued to who has left meanwhile, nor when it has expired', async () => {
      const asked = (await request('issuer', 'a3', { completedOn: '2027-03-05' })).issueRequest.id as string;
      await query(`update posts set ends_on = '2030-03-03' where person_id = $1`, [idOf(people['a3']!)]);
      expect(await approve(as('t6'), asked)).toMatchObject({ code: 'PERSON_MOVED' });
      await query(`update posts set ends_on = null where person_id = $1`, [idOf(people['a3']!)]);
      clock.move(24 * 60);
      expect(await approve(as('t6'), asked)).toMatchObject({ code: 'EXPIRED_MEANWHILE' });
      expect(await certificatesOf('a3')).toEqual([]);
      await decline(as('t6'), asked);
    });
  });

  describe('from a file of old ones', () => {
    const good = [
      'b1,王小华,gatekeeper-2026,2029-03-01,2031-12-31,A-001,湖南省教师培训中心,2029 年省级班,',
      'b2,王小华,gatekeeper-2026,2028/9/1,,A-002,湖南省教师培训中心,2028 年省级班,1',
    ];

    it('is recorded when another issuer approves, with its old number as a fact', async () => {
      const before = await covered();
      const asked = await upload('issuer', csv(...good));
      expect(asked).toMatchObject({
        __typename: 'ImportOldCertificatesPayload',
        rowsRead: 2,
        unchanged: 0,
        issueRequest: {
          path: 'IMPORTED',
          state: 'WAITING',
          rows: {
            nodes: [
              {
                line: 2,
                completedOn: '2029-03-01',
                validUntil: '2031-12-31',
                classHours: 0,
                oldNumber: 'A-001',
                evidence: '2029 年省级班',
              },
              { line: 3, completedOn: '2028-09-01', validUntil: '2031-08-31', classHours: 1 },
            ],
          },
        },
      });
      expect(await covered()).toBe(before);
      expect(await approve('issuer', asked.issueRequest.id)).toMatchObject({ code: 'NOT_ALLOWED' });
      expect(await approve(as('s2t'), asked.issueRequest.id)).toMatchObject({ code: 'NOT_FOUND' });
      expect(await approve(as('t5'), asked.issueRequest.id)).toMatchObject({
        issueRequest: { state: 'APPROVED' },
      });
      const [certificate] = await certificatesOf('b1');
      expect(certificate).toMatchObject({
        path: 'IMPORTED',
        number: expect.stringMatching(/^XQ2030-/),
        evidence:
          '据湖南省教师培训中心2029年3月1日颁发的证书（编号 A-001）登记，由长沙县教育局经两人审核认定',
        percent: null,
        classHours: 0,
        recordedFrom: { number: 'A-001', issuingBody: '湖南省教师培训中心', issuedOn: '2029-03-01' },
        validUntil: '2031-12-31',
      });
      expect(await covered()).toBe(before + 2);
      const pdf = await service.fetch(`/certificates/${certificate!['number']}.pdf`, 'b1');
      const { text } = await readPdf(Buffer.from(await pdf.arrayBuffer()));
      for (const said of ['湖南省教师培训中心', 'A-001', '未在本平台考试']) expect(text).toContain(said);
      expect(text).not.toContain('学时');
      const code = new URL(certificate!['verificationUrl']!).hash.replace('#code=', '');
      expect(
        (await service.ask(null, VERIFY, { number: certificate!['number'], code })).data.verifyCertificate,
      ).toMatchObject({ path: 'IMPORTED', recordedFrom: { number: 'A-001' } });
    });

    it('adds nothing the second time, whether it waits or is recorded', async () => {
      const requests = await count('issue_requests');
      expect(await upload('issuer', csv(...good))).toMatchObject({
        rowsRead: 2,
        unchanged: 2,
        issueRequest: null,
      });
      const third = 'b3,王小华,gatekeeper-2026,2029-03-01,,A-003,湖南省教师培训中心,省级班,';
      const asked = await upload('issuer', csv(...good, third));
      expect(asked).toMatchObject({ rowsRead: 3, unchanged: 2 });
      expect(asked.issueRequest.rows.nodes).toHaveLength(1);
      expect(await upload(as('t6'), csv(third))).toMatchObject({ unchanged: 1, issueRequest: null });
      expect(await count('issue_requests')).toBe(requests + 1);
      await decline(as('t5'), asked.issueRequest.id);
    });

    it('is refused whole with every faulty place', async () => {
      const before = await count('issue_requests');
      const refused = async (...rows: string[]) => {
        const answer = await upload('issuer', csv(...rows));
        expect(answer.__typename).toBe('RowsRefused');
        return answer.rows.map(({ line, column }: { line: number; column: string | null }) => [line, column]);
      };
      const row = (fields: Partial<Record<string, string>>): string =>
        HEADER.split(',')
          .map(
            (column) =>
              fields[column] ??
              {
                staff_number: 'a4',
                name: '王小华',
                certification: 'gatekeeper-2026',
                issued_on: '2029-03-01',
                old_number: 'C-1',
                issuing_body: '省教育厅',
                reason: '省级班',
              }[column] ??
              '',
          )
          .join(',');
      expect(
        await refused(
          row({ staff_number: 'nobody', old_number: 'C-0' }),
          row({ name: '张三', old_number: 'C-1' }),
          row({ staff_number: 'a5', certification: 'other', old_number: 'C-2' }),
          row({ staff_number: 'a6', issued_on: '2031-01-01', old_number: 'C-3' }),
          row({ staff_number: '', old_number: 'C-4' }),
        ),
      ).toEqual([
        [2, 'staff_number'],
        [3, 'name'],
        [4, 'certification'],
        [5, 'issued_on'],
        [6, 'staff_number'],
      ]);
      for (const [fields, column] of [
        [{ issued_on: '1.3.2029' }, 'issued_on'],
        [{ issued_on: '' }, 'issued_on'],
        [{ issued_on: '2026-03-01' }, 'issued_on'],
        [{ valid_until: '2029-02-28' }, 'valid_until'],
        // The certification permits three years.
        [{ valid_until: '2032-03-01' }, 'valid_until'],
        [{ valid_until: '2029-12-31' }, 'valid_until'],
        [{ old_number: '' }, 'old_number'],
        [{ old_number: '𪛖' }, 'old_number'],
        // Of somebody else, by the same body.
        [{ old_number: 'A-001', issuing_body: '湖南省教师培训中心' }, 'old_number'],
        [{ issuing_body: '' }, 'issuing_body'],
        [{ reason: '' }, 'reason'],
        [{ class_hours: 'x' }, 'class_hours'],
        [{ class_hours: '999' }, 'class_hours'],
        // Has one already, by hand; b1 has another old one.
        [{ staff_number: 't1', name: '王小明' }, 'certification'],
        [{ staff_number: 'b1' }, 'certification'],
      ] as const)
        expect({ fields, found: await refused(row(fields)) }).toEqual({ fields, found: [[2, column]] });
      expect(await refused(row({}), row({ old_number: 'C-2' }))).toEqual([[3, 'staff_number']]);
      expect(await refused(row({}), row({ staff_number: 'a5' }))).toEqual([[3, 'old_number']]);
      // Nobody records one for themselves.
      const own = await upload(as('t5'), csv(row({ staff_number: 't5', name: '王小强' })));
      expect(own.rows).toMatchObject([{ column: 'staff_number', reason: expect.stringContaining('own') }]);
      expect(
        (await upload('issuer', Buffer.from('name\n王小华\n'))).rows.map(
          (each: { column: string }) => each.column,
        ),
      ).toEqual(['certification', 'issued_on', 'old_number', 'issuing_body', 'reason', 'staff_number']);
      expect(await upload('issuer', csv())).toMatchObject({ path: 'input.file' });
      expect(await upload('issuer', Buffer.from([0, 1, 2, 0]))).toMatchObject({ path: 'input.file' });
      const many = Array.from({ length: 5_001 }, (_, index) => row({ old_number: `D-${index}` }));
      expect(await refused(...many)).toEqual([[1, null]]);
      expect(await count('issue_requests')).toBe(before);
    });

    it('may be a workbook with Chinese titles, or text as spreadsheets in China write it', async () => {
      const titles = [
        '人员编号',
        '姓名',
        '认证代码',
        '发证日期',
        '有效期至',
        '原证书编号',
        '发证机关',
        '理由',
      ];
      const workbook = await buffer(
        writeWorkbook({
          language: 'zh-CN',
          sheets: [
            {
              name: '旧证书',
              columns: titles.map((title) => ({ title })),
              rows: [['a4', '王 小华', 'gatekeeper-2026', '2029年3月1日', '', 'E-1', '省教育厅', '省级班']],
            },
          ],
        }),
      );
      const asked = await upload('issuer', workbook, { name: '旧证书.xlsx' });
      expect(asked).toMatchObject({
        rowsRead: 1,
        issueRequest: { rows: { nodes: [{ line: 2, person: { staffNumber: 'a4' }, oldNumber: 'E-1' }] } },
      });
      await decline(as('t5'), asked.issueRequest.id);
      // 工号,姓名 and the rest in GBK would need an encoder; the bytes of two titles show that they are read.
      const gbk = Buffer.concat([
        Buffer.from('staff_number,'),
        Buffer.from([0xd0, 0xd5, 0xc3, 0xfb]),
        Buffer.from(',certification,issued_on,old_number,issuing_body,reason\na4,'),
        Buffer.from([0xcd, 0xf5, 0xd0, 0xa1, 0xbb, 0xaa]),
        Buffer.from(',gatekeeper-2026,2029-03-01,E-1,X,Y\n'),
      ]);
      const again = await upload('issuer', gbk);
      expect(again).toMatchObject({ issueRequest: { rows: { nodes: [{ person: { staffNumber: 'a4' } }] } } });
      await decline(as('t5'), again.issueRequest.id);
    });

    it('is for issuers of the whole division', async () => {
      const missing = await upload(as('s2t'), csv(...good), { divisionCode: '430999' });
      expect(missing.__typename).toBe('NotFound');
      for (const who of [as('s2t'), as('t4'), 'coordinator']) {
        const refused = await upload(who, csv(...good));
        expect(refused.message.replace(SAMPLE_COUNTY, '430999')).toBe(missing.message);
      }
    });

    it('is not approved by an issuer who is in it', async () => {
      const asked = await upload('issuer', csv('t5,王小强,gatekeeper-2026,2029-03-01,,G-1,省教育厅,省级班,'));
      expect(await approve(as('t5'), asked.issueRequest.id)).toMatchObject({ code: 'NOT_ALLOWED' });
      expect(await approve(as('t6'), asked.issueRequest.id)).toMatchObject({
        issueRequest: { state: 'APPROVED' },
      });
    });
  });

  it('changes coverage as counting anew would find it', async () => {
    expect(await service.app.ledger.rebuild()).toBe(0);
  });
});
