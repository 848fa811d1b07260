/*
 * Cutting single letters out of a TrueType font (OpenType 1.9.1). The outlines are copied as they stand in the file and nothing is parsed
 * that need not be, which makes it some ten times as fast as a general font library; that matters where each document brings its own letters.
 */

interface Table {
  readonly offset: number;
  readonly length: number;
}

/** A font file and where its tables lie. */
export interface TrueType {
  readonly bytes: Buffer;
  readonly tables: ReadonlyMap<string, Table>;
  /** Of loca: offsets as 32 bits, else as 16 bits of half of them. */
  readonly longOffsets: boolean;
  readonly metrics: number;
  readonly letters: number;
}

/** @throws Error when it is no TrueType font with outlines in `glyf`. */
export function openTrueType(bytes: Buffer): TrueType {
  const tables = new Map<string, Table>();
  for (let index = 0; index < bytes.readUInt16BE(4); index += 1) {
    const at = 12 + 16 * index;
    tables.set(bytes.toString('latin1', at, at + 4), {
      offset: bytes.readUInt32BE(at + 8),
      length: bytes.readUInt32BE(at + 12),
    });
  }
  for (const tag of ['glyf', 'loca', 'head', 'hhea', 'hmtx', 'maxp'])
    if (!tables.has(tag)) throw new Error(`The font has no table "${tag}".`);
  return {
    bytes,
    tables,
    longOffsets: bytes.readInt16BE(tables.get('head')!.offset + 50) === 1,
    metrics: bytes.readUInt16BE(tables.get('hhea')!.offset + 34),
    letters: bytes.readUInt16BE(tables.get('maxp')!.offset + 4),
  };
}

function tableOf(font: TrueType, tag: string): Buffer {
  const { offset, length } = font.tables.get(tag)!;
  return font.bytes.subarray(offset, offset + length);
}

function outlineOf(font: TrueType, letter: number): Buffer {
  const loca = font.tables.get('loca')!.offset;
  const at = (index: number): number =>
    font.longOffsets
      ? font.bytes.readUInt32BE(loca + 4 * index)
      : 2 * font.bytes.readUInt16BE(loca + 2 * index);
  const glyf = font.tables.get('glyf')!.offset;
  return font.bytes.subarray(glyf + at(letter), glyf + at(letter + 1));
}

/** Where in a composed outline the numbers of its parts stand (glyf, “Composite Glyph Description”). */
function partsAt(outline: Buffer): number[] {
  if (outline.length < 10 || outline.readInt16BE(0) >= 0) return [];
  const places: number[] = [];
  let at = 10;
  for (;;) {
    const flags = outline.readUInt16BE(at);
    places.push(at + 2);
    at += 4 + (flags & 0x01 ? 4 : 2);
    if (flags & 0x08) at += 2;
    else if (flags & 0x40) at += 4;
    else if (flags & 0x80) at += 8;
    if ((flags & 0x20) === 0) return places;
  }
}

/** Width and left bearing, 4 bytes. */
function metricOf(font: TrueType, letter: number): Buffer {
  const hmtx = tableOf(font, 'hmtx');
  if (letter < font.metrics) return hmtx.subarray(4 * letter, 4 * letter + 4);
  const metric = Buffer.alloc(4);
  hmtx.copy(metric, 0, 4 * (font.metrics - 1), 4 * (font.metrics - 1) + 2);
  hmtx.copy(
    metric,
    2,
    4 * font.metrics + 2 * (letter - font.metrics),
    4 * font.metrics + 2 * (letter - font.metrics) + 2,
  );
  return metric;
}

/**
 * A font of these letters: number 0 is the empty one, number n the n-th given; parts of composed letters come behind.
 * @param letters numbers in the source font.
 * @param more tables to put in besides, e.g. a `cmap`.
 */
export function cutFont(
  font: TrueType,
  letters: readonly number[],
  more: Readonly<Record<string, Buffer>> = {},
): Buffer {
  const chosen = [0, ...letters];
  const outlines: Buffer[] = [];
  for (let index = 0; index < chosen.length; index += 1) {
    let outline = outlineOf(font, chosen[index]!);
    const places = partsAt(outline);
    if (places.length > 0) {
      outline = Buffer.from(outline);
      for (const place of places) {
        const part = outline.readUInt16BE(place);
        // A part comes behind all that were asked for: their numbers are the caller's.
        let number = chosen.indexOf(part, letters.length + 1);
        if (number === -1) number = chosen.push(part) - 1;
        outline.writeUInt16BE(number, place);
      }
    }
    outlines.push(outline);
  }

  const count = chosen.length;
  const loca = Buffer.alloc(4 * (count + 1));
  const padded: Buffer[] = [];
  let length = 0;
  for (const [index, outline] of outlines.entries()) {
    padded.push(outline);
    length += outline.length;
    const rest = -length & 3;
    if (rest > 0) padded.push(Buffer.alloc(rest));
    length += rest;
    loca.writeUInt32BE(length, 4 * (index + 1));
  }
  const head = Buffer.from(tableOf(font, 'head'));
  head.writeUInt32BE(0, 8);
  head.writeInt16BE(1, 50);
  const hhea = Buffer.from(tableOf(font, 'hhea'));
  hhea.writeUInt16BE(count, 34);
  const maxp = Buffer.from(tableOf(font, 'maxp'));
  maxp.writeUInt16BE(count, 4);
  const tables: Record<string, Buffer> = {
    ...more,
    glyf: Buffer.concat(padded, length),
    head,
    hhea,
    hmtx: Buffer.concat(chosen.map((letter) => metricOf(font, letter))),
    loca,
    maxp,
  };
  for (const tag of ['cvt ', 'fpgm', 'prep']) if (font.tables.has(tag)) tables[tag] = tableOf(font, tag);
  return sfnt(tables);
}

/** The file itself: a directory of tables in the order of their tags, each on a multiple of four. */
function sfnt(tables: Readonly<Record<string, Buffer>>): Buffer {
  const tags = Object.keys(tables).sort();
  const power = 2 ** Math.floor(Math.log2(tags.length));
  const directory = Buffer.alloc(12 + 16 * tags.length);
  directory.writeUInt32BE(0x0001_0000, 0);
  directory.writeUInt16BE(tags.length, 4);
  directory.writeUInt16BE(16 * power, 6);
  directory.writeUInt16BE(Math.log2(power), 8);
  directory.writeUInt16BE(16 * (tags.length - power), 10);
  const pieces: Buffer[] = [directory];
  let offset = directory.length;
  for (const [index, tag] of tags.entries()) {
    const table = tables[tag]!;
    const at = 12 + 16 * index;
    directory.write(tag, at, 'latin1');
    directory.writeUInt32BE(checksum(table), at + 4);
    directory.writeUInt32BE(offset, at + 8);
    directory.writeUInt32BE(table.length, at + 12);
    const rest = -table.length & 3;
    pieces.push(table, Buffer.alloc(rest));
    offset += table.length + rest;
  }
  const file = Buffer.concat(pieces);
  const head = 12 + 16 * tags.indexOf('head');
  file.writeUInt32BE((0xb1b0_afba - checksum(file)) >>> 0, file.readUInt32BE(head + 8) + 8);
  return file;
}

function checksum(bytes: Buffer): number {
  let sum = 0;
  const whole = bytes.length & ~3;
  for (let at = 0; at < whole; at += 4) sum = (sum + bytes.readUInt32BE(at)) >>> 0;
  for (let at = whole; at < bytes.length; at += 1)
    sum = (sum + bytes[at]! * 2 ** (24 - 8 * (at - whole))) >>> 0;
  return sum;
}
