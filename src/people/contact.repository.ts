import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import { aboutPerson, aboutRow, type ContactKind } from './contact.ts';

/** A contact as it lies there. */
export interface SealedContact {
  readonly personId: string;
  readonly kind: ContactKind;
  readonly sealed: Buffer;
  /** What it was sealed about. */
  readonly about: string;
  readonly toldBy: 'person' | 'roster';
}

interface Row {
  person_id: string;
  kind: ContactKind;
  sealed: Buffer;
  source: string | null;
  source_id: string | null;
  told_by: 'person' | 'roster';
}

/** What was sealed about a row of a roster is the person's only as long as the source calls the person so. */
const isTheirs = sql`(c.source is null or exists (
  select from person_sources x where x.source = c.source and x.source_id = c.source_id and x.person_id = c.person_id))`;

function toSealed(row: Row): SealedContact {
  return {
    personId: row.person_id,
    kind: row.kind,
    sealed: row.sealed,
    about:
      row.source === null || row.source_id === null
        ? aboutPerson(row.person_id, row.kind)
        : aboutRow(row.source, row.source_id, row.kind),
    toldBy: row.told_by,
  };
}

export async function listContacts(db: Executor, personIds: readonly string[]): Promise<SealedContact[]> {
  if (personIds.length === 0) return [];
  const { rows } = await sql<Row>`
    select c.person_id, c.kind, c.sealed, c.source, c.source_id, c.told_by from person_contacts c
    where c.person_id = any(${personIds}::bigint[]) and c.sealed is not null and ${isTheirs}
    order by c.person_id, c.kind`.execute(db);
  return rows.map(toSealed);
}

/** What a person says of themselves; without `sealed` they took it away. */
export async function upsertOwnContact(
  tx: Executor,
  given: {
    personId: string;
    kind: ContactKind;
    sealed: Buffer | null;
    fingerprint: string | null;
    at: Date;
  },
): Promise<void> {
  await sql`
    insert into person_contacts (person_id, kind, sealed, fingerprint, told_by, changed_at)
    values (${given.personId}::bigint, ${given.kind}, ${given.sealed}, decode(${given.fingerprint}, 'hex'), 'person', ${given.at})
    on conflict (person_id, kind) do update set sealed = excluded.sealed, fingerprint = excluded.fingerprint, source = null, source_id = null,
      told_by = excluded.told_by, changed_at = excluded.changed_at`.execute(tx);
}

/** Makes the contacts that an import staged ready to be taken over in pieces. */
export async function stageContactsInOrder(tx: Executor, { repeats }: { repeats: boolean }): Promise<void> {
  // Where a person stands in several rows, all of them are about the one that was taken.
  if (repeats)
    await sql`update staged_contacts c set n = m.n from matched m where m.ref = c.ref and m.n <> c.n`.execute(
      tx,
    );
  await sql`create index on staged_contacts using brin (n) with (pages_per_range = 16)`.execute(tx);
  await sql`analyze staged_contacts`.execute(tx);
}

/**
 * Takes over the contacts of a piece of an import's people (roster/matching.repository.ts): of those who had none or another. What a
 * person said stands. @returns how many were new or changed.
 */
export async function applyContacts(
  tx: Executor,
  source: string,
  piece: { from: number; until: number; at: Date },
): Promise<bigint> {
  const { rows } = await sql<{ changed: string }>`
    with given as materialized (
      select distinct on (m.n, c.kind) m.person_id, m.is_new, c.kind, c.sealed, c.fingerprint, c.ref
      from staged_contacts c join matched m on m.n = c.n
      where c.n > ${piece.from}::int and c.n <= ${piece.until}::int and m.n > ${piece.from}::int and m.n <= ${piece.until}::int
      order by m.n, c.kind, c.line
    ), added as (
      -- Somebody new has none that could be in the way, which need not be looked up for each.
      insert into person_contacts (person_id, kind, sealed, fingerprint, source, source_id, told_by, changed_at)
      select person_id, kind, sealed, fingerprint, ${source}, ref, 'roster', ${piece.at}::timestamptz from given where is_new
      returning 1
    ), changed as (
      insert into person_contacts as known (person_id, kind, sealed, fingerprint, source, source_id, told_by, changed_at)
      select g.person_id, g.kind, g.sealed, g.fingerprint, ${source}, g.ref, 'roster', ${piece.at}::timestamptz
      from given g left join person_contacts k on k.person_id = g.person_id and k.kind = g.kind
      where not g.is_new and (k.person_id is null or (k.told_by = 'roster' and k.fingerprint <> g.fingerprint))
      on conflict (person_id, kind) do update set sealed = excluded.sealed, fingerprint = excluded.fingerprint, source = excluded.source,
        source_id = excluded.source_id, changed_at = excluded.changed_at
      where known.told_by = 'roster'
      returning 1
    )
    select (select count(*) from added) + (select count(*) from changed) as changed`.execute(tx);
  return BigInt(rows[0]!.changed);
}

/** Contacts that are sealed with an old key, or about a row of a roster: at most `limit`, locked; those that somebody else has are left out. */
export async function listToReseal(
  tx: Executor,
  { old, limit }: { old: readonly Buffer[]; limit: number },
): Promise<SealedContact[]> {
  const { rows } = await sql<Row>`
    select c.person_id, c.kind, c.sealed, c.source, c.source_id, c.told_by from person_contacts c
    where (c.source_id is not null or substring(c.sealed from 1 for 8) = any(${old}::bytea[])) and ${isTheirs}
    limit ${limit} for update of c skip locked`.execute(tx);
  return rows.map(toSealed);
}

export async function replaceSealed(
  tx: Executor,
  contacts: readonly { personId: string; kind: ContactKind; sealed: Buffer }[],
): Promise<void> {
  await sql`
    update person_contacts c set sealed = given.sealed, source = null, source_id = null
    from unnest(${contacts.map((c) => c.personId)}::bigint[], ${contacts.map((c) => c.kind)}::text[], ${contacts.map((c) => c.sealed)}::bytea[]) as given (person_id, kind, sealed)
    where c.person_id = given.person_id and c.kind = given.kind`.execute(tx);
}

/** Contacts that a roster told and whose person the source calls otherwise by now: nobody can tell whose they are. */
export async function deleteStrayContacts(tx: Executor): Promise<void> {
  await sql`delete from person_contacts c where c.source_id is not null and not ${isTheirs}`.execute(tx);
}

/** The ids of keys that contacts are sealed with, found without reading them all. */
export async function listContactKeys(db: Executor): Promise<Buffer[]> {
  const { rows } = await sql<{ key: Buffer }>`
    with recursive used as (
      (select substring(sealed from 1 for 8) as key from person_contacts where sealed is not null order by substring(sealed from 1 for 8) limit 1)
      union all
      select (select substring(c.sealed from 1 for 8) from person_contacts c where substring(c.sealed from 1 for 8) > used.key order by substring(c.sealed from 1 for 8) limit 1)
      from used where used.key is not null
    ) select key from used where key is not null`.execute(db);
  return rows.map((row) => row.key);
}
