import type { CredentialKey } from '../../config.ts';
import type { CertificateClaims } from '../document.ts';
import { signCompact } from './jws.ts';
import type { StatusEntry } from './status-list.ts';

/**
 * What a QR code can carry: names of one letter, days and numbers without marks. The verification page reads it
 * (src/web/verification/signed-claims.ts), and what was printed once is read for ever: letters are added, and none changes its meaning.
 */
export interface QrClaims {
  /** Certificate number without XQ and dashes. */
  readonly n: string;
  /** Holder's name. */
  readonly h: string;
  /** Title of the certification, Chinese. */
  readonly t: string;
  /** Issuer's name. */
  readonly i: string;
  /** Issued on, as YYYYMMDD. */
  readonly d: number;
  /** First valid day where it is another one. */
  readonly f?: number;
  /** Last valid day; without it, it does not expire. */
  readonly u?: number;
  /** Class hours. */
  readonly c: number;
  /** Evidence grade. */
  readonly g?: string;
  /** Percent in the exam. */
  readonly p?: number;
  /** List of states, and the place in it. */
  readonly s: readonly [list: number, position: number];
  /** Verification code without dashes: by it the server tells more. */
  readonly k: string;
}

export function qrClaims(claims: CertificateClaims, status: StatusEntry, verificationCode: string): QrClaims {
  return {
    n: claims.number.slice(2).replaceAll('-', ''),
    h: claims.holderName,
    t: claims.certificationTitle['zh-CN'],
    i: claims.issuerName,
    d: dayNumber(claims.issuedOn),
    ...(claims.validFrom === claims.issuedOn ? {} : { f: dayNumber(claims.validFrom) }),
    ...(claims.validUntil === null ? {} : { u: dayNumber(claims.validUntil) }),
    c: claims.classHours,
    ...(claims.evidenceGrade === undefined ? {} : { g: claims.evidenceGrade }),
    ...(claims.percent === null ? {} : { p: claims.percent }),
    s: [status.list, status.position],
    k: verificationCode.replaceAll('-', ''),
  };
}

/**
 * What the QR code says: an address that every camera opens, with the signed claims behind the #, which no browser sends to a server.
 * @param page `https://…/verify/<number>`
 */
export function qrText(page: string, claims: QrClaims, key: CredentialKey): string {
  return `${page}#${signCompact(claims, key, { kid: key.kid })}`;
}

function dayNumber(day: string): number {
  return Number(day.replaceAll('-', ''));
}
