/*
 * Checks in the browser that a certificate stands in the transparency log: its entry by the number and code at hand, the way from the entry
 * to the root (RFC 9162, 2.1.3.2), and that the log has signed that root. Nothing of it is taken on the service's word but the log's key.
 */

export interface LogEntry {
  readonly position: number;
  readonly entry: string;
  readonly proof: readonly string[];
}

export interface LogAnswer {
  readonly checkpoint: string;
  readonly size: number;
  readonly entries: readonly LogEntry[];
}

/** undefined: the browser can't check such signatures, and the rest is right. */
export type LogCheck = boolean | undefined;

const utf8 = new TextEncoder();

async function sha256(...parts: readonly Uint8Array[]): Promise<Uint8Array> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', all));
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

async function leadsTo(
  root: Uint8Array,
  { position, entry, proof }: LogEntry,
  size: number,
): Promise<boolean> {
  if (position >= size) return false;
  let hash = await sha256(Uint8Array.of(0), utf8.encode(entry));
  let node = position;
  let last = size - 1;
  for (const sibling of proof.map(bytesOf)) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = await sha256(Uint8Array.of(1), sibling, hash);
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = Math.floor(last / 2);
      }
    } else hash = await sha256(Uint8Array.of(1), hash, sibling);
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && same(hash, root);
}

async function isSigned(checkpoint: string, verifierKey: string): Promise<LogCheck> {
  const [, name, base64] = /^([^\s+]+)\+[0-9a-f]{8}\+(.+)$/.exec(verifierKey) ?? [];
  const [text, signatures = ''] = checkpoint.split('\n\n');
  const line = signatures.split('\n').find((each) => each.startsWith(`— ${name} `));
  if (name === undefined || line === undefined || !checkpoint.startsWith(`${name}\n`)) return false;
  try {
    const key = await crypto.subtle.importKey('raw', bytesOf(base64!).slice(1), 'Ed25519', false, ['verify']);
    return await crypto.subtle.verify(
      'Ed25519',
      key,
      bytesOf(line.split(' ')[2]!).slice(4),
      utf8.encode(`${text}\n`),
    );
  } catch {
    return undefined;
  }
}

/** @param document SHA-256 of the PDF as the record has it. */
export async function checkLog(
  { checkpoint, size, entries }: LogAnswer,
  given: { verifierKey: string; number: string; code: string; document: string },
): Promise<LogCheck> {
  const [, sizeText, rootText = ''] = checkpoint.split('\n');
  if (Number(sizeText) !== size || entries.length === 0) return false;
  const salted = await sha256(utf8.encode(`xinqiao-log certificate\n${given.code}\n${given.number}`));
  const certificate = Array.from(salted, (byte) => byte.toString(16).padStart(2, '0')).join('');
  for (const each of entries) {
    const said = JSON.parse(each.entry) as { certificate?: string; document?: string };
    if (said.certificate !== certificate || said.document !== given.document) return false;
    if (!(await leadsTo(bytesOf(rootText), each, size))) return false;
  }
  return isSigned(checkpoint, given.verifierKey);
}
