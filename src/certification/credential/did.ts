import { createHash } from 'node:crypto';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import type { CredentialKey } from '../../config.ts';

/**
 * The issuer's identifier by the did:web method: the host, its port with the colon percent-encoded (section 2.5.1 of its specification).
 * @param publicUrl an origin.
 */
export function didOf(publicUrl: string): string {
  return `did:web:${new URL(publicUrl).host.replace(':', '%3A')}`;
}

export function keyUrlOf(did: string, key: Pick<CredentialKey, 'kid'>): string {
  return `${did}#${key.kid}`;
}

/** RFC 7638: members in the order of their names, without blanks. */
export function thumbprintOf({ publicJwk }: Pick<CredentialKey, 'publicJwk'>): string {
  const { crv, kty, x, y } = publicJwk;
  const canonical = JSON.stringify(y === undefined ? { crv, kty, x } : { crv, kty, x, y });
  return createHash('sha256').update(canonical).digest('base64url');
}

/** The first key of an algorithm that can sign. Configuration has seen to it that there is one. */
export function signingKey(
  keys: readonly CredentialKey[],
  algorithm: CredentialKey['algorithm'],
): CredentialKey {
  return keys.find((key) => key.algorithm === algorithm && key.privateKey !== undefined)!;
}

export interface VerificationMethod {
  readonly id: string;
  readonly type: 'Multikey' | 'JsonWebKey';
  readonly controller: string;
  readonly publicKeyMultibase?: string;
  readonly publicKeyJwk?: CredentialKey['publicJwk'] & { readonly kid: string; readonly alg: string };
}

export interface DidDocument {
  readonly '@context': readonly string[];
  readonly id: string;
  readonly verificationMethod: readonly VerificationMethod[];
  readonly assertionMethod: readonly string[];
}

/** Every key, also those that sign no more: what they signed is checked by it. */
export async function makeDidDocument(did: string, keys: readonly CredentialKey[]): Promise<DidDocument> {
  const verificationMethod = await Promise.all(
    keys.map(async (key): Promise<VerificationMethod> => {
      const id = keyUrlOf(did, key);
      if (key.algorithm === 'ES256')
        return {
          id,
          type: 'JsonWebKey',
          controller: did,
          publicKeyJwk: { ...key.publicJwk, kid: key.kid, alg: 'ES256' },
        };
      const { publicKeyMultibase } = await Ed25519Multikey.fromJwk({ jwk: key.publicJwk });
      return { id, type: 'Multikey', controller: did, publicKeyMultibase };
    }),
  );
  return {
    '@context': [
      'https://www.w3.org/ns/did/v1',
      'https://w3id.org/security/multikey/v1',
      'https://w3id.org/security/jwk/v1',
    ],
    id: did,
    verificationMethod,
    assertionMethod: verificationMethod.map(({ id }) => id),
  };
}
