import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOT } from '../../src/certification/issue-lots.ts';
import { SAMPLE_COUNTY } from '../../src/commands/sample/county.ts';
import { fileOf } from '../../src/people/roster/upload.ts';
import { openWorkbook } from '../../src/sheets/read.ts';
import {
  assignTeachers,
  importRoster,
  smallRoster,
  startService,
  until,
  type TestService,
} from '../support/service.ts';

const REQUEST = `id state rowsTotal rowsIssued rowsRefused finishedAt refusalsUrl progress { rowsDone rowsTotal rowsPerSecond secondsLeft }`;
const payload = (name: string) =>
  `__typename ... on ${name}Payload { issueRequest { ${REQUEST} } } ... on Refusal { code message }`;
const IMPORT_OLD = `mutation ($input: ImportOldCertificatesInput!) { importOldCertificates(input: $input) { __typename ... on ImportOldCertificatesPayload { rowsRead unchanged issueRequest { id } } ... on RowsRefused { rows { line column reason(language: en) } } ... on Refusal { message } } }`;
const APPROVE = `mutation ($input: ApproveIssueRequestInput!) { approveIssueRequest(input: $input) { ${payload('ApproveIssueRequest')} } }`;
const CANCEL = `mutation ($input: CancelIssueRequestInput!) { cancelIssueRequest(input: $input) { ${payload('CancelIssueRequest')} } }`;
const SEE = `query ($id: ID!) { node(id: $id) { ... on IssueRequest { ${REQUEST} rows(first: 100, refused: true) { nodes { line certificateNumber refusal { code reason(language: en) } } } } } }`;

const HEADER = 'staff_number,name,certification,issued_on,valid_until,old_number,issuing_body,reason';
const idOf = (globalId: string): string => Buffer.from(globalId, 'base64').toString().split(':')[1]!;
/** Of one request: a lot, and a part of another. */
const MANY = LOT + 10;

describe('a request of many', () => {
  let service: TestService;
  const query = async (sql: string, values: unknown[] = []) =>
    (await service.database.pool.query(sql, values)).rows as Record<string, unknown>[];
  const row = (id: string, group: string): string =>
    `${id},王小华,gatekeeper-2026,2026-03-01,,${group}-${id},省教育厅,省级班`;
  const ids = (group: string): string[] => Array.from({ length: MANY }, (_, index) => `${group}${index}`);
  const upload = async (rows: readonly string[]) =>
    (
      await service.upload(
        'issuer',
        IMPORT_OLD,
        { input: { divisionCode: SAMPLE_COUNTY, reason: '历年培训', file: null } },
        [{ name: 'old.csv', bytes: Buffer.from([HEADER, ...rows].join('\n')) }],
      )
    ).data.importOldCertificates;
  const ask = async (group: string): Promise<string> =>
    (await upload(ids(group).map((id) => row(id, group)))).issueRequest.id as string;
  const approve = async (issueRequestId: string, who = 'issuer-2') =>
    (await service.ask(who, APPROVE, { input: { issueRequestId } })).data.approveIssueRequest;
  const cancel = async (issueRequestId: string, who = 'issuer') =>
    (await service.ask(who, CANCEL, { input: { issueRequestId } })).data.cancelIssueRequest;
  const see = async (id: string, who = 'issuer') => (await service.ask(who, SEE, { id })).data.node;
  const reached = async (id: string, state: string) =>
    until(async () => {
      const found = await see(id);
      return found.state === state ? found : undefined;
    });
  const issued = async (id: string) =>
    (
      await query(
        `select count(*)::int as certificates, count(distinct c.person_id)::int as people, count(d.certificate_id)::int as documents, count(r.certificate_id)::int as credits
         from certificates c left join certificate_documents d on d.certificate_id = c.id left join credit_records r on r.certificate_id = c.id where c.request_id = $1`,
        [idOf(id)],
      )
    )[0];
  const each = (count: number) => ({
    certificates: count,
    people: count,
    documents: count,
    credits: count,
  });
  /** Certificates can't be put in while it is true of them. */
  const refuseInserts = async (when: string): Promise<void> => {
    await query(
      `create function refuse_insert() returns trigger language plpgsql security definer set search_path = public as $$ begin if ${when} then raise 'the disk is full'; end if; return new; end $$`,
    );
    await query(
      'create trigger refuse_insert before insert on certificates for each row execute function refuse_insert()',
    );
  };
  const takeInserts = async (): Promise<void> => {
    await query('drop trigger refuse_insert on certificates');
    await query('drop function refuse_insert');
  };
  const moreThan = (count: number): string =>
    `(select count(*) from certificates where request_id = new.request_id) >= ${count}`;
  const personOf = async (staffNumber: string): Promise<string> =>
    (await query('select id from people where staff_number = $1', [staffNumber]))[0]!['id'] as string;

  beforeAll(async () => {
    service = await startService();
    await assignTeachers(service, ['t1']);
    const people = ['a', 'b', 'c', 'd'].flatMap(ids);
    await importRoster(service, smallRoster(people.map((id) => ({ id, family: '王', given: '小华' }))));
  });
  afterAll(async () => service.stop());

  it('is approved at once, and issued row by row, each refused row with its reason', async () => {
    const id = await ask('a');
    const moved = await personOf('a3');
    await query(`update posts set ends_on = current_date - 1 where person_id = $1`, [moved]);
    await query(
      `update issue_request_rows set valid_until = current_date - 1 where request_id = $1 and line = ${LOT + 7}`,
      [idOf(id)],
    );
    expect(await approve(id)).toMatchObject({
      issueRequest: { state: 'ISSUING', rowsTotal: MANY, rowsIssued: 0, progress: { rowsDone: 0 } },
    });
    const done = await reached(id, 'APPROVED');
    expect(done).toMatchObject({
      rowsIssued: MANY - 2,
      rowsRefused: 2,
      finishedAt: expect.any(String),
      progress: null,
      rows: {
        nodes: [
          { line: 5, certificateNumber: null, refusal: { code: 'PERSON_MOVED' } },
          {
            line: LOT + 7,
            refusal: { code: 'EXPIRED_MEANWHILE', reason: expect.stringMatching(/^It has expired on \d/) },
          },
        ],
      },
    });
    expect(await issued(id)).toEqual(each(MANY - 2));
    const entries = await query(
      `select action, actor, detail from journal_entries where subject = $1 and action like 'issue-request.%' order by id`,
      [`issue-request:${idOf(id)}`],
    );
    expect(entries.map(({ action }) => action)).toEqual([
      'issue-request.make',
      'issue-request.approve',
      'issue-request.finish',
    ]);
    expect(entries[2]).toMatchObject({
      actor: 'worker:issue-lot',
      detail: { rowsIssued: MANY - 2, rowsRefused: 2 },
    });
    // Whoever approved answers for each of them.
    const [{ actors }] = (await query(
      `select array_agg(distinct actor) as actors from journal_entries where action = 'certificate.issue' and detail ->> 'request' = $1`,
      [idOf(id)],
    )) as [{ actors: string[] }];
    expect(actors).toEqual([entries[1]!['actor']]);

    // What was refused comes back as a file that can be mended, and asked for again.
    const answer = await service.fetch(`/issue-requests/${idOf(id)}/refusals.xlsx?language=en`, 'issuer');
    const bytes = Buffer.from(await answer.arrayBuffer());
    const workbook = await openWorkbook(fileOf({ name: 'refused.xlsx', bytes }));
    expect(workbook.sheets.map(({ name }) => name)).toEqual(['Old certificates']);
    await query('update posts set ends_on = null where person_id = $1', [moved]);
    const again = (
      await service.upload(
        'issuer',
        IMPORT_OLD,
        { input: { divisionCode: SAMPLE_COUNTY, reason: '历年培训', file: null } },
        [{ name: 'refused.xlsx', bytes }],
      )
    ).data.importOldCertificates;
    expect(again.rows).toMatchObject([{ line: 3, column: 'valid_until' }]);
    expect(await upload([row('a3', 'a')])).toMatchObject({ rowsRead: 1, unchanged: 0 });
  });

  it('goes on after a failure where it was, and issues nothing twice, however many are at it', async () => {
    const id = await ask('b');
    await refuseInserts(moreThan(LOT));
    await approve(id);
    const halted = await until(async () => {
      const found = await see(id);
      return found.rowsIssued === LOT ? found : undefined;
    });
    expect(halted).toMatchObject({
      state: 'ISSUING',
      rowsRefused: 0,
      progress: {
        rowsDone: LOT,
        rowsTotal: MANY,
        rowsPerSecond: expect.any(Number),
        secondsLeft: expect.any(Number),
      },
    });
    const { issueRequests } = service.app.services;
    // All rows of a lot fail, so that the fault is in none of them.
    await expect(issueRequests.issueLot(idOf(id))).rejects.toThrow('the disk is full');
    expect(await issued(id)).toEqual(each(LOT));
    // Somebody who has asked for a row that waits for its turn asks in vain.
    expect(await upload([row('b55', 'b')])).toMatchObject({ unchanged: 1, issueRequest: null });
    await takeInserts();
    await Promise.all(Array.from({ length: 4 }, async () => issueRequests.issueLot(idOf(id))));
    expect(await reached(id, 'APPROVED')).toMatchObject({ rowsIssued: MANY, rowsRefused: 0 });
    expect(await issued(id)).toEqual(each(MANY));
    expect(await approve(id)).toMatchObject({ code: 'ALREADY_DECIDED' });
  });

  it('is not held up by one row at which the service fails', async () => {
    const few = ids('c').slice(0, 4);
    const id = (await upload(few.map((each_) => row(each_, 'c')))).issueRequest.id as string;
    await refuseInserts(`new.person_id = ${await personOf('c1')}`);
    // So few are over when the mutation answers.
    expect(await approve(id)).toMatchObject({
      issueRequest: { state: 'APPROVED', rowsIssued: 3, rowsRefused: 1 },
    });
    expect((await see(id)).rows.nodes).toMatchObject([{ line: 3, refusal: { code: 'FAILED' } }]);
    await takeInserts();
    expect(await issued(id)).toEqual(each(3));
  });

  it('stops when an issuer says so: what was issued stands, and the rest can be asked for again', async () => {
    const id = await ask('d');
    expect(await cancel(id)).toMatchObject({ code: 'NOT_DECIDED' });
    await refuseInserts(moreThan(LOT));
    await approve(id);
    await until(async () => ((await see(id)).rowsIssued === LOT ? true : undefined));
    const missing = await cancel(Buffer.from('IssueRequest:999999').toString('base64'));
    expect(missing.code).toBe('NOT_FOUND');
    for (const who of ['coordinator', 'hr', 't1']) {
      expect(await cancel(id, who)).toEqual(missing);
      const refused = await service.fetch(`/issue-requests/${idOf(id)}/refusals.xlsx`, who);
      expect(refused.status).toBe(404);
    }
    expect(await cancel(id)).toMatchObject({
      issueRequest: { state: 'CANCELLED', rowsIssued: LOT, rowsRefused: MANY - LOT, progress: null },
    });
    await takeInserts();
    await service.app.services.issueRequests.issueLot(idOf(id));
    expect(await issued(id)).toEqual(each(LOT));
    expect(await cancel(id)).toMatchObject({ issueRequest: { state: 'CANCELLED', rowsIssued: LOT } });
    expect(await upload(ids('d').map((each_) => row(each_, 'd')))).toMatchObject({
      rowsRead: MANY,
      unchanged: LOT,
    });
  });

  it('changes coverage as counting anew would find it', async () => {
    expect(await service.app.ledger.rebuild()).toBe(0);
  });
});
