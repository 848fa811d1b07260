import { sql } from 'kysely';
import type { Executor } from '../../db/database.ts';
import type { Role } from '../role.ts';

export type DoubtKind = 'identity_of_another' | 'identity_changed' | 'namesake';

/** A row of a roster that waits until somebody has decided whom it is about. */
export interface RosterDoubt {
  readonly id: string;
  readonly source: string;
  readonly sourceId: string;
  readonly divisionCode: string;
  readonly kind: DoubtKind;
  /** The import that raised it, and the row's line there. */
  readonly importId: string;
  readonly line: number;
  readonly name: string;
  readonly staffNumber: string | null;
  readonly identityLast4: string | null;
  readonly posts: readonly {
    readonly organizationRef: string;
    readonly role: Role;
    readonly startsOn: string | null;
    readonly endsOn: string | null;
  }[];
  readonly candidateIds: readonly string[];
  /** `settled`: a later file left no doubt. */
  readonly state: 'open' | 'decided' | 'settled';
  /** Of a decided one; null: somebody new. */
  readonly personId: string | null;
  readonly reason: string | null;
  readonly decidedBy: string | null;
  readonly decidedAt: Date | null;
}

export async function findDoubt(
  db: Executor,
  id: string,
  { lock = false } = {},
): Promise<RosterDoubt | undefined> {
  const row = await db
    .selectFrom('roster_doubts')
    .selectAll()
    .where('id', '=', id)
    .$if(lock, (query) => query.forNoKeyUpdate())
    .executeTakeFirst();
  return row === undefined ? undefined : toDoubt(row);
}

/** Of a division and those below it, in the order in which they were raised. */
export async function listDoubts(
  db: Executor,
  divisionCode: string,
  page: { open: boolean; after: string | undefined; limit: number },
): Promise<RosterDoubt[]> {
  const rows = await db
    .selectFrom('roster_doubts')
    .innerJoin('divisions', 'divisions.code', 'roster_doubts.division_code')
    .selectAll('roster_doubts')
    .where((eb) =>
      eb.or([
        eb('divisions.code', '=', divisionCode),
        eb('divisions.prefecture_code', '=', divisionCode),
        eb('divisions.province_code', '=', divisionCode),
      ]),
    )
    .$if(page.open, (query) => query.where('state', '=', 'open'))
    .$if(page.after !== undefined, (query) => query.where('roster_doubts.id', '>', page.after!))
    .orderBy('roster_doubts.id')
    .limit(page.limit)
    .execute();
  return rows.map(toDoubt);
}

export async function decideDoubt(
  tx: Executor,
  id: string,
  decision: { personId: string | null; reason: string; decidedBy: string; decidedAt: Date },
): Promise<void> {
  await tx
    .updateTable('roster_doubts')
    .set({
      state: 'decided',
      person_id: decision.personId,
      reason: decision.reason,
      decided_by: decision.decidedBy,
      decided_at: decision.decidedAt,
    })
    .where('id', '=', id)
    .execute();
}

/** The last four characters of the identity numbers that are known of people. */
export async function listIdentityEnds(
  db: Executor,
  personIds: readonly string[],
): Promise<Map<string, string | null>> {
  const rows = await db
    .selectFrom('people')
    .select(['id', 'identity_last4'])
    .where('id', '=', sql<string>`any(${personIds}::bigint[])`)
    .execute();
  return new Map(rows.map((row) => [row.id, row.identity_last4]));
}

/** Puts a row that waited into the staging tables, as a file would have. */
export async function stageDoubt(tx: Executor, id: string): Promise<void> {
  await sql`
    insert into staged_people (n, line, ref, name, staff_number, identity_hash, identity_last4, leaves, complete, only_known)
    select 1, line, source_id, name, staff_number, identity_hash, identity_last4, leaves, complete, false from roster_doubts where id = ${id}::bigint`.execute(
    tx,
  );
  await sql`
    insert into staged_posts (n, line, ref, organization_ref, role, workload, starts_on, ends_on, ends)
    select row_number() over (), d.line, d.source_id, p.organization_ref, p.role, p.workload, p.starts_on, p.ends_on, p.ends
    from roster_doubts d, jsonb_to_recordset(d.posts) as p (organization_ref text, role text, workload text, starts_on date, ends_on date, ends boolean)
    where d.id = ${id}::bigint`.execute(tx);
}

/** Keeps the doubts that an import met (matching.repository.ts), in place of earlier ones about the same; those it left none of are settled. */
export async function keepDoubts(
  tx: Executor,
  queued: { readonly id: string; readonly source: string; readonly divisionCode: string },
): Promise<void> {
  await sql`
    update roster_doubts set state = 'settled'
    where source = ${queued.source} and state = 'open'
      and (source_id in (select ref from staged_doubts) or source_id in (select ref from matched))`.execute(
    tx,
  );
  await sql`
    insert into roster_doubts (source, source_id, division_code, kind, import_id, line, name, staff_number, identity_hash, identity_last4, leaves, complete, posts, candidate_ids, state)
    select ${queued.source}, ref, ${queued.divisionCode}, kind, ${queued.id}::bigint, line, name, staff_number, identity_hash, identity_last4, leaves, complete, posts, candidate_ids, 'open'
    from staged_doubts order by line`.execute(tx);
}

function toDoubt(row: {
  id: string;
  source: string;
  source_id: string;
  division_code: string;
  kind: string;
  import_id: string;
  line: number;
  name: string;
  staff_number: string | null;
  identity_last4: string | null;
  posts: unknown;
  candidate_ids: string[];
  state: string;
  person_id: string | null;
  reason: string | null;
  decided_by: string | null;
  decided_at: Date | null;
}): RosterDoubt {
  return {
    id: row.id,
    source: row.source,
    sourceId: row.source_id,
    divisionCode: row.division_code,
    kind: row.kind as DoubtKind,
    importId: row.import_id,
    line: row.line,
    name: row.name,
    staffNumber: row.staff_number,
    identityLast4: row.identity_last4,
    posts: (
      row.posts as {
        organization_ref: string;
        role: Role;
        starts_on: string | null;
        ends_on: string | null;
      }[]
    ).map((post) => ({
      organizationRef: post.organization_ref,
      role: post.role,
      startsOn: post.starts_on,
      endsOn: post.ends_on,
    })),
    candidateIds: row.candidate_ids,
    state: row.state as RosterDoubt['state'],
    personId: row.person_id,
    reason: row.reason,
    decidedBy: row.decided_by,
    decidedAt: row.decided_at,
  };
}
