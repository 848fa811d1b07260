import type { StatusEntry } from './credential/status-list.ts';
import type { CertificateClaims } from './document.ts';

/** How it came about: by an assignment with its exam; by hand; from an old certificate of somebody else. */
export type CertificatePath = 'earned' | 'manual' | 'imported';

export type CertificateState = 'valid' | 'expired' | 'revoked' | 'superseded';

/** The document a person holds. Frozen at issue but for its end before time. */
export interface Certificate {
  readonly id: string;
  readonly number: string;
  readonly verificationCode: string;
  readonly personId: string;
  readonly certificationId: string;
  readonly path: CertificatePath;
  /** null unless it was earned. */
  readonly assignmentId: string | null;
  /** Of the issuer who asked for it and the one who approved; null when it was earned. */
  readonly requestId: string | null;
  readonly claims: CertificateClaims;
  readonly issuedAt: Date;
  readonly validFrom: string;
  /** Last valid day, inclusive; null = does not expire. */
  readonly validUntil: string | null;
  /** When it was ended before time: revoked, or superseded. */
  readonly revokedOn: string | null;
  readonly revocationReason: string | null;
  readonly superseded: boolean;
  /** Of the certificate that took its place. */
  readonly successorNumber: string | null;
  /** null: none of ours. */
  readonly courseVersionId: string | null;
  readonly status: StatusEntry;
  /** SHA-256 of the PDF, hex. */
  readonly pdfDigest: string;
}

/** The one state that every surface tells. `day` is a day in China. */
export function stateOn(
  certificate: Pick<Certificate, 'validUntil' | 'revokedOn' | 'superseded'>,
  day: string,
): CertificateState {
  if (certificate.revokedOn !== null && certificate.revokedOn <= day)
    return certificate.superseded ? 'superseded' : 'revoked';
  if (certificate.validUntil !== null && certificate.validUntil < day) return 'expired';
  return 'valid';
}
