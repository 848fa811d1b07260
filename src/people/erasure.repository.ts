import { sql, type RawBuilder } from 'kysely';
import type { Executor } from '../db/database.ts';
import type { Blocked, Erasure } from './erasure.ts';
import type { ErasureGround } from './personal-data.ts';

const isHeld = (day: string): RawBuilder<unknown> => sql`(ends_on is null or ends_on >= ${day}::date)`;

/** Why `p` can't be erased on `day`; null: it can. */
const blocked = (day: string): RawBuilder<unknown> => sql`
  case when exists (select from posts where person_id = p.id and ${isHeld(day)}) then 'POST_OPEN'
    when exists (select from role_grants where person_id = p.id and revoked_at is null and ${isHeld(day)}) then 'GRANT_OPEN'
    when exists (
      select from roster_doubts d where d.state = 'open' and (p.id = any(d.candidate_ids) or d.identity_hash = p.identity_hash
        or exists (select from person_sources x where x.person_id = p.id and x.source = d.source and x.source_id = d.source_id))) then 'DOUBT_OPEN'
  end`;

export async function findErasable(
  db: Executor,
  personId: string,
  day: string,
): Promise<{ blocked: Blocked | null; erasedAt: Date | null } | undefined> {
  const { rows } = await sql<{ blocked: Blocked | null; erased_at: Date | null }>`
    select ${blocked(day)} as blocked, p.erased_at from people p where p.id = ${personId}::bigint`.execute(
    db,
  );
  return rows[0] === undefined ? undefined : { blocked: rows[0].blocked, erasedAt: rows[0].erased_at };
}

/** Where the person works, or worked last. */
export async function listLastPlaces(db: Executor, personId: string): Promise<string[]> {
  const { rows } = await sql<{ organization_id: string }>`
    select distinct organization_id from posts h where person_id = ${personId}::bigint
    and coalesce(ends_on, 'infinity') = (select max(coalesce(ends_on, 'infinity')) from posts where person_id = h.person_id)`.execute(
    db,
  );
  return rows.map((row) => row.organization_id);
}

/** @returns undefined when one of the same person waits already. */
export async function insertErasure(
  tx: Executor,
  given: { personId: string; ground: ErasureGround; requestedBy: string; requestedAt: Date },
): Promise<string | undefined> {
  const { rows } = await sql<{ id: string }>`
    insert into erasures (person_id, ground, requested_by, requested_at) values (${given.personId}::bigint, ${given.ground}, ${given.requestedBy}::bigint, ${given.requestedAt})
    on conflict (person_id) where state = 'queued' do nothing returning id`.execute(tx);
  return rows[0]?.id;
}

export async function findErasure(
  db: Executor,
  which: { id: string } | { queuedOf: string },
  { lock = false } = {},
): Promise<Erasure | undefined> {
  const row = await db
    .selectFrom('erasures')
    .selectAll()
    .$if('id' in which, (query) => query.where('id', '=', (which as { id: string }).id))
    .$if('queuedOf' in which, (query) =>
      query.where('person_id', '=', (which as { queuedOf: string }).queuedOf).where('state', '=', 'queued'),
    )
    .$if(lock, (query) => query.forUpdate())
    .executeTakeFirst();
  return row === undefined
    ? undefined
    : {
        id: row.id,
        personId: row.person_id,
        ground: row.ground as ErasureGround,
        requestedBy: row.requested_by,
        requestedAt: row.requested_at,
        state: row.state as Erasure['state'],
        finishedAt: row.finished_at,
        refusal: row.refusal as Blocked | null,
      };
}

export async function finishErasure(
  tx: Executor,
  id: string,
  end: { refusal: Blocked | null; at: Date },
): Promise<void> {
  await tx
    .updateTable('erasures')
    .set({ state: end.refusal === null ? 'done' : 'refused', refusal: end.refusal, finished_at: end.at })
    .where('id', '=', id)
    .execute();
}

/** Writes down that these people were erased because their time was over. Person's id → the erasure's. */
export async function insertTermEnded(
  tx: Executor,
  personIds: readonly string[],
  at: Date,
): Promise<Map<string, string>> {
  const { rows } = await sql<{ id: string; person_id: string }>`
    insert into erasures (person_id, ground, requested_at, state, finished_at)
    select person_id, 'term_ended', ${at}::timestamptz, 'done', ${at}::timestamptz from unnest(${personIds}::bigint[]) as person_id returning id, person_id`.execute(
    tx,
  );
  return new Map(rows.map((row) => [row.person_id, row.id]));
}

/**
 * People who left before `before` (or came before and never held a post), hold no certificate and no credit, and whom nothing blocks: at
 * most `limit`, locked; those that somebody else has are left out.
 */
export async function listTermEnded(
  tx: Executor,
  { before, day, limit }: { before: string; day: string; limit: number },
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select p.id from people p
    where p.erased_at is null and p.created_at < ${before}::date
      and not exists (select from posts h where h.person_id = p.id and (h.ends_on is null or h.ends_on >= ${before}::date))
      and not exists (select from certificates c where c.person_id = p.id)
      and not exists (select from credit_records r where r.person_id = p.id)
      and ${blocked(day)} is null
    order by p.id limit ${limit} for no key update of p skip locked`.execute(tx);
  return rows.map((row) => row.id);
}
