import { sql, type RawBuilder } from 'kysely';
import type { Executor } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';
import type { GrantRole, Viewer } from '../people/permission.ts';

export async function insertSession(
  db: Executor,
  session: { tokenHash: Buffer; personId: string; createdAt: Date; expiresAt: Date },
): Promise<void> {
  await db
    .insertInto('sessions')
    .values({
      token_hash: session.tokenHash,
      person_id: session.personId,
      created_at: session.createdAt,
      expires_at: session.expiresAt,
    })
    .execute();
}

/** Whose session this is, while it lasts. */
export async function findSessionViewer(
  db: Executor,
  tokenHash: Buffer,
  { now, day }: { now: Date; day: string },
): Promise<Viewer | undefined> {
  return findViewer(
    db,
    sql`select person_id from sessions where token_hash = ${tokenHash} and expires_at > ${now} and ended_at is null`,
    day,
  );
}

/** Whom a sample sign-in stands for. */
export async function findSampleViewer(db: Executor, key: string, day: string): Promise<Viewer | undefined> {
  return findViewer(db, sql`select person_id from sample_sign_ins where key = ${key}`, day);
}

/** A person who is known to be there. */
export async function findPersonViewer(db: Executor, personId: string, day: string): Promise<Viewer> {
  return (await findViewer(db, sql`select ${personId}::bigint as person_id`, day))!;
}

/** The person that `who` selects, with the grants that hold on `day`: in one statement, since every request asks it. */
async function findViewer(db: Executor, who: RawBuilder<unknown>, day: string): Promise<Viewer | undefined> {
  const { rows } = await sql<{
    person_id: string;
    grants: { role: GrantRole; division: string | null; organization: string | null }[];
  }>`
    ${prepared} select who.person_id, coalesce((
      select json_agg(json_build_object('role', role, 'division', division_code, 'organization', organization_id::text) order by id)
      from role_grants g where g.person_id = who.person_id and revoked_at is null and starts_on <= ${day}::date and (ends_on is null or ends_on >= ${day}::date)
    ), '[]') as grants
    from (${who}) who`.execute(db);
  const [row] = rows;
  return row === undefined
    ? undefined
    : {
        personId: row.person_id,
        grants: row.grants.map(({ role, division, organization }) => ({
          role,
          scope:
            division !== null
              ? { kind: 'division', code: division }
              : organization !== null
                ? { kind: 'organization', id: organization }
                : { kind: 'nation' },
        })),
      };
}

export async function endSession(db: Executor, tokenHash: Buffer, now: Date): Promise<void> {
  await db
    .updateTable('sessions')
    .set({ ended_at: now })
    .where('token_hash', '=', tokenHash)
    .where('ended_at', 'is', null)
    .execute();
}

export interface SampleSignIn {
  readonly key: string;
  readonly personId: string;
  readonly descriptionZh: string;
  readonly descriptionEn: string;
}

export async function listSampleSignIns(db: Executor): Promise<SampleSignIn[]> {
  const rows = await db.selectFrom('sample_sign_ins').selectAll().orderBy('position').execute();
  return rows.map((row) => ({
    key: row.key,
    personId: row.person_id,
    descriptionZh: row.description_zh,
    descriptionEn: row.description_en,
  }));
}

export async function insertSampleSignIn(
  tx: Executor,
  signIn: SampleSignIn & { position: number },
): Promise<void> {
  await tx
    .insertInto('sample_sign_ins')
    .values({
      key: signIn.key,
      person_id: signIn.personId,
      description_zh: signIn.descriptionZh,
      description_en: signIn.descriptionEn,
      position: signIn.position,
    })
    .execute();
}
