import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';
import type { Person, Post } from './person.ts';
import type { Role } from './role.ts';

export async function listPeople(db: Executor, ids: readonly string[]): Promise<Person[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('people')
    .modifyFront(prepared)
    .select(['id', 'name', 'staff_number'])
    .where('id', '=', sql<string>`any(${ids}::bigint[])`)
    .execute();
  return rows.map((row) => ({ id: row.id, name: row.name, staffNumber: row.staff_number }));
}

export async function findPerson(db: Executor, id: string): Promise<Person | undefined> {
  return (await listPeople(db, [id]))[0];
}

/** Employers number by themselves, so several people may have the same one. */
export async function listPeopleByStaffNumber(
  db: Executor,
  staffNumber: string,
  most: number,
): Promise<string[]> {
  const rows = await db
    .selectFrom('people')
    .select('id')
    .where('staff_number', '=', staffNumber)
    .where('erased_at', 'is', null)
    .orderBy('id')
    .limit(most)
    .execute();
  return rows.map((row) => row.id);
}

/** Posts held on `day`, of each of `personIds`. */
export async function listPostsOn(db: Executor, personIds: readonly string[], day: string): Promise<Post[]> {
  if (personIds.length === 0) return [];
  const rows = await db
    .selectFrom('posts')
    .selectAll()
    .where('person_id', 'in', personIds)
    .where('starts_on', '<=', day)
    .where((eb) => eb.or([eb('ends_on', 'is', null), eb('ends_on', '>=', day)]))
    .orderBy('starts_on')
    .orderBy('id')
    .execute();
  return rows.map(toPost);
}

/** Distinct people who hold `role` in the unit on `day`. */
export async function listHolders(
  db: Executor,
  unit: { kind: 'division'; code: string } | { kind: 'organization'; id: string },
  role: Role,
  day: string,
): Promise<string[]> {
  const rows = await db
    .selectFrom('posts')
    .innerJoin('organizations', 'organizations.id', 'posts.organization_id')
    .select('posts.person_id')
    .distinct()
    .where('posts.role', '=', role)
    .where('posts.starts_on', '<=', day)
    .where((eb) => eb.or([eb('posts.ends_on', 'is', null), eb('posts.ends_on', '>=', day)]))
    .where((eb) =>
      unit.kind === 'organization'
        ? eb('organizations.id', '=', unit.id)
        : eb.or([
            eb('organizations.county_code', '=', unit.code),
            eb('organizations.prefecture_code', '=', unit.code),
            eb('organizations.province_code', '=', unit.code),
          ]),
    )
    .orderBy('posts.person_id')
    .execute();
  return rows.map((row) => row.person_id);
}

export interface NewPerson {
  readonly sourceId: string;
  readonly name: string;
  readonly staffNumber: string | null;
  readonly identityHash: string | null;
  readonly identityLast4: string | null;
}

/** Adds people with the id that `source` knows them by; source id → new id. */
export async function insertPeople(
  tx: Executor,
  source: string,
  people: readonly NewPerson[],
): Promise<Map<string, string>> {
  if (people.length === 0) return new Map();
  const text = (pick: (person: NewPerson) => string | null) => sql`${people.map(pick)}::text[]`;
  // Ids are taken first, so that each row's id is known without trusting the order of `returning`.
  const { rows: ids } = await sql<{
    id: string;
  }>`select nextval(pg_get_serial_sequence('people', 'id')) as id from generate_series(1, ${people.length}::int)`.execute(
    tx,
  );
  const taken = ids.map((row) => row.id);
  await sql`
    insert into people (id, name, staff_number, identity_hash, identity_last4) overriding system value
    select id, name, staff_number, decode(hash, 'hex'), last4
    from unnest(${taken}::bigint[], ${text((p) => p.name)}, ${text((p) => p.staffNumber)}, ${text((p) => p.identityHash)}, ${text((p) => p.identityLast4)}) as given (id, name, staff_number, hash, last4)`.execute(
    tx,
  );
  await insertPersonSources(
    tx,
    source,
    people.map((person, index) => ({ sourceId: person.sourceId, personId: taken[index]! })),
  );
  return new Map(people.map((person, index) => [person.sourceId, taken[index]!]));
}

async function insertPersonSources(
  tx: Executor,
  source: string,
  links: readonly { sourceId: string; personId: string }[],
): Promise<void> {
  if (links.length === 0) return;
  await sql`insert into person_sources (source, source_id, person_id) select ${source}, * from unnest(${links.map((l) => l.sourceId)}::text[], ${links.map((l) => l.personId)}::bigint[])`.execute(
    tx,
  );
}

/** Whoever has ever held a post at one of these organizations. */
export async function listPeopleAt(db: Executor, organizationIds: readonly string[]): Promise<string[]> {
  if (organizationIds.length === 0) return [];
  const rows = await db
    .selectFrom('posts')
    .select('person_id')
    .distinct()
    .where('organization_id', '=', sql<string>`any(${organizationIds}::bigint[])`)
    .execute();
  return rows.map((row) => row.person_id);
}

function toPost(row: {
  id: string;
  person_id: string;
  organization_id: string;
  role: string;
  workload: string;
  starts_on: string;
  ends_on: string | null;
}): Post {
  return {
    id: row.id,
    personId: row.person_id,
    organizationId: row.organization_id,
    role: row.role as Role,
    workload: row.workload as Post['workload'],
    startsOn: row.starts_on,
    endsOn: row.ends_on,
  };
}
