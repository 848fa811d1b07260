import { sql, type RawBuilder } from 'kysely';
import type { Executor } from '../db/database.ts';
import type { Role } from '../people/role.ts';
import type { Unit } from '../regions/division.ts';
import type {
  AskedRow,
  IssueRequest,
  IssueRequestRow,
  IssueRequestState,
  RowRefusal,
} from './issue-request.ts';

/** Rows put in by one statement. */
const PIECE = 1_000;
/** After so long without a lot, how fast it was says nothing of how fast it is. */
const PAUSE = sql`interval '1 minute'`;

/** Who asks waits for others who ask: two requests for the same certificate must see each other. */
export async function lockIssueRequests(tx: Executor): Promise<void> {
  await sql`lock table issue_requests in share row exclusive mode`.execute(tx);
}

export async function insertIssueRequest(
  tx: Executor,
  given: Pick<IssueRequest, 'path' | 'unit' | 'reason' | 'requestedBy' | 'requestedAt'>,
  rows: readonly AskedRow[],
): Promise<string> {
  const { id } = await tx
    .insertInto('issue_requests')
    .values({
      path: given.path,
      division_code: given.unit.kind === 'division' ? given.unit.code : null,
      organization_id: given.unit.kind === 'organization' ? given.unit.id : null,
      reason: given.reason,
      requested_by: given.requestedBy,
      requested_at: given.requestedAt,
      rows_total: rows.length,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  for (let at = 0; at < rows.length; at += PIECE)
    await tx
      .insertInto('issue_request_rows')
      .values(
        rows.slice(at, at + PIECE).map((row) => ({
          request_id: id,
          line: row.line,
          person_id: row.personId,
          certification_id: row.certificationId,
          completed_on: row.completedOn,
          valid_until: row.validUntil,
          class_hours: row.classHours,
          evidence: row.evidence,
          old_number: row.oldNumber,
          issuing_body: row.issuingBody,
        })),
      )
      .execute();
  return id;
}

export async function decideIssueRequest(
  tx: Executor,
  id: string,
  decision: { state: 'issuing' | 'declined'; by: string; at: Date; remark: string | null },
): Promise<void> {
  await tx
    .updateTable('issue_requests')
    .set({
      state: decision.state,
      decided_by: decision.by,
      decided_at: decision.at,
      remark: decision.remark,
      ...(decision.state === 'issuing'
        ? { run_began_at: decision.at, run_began_with: 0, told_at: decision.at }
        : {}),
    })
    .where('id', '=', id)
    .execute();
}

/**
 * Says that a lot is being put in, and keeps others from this request until the transaction ends.
 * @returns false: it is over, or was cancelled.
 */
export async function beginLot(tx: Executor, id: string, lot: { beganAt: Date; at: Date }): Promise<boolean> {
  const { rows } = await sql`
    update issue_requests set told_at = ${lot.at},
      run_began_at = case when told_at < ${lot.beganAt}::timestamptz - ${PAUSE} then ${lot.beganAt}::timestamptz else run_began_at end,
      run_began_with = case when told_at < ${lot.beganAt}::timestamptz - ${PAUSE} then rows_issued + rows_refused else run_began_with end
    where id = ${id}::bigint and state = 'issuing' returning id`.execute(tx);
  return rows.length === 1;
}

/** Those of these lines that have not had their turn. */
export async function listOpenLines(
  tx: Executor,
  requestId: string,
  lines: readonly number[],
): Promise<number[]> {
  const rows = await tx
    .selectFrom('issue_request_rows')
    .select('line')
    .where('request_id', '=', requestId)
    .where('line', '=', sql<number>`any(${lines}::int[])`)
    .where('certificate_id', 'is', null)
    .where('refusal', 'is', null)
    .orderBy('line')
    .execute();
  return rows.map(({ line }) => line);
}

export interface RowOutcome {
  readonly line: number;
  readonly certificateId: string | null;
  readonly refusal: RowRefusal | null;
}

/** What became of rows that had not had their turn. @returns whether all rows of the request have had theirs. */
export async function settleRows(
  tx: Executor,
  requestId: string,
  outcomes: readonly RowOutcome[],
): Promise<boolean> {
  const { rows } = await sql<{ done: boolean }>`
    with settled as (
      update issue_request_rows r set certificate_id = o.certificate_id, refusal = o.refusal, refusal_detail = o.detail
      from unnest(${outcomes.map(({ line }) => line)}::int[], ${outcomes.map((each) => each.certificateId)}::bigint[],
        ${outcomes.map(({ refusal }) => refusal?.code ?? null)}::text[], ${outcomes.map(({ refusal }) => refusal?.detail ?? null)}::text[]) as o (line, certificate_id, refusal, detail)
      where r.request_id = ${requestId}::bigint and r.line = o.line and r.certificate_id is null and r.refusal is null
      returning r.certificate_id, r.refusal
    )
    update issue_requests q set rows_issued = q.rows_issued + n.issued, rows_refused = q.rows_refused + n.refused
    from (select count(certificate_id)::int as issued, count(refusal)::int as refused from settled) n
    where q.id = ${requestId}::bigint returning q.rows_issued + q.rows_refused = q.rows_total as done`.execute(
    tx,
  );
  return rows[0]!.done;
}

/** Ends an approved request. Rows that have not had their turn are refused as cancelled. */
export async function finishIssueRequest(
  tx: Executor,
  id: string,
  end: { state: 'approved' | 'cancelled'; at: Date },
): Promise<void> {
  await sql`
    with left_over as (
      update issue_request_rows set refusal = 'CANCELLED' where request_id = ${id}::bigint and certificate_id is null and refusal is null returning line
    )
    update issue_requests set state = ${end.state}, finished_at = ${end.at}, rows_refused = rows_refused + (select count(*) from left_over)
    where id = ${id}::bigint`.execute(tx);
}

export async function findIssueRequest(
  db: Executor,
  id: string,
  { lock = false } = {},
): Promise<IssueRequest | undefined> {
  return (await listRequests(db, sql`q.id = ${id}::bigint`, lock ? sql`for update of q` : sql`limit 1`))[0];
}

/** Those of a unit and below it, newest first. */
export async function listIssueRequests(
  db: Executor,
  unit: Unit,
  { state, after, limit }: { state: IssueRequestState | undefined; after: string | undefined; limit: number },
): Promise<IssueRequest[]> {
  const within =
    unit.kind === 'organization'
      ? sql`q.organization_id = ${unit.id}::bigint`
      : sql`(${unit.code} in (d.province_code, d.prefecture_code, d.county_code) or ${unit.code} in (o.province_code, o.prefecture_code, o.county_code))`;
  return listRequests(
    db,
    sql`${within} and (${state ?? null}::text is null or q.state = ${state ?? null}::text)
      and (${after ?? null}::bigint is null or q.id < ${after ?? null}::bigint)`,
    sql`order by q.id desc limit ${limit}`,
  );
}

/** Rows of a request in the order of the file: all, or a page; those alone that were refused, or that have not had their turn. */
export async function listIssueRequestRows(
  db: Executor,
  requestId: string,
  {
    only,
    page,
  }: {
    only?: 'refused' | 'open' | undefined;
    page?: { after: number | undefined; limit: number };
  } = {},
): Promise<IssueRequestRow[]> {
  const rows = await db
    .selectFrom('issue_request_rows as r')
    .leftJoin('certificates as c', 'c.id', 'r.certificate_id')
    .selectAll('r')
    .select('c.number')
    .where('r.request_id', '=', requestId)
    .$if(only === 'refused', (query) => query.where('r.refusal', 'is not', null))
    .$if(only === 'open', (query) =>
      query.where('r.refusal', 'is', null).where('r.certificate_id', 'is', null),
    )
    .$if(page?.after !== undefined, (query) => query.where('r.line', '>', page!.after!))
    .orderBy('r.line')
    .$if(page !== undefined, (query) => query.limit(page!.limit))
    .execute();
  return rows.map((row) => ({
    requestId: row.request_id,
    line: row.line,
    personId: row.person_id,
    certificationId: row.certification_id,
    completedOn: row.completed_on,
    validUntil: row.valid_until,
    classHours: Number(row.class_hours),
    evidence: row.evidence,
    oldNumber: row.old_number,
    issuingBody: row.issuing_body,
    certificateNumber: row.number,
    refusal:
      row.refusal === null ? null : { code: row.refusal as RowRefusal['code'], detail: row.refusal_detail },
  }));
}

/** Whom refused rows are about, as a file of old certificates names them, by line. */
export async function listRefusedPeople(
  db: Executor,
  requestId: string,
): Promise<Map<number, { staffNumber: string; sourceId: string; name: string; certification: string }>> {
  const { rows } = await sql<{
    line: number;
    staff_number: string | null;
    source_id: string | null;
    name: string;
    code: string;
  }>`
    select r.line, p.staff_number, p.name, c.code, (select min(s.source_id) from person_sources s where s.person_id = p.id) as source_id
    from issue_request_rows r join people p on p.id = r.person_id join certifications c on c.id = r.certification_id
    where r.request_id = ${requestId}::bigint and r.refusal is not null`.execute(db);
  return new Map(
    rows.map((row) => [
      row.line,
      {
        staffNumber: row.staff_number ?? '',
        // One is enough to find them by, and both have to be theirs.
        sourceId: row.staff_number === null ? (row.source_id ?? '') : '',
        name: row.name,
        certification: row.code,
      },
    ]),
  );
}

/** A row `r` of a request `q` that waits for a decision or for its turn. */
const OPEN = sql`(q.state in ('waiting', 'issuing') and r.certificate_id is null and r.refusal is null)`;

export interface Standing {
  /** For which period a certificate would be issued: that of the latest assignment, or the first. */
  readonly period: number;
  /** One of this period that was issued before, whatever became of it. */
  readonly hasCertificate: boolean;
  /** Numbers of old certificates that are recorded for the person already. */
  readonly recorded: readonly string[];
  /** Of a row that waits for a decision or its turn: the number of the old certificate, null by hand; undefined where none waits. */
  readonly waiting: string | null | undefined;
}

/** How people stand with certifications, by `person certification`. */
export async function listStandings(
  db: Executor,
  asked: readonly { personId: string; certificationId: string }[],
): Promise<Map<string, Standing>> {
  const { rows } = await sql<{
    person_id: string;
    certification_id: string;
    period: number;
    has_certificate: boolean;
    recorded: string[];
    waits: boolean;
    waiting_number: string | null;
  }>`
    select g.person_id, g.certification_id, p.period,
      exists (select from certificates c where c.person_id = g.person_id and c.certification_id = g.certification_id and c.period = p.period) as has_certificate,
      array(select c.claims -> 'recordedFrom' ->> 'number' from certificates c
        where c.person_id = g.person_id and c.certification_id = g.certification_id and c.path = 'imported') as recorded,
      w.request_id is not null as waits, w.old_number as waiting_number
    from (select distinct * from unnest(${asked.map((each) => each.personId)}::bigint[], ${asked.map((each) => each.certificationId)}::bigint[]) as given (person_id, certification_id)) g
    cross join lateral (select coalesce(max(a.period), 1) as period from assignments a where a.person_id = g.person_id and a.certification_id = g.certification_id) p
    left join lateral (
      select r.request_id, r.old_number from issue_request_rows r join issue_requests q on q.id = r.request_id
      where r.person_id = g.person_id and r.certification_id = g.certification_id and ${OPEN} order by q.id limit 1
    ) w on true`.execute(db);
  return new Map(
    rows.map((row) => [
      standingKey(row.person_id, row.certification_id),
      {
        period: row.period,
        hasCertificate: row.has_certificate,
        recorded: row.recorded,
        waiting: row.waits ? row.waiting_number : undefined,
      },
    ]),
  );
}

export function standingKey(personId: string, certificationId: string): string {
  return `${personId} ${certificationId}`;
}

export interface StaffFound {
  readonly personId: string;
  readonly name: string;
  readonly staffNumber: string | null;
  readonly sourceIds: readonly string[];
  readonly roles: readonly Role[];
}

/** Who holds a post in a division on a day and has one of these numbers, of the employer or of a roster. */
export async function listStaffByNumber(
  db: Executor,
  divisionCode: string,
  day: string,
  numbers: { staffNumbers: readonly string[]; sourceIds: readonly string[] },
): Promise<StaffFound[]> {
  const { rows } = await sql<{
    id: string;
    name: string;
    staff_number: string | null;
    source_ids: string[];
    roles: Role[];
  }>`
    select p.id, p.name, p.staff_number, array(select s.source_id from person_sources s where s.person_id = p.id) as source_ids, array_agg(distinct t.role) as roles
    from people p join posts t on t.person_id = p.id join organizations o on o.id = t.organization_id
    where ${divisionCode} in (o.province_code, o.prefecture_code, o.county_code) and t.starts_on <= ${day}::date and (t.ends_on is null or t.ends_on >= ${day}::date)
      and (p.staff_number = any(${numbers.staffNumbers}::text[])
        or exists (select from person_sources s where s.person_id = p.id and s.source_id = any(${numbers.sourceIds}::text[])))
    group by p.id`.execute(db);
  return rows.map((row) => ({
    personId: row.id,
    name: row.name,
    staffNumber: row.staff_number,
    sourceIds: row.source_ids,
    roles: row.roles,
  }));
}

/** Ids of the certifications with these codes that hold in one of these divisions, by their code. */
export async function listCertificationIds(
  db: Executor,
  divisionCodes: readonly string[],
  codes: readonly string[],
): Promise<Map<string, string[]>> {
  const rows = await db
    .selectFrom('certifications')
    .select(['id', 'code'])
    .where('division_code', '=', sql<string>`any(${divisionCodes}::text[])`)
    .where('code', '=', sql<string>`any(${codes}::text[])`)
    .execute();
  const found = new Map<string, string[]>();
  for (const { id, code } of rows) found.set(code, [...(found.get(code) ?? []), id]);
  return found;
}

/** Old certificates of these numbers that are recorded or wait to be, as `[issuing body, number]` in JSON → whose they are. */
export async function listOldNumbers(
  db: Executor,
  numbers: readonly string[],
): Promise<Map<string, string[]>> {
  const { rows } = await sql<{ issuing_body: string; old_number: string; person_id: string }>`
    select distinct r.issuing_body, r.old_number, r.person_id from issue_request_rows r join issue_requests q on q.id = r.request_id
    where r.old_number = any(${numbers}::text[]) and (r.certificate_id is not null or ${OPEN})`.execute(db);
  const found = new Map<string, string[]>();
  for (const row of rows) {
    const key = JSON.stringify([row.issuing_body, row.old_number]);
    found.set(key, [...(found.get(key) ?? []), row.person_id]);
  }
  return found;
}

async function listRequests(
  db: Executor,
  which: RawBuilder<unknown>,
  rest: RawBuilder<unknown>,
): Promise<IssueRequest[]> {
  const { rows } = await sql<{
    id: string;
    path: IssueRequest['path'];
    division_code: string | null;
    organization_id: string | null;
    province_code: string | null;
    prefecture_code: string | null;
    county_code: string | null;
    reason: string;
    requested_by: string;
    requested_at: Date;
    state: IssueRequestState;
    decided_by: string | null;
    decided_at: Date | null;
    remark: string | null;
    rows_total: number;
    rows_issued: number;
    rows_refused: number;
    finished_at: Date | null;
    run_began_at: Date | null;
    run_began_with: number | null;
    told_at: Date | null;
  }>`
    select q.id, q.path, q.division_code, q.organization_id, coalesce(d.province_code, o.province_code) as province_code,
      coalesce(d.prefecture_code, o.prefecture_code) as prefecture_code, coalesce(d.county_code, o.county_code) as county_code,
      q.reason, q.requested_by, q.requested_at, q.state, q.decided_by, q.decided_at, q.remark,
      q.rows_total, q.rows_issued, q.rows_refused, q.finished_at, q.run_began_at, q.run_began_with, q.told_at
    from issue_requests q left join divisions d on d.code = q.division_code left join organizations o on o.id = q.organization_id
    where ${which} ${rest}`.execute(db);
  return rows.map((row) => ({
    id: row.id,
    path: row.path,
    unit:
      row.division_code !== null
        ? { kind: 'division', code: row.division_code }
        : { kind: 'organization', id: row.organization_id! },
    place: {
      provinceCode: row.province_code,
      prefectureCode: row.prefecture_code,
      countyCode: row.county_code,
      ...(row.organization_id === null ? {} : { organizationId: row.organization_id }),
    },
    reason: row.reason,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    state: row.state,
    decidedBy: row.decided_by,
    decidedAt: row.decided_at,
    remark: row.remark,
    rowsTotal: row.rows_total,
    rowsIssued: row.rows_issued,
    rowsRefused: row.rows_refused,
    finishedAt: row.finished_at,
    run:
      row.told_at === null
        ? null
        : { beganAt: row.run_began_at!, beganWith: row.run_began_with!, toldAt: row.told_at },
  }));
}
