import { sign } from 'node:crypto';
import type { CredentialKey } from '../../config.ts';

/** RFC 7515 in its compact form, ES256 (RFC 7518, section 3.4: R and S behind one another, no ASN.1). */
export function signCompact(
  payload: object,
  key: CredentialKey,
  header: Readonly<Record<string, string>>,
): string {
  if (key.algorithm !== 'ES256' || key.privateKey === undefined)
    throw new Error(`${key.kid} is no private key for ES256.`);
  const input = [{ alg: 'ES256', ...header }, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = sign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}
