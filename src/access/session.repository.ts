import { sql, type RawBuilder } from 'kysely';
import type { Executor } from '../db/database.ts';
import { prepared, preparedAlone } from '../db/prepared.ts';
import { entryInsert } from '../journal/journal.repository.ts';
import type { GrantRole, Viewer } from '../people/permission.ts';
import type { Session, SessionWay } from './session.ts';

/** A person, and the issuer by whom they came, if any; without a person nobody comes. */
export interface Comer {
  readonly person_id: string | null;
  readonly issuer: string | null;
}

/** Who comes, as SQL: one row of `who`, which may look at what the expressions of `before` wrote. */
export interface Coming<More extends Comer> {
  /** Common table expressions, writes too, as they stand behind `with`. */
  readonly before?: RawBuilder<unknown>;
  readonly who: RawBuilder<More>;
}

/**
 * Begins a session of the person whom `who` selects, with its entry in the journal: all in one statement, of which what comes before is a part.
 * @returns what `who` selects.
 */
export async function insertSession<More extends Comer>(
  db: Executor,
  { before, who }: Coming<More>,
  session: { tokenHash: Buffer; way: SessionWay; createdAt: Date; expiresAt: Date },
): Promise<More> {
  const { way, createdAt } = session;
  const noted = entryInsert(
    {
      at: createdAt,
      actor: sql`'person:' || person_id`,
      action: 'session.begin',
      subject: sql`'session:' || id`,
      personId: sql`person_id`,
      detail: sql`json_build_object('way', way, 'issuer', issuer)`,
    },
    sql`from begun`,
  );
  const { rows } = await sql<More>`
    ${preparedAlone} with ${before === undefined ? sql`` : sql`${before},`} who as materialized (${who}), begun as (
      insert into sessions (token_hash, person_id, way, issuer, created_at, last_used_at, expires_at)
      select ${session.tokenHash}::bytea, person_id, ${way}::text, issuer, ${createdAt}::timestamptz, ${createdAt}::timestamptz, ${session.expiresAt}::timestamptz from who where person_id is not null
      returning id, person_id, way, issuer
    ), noted as (${noted})
    select who.* from who`.execute(db);
  return rows[0]!;
}

/** When a session is in force. A way that is closed by now, or an issuer that is trusted no more, ends what came by it. */
export interface InForce {
  readonly now: Date;
  /** Last used before: it was left lying. */
  readonly idleSince: Date;
  readonly samples: boolean;
  readonly issuers: readonly string[];
}

const inForce = ({ now, idleSince, samples, issuers }: InForce) =>
  sql<boolean>`expires_at > ${now} and last_used_at > ${idleSince} and ended_at is null
    and ((way = 'lti' and exists (select from lti_registrations r where r.issuer = sessions.issuer and r.ended_at is null)) or (way = 'sample' and ${samples}) or (way = 'oidc' and issuer = any(${issuers}::text[])))`;

/** Whose session this is, while it lasts. */
export async function findSessionViewer(
  db: Executor,
  tokenHash: Buffer,
  when: InForce & { day: string },
): Promise<{ viewer: Viewer; lastUsedAt: Date } | undefined> {
  const found = await findViewer(
    db,
    sql<{
      session_id: string;
      last_used_at: Date;
    }>`select person_id, id as session_id, last_used_at from sessions where token_hash = ${tokenHash} and ${inForce(when)}`,
    when.day,
  );
  return found === undefined
    ? undefined
    : {
        viewer: { ...found.viewer, sessionId: found.row.session_id },
        lastUsedAt: found.row.last_used_at,
      };
}

/** A person's sessions in force, the one used last first. */
export async function listSessionsOf(db: Executor, personId: string, when: InForce): Promise<Session[]> {
  const rows = await db
    .selectFrom('sessions')
    .select(['id', 'person_id', 'way', 'issuer', 'created_at', 'last_used_at', 'expires_at'])
    .where('person_id', '=', personId)
    .where(inForce(when))
    .orderBy('last_used_at', 'desc')
    .orderBy('id', 'desc')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    personId: row.person_id,
    way: row.way as SessionWay,
    issuer: row.issuer,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    expiresAt: row.expires_at,
  }));
}

/** Several services may see the same use: only the first of a minute writes. */
export async function touchSession(db: Executor, id: string, now: Date, since: Date): Promise<void> {
  await db
    .updateTable('sessions')
    .set({ last_used_at: now })
    .where('id', '=', id)
    .where('last_used_at', '<=', since)
    .execute();
}

/** The session of a launch, if it is one and began late enough. @returns until when it lasts. */
export async function extendLaunched(
  db: Executor,
  id: string,
  { until, begunAfter }: { until: Date; begunAfter: Date },
): Promise<Date | undefined> {
  const row = await db
    .updateTable('sessions')
    .set({ expires_at: until })
    .where('id', '=', id)
    .where('way', '=', 'lti')
    .where('created_at', '>', begunAfter)
    .where('ended_at', 'is', null)
    .returning('expires_at')
    .executeTakeFirst();
  return row?.expires_at;
}

/** Whom a sample sign-in stands for. */
export async function findSampleViewer(db: Executor, key: string, day: string): Promise<Viewer | undefined> {
  return (await findViewer(db, sql`select person_id from sample_sign_ins where key = ${key}`, day))?.viewer;
}

/** A person who is known to be there. */
export async function findPersonViewer(db: Executor, personId: string, day: string): Promise<Viewer> {
  return (await findViewer(db, sql`select ${personId}::bigint as person_id`, day))!.viewer;
}

/**
 * The person that `who` selects, with the grants that hold on `day`: in one statement, since every request asks it.
 * @returns also what else `who` selects.
 */
async function findViewer<More>(
  db: Executor,
  who: RawBuilder<More>,
  day: string,
): Promise<{ viewer: Viewer; row: More } | undefined> {
  const { rows } = await sql<
    More & {
      person_id: string;
      grants: { role: GrantRole; division: string | null; organization: string | null }[];
    }
  >`
    ${prepared} select who.*, coalesce((
      select json_agg(json_build_object('role', role, 'division', division_code, 'organization', organization_id::text) order by id)
      from role_grants g where g.person_id = who.person_id and revoked_at is null and starts_on <= ${day}::date and (ends_on is null or ends_on >= ${day}::date)
    ), '[]') as grants
    from (${who}) who`.execute(db);
  const [row] = rows;
  return row === undefined
    ? undefined
    : {
        row,
        viewer: {
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
        },
      };
}

/** Those of `ids` that had not ended yet. */
export async function endSessions(tx: Executor, ids: readonly string[], now: Date): Promise<string[]> {
  const rows = await tx
    .updateTable('sessions')
    .set({ ended_at: now })
    .where('id', '=', sql<string>`any(${ids}::bigint[])`)
    .where('ended_at', 'is', null)
    .returning('id')
    .execute();
  return rows.map((row) => row.id);
}

export interface SampleSignIn {
  readonly key: string;
  readonly personId: string;
  readonly descriptionZh: string;
  readonly descriptionEn: string;
}

export async function listSampleSignIns(db: Executor): Promise<(SampleSignIn & { readonly name: string })[]> {
  const rows = await db
    .selectFrom('sample_sign_ins')
    .innerJoin('people', 'people.id', 'sample_sign_ins.person_id')
    .selectAll('sample_sign_ins')
    .select('people.name')
    .orderBy('position')
    .execute();
  return rows.map((row) => ({
    key: row.key,
    personId: row.person_id,
    name: row.name,
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
