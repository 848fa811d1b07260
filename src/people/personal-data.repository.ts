import { sql, type RawBuilder } from 'kysely';
import type { Executor } from '../db/database.ts';
import { aboutPerson, aboutRow, type ContactKind } from './contact.ts';
import {
  ERASED_NAME,
  type ExportedRow,
  type PersonalDataKeeper,
  type PersonalPart,
} from './personal-data.ts';
import type { Seal } from './sealing.ts';

/**
 * Rows of rosters that were refused and can be told to be about one of these people: a number that the source or the employer knows the
 * person by stands there together with the name, whole or in two parts.
 */
const refusedRowsOf = (people: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  select distinct r.import_id, r.file, r.line from roster_refused_rows r join roster_imports i on i.id = r.import_id
  join person_sources x on x.source = i.source join people p on p.id = x.person_id
  where p.id in (${people}) and r.line > 1 and (x.source_id = any(r.cells) or p.staff_number = any(r.cells))
    and (p.name = any(r.cells) or exists (select from unnest(r.cells) one, unnest(r.cells) other where one || other = p.name))`;

/** Rows that waited for a decision and are about one of these people. */
const doubtsAbout = (people: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  select d.id from roster_doubts d where d.person_id in (${people})
  union select d.id from roster_doubts d join person_sources x on x.source = d.source and x.source_id = d.source_id where x.person_id in (${people})
  union select d.id from roster_doubts d join people p on p.identity_hash = d.identity_hash where p.id in (${people})`;

const idsOf = (personIds: readonly string[]): RawBuilder<unknown> =>
  sql`select unnest(${personIds}::bigint[])`;
const idOf = (personId: string): RawBuilder<unknown> => sql`select ${personId}::bigint`;

/** Who people are, where they work, and what rosters said of them; and the journal, which no room above can speak for. */
export function makePeopleData(contacts: Seal): PersonalDataKeeper {
  return {
    parts: [
      {
        name: 'person',
        tables: ['people'],
        fate: 'stripped',
        rows: (personId) => sql`
          select '' as key, id::text, name, staff_number, identity_last4, identity_hash is not null as has_identity_hash, created_at, erased_at from people where id = ${personId}::bigint`,
      },
      {
        name: 'sources',
        tables: ['person_sources'],
        fate: 'removed',
        rows: (personId) => sql`
          select source || '/' || source_id as key, source, source_id from person_sources where person_id = ${personId}::bigint`,
      },
      {
        name: 'contacts',
        tables: ['person_contacts'],
        fate: 'removed',
        rows: (personId) => sql`
          select kind as key, c.person_id::text, c.kind, c.sealed, c.source, c.source_id, c.told_by, c.changed_at from person_contacts c where c.person_id = ${personId}::bigint
          and (c.source is null or exists (select from person_sources x where x.source = c.source and x.source_id = c.source_id and x.person_id = c.person_id))`,
        shape: (row) => openContact(row as unknown as ContactRow, contacts),
      },
      {
        name: 'posts',
        tables: ['posts'],
        // Who worked where and when is counted for days that are past; with no name it is nobody's.
        fate: 'kept',
        rows: (personId) => sql`
          select lpad(p.id::text, 19, '0') as key, p.id::text, o.name as organization, p.role, p.workload, p.starts_on, p.ends_on from posts p join organizations o on o.id = p.organization_id
          where p.person_id = ${personId}::bigint`,
      },
      {
        name: 'roster_doubts',
        tables: ['roster_doubts'],
        fate: 'stripped',
        rows: (personId) => sql`
          select lpad(id::text, 19, '0') as key, id::text, source, source_id, kind, name, staff_number, identity_last4, posts, state, reason, decided_at from roster_doubts where id in (${doubtsAbout(idOf(personId))})`,
      },
      {
        name: 'roster_refusals',
        tables: ['roster_refused_rows', 'roster_refusals'],
        fate: 'removed',
        rows: (personId) => sql`
          select lpad(r.import_id::text, 19, '0') || lpad(r.line::text, 10, '0') || r.file as key, r.import_id::text as import, r.file, r.line, r.cells,
            array(select why.reason_zh from roster_refusals why where (why.import_id, why.file, why.line) = (r.import_id, r.file, r.line) order by why.id) as reasons
          from roster_refused_rows r where (r.import_id, r.file, r.line) in (${refusedRowsOf(idOf(personId))})`,
      },
      {
        name: 'roster_doubts_decided',
        tables: ['roster_doubts'],
        fate: 'kept',
        rows: (personId) => sql`
          select lpad(id::text, 19, '0') as key, id::text, decided_at from roster_doubts where decided_by = ${personId}::bigint`,
      },
      {
        name: 'roster_imports_requested',
        tables: ['roster_imports', 'roster_cancellations'],
        fate: 'kept',
        rows: (personId) => sql`
          select lpad(i.id::text, 19, '0') as key, i.id::text, i.source, i.division_code, i.state, i.created_at, c.requested_at as cancelled_at
          from roster_imports i left join roster_cancellations c on c.import_id = i.id and c.requested_by = ${personId}::bigint
          where i.requested_by = ${personId}::bigint or c.requested_by is not null`,
      },
      {
        name: 'erasures',
        tables: ['erasures'],
        fate: 'kept',
        rows: (personId) => sql`
          select lpad(id::text, 19, '0') as key, id::text, ground, requested_at, state, finished_at, refusal, case when person_id = ${personId}::bigint then 'about' else 'requested' end as role
          from erasures where person_id = ${personId}::bigint or requested_by = ${personId}::bigint`,
      },
      {
        name: 'journal',
        tables: ['journal_entries'],
        // It is what others may be held to, and names people by their ids.
        fate: 'kept',
        rows: (personId) => sql`
          select lpad(id::text, 19, '0') as key, id::text, at, case when actor like 'person:%' and actor <> ${`person:${personId}`} then 'another person' else actor end as actor, action, subject, detail
          from journal_entries where actor = ${`person:${personId}`} or subject in (
            select ${`person:${personId}`}
            union select 'certificate:' || id from certificates where person_id = ${personId}::bigint
            union select 'attempt:' || t.id from attempts t join assignments a on a.id = t.assignment_id where a.person_id = ${personId}::bigint
            union select 'roster-doubt:' || id from roster_doubts where person_id = ${personId}::bigint)`,
      },
    ],

    async erase(tx, personIds, at) {
      const people = idsOf(personIds);
      await sql`
        with gone as (delete from roster_refused_rows r where (r.import_id, r.file, r.line) in (${refusedRowsOf(people)}) returning import_id, file, line)
        delete from roster_refusals f using gone where (f.import_id, f.file, f.line) = (gone.import_id, gone.file, gone.line)`.execute(
        tx,
      );
      await stripDoubts(tx, doubtsAbout(people));
      await sql`delete from person_contacts where person_id = any(${personIds}::bigint[])`.execute(tx);
      // By these a roster would know the person again.
      await sql`delete from person_sources where person_id = any(${personIds}::bigint[])`.execute(tx);
      await sql`
        update people p set name = ${ERASED_NAME}, identity_hash = null, identity_last4 = null, erased_at = coalesce(erased_at, ${at}),
          -- The title system books credit under it.
          staff_number = case when exists (select from credit_records r where r.person_id = p.id) then staff_number end
        where id = any(${personIds}::bigint[])`.execute(tx);
    },

    retention: [
      {
        name: 'roster-refusals',
        async forget(tx, { before, limit }) {
          const old = sql`select id from roster_imports where finished_at < ${before}`;
          const { numAffectedRows: rows } = await sql`
            delete from roster_refused_rows where (import_id, file, line) in (
              select import_id, file, line from roster_refused_rows where import_id in (${old}) limit ${limit} for update skip locked)`.execute(
            tx,
          );
          const { numAffectedRows: reasons } = await sql`
            delete from roster_refusals where id in (
              select id from roster_refusals where import_id in (${old}) limit ${limit} for update skip locked)`.execute(
            tx,
          );
          return Number(rows) + Number(reasons);
        },
      },
      {
        name: 'roster-doubts',
        // A decision is asked for again with each file that says the same, so of one that is still of use what it is compared by stays.
        async forget(tx, { before, limit }) {
          const over = sql`select d.id from roster_doubts d join roster_imports i on i.id = d.import_id
            where coalesce(d.decided_at, i.finished_at) < ${before} and d.state <> 'open'`;
          const inUse = sql`d.state = 'decided' and exists (select from posts h where h.person_id = d.person_id and h.ends_on is null)`;
          const stripped = await stripDoubts(
            tx,
            sql`${over} and d.name <> ${ERASED_NAME} and not (${inUse}) limit ${limit} for update of d skip locked`,
          );
          const { numAffectedRows: narrowed } = await sql`
            update roster_doubts set staff_number = null, identity_last4 = null, posts = '[]', reason = null where id in (
              ${over} and ${inUse} and (d.posts <> '[]' or d.reason is not null or d.staff_number is not null) limit ${limit} for update of d skip locked)`.execute(
            tx,
          );
          return stripped + Number(narrowed);
        },
      },
    ],
  };
}

/** Takes out of doubts that are over whatever tells whom they were about; imports that were made of them stay. */
async function stripDoubts(tx: Executor, ids: RawBuilder<unknown>): Promise<number> {
  const { numAffectedRows } = await sql`
    update roster_doubts set name = ${ERASED_NAME}, source_id = 'erased:' || id, staff_number = null, identity_hash = null, identity_last4 = null, posts = '[]', reason = null
    where state <> 'open' and id in (${ids})`.execute(tx);
  return Number(numAffectedRows);
}

interface ContactRow {
  person_id: string;
  kind: ContactKind;
  sealed: Buffer | null;
  source: string | null;
  source_id: string | null;
  told_by: string;
  changed_at: Date;
}

function openContact(row: ContactRow, seal: Seal): ExportedRow {
  const about =
    row.source === null || row.source_id === null
      ? aboutPerson(row.person_id, row.kind)
      : aboutRow(row.source, row.source_id, row.kind);
  return {
    kind: row.kind,
    value: row.sealed === null ? null : seal.open(row.sealed, about).toString('utf8'),
    told_by: row.told_by,
    changed_at: row.changed_at,
  };
}

const ROWS_AT_ONCE = 200;

/** A person's rows of a part, in order, as many at once as may be held. */
export async function* eachRow(
  db: Executor,
  part: PersonalPart,
  personId: string,
): AsyncGenerator<ExportedRow> {
  for (let after: string | undefined; ;) {
    const { rows } = await sql<{ key: string } & ExportedRow>`
      select * from (${part.rows(personId)}) part
      where ${after === undefined} or part.key collate "C" > ${after ?? ''} order by part.key collate "C" limit ${ROWS_AT_ONCE}`.execute(
      db,
    );
    for (const { key: _key, ...row } of rows) yield part.shape === undefined ? row : part.shape(row);
    if (rows.length < ROWS_AT_ONCE) return;
    after = rows.at(-1)!.key;
  }
}

export async function countRows(db: Executor, part: PersonalPart, personId: string): Promise<number> {
  const { rows } = await sql<{
    count: number;
  }>`select count(*)::int as count from (${part.rows(personId)}) part`.execute(db);
  return rows[0]!.count;
}
