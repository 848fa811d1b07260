import { createHash, randomBytes } from 'node:crypto';
import { chinaDay, type Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { NotFound } from '../errors.ts';
import type { Viewer } from './permission.ts';
import { endSession, findSessionPerson, insertSession, listGrants, listSampleSignIns, type SampleSignIn } from './session.repository.ts';

/** A working day: long enough for a course in one evening, short enough for a phone left on a desk. */
const SESSION_HOURS = 12;
const SAMPLE_PREFIX = 'sample:';

export type SessionService = ReturnType<typeof makeSessionService>;

export function makeSessionService({ db, clock, samples }: { db: Database; clock: Clock; samples: boolean }) {
  const hash = (token: string): Buffer => createHash('sha256').update(token).digest();
  const sample = async (key: string): Promise<SampleSignIn | undefined> => (samples ? (await listSampleSignIns(db)).find((signIn) => signIn.key === key) : undefined);
  const viewerOf = async (personId: string): Promise<Viewer> => ({ personId, grants: await listGrants(db, personId, chinaDay(clock.now())) });

  return {
    /**
     * Who a bearer token stands for; undefined for an unknown, ended or expired one, all alike. While samples are on,
     * `sample:<key>` stands for that sample sign-in, so that GraphiQL can be opened with its header filled in.
     */
    async viewer(token: string): Promise<Viewer | undefined> {
      const personId = token.startsWith(SAMPLE_PREFIX) ? (await sample(token.slice(SAMPLE_PREFIX.length)))?.personId : await findSessionPerson(db, hash(token), clock.now());
      return personId === undefined ? undefined : viewerOf(personId);
    },

    /** @throws NotFound where samples are off or have no such key. The token is told once; only its hash is kept. */
    async signInSample(key: string): Promise<{ token: string; expiresAt: Date }> {
      const signIn = await sample(key);
      if (signIn === undefined) throw new NotFound('A sample sign-in of this name');
      const token = randomBytes(32).toString('base64url');
      const createdAt = clock.now();
      const expiresAt = new Date(createdAt.getTime() + SESSION_HOURS * 3_600_000);
      await insertSession(db, { tokenHash: hash(token), personId: signIn.personId, createdAt, expiresAt });
      return { token, expiresAt };
    },

    async signOut(token: string): Promise<void> {
      await endSession(db, hash(token), clock.now());
    },

    async listSampleSignIns(): Promise<SampleSignIn[]> {
      return samples ? listSampleSignIns(db) : [];
    },
  };
}
