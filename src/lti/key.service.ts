import {
  exportJWK,
  exportPKCS8,
  generateKeyPair,
  importPKCS8,
  SignJWT,
  type CryptoKey,
  type JWK,
  type JWTPayload,
} from 'jose';
import type { Clock } from '../clock.ts';
import { inPart } from '../db/acting.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict, NotAllowed } from '../errors.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import { may, type Viewer } from '../people/permission.ts';
import type { Seal } from '../people/sealing.ts';
import { NATION } from '../regions/division.ts';
import {
  deleteKeysBefore,
  insertKey,
  listKeys,
  lockKeys,
  replaceSealedKey,
  type SealedKey,
} from './key.repository.ts';
import { nextKey, publishedKeys, shownUntil, signingKey } from './rotate.ts';

/** Each night: a new key where it is time for one, and what was sealed with an old one of CONTACT_KEYS sealed anew. */
export const LTI_KEYS_TASK = 'keep-lti-keys';

const aboutKey = (kid: string): string => `lti-key:${kid}`;

export type LtiKeyService = ReturnType<typeof makeLtiKeyService>;

/** Our own keys, by which platforms know us. A private key leaves the database sealed, and is opened here alone. */
export function makeLtiKeyService({
  db,
  clock,
  random,
  seal,
}: {
  db: Database;
  clock: Clock;
  random: (bytes: number) => Uint8Array;
  seal: Seal;
}) {
  const opened = new Map<string, Promise<CryptoKey>>();

  const make = async (signsFrom: Date): Promise<Omit<SealedKey, 'publishedUntil'>> => {
    // RFC 7518, section 3.3: at least 2048 bits.
    const pair = await generateKeyPair('RS256', { extractable: true, modulusLength: 2048 });
    const kid = Buffer.from(random(16)).toString('base64url');
    const publicJwk: JWK = { ...(await exportJWK(pair.publicKey)), kid, alg: 'RS256', use: 'sig' };
    return {
      kid,
      publicJwk,
      sealed: seal.seal(await exportPKCS8(pair.privateKey), aboutKey(kid)),
      createdAt: clock.now(),
      signsFrom,
    };
  };

  const add = async (tx: Executor, actor: string, asked: boolean): Promise<SealedKey | undefined> => {
    await lockKeys(tx);
    const now = clock.now();
    const signsFrom = nextKey(await listKeys(tx), now, { asked });
    if (signsFrom === undefined) return undefined;
    const key = await make(signsFrom);
    const id = await insertKey(tx, key, shownUntil(signsFrom));
    await insertJournalEntry(tx, {
      at: now,
      actor,
      action: 'lti-key.add',
      subject: `lti-key:${id}`,
      detail: { signsFrom },
    });
    return { ...key, publishedUntil: null };
  };

  /** All there are; the first is made when it is first asked for. */
  const known = async (): Promise<SealedKey[]> => {
    const keys = await listKeys(db);
    if (signingKey(keys, clock.now()) !== undefined) return keys;
    await db.transaction().execute(async (tx) => add(tx, 'worker:lti', false));
    return listKeys(db);
  };

  const service = {
    /** For platforms (RFC 7517): public keys alone. */
    async keySet(): Promise<{ keys: JWK[] }> {
      return { keys: publishedKeys(await known(), clock.now()).map(({ publicJwk }) => publicJwk) };
    },

    /** Signs as this service. @param claims with `exp`, in seconds. */
    async sign(claims: JWTPayload): Promise<string> {
      const key = signingKey(await known(), clock.now())!;
      let secret = opened.get(key.kid);
      if (secret === undefined) {
        secret = importPKCS8(seal.open(key.sealed, aboutKey(key.kid)).toString(), 'RS256');
        opened.clear();
        opened.set(key.kid, secret);
      }
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: key.kid })
        .sign(await secret);
    },

    /**
     * Makes the next key now, e.g. since one may have become known. It signs in two days, when platforms have seen it.
     * @throws NotAllowed unless for the whole nation; Conflict KEY_IS_NEW while the last one does not sign yet.
     */
    async rotate(viewer: Viewer): Promise<{ kid: string; signsFrom: Date }> {
      if (!may(viewer, 'lti.register', NATION))
        throw new NotAllowed('Only an operator of the whole service changes its keys.');
      await known();
      const key = await db.transaction().execute(async (tx) => add(tx, `person:${viewer.personId}`, true));
      if (key === undefined)
        throw new Conflict('KEY_IS_NEW', 'The newest key does not sign yet: platforms are still to see it.');
      return { kid: key.kid, signsFrom: key.signsFrom };
    },

    /** The worker's part. */
    async keep(): Promise<void> {
      await db.transaction().execute(async (tx) => {
        // Where nobody asked for a key yet there is none to keep.
        if ((await listKeys(tx)).length > 0) await add(tx, `worker:${LTI_KEYS_TASK}`, false);
        await deleteKeysBefore(tx, clock.now());
        for (const { kid, sealed } of await listKeys(tx))
          if (seal.old.some((prefix) => sealed.subarray(0, prefix.length).equals(prefix)))
            await replaceSealedKey(tx, kid, seal.seal(seal.open(sealed, aboutKey(kid)), aboutKey(kid)));
      });
    },

    /** What keys are sealed with: the first bytes of each. */
    listSealedWith: async (): Promise<Buffer[]> => (await listKeys(db)).map(({ sealed }) => sealed),
  };
  return inPart('gate', service);
}
