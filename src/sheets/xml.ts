import { SaxesParser, type SaxesTagNS } from 'saxes';
import { UnreadableSheet } from './unreadable.ts';

export type Tag = SaxesTagNS;

export interface XmlHandlers {
  open(tag: Tag): void;
  close?(tag: Tag): void;
  /** Text may come in several pieces. */
  text?(text: string): void;
}

/** Between two tags: a cell holds 32,767 characters at most, here perhaps as entities. More would only fill the memory. */
const MAX_BETWEEN = 4 * 1024 * 1024;
const MAX_DEPTH = 256;

/** Reads an XML part as its bytes come in, and yields after each piece, so that what the handlers gathered can be passed on.
 * @throws UnreadableSheet
 */
export async function* parseXml(
  bytes: AsyncIterable<Uint8Array>,
  path: string,
  handlers: XmlHandlers,
): AsyncGenerator<undefined> {
  const parser = new SaxesParser({ xmlns: true, position: false });
  const damaged = (why: string): UnreadableSheet =>
    new UnreadableSheet('DAMAGED', `${path} is damaged (${why})`);
  let since = 0;
  let depth = 0;
  parser.on('error', (error) => {
    throw damaged(error.message);
  });
  parser.on('doctype', () => {
    throw new UnreadableSheet('DOCTYPE', `${path} has a document type, which no workbook has`);
  });
  parser.on('opentag', (tag) => {
    since = 0;
    depth += 1;
    if (depth > MAX_DEPTH) throw damaged('it is nested too deeply');
    handlers.open(tag);
  });
  parser.on('closetag', (tag) => {
    since = 0;
    depth -= 1;
    handlers.close?.(tag);
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
