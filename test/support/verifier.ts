import { cryptosuite } from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import * as digitalbazaar from '@digitalbazaar/vc';
import { checkStatus } from '@digitalbazaar/vc-bitstring-status-list';
import * as digitalcredentials from '@digitalcredentials/vc';
import { loadContext } from '../../src/certification/credential/contexts.ts';

const VERIFIERS = { digitalbazaar, digitalcredentials };

export interface Checked {
  readonly verified: boolean;
  /** The bit of the list; undefined: it was not asked. */
  readonly revoked: boolean | undefined;
  readonly why: string;
}

/**
 * Checks a credential by two verifiers that know nothing of the service but what is handed to them: nothing is fetched.
 * @param documents by their address: DID documents and lists of states, as they were served.
 */
export async function verifyByOthers(
  credential: object,
  documents: ReadonlyMap<string, { readonly verificationMethod?: readonly { readonly id: string }[] }>,
  now: Date,
): Promise<Record<keyof typeof VERIFIERS, Checked>> {
  const methods = new Map(
    [...documents.values()].flatMap((document) =>
      (document.verificationMethod ?? []).map((method) => [
        method.id,
        { '@context': 'https://w3id.org/security/multikey/v1', ...method },
      ]),
    ),
  );
  const documentLoader: digitalbazaar.DocumentLoader = async (url) => {
    const document = documents.get(url) ?? methods.get(url);
    return document === undefined ? loadContext(url) : { contextUrl: null, documentUrl: url, document };
  };
  const suite = new DataIntegrityProof({ cryptosuite });
  const checked = await Promise.all(
    Object.entries(VERIFIERS).map(async ([name, { verifyCredential }]) => {
      const { verified, error, statusResult } = await verifyCredential({
        credential,
        suite,
        documentLoader,
        // The list itself is checked as of `now` too, for which the library has no place.
        checkStatus: async (options) => {
          const { credentialStatus } = credential as { credentialStatus: { statusListCredential: string } };
          const list = documents.get(credentialStatus.statusListCredential) as object;
          const told = await verifyCredential({ credential: list, suite, documentLoader, now });
          return told.verified
            ? checkStatus({ ...options, verifyBitstringStatusListCredential: false })
            : { verified: false, error: told.error };
        },
        now,
      });
      const why = [error, ...(error?.errors ?? []), statusResult?.error].map((each) => each?.message ?? '');
      return [
        name,
        { verified, revoked: statusResult?.results?.[0]?.status, why: why.filter(Boolean).join('; ') },
      ];
    }),
  );
  return Object.fromEntries(checked) as Record<keyof typeof VERIFIERS, Checked>;
}
