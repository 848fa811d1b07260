import { SaxesParser } from 'saxes';
import { UnreadableSheet } from './unreadable.ts';

/** An element as it is opened. */
export interface Tag {
  /** The local name, when it is an element of the standard's sheets, in either edition; '' for others', which may be called alike. */
  readonly own: string;
  readonly local: string;
  /** By their names as they are written. */
  readonly attributes: Readonly<Record<string, string>>;
  /** By the prefixes that stand for them there. */
  readonly namespaces: ReadonlyMap<string, string>;
}

export interface XmlHandlers {
  open(tag: Tag): void;
  /** Gets the `own` of the element. */
  close?(own: string): void;
  /** Text may come in several pieces. */
  text?(text: string): void;
}

const SHEETS = new Set([
  'http://schemas.openxmlformats.org/spreadsheetml/2006/main',
  'http://purl.oclc.org/ooxml/spreadsheetml/main',
]);
/** Between two tags: a cell holds 32,767 characters at most, here perhaps as entities. More would only fill the memory. */
const MAX_BETWEEN = 4 * 1024 * 1024;
const MAX_DEPTH = 256;
const MAX_NAMES = 1000;

/** Reads an XML part as its bytes come in, and yields after each piece, so that what the handlers gathered can be passed on.
 * @throws UnreadableSheet
 */
export async function* parseXml(
  bytes: AsyncIterable<Uint8Array>,
  path: string,
  handlers: XmlHandlers,
): AsyncGenerator<undefined> {
  const parser = new SaxesParser({ xmlns: false, position: false });
  const damaged = (why: string): UnreadableSheet =>
    new UnreadableSheet('DAMAGED', `${path} is damaged (${why})`);
  let since = 0;
  const root: Scope = { namespaces: new Map(), names: new Map() };
  const opened: { readonly own: string; readonly scope: Scope }[] = [];
  parser.on('error', (error) => {
    throw damaged(error.message);
  });
  parser.on('doctype', () => {
    throw new UnreadableSheet('DOCTYPE', `${path} has a document type, which no workbook has`);
  });
  parser.on('opentag', ({ name, attributes }) => {
    since = 0;
    const scope = scopeOf(opened.at(-1)?.scope ?? root, attributes);
    let known = scope.names.get(name);
    if (known === undefined) {
      known = resolveName(scope, name);
      if (known === undefined) throw damaged(`${name} is of an unknown namespace`);
      if (scope.names.size < MAX_NAMES) scope.names.set(name, known);
    }
    const { own, local } = known;
    opened.push({ own, scope });
    if (opened.length > MAX_DEPTH) throw damaged('it is nested too deeply');
    handlers.open({ own, local, attributes, namespaces: scope.namespaces });
  });
  parser.on('closetag', () => {
    since = 0;
    const { own } = opened.pop()!;
    handlers.close?.(own);
  });
  if (handlers.text !== undefined) {
    const text = handlers.text.bind(handlers);
    parser.on('text', text);
    parser.on('cdata', text);
  }
  for await (const piece of decode(bytes, damaged)) {
    since += piece.length;
    parser.write(piece);
    if (since > MAX_BETWEEN) throw damaged('a text in it is too long');
    yield undefined;
  }
  parser.close();
}

/** Where the same prefixes stand for the same namespaces, and what names mean there. saxes could tell, but works it out for each tag anew. */
interface Scope {
  readonly namespaces: ReadonlyMap<string, string>;
  readonly names: Map<string, { readonly own: string; readonly local: string }>;
}

/** The scope of an element within another's. */
function scopeOf(outer: Scope, attributes: Readonly<Record<string, string>>): Scope {
  let namespaces: Map<string, string> | undefined;
  for (const name in attributes) {
    if (!name.startsWith('xmlns') || (name.length > 5 && name[5] !== ':')) continue;
    namespaces ??= new Map(outer.namespaces);
    namespaces.set(name.slice(6), attributes[name]!);
  }
  return namespaces === undefined ? outer : { namespaces, names: new Map() };
}

function resolveName(scope: Scope, name: string): { own: string; local: string } | undefined {
  const colon = name.indexOf(':');
  const [prefix, local] = colon === -1 ? ['', name] : [name.slice(0, colon), name.slice(colon + 1)];
  const namespace = scope.namespaces.get(prefix);
  if (namespace === undefined && prefix !== '') return undefined;
  return { own: namespace !== undefined && SHEETS.has(namespace) ? local : '', local };
}

/** Reads an XML part to its end. @throws UnreadableSheet */
export async function readXml(
  bytes: AsyncIterable<Uint8Array>,
  path: string,
  handlers: XmlHandlers,
): Promise<void> {
  const pieces = parseXml(bytes, path, handlers);
  while ((await pieces.next()).done !== true);
}

/** The standard permits UTF-8 and UTF-16, the latter with its mark. */
async function* decode(
  bytes: AsyncIterable<Uint8Array>,
  damaged: (why: string) => UnreadableSheet,
): AsyncGenerator<string> {
  let beginning: Buffer | undefined = Buffer.alloc(0);
  let decoder = new TextDecoder('utf-8', { fatal: true });
  const read = (chunk: Uint8Array, stream: boolean): string => {
    try {
      return decoder.decode(chunk, { stream });
    } catch {
      throw damaged(`it is not ${decoder.encoding.toUpperCase()} text`);
    }
  };
  for await (const chunk of bytes) {
    if (beginning === undefined) {
      yield read(chunk, true);
      continue;
    }
    beginning = Buffer.concat([beginning, chunk]);
    if (beginning.length < 2) continue;
    const mark = beginning.readUInt16BE(0);
    if (mark === 0xfffe) decoder = new TextDecoder('utf-16le', { fatal: true });
    if (mark === 0xfeff) decoder = new TextDecoder('utf-16be', { fatal: true });
    yield read(beginning, true);
    beginning = undefined;
  }
  yield read(beginning ?? Buffer.alloc(0), false);
}
