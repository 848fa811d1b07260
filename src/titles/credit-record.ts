import type { Scope } from '../regions/division.ts';

/** Class hours as the title system books them: earned by a certificate, or withdrawn when it is revoked. */
export interface CreditRecord {
  readonly id: string;
  readonly kind: 'earned' | 'withdrawn';
  readonly certificateNumber: string;
  /** Whether an exam of this service stands behind the certificate, or what people recognized. */
  readonly certificatePath: 'earned' | 'manual' | 'imported';
  /** How well it is backed, A to C; null where it was issued before there were grades. */
  readonly evidenceGrade: string | null;
  readonly personName: string;
  readonly staffNumber: string | null;
  readonly certificationCode: string;
  readonly certificationTitle: string;
  readonly organizationName: string | null;
  readonly countyCode: string | null;
  readonly classHours: number;
  readonly earnedOn: string;
  readonly recordedAt: Date;
  /** Where to go on reading after this record. */
  readonly cursor: string;
}

export interface FeedPosition {
  readonly transactionId: string;
  readonly id: string;
}

/** Cursors are opaque to readers; inside they are the transaction and the record. */
export function toCursor(position: FeedPosition): string {
  return Buffer.from(`${position.transactionId}.${position.id}`).toString('base64url');
}

export function fromCursor(cursor: string): FeedPosition | undefined {
  const match = /^(\d{1,20})\.(\d{1,19})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (match === null) return undefined;
  const [transactionId, id] = [match[1]!, match[2]!];
  // The database's own limits, 64 bits without and with a sign.
  return BigInt(transactionId) < 2n ** 64n && BigInt(id) < 2n ** 63n ? { transactionId, id } : undefined;
}

/** Division codes a reader may read the feed of; undefined = the nation. */
export function divisionsOf(scopes: readonly Scope[]): string[] | undefined {
  if (scopes.some((scope) => scope.kind === 'nation')) return undefined;
  return scopes.flatMap((scope) => (scope.kind === 'division' ? [scope.code] : []));
}

export function organizationsOf(scopes: readonly Scope[]): string[] {
  return scopes.flatMap((scope) => (scope.kind === 'organization' ? [scope.id] : []));
}
