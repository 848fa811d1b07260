import { createHash, randomBytes } from 'node:crypto';
import { chinaDay, type Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { NotFound } from '../errors.ts';
import type { Viewer } from '../people/permission.ts';
import type { PeopleService } from '../people/people.service.ts';
import {
  endSession,
  findPersonViewer,
  findSampleViewer,
  findSessionViewer,
  insertSession,
  listSampleSignIns,
  type SampleSignIn,
} from './session.repository.ts';
import { accessData } from './personal-data.repository.ts';

/** A working day: long enough for a course in one evening, short enough for a phone left on a desk. */
const SESSION_HOURS = 12;
const SAMPLE_PREFIX = 'sample:';
const STAFF_PREFIX = 'staff:';

export type SessionService = ReturnType<typeof makeSessionService>;

export function makeSessionService({
  db,
  clock,
  people,
  samples,
}: {
  db: Database;
  clock: Clock;
  people: PeopleService;
  samples: boolean;
}) {
  const hash = (token: string): Buffer => createHash('sha256').update(token).digest();
  const today = (): string => chinaDay(clock.now());
  /** Who is behind a sample key: a listed way in, or `staff:<staff number>` for anyone at all. */
  const sampleViewer = async (key: string): Promise<Viewer | undefined> => {
    if (!samples) return undefined;
    if (!key.startsWith(STAFF_PREFIX)) return findSampleViewer(db, key, today());
    const personId = await people.findByStaffNumber(key.slice(STAFF_PREFIX.length));
    return personId === undefined ? undefined : findPersonViewer(db, personId, today());
  };

  return {
    /** What this room holds about people. */
    personalData: accessData,
    /**
     * Who a bearer token stands for; undefined for an unknown, ended or expired one, all alike. While samples are on,
     * `sample:<key>` stands for that sample person, so that GraphiQL can be opened with its header filled in.
     */
    async viewer(token: string): Promise<Viewer | undefined> {
      return token.startsWith(SAMPLE_PREFIX)
        ? sampleViewer(token.slice(SAMPLE_PREFIX.length))
        : findSessionViewer(db, hash(token), { now: clock.now(), day: today() });
    },

    /** @throws NotFound where samples are off or have no such key. The token is told once; only its hash is kept. */
    async signInSample(key: string): Promise<{ token: string; expiresAt: Date }> {
      const viewer = await sampleViewer(key);
      if (viewer === undefined) throw new NotFound('A sample sign-in of this name');
      const token = randomBytes(32).toString('base64url');
      const createdAt = clock.now();
      const expiresAt = new Date(createdAt.getTime() + SESSION_HOURS * 3_600_000);
      await insertSession(db, { tokenHash: hash(token), personId: viewer.personId, createdAt, expiresAt });
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
