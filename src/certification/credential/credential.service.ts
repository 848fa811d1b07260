import { cryptosuite } from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import { issue } from '@digitalbazaar/vc';
import type { Clock } from '../../clock.ts';
import { ConfigError, type CredentialKey } from '../../config.ts';
import type { CourseService } from '../../courses/course.service.ts';
import { inParts } from '../../db/acting.ts';
import type { Database } from '../../db/database.ts';
import { isSelf, type Viewer } from '../../people/permission.ts';
import type { Certificate } from '../certificate.ts';
import { findCertificateByNumber } from '../certificate.repository.ts';
import { parseCertificateNumber } from '../number.ts';
import { loadContext } from './contexts.ts';
import { credentialJwt, credentialOf, credentialUrl } from './credential.ts';
import { didOf, keyUrlOf, makeDidDocument, signingKey, thumbprintOf, type DidDocument } from './did.ts';
import { signCompact } from './jws.ts';
import { qrClaims, qrText } from './qr-text.ts';
import {
  LIST_VALID_MINUTES,
  statusListCredential,
  statusListUrl,
  type StatusPurpose,
} from './status-list.ts';
import {
  countLists,
  insertCredentialKeys,
  listCredentialKeys,
  listSetPositions,
} from './status.repository.ts';

/** All that a page needs to check codes without the network. */
export interface OfflineFile {
  readonly issuer: string;
  readonly keys: readonly { readonly kid: string; readonly jwk: CredentialKey['publicJwk'] }[];
  /** By the number of the list: the two lists of states, each a credential as a JWT. */
  readonly lists: Readonly<Record<string, Readonly<Record<StatusPurpose, string>>>>;
}

export type CredentialService = ReturnType<typeof makeCredentialService>;

/** Credentials of certificates, the issuer's identity and the lists of states. */
export function makeCredentialService({
  db,
  clock,
  publicUrl,
  keys,
  courses,
}: {
  db: Database;
  clock: Clock;
  publicUrl: string;
  keys: readonly CredentialKey[];
  courses: CourseService;
}) {
  const did = didOf(publicUrl);
  const forProofs = signingKey(keys, 'Ed25519');
  const forTokens = signingKey(keys, 'ES256');
  let document: Promise<DidDocument> | undefined;
  let signer: Promise<Ed25519Multikey.KeyPair> | undefined;

  const prove = async <T extends object>(credential: T): Promise<T & { readonly proof: object }> => {
    signer ??= Ed25519Multikey.fromJwk({
      jwk: { ...forProofs.publicJwk, ...forProofs.privateKey!.export({ format: 'jwk' }) },
      secretKey: true,
      id: keyUrlOf(did, forProofs),
      controller: did,
    });
    const now = clock.now();
    const suite = new DataIntegrityProof({ signer: (await signer).signer(), date: now, cryptosuite });
    return issue({ credential, suite, documentLoader: loadContext, now });
  };

  const unsigned = async (certificate: Certificate) => {
    const [course] =
      certificate.courseVersionId === null
        ? []
        : await courses.listVersions(db, [certificate.courseVersionId]);
    return credentialOf({ ...certificate, course }, publicUrl);
  };

  /** Lists are signed anew when they have changed, and before they are too old to be relied on. */
  const kept = new Map<
    string,
    { readonly of: string; readonly until: number; readonly made: Promise<string> }
  >();
  const keep = async (
    key: string,
    positions: readonly number[],
    make: (at: Date) => Promise<string>,
  ): Promise<string> => {
    const now = clock.now();
    const of = positions.join();
    const before = kept.get(key);
    if (before !== undefined && before.of === of && now.getTime() < before.until) return before.made;
    const made = make(now);
    kept.set(key, { of, until: now.getTime() + (LIST_VALID_MINUTES * 60_000) / 3, made });
    made.catch(() => kept.delete(key));
    return made;
  };
  const listJwt = async (list: number, purpose: StatusPurpose): Promise<string> => {
    const positions = (await listSetPositions(db, list, purpose)) ?? [];
    const url = statusListUrl(publicUrl, list, purpose);
    return keep(`${url} jwt`, positions, async (at) =>
      signCompact(statusListCredential({ url, issuer: did, purpose, positions, at }), forTokens, {
        typ: 'vc+jwt',
        cty: 'vc',
        kid: keyUrlOf(did, forTokens),
      }),
    );
  };

  const service = {
    /**
     * When the service starts: that every key which ever signed is still there, and the very same one.
     * @throws ConfigError
     */
    async checkKeys(): Promise<void> {
      await insertCredentialKeys(
        db,
        [forTokens, forProofs].map((key) => ({ kid: key.kid, thumbprint: thumbprintOf(key) })),
        clock.now(),
      );
      for (const { kid, thumbprint } of await listCredentialKeys(db)) {
        const key = keys.find((each) => each.kid === kid);
        if (key === undefined)
          throw new ConfigError(
            `CREDENTIAL_KEYS lacks the key "${kid}", which has signed credentials. Put it back, behind the current ones; its public part is enough.`,
          );
        if (thumbprintOf(key) !== thumbprint)
          throw new ConfigError(
            `CREDENTIAL_KEYS has another key than before under the name "${kid}". What the first has signed could no more be checked: give the new one a name of its own.`,
          );
      }
    },

    /** The issuer's DID document: which keys are its own. */
    async didDocument(): Promise<DidDocument> {
      document ??= makeDidDocument(did, keys);
      return document;
    },

    urlOf: (certificate: Certificate): string => credentialUrl(publicUrl, certificate.number),

    /** What the QR code on the document says; the same claims every time, each time signed anew. */
    qrTextOf: (certificate: Certificate): string =>
      qrText(
        `${publicUrl}/verify/${certificate.number}`,
        qrClaims(certificate.claims, certificate.status, certificate.verificationCode),
        forTokens,
      ),

    /**
     * The credential of a certificate of the viewer's own, with a proof in it or as a JWT; undefined for all others and for none, alike.
     * One that has ended is given too: its state says so.
     */
    async findOwn(
      viewer: Viewer,
      numberText: string,
      form: 'json' | 'jwt',
    ): Promise<{ readonly number: string; readonly text: string } | undefined> {
      const number = parseCertificateNumber(numberText);
      const certificate = number === undefined ? undefined : await findCertificateByNumber(db, number);
      if (certificate === undefined || !isSelf(viewer, certificate.personId)) return undefined;
      const credential = await unsigned(certificate);
      return {
        number: certificate.number,
        text:
          form === 'jwt'
            ? credentialJwt(credential, forTokens)
            : `${JSON.stringify(await prove(credential), undefined, 2)}\n`,
      };
    },

    /** A list of states, signed; undefined: there is none of this number. Open to everybody: a place tells nothing of whose it is. */
    async findStatusList(list: number, purpose: StatusPurpose): Promise<string | undefined> {
      const positions = await listSetPositions(db, list, purpose);
      if (positions === undefined) return undefined;
      const url = statusListUrl(publicUrl, list, purpose);
      return keep(url, positions, async (at) =>
        JSON.stringify(await prove(statusListCredential({ url, issuer: did, purpose, positions, at }))),
      );
    },

    async offlineFile(): Promise<OfflineFile> {
      const lists: Record<string, Record<StatusPurpose, string>> = {};
      for (let list = 1; list <= (await countLists(db)); list += 1)
        lists[list] = {
          revocation: await listJwt(list, 'revocation'),
          refresh: await listJwt(list, 'refresh'),
        };
      return {
        issuer: did,
        keys: keys
          .filter((key) => key.algorithm === 'ES256')
          .map(({ kid, publicJwk }) => ({ kid, jwk: publicJwk })),
        lists,
      };
    },
  };
  return inParts({ checkKeys: 'issuer', findStatusList: 'gate', offlineFile: 'gate' }, service);
}
