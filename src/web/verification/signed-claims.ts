/* The signed claims of a QR code, checked here, without asking anybody: src/certification/credential/qr-text.ts says what stands in them. */

/** What a code says, with its short names read. Days are `YYYY-MM-DD`. */
export interface SignedClaims {
  readonly number: string;
  readonly holderName: string;
  readonly title: string;
  readonly issuerName: string;
  readonly issuedOn: string;
  readonly validFrom: string;
  readonly validUntil: string | null;
  readonly classHours: number;
  readonly evidenceGrade: string | null;
  readonly percent: number | null;
  readonly code: string;
  readonly status: { readonly list: number; readonly position: number };
}

/** As `/verify/offline.json` has it. */
export interface OfflineFile {
  readonly keys: readonly { readonly kid: string; readonly jwk: JsonWebKey }[];
  readonly lists: Readonly<
    Record<string, { readonly revocation: string; readonly refresh: string } | undefined>
  >;
}

export type SignedOutcome =
  | 'VALID'
  | 'NOT_YET'
  | 'EXPIRED'
  | 'REVOKED'
  | 'SUPERSEDED'
  | 'FORGED'
  | 'UNKNOWN_KEY'
  | 'OTHER_NUMBER'
  | 'NO_KEYS';

export interface SignedCheck {
  readonly outcome: SignedOutcome;
  /** Only of a code whose signature is good. */
  readonly claims: SignedClaims | undefined;
  readonly kid: string;
  /** When the list of states was signed; undefined: there is none at hand, and nothing is known of a revocation. */
  readonly listAt: string | undefined;
}

const COMPACT = /^[\w-]{20,400}\.[\w-]{60,3000}\.[\w-]{86}$/;

/** undefined: what stands behind the # is no signed code. */
export function readToken(fragment: string): string | undefined {
  const text = fragment.replace(/^#/, '');
  return COMPACT.test(text) ? text : undefined;
}

/**
 * @param number of the address the code leads to, as it came.
 * @param file undefined: it was never loaded.
 * @param today a day in China.
 */
export async function checkToken(
  token: string,
  number: string,
  file: OfflineFile | undefined,
  today: string,
): Promise<SignedCheck> {
  const header = readPart(token, 0) as { alg?: unknown; kid?: unknown } | undefined;
  const kid = typeof header?.kid === 'string' ? header.kid : '';
  const failed = (outcome: SignedOutcome): SignedCheck => ({
    outcome,
    claims: undefined,
    kid,
    listAt: undefined,
  });
  if (file === undefined) return failed('NO_KEYS');
  // RFC 8725, section 3.1: which algorithm it is, is not for the code to say.
  if (header?.alg !== 'ES256') return failed('FORGED');
  const key = file.keys.find((each) => each.kid === kid);
  if (key === undefined) return failed('UNKNOWN_KEY');
  if (!(await isSigned(token, key.jwk))) return failed('FORGED');
  const claims = readClaims(readPart(token, 1));
  if (claims === undefined) return failed('FORGED');
  if (plain(claims.number) !== plain(number))
    return { outcome: 'OTHER_NUMBER', claims, kid, listAt: undefined };

  const lists = file.lists[claims.status.list];
  const revocation = lists && (await readList(lists.revocation, file));
  const refresh = lists && (await readList(lists.refresh, file));
  const listAt = revocation?.at;
  const said = { claims, kid, listAt };
  if (revocation?.has(claims.status.position) === true)
    return { ...said, outcome: refresh?.has(claims.status.position) === true ? 'SUPERSEDED' : 'REVOKED' };
  if (claims.validUntil !== null && claims.validUntil < today) return { ...said, outcome: 'EXPIRED' };
  if (claims.validFrom > today) return { ...said, outcome: 'NOT_YET' };
  return { ...said, outcome: 'VALID' };
}

/** RFC 7515, section 5.2. */
async function isSigned(token: string, jwk: JsonWebKey): Promise<boolean> {
  const end = token.lastIndexOf('.');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  try {
    const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['verify']);
    return await crypto.subtle.verify(
      algorithm,
      key,
      fromBase64url(token.slice(end + 1)),
      new TextEncoder().encode(token.slice(0, end)),
    );
  } catch {
    return false;
  }
}

/** A signed list of states (W3C Bitstring Status List 1.0); undefined for what is none, or not signed by the issuer. */
async function readList(
  jwt: string,
  file: OfflineFile,
): Promise<{ readonly at: string; has(position: number): boolean } | undefined> {
  const header = readPart(jwt, 0) as { alg?: unknown; kid?: string } | undefined;
  const key = file.keys.find((each) => header?.kid?.endsWith(`#${each.kid}`));
  if (header?.alg !== 'ES256' || key === undefined || !(await isSigned(jwt, key.jwk))) return undefined;
  const list = readPart(jwt, 1) as { validFrom: string; credentialSubject: { encodedList: string } };
  const packed = new Blob([fromBase64url(list.credentialSubject.encodedList.slice(1))]);
  const bits = new Uint8Array(
    await new Response(packed.stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer(),
  );
  return {
    at: list.validFrom,
    has: (position) => ((bits[position >> 3] ?? 0) & (0x80 >> (position & 7))) !== 0,
  };
}

function readClaims(part: unknown): SignedClaims | undefined {
  const given = part as Record<'n' | 'h' | 't' | 'i' | 'g' | 'k', string> &
    Record<'d' | 'f' | 'u' | 'c' | 'p', number | undefined> & { s: [number, number] };
  try {
    const issuedOn = toDay(given.d!);
    return {
      number: `XQ${given.n.slice(0, 4)}-${groups(given.n.slice(4))}`,
      holderName: given.h,
      title: given.t,
      issuerName: given.i,
      issuedOn,
      validFrom: given.f === undefined ? issuedOn : toDay(given.f),
      validUntil: given.u === undefined ? null : toDay(given.u),
      classHours: given.c ?? 0,
      evidenceGrade: given.g ?? null,
      percent: given.p ?? null,
      code: groups(given.k),
      status: { list: given.s[0], position: given.s[1] },
    };
  } catch {
    return undefined;
  }
}

function readPart(token: string, index: 0 | 1): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(fromBase64url(token.split('.')[index]!)));
  } catch {
    return undefined;
  }
}

function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function toDay(day: number): string {
  return String(day).replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3');
}

function groups(text: string): string {
  return text.match(/.{1,4}/g)!.join('-');
}

/** As the service reads numbers: letters that are misread are the digits they look like. */
function plain(number: string): string {
  return number
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[\s\p{Cf}\p{Pd}−_.·]/gu, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1');
}
