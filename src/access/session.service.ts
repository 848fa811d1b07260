import { sql } from 'kysely';
import { chinaDay, type Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { Conflict, NotAllowed, NotFound } from '../errors.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import type { Viewer } from '../people/permission.ts';
import type { PeopleService } from '../people/people.service.ts';
import { hashSecret, TOKEN_PREFIX } from './access-token.ts';
import type { AccessTokenService } from './access-token.service.ts';
import { USE_MS, type Aside } from './aside.ts';
import { looksLikeJwt } from './issuer.ts';
import type { IssuerService } from './issuer.service.ts';
import {
  endSessions,
  extendLaunched,
  findPersonViewer,
  findSampleViewer,
  findSessionViewer,
  insertSession,
  listSampleSignIns,
  listSessionsOf,
  touchSession,
  type Comer,
  type Coming,
  type InForce,
} from './session.repository.ts';
import { inPart } from '../db/acting.ts';
import {
  IDLE_HOURS,
  LAUNCHED_DAYS,
  SESSION_HOURS,
  SESSION_PREFIX,
  type Session,
  type SessionWay,
} from './session.ts';
import { accessData } from './personal-data.repository.ts';

const HOUR_MS = 3_600_000;
const SAMPLE_PREFIX = 'sample:';
const STAFF_PREFIX = 'staff:';

export type SessionService = ReturnType<typeof makeSessionService>;

export function makeSessionService({
  db,
  clock,
  random,
  people,
  tokens,
  issuers,
  aside,
  samples,
}: {
  db: Database;
  clock: Clock;
  random: (bytes: number) => Uint8Array;
  people: PeopleService;
  tokens: AccessTokenService;
  issuers: IssuerService;
  aside: Aside;
  samples: boolean;
}) {
  const today = (): string => chinaDay(clock.now());
  const inForce = (now: Date): InForce => ({
    now,
    idleSince: new Date(now.getTime() - IDLE_HOURS * HOUR_MS),
    samples,
    issuers: issuers.trusted,
  });

  /** Who is behind a sample key: a listed way in, or `staff:<staff number>` for anyone at all. */
  const sampleViewer = async (key: string): Promise<Viewer | undefined> => {
    if (!samples) return undefined;
    if (!key.startsWith(STAFF_PREFIX)) return findSampleViewer(db, key, today());
    const personId = await people.findByStaffNumber(key.slice(STAFF_PREFIX.length));
    return personId === undefined ? undefined : findPersonViewer(db, personId, today());
  };
  const sessionViewer = async (token: string): Promise<Viewer | undefined> => {
    const now = clock.now();
    const found = await findSessionViewer(db, hashSecret(token), { ...inForce(now), day: today() });
    if (found === undefined) return undefined;
    const since = new Date(now.getTime() - USE_MS);
    if (found.lastUsedAt <= since)
      aside.run(async () => touchSession(db, found.viewer.sessionId!, now, since));
    return { ...found.viewer, via: 'session' };
  };

  /** A session of 256 random bits. The token is told once; only its hash is kept. @returns also what `who` selects: without a person, there is none. */
  const openFor = async <More extends Comer>(
    coming: Coming<More>,
    way: SessionWay,
  ): Promise<{ token: string; expiresAt: Date; row: More }> => {
    const token = `${SESSION_PREFIX}${Buffer.from(random(32)).toString('base64url')}`;
    const createdAt = clock.now();
    const expiresAt = new Date(createdAt.getTime() + SESSION_HOURS * HOUR_MS);
    const row = await insertSession(db, coming, { tokenHash: hashSecret(token), way, createdAt, expiresAt });
    return { token, expiresAt, row };
  };
  const open = async (opened: {
    personId: string;
    way: SessionWay;
    issuer: string | null;
  }): Promise<{ token: string; expiresAt: Date }> => {
    const who = sql<Comer>`select ${opened.personId}::bigint as person_id, ${opened.issuer}::text as issuer`;
    const { token, expiresAt } = await openFor({ who }, opened.way);
    return { token, expiresAt };
  };
  const end = async (personId: string, ids: readonly string[]): Promise<number> => {
    const now = clock.now();
    return db.transaction().execute(async (tx) => {
      const ended = await endSessions(tx, ids, now);
      for (const id of ended)
        await insertJournalEntry(tx, {
          at: now,
          actor: `person:${personId}`,
          action: 'session.end',
          subject: `session:${id}`,
          personId,
        });
      return ended.length;
    });
  };
  /** A program's token knows nothing of the owner's sessions. */
  const listOwn = async (viewer: Viewer): Promise<Session[]> =>
    viewer.narrowed === undefined ? listSessionsOf(db, viewer.personId, inForce(clock.now())) : [];
  const findOwn = async (viewer: Viewer, id: string): Promise<Session | undefined> =>
    (await listOwn(viewer)).find((session) => session.id === id);

  const service = {
    /** What this room holds about people. */
    personalData: accessData,
    /**
     * Who a bearer token stands for; undefined for an unknown, ended or expired one, all alike. It is a session's, an access token's
     * (`xqp_…`), or an issuer's JSON Web Token. While samples are on, `sample:<key>` stands for that sample person, so that GraphiQL can be opened with its header filled in.
     */
    async viewer(token: string): Promise<Viewer | undefined> {
      if (token.startsWith(SAMPLE_PREFIX)) {
        const viewer = await sampleViewer(token.slice(SAMPLE_PREFIX.length));
        return viewer === undefined ? undefined : { ...viewer, via: 'sample' };
      }
      if (token.startsWith(TOKEN_PREFIX)) return tokens.viewer(token);
      return looksLikeJwt(token) ? issuers.viewer(token) : sessionViewer(token);
    },

    open,
    openFor,

    /** @throws NotFound where samples are off or have no such key. */
    async signInSample(key: string): Promise<{ token: string; expiresAt: Date }> {
      const viewer = await sampleViewer(key);
      if (viewer === undefined) throw new NotFound('A sample sign-in of this name');
      return open({ personId: viewer.personId, way: 'sample', issuer: null });
    },

    /** Ends the session that the request came in; without one there is nothing to end. */
    async signOut(viewer: Viewer): Promise<void> {
      if (viewer.sessionId !== undefined) await end(viewer.personId, [viewer.sessionId]);
    },

    /**
     * A page that a launch opened is still there: its session lasts twelve hours from now, for a week at most.
     * @throws Conflict NOT_LAUNCHED for any other.
     */
    async renewLaunched(viewer: Viewer): Promise<Date> {
      const now = clock.now();
      const expiresAt = new Date(now.getTime() + SESSION_HOURS * HOUR_MS);
      const renewed =
        viewer.sessionId === undefined
          ? undefined
          : await extendLaunched(db, viewer.sessionId, {
              until: expiresAt,
              begunAfter: new Date(now.getTime() - LAUNCHED_DAYS * 24 * HOUR_MS),
            });
      if (renewed === undefined)
        throw new Conflict('NOT_LAUNCHED', 'Only the session of a launch is renewed, within a week of it.');
      return renewed;
    },

    /** Those of a person that came by launches from an issuer: somebody else may have had them. Whoever calls it has asked. */
    async endLaunched(personId: string, issuer: string): Promise<void> {
      const launched = (await listSessionsOf(db, personId, inForce(clock.now()))).filter(
        (session) => session.way === 'lti' && session.issuer === issuer,
      );
      await end(
        personId,
        launched.map(({ id }) => id),
      );
    },

    listOwn,
    findOwn,

    /** @throws NotFound unless it is one's own and in force. */
    async endOwn(viewer: Viewer, id: string): Promise<Session> {
      const session = await findOwn(viewer, id);
      if (session === undefined) throw new NotFound('The session');
      await end(viewer.personId, [id]);
      return session;
    },

    /** Ends all but the one that the request came in. @throws NotAllowed to an access token. @returns how many. */
    async endOthers(viewer: Viewer): Promise<number> {
      if (viewer.narrowed !== undefined)
        throw new NotAllowed('An access token does nothing about sessions: sign in.');
      const others = (await listOwn(viewer)).filter((session) => session.id !== viewer.sessionId);
      return end(
        viewer.personId,
        others.map((session) => session.id),
      );
    },

    /** A person with the grants that hold today: for what they have decided, and the worker does. */
    viewerOf: async (personId: string): Promise<Viewer> => findPersonViewer(db, personId, today()),

    async listSampleSignIns(): ReturnType<typeof listSampleSignIns> {
      return samples ? listSampleSignIns(db) : [];
    },
  };
  return inPart('gate', service);
}
