import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import type { Unit } from '../regions/division.ts';
import type { FlagKind, Oddity } from './odd.ts';

/** Something odd in somebody's time, for a person to judge. */
export interface TimeFlag {
  readonly id: string;
  readonly personId: string;
  readonly assignmentId: string;
  readonly flagKind: FlagKind;
  /** An activity's key, or a day. */
  readonly about: string;
  readonly detail: Readonly<Record<string, number>>;
  readonly raisedAt: Date;
  readonly state: 'open' | 'dismissed' | 'upheld';
  readonly decidedBy: string | null;
  readonly decidedAt: Date | null;
  readonly note: string | null;
}

const columns = [
  'id',
  'person_id',
  'assignment_id',
  'kind',
  'about',
  'detail',
  'raised_at',
  'state',
  'decided_by',
  'decided_at',
  'note',
] as const;

/** Each kind about the same thing once, whatever became of it. @returns those that are new. */
export async function insertFlags(
  tx: Executor,
  given: { personId: string; assignmentId: string; oddities: readonly Oddity[]; at: Date },
): Promise<{ id: string; kind: FlagKind }[]> {
  if (given.oddities.length === 0) return [];
  const rows = await tx
    .insertInto('time_flags')
    .values(
      given.oddities.map(({ kind, about, detail }) => ({
        person_id: given.personId,
        assignment_id: given.assignmentId,
        kind,
        about,
        detail: JSON.stringify(detail),
        raised_at: given.at,
      })),
    )
    .onConflict((conflict) => conflict.columns(['assignment_id', 'kind', 'about']).doNothing())
    .returning(['id', 'kind'])
    .execute();
  return rows.map(({ id, kind }) => ({ id, kind: kind as FlagKind }));
}

export async function findFlag(
  db: Executor,
  id: string,
  { lock = false } = {},
): Promise<TimeFlag | undefined> {
  const row = await db
    .selectFrom('time_flags')
    .select(columns)
    .where('id', '=', id)
    .$if(lock, (query) => query.forUpdate())
    .executeTakeFirst();
  return row === undefined ? undefined : toFlag(row);
}

export async function listFlagsOf(db: Executor, assignmentId: string): Promise<TimeFlag[]> {
  return (
    await db
      .selectFrom('time_flags')
      .select(columns)
      .where('assignment_id', '=', assignmentId)
      .orderBy('id', 'desc')
      .execute()
  ).map(toFlag);
}

/** About people who hold a post in the unit on a day, newest first. */
export async function listFlagsIn(
  db: Executor,
  unit: Unit,
  page: { day: string; state: TimeFlag['state'] | undefined; after: string | undefined; limit: number },
): Promise<TimeFlag[]> {
  const place =
    unit.kind === 'division'
      ? sql`${unit.code} in (o.province_code, o.prefecture_code, o.county_code)`
      : sql`o.id = ${unit.id}::bigint`;
  return (
    await db
      .selectFrom('time_flags')
      .select(columns)
      .where(
        sql<boolean>`exists (select from posts p join organizations o on o.id = p.organization_id where p.person_id = time_flags.person_id
          and p.starts_on <= ${page.day}::date and (p.ends_on is null or p.ends_on >= ${page.day}::date) and ${place})`,
      )
      .$if(page.state !== undefined, (query) => query.where('state', '=', page.state!))
      .$if(page.after !== undefined, (query) => query.where('id', '<', page.after!))
      .orderBy('id', 'desc')
      .limit(page.limit)
      .execute()
  ).map(toFlag);
}

export async function decideFlag(
  tx: Executor,
  given: { id: string; state: 'dismissed' | 'upheld'; by: string; note: string; at: Date },
): Promise<void> {
  await tx
    .updateTable('time_flags')
    .set({ state: given.state, decided_by: given.by, decided_at: given.at, note: given.note })
    .where('id', '=', given.id)
    .where('state', '=', 'open')
    .execute();
}

function toFlag(row: {
  id: string;
  person_id: string;
  assignment_id: string;
  kind: string;
  about: string;
  detail: unknown;
  raised_at: Date;
  state: string;
  decided_by: string | null;
  decided_at: Date | null;
  note: string | null;
}): TimeFlag {
  return {
    id: row.id,
    personId: row.person_id,
    assignmentId: row.assignment_id,
    flagKind: row.kind as FlagKind,
    about: row.about,
    detail: row.detail as TimeFlag['detail'],
    raisedAt: row.raised_at,
    state: row.state as TimeFlag['state'],
    decidedBy: row.decided_by,
    decidedAt: row.decided_at,
    note: row.note,
  };
}
