import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import type { Font } from 'fontkit';
import { create as createQr } from 'qrcode';
import { outlinesOf, type FontKey } from './fonts.ts';
import { layOut, placeRuns, trackingAt, type Letter, type PlacedRun, type PlacedText } from './layout.ts';
import { date, decimal, stream, textString, Writer } from './pdf.ts';
import type { Prepared } from './prepared.ts';
import type { Template } from './template.ts';
import { cutFont } from './truetype.ts';

/* One person's part of a certificate: it comes behind what is alike on all (`prepared.ts`), and with it is a whole PDF. */

export interface Person {
  readonly texts: readonly (PlacedText | undefined)[];
  readonly qrText: string;
  readonly title: string;
  readonly description: string;
  readonly issuerName: string;
  readonly creator: string;
  readonly at: Date;
  /** What is embedded for machines. */
  readonly attachment: {
    readonly fileName: string;
    readonly type: string;
    readonly description: string;
    readonly bytes: Buffer;
  };
  /** How many bytes a signature may take; 0: the document is not to be signed. */
  readonly room: number;
}

/** Where the signature goes: hexadecimal digits from `from` on, `room` bytes of them; its /ByteRange stands at `rangeAt`. */
export interface Hole {
  readonly from: number;
  readonly room: number;
  readonly rangeAt: number;
}

const RANGE = '/ByteRange [0 0000000000 0000000000 0000000000]';

export function drawPerson(
  prepared: Prepared,
  template: Template,
  person: Person,
): { readonly bytes: Buffer; readonly hole: Hole | undefined } {
  const { objects } = prepared;
  const writer = new Writer(prepared.bytes.length, prepared.offsets);
  const brought = new Brought();
  const content: string[] = [];
  for (const piece of prepared.pieces) {
    if ('written' in piece) content.push(piece.written);
    else
      content.push(piece.mark, write(piece.element, person.texts[piece.element]!, prepared, brought), 'EMC');
  }
  content.push(prepared.qrMark, drawQr(template.qr, person.qrText), 'EMC');

  writer.put(
    objects.content,
    stream('/Filter /FlateDecode', deflateSync(Buffer.from(content.join('\n'), 'latin1'))),
  );
  const fonts = [
    ...[...prepared.fonts.values()].map(({ name, object }) => `/${name} ${object} 0 R`),
    ...brought.fonts.map((font) => `/${font.name} ${putFont(writer, font)} 0 R`),
  ];
  writer.put(objects.resources, `<< /ProcSet [/PDF /Text] /Font << ${fonts.join(' ')} >> >>`);
  putAttachment(writer, objects.filespec, person);
  writer.put(objects.metadata, stream('/Type /Metadata /Subtype /XML', Buffer.from(metadataOf(person))));
  writer.put(
    objects.info,
    `<< /Title ${textString(person.title)} /Author ${textString(person.issuerName)} /Subject ${textString(person.description)} ` +
      `/Creator ${textString(person.creator)} /Producer (pdfkit) /CreationDate ${date(person.at)} /ModDate ${date(person.at)} >>`,
  );
  const signed = person.room > 0;
  writer.put(objects.form, `<< /Fields [${objects.field} 0 R]${signed ? ' /SigFlags 3' : ''} >>`);
  const signature = signed ? writer.next() : undefined;
  // Without a size it has no appearance to give (ISO 19005-3, 6.3.3); printed and locked.
  writer.put(
    objects.field,
    `<< /Type /Annot /Subtype /Widget /FT /Sig /T (issuer) /TU ${textString('颁发机构签名 Signature of the issuer')} /F 132 /Rect [0 0 0 0]${
      signature === undefined ? '' : ` /V ${signature} 0 R`
    } >>`,
  );
  let hole: Hole | undefined;
  if (signature !== undefined) {
    // ISO 32000-1, table 252; SubFilter and /M as EN 319 142-1, 6.3 asks.
    const before = `<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /M ${date(person.at)} /Name ${textString(person.issuerName)} ${RANGE} /Contents <`;
    const at = writer.put(signature, `${before}${'0'.repeat(2 * person.room)}> >>`);
    hole = { from: at + before.length, room: person.room, rangeAt: at + before.indexOf(RANGE) };
  }
  const id = createHash('sha256').update(`${person.title}\n${person.qrText}`).digest('hex').slice(0, 32);
  const end = writer.end(`/Root ${objects.root} 0 R /Info ${objects.info} 0 R /ID [<${id}> <${id}>]`);
  return { bytes: Buffer.concat([prepared.bytes, end]), hole };
}

/** The bytes that a signature covers: all but the hole with its brackets. Writes the /ByteRange. */
export function coveredBy(bytes: Buffer, hole: Hole): [Buffer, Buffer] {
  const open = hole.from - 1;
  const close = hole.from + 2 * hole.room + 1;
  const range = `/ByteRange [0 ${open} ${close} ${bytes.length - close}]`;
  bytes.write(range.padEnd(RANGE.length), hole.rangeAt, 'latin1');
  return [bytes.subarray(0, open), bytes.subarray(close)];
}

/** Fills the hole. @throws Error when the signature is larger. */
export function fill(bytes: Buffer, hole: Hole, signature: Uint8Array): void {
  if (signature.length > hole.room)
    throw new Error(`The signature takes ${signature.length} bytes; there is room for ${hole.room}.`);
  bytes.write(Buffer.from(signature).toString('hex'), hole.from, 'latin1');
}

/** A font that the person's words bring along, with letters that the shared ones lack. */
interface BroughtFont {
  readonly name: string;
  readonly key: FontKey;
  readonly font: Font;
  readonly letters: Letter[];
}

class Brought {
  readonly fonts: BroughtFont[] = [];
  /** How often a letter was found here. */
  uses = 0;

  /** What the page calls the font and the letter. One form may stand for two characters (· and •): each is copied as what it is. */
  find({ key, font }: PlacedRun, letter: Letter): { name: string; code: number } {
    this.uses += 1;
    for (const each of this.fonts) {
      if (each.key !== key) continue;
      const at = each.letters.findIndex(({ id }) => id === letter.id);
      if (at === -1) return { name: each.name, code: each.letters.push(letter) };
      if (same(each.letters[at]!.characters, letter.characters)) return { name: each.name, code: at + 1 };
    }
    const name = `P${this.fonts.length + 1}`;
    this.fonts.push({ name, key, font, letters: [letter] });
    return { name, code: 1 };
  }
}

function same(a: readonly number[] | undefined, b: readonly number[]): boolean {
  return a !== undefined && a.length === b.length && a.every((each, index) => each === b[index]);
}

/** The operators (9.4) of texts that shared letters suffice for: the next person's may say the same. */
const written = new WeakMap<Prepared, Map<string, string>>();
const MOST_WRITTEN = 500;
const MOST_IN_ONE_PIECE = 30;

/** Lengths are from the top left: pdfkit has turned the page over. */
function write(element: number, text: PlacedText, prepared: Prepared, brought: Brought): string {
  let known = written.get(prepared);
  if (known === undefined) written.set(prepared, (known = new Map()));
  const key = `${element} ${text.size} ${text.lines.join('\n')}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const { size } = text;
  const tracking = trackingAt(text.element, size);
  const lines = ['q', `${rgb(text.element.color)} rg`, 'BT', `${decimal(tracking)} Tc`];
  const had = brought.uses;
  for (const run of placeRuns(text)) writeRun(lines, run, { text, tracking, prepared, brought });
  lines.push('ET', 'Q');
  const operators = lines.join('\n');
  if (brought.uses === had) {
    if (known.size >= MOST_WRITTEN) known.clear();
    known.set(key, operators);
  }
  return operators;
}

function writeRun(
  lines: string[],
  run: PlacedRun,
  {
    text,
    tracking,
    prepared,
    brought,
  }: { text: PlacedText; tracking: number; prepared: Prepared; brought: Brought },
): void {
  const { element, size } = text;
  const shared = prepared.fonts.get(run.key);
  let current: string | undefined;
  let shown = '';
  let open = false;
  let { x } = run;
  const flush = (): void => {
    if (shown !== '') lines.push(`[${shown}${open ? '>' : ''}] TJ`);
    shown = '';
    open = false;
  };
  const letters = layOut(run, element);
  const sharedCode = (letter: Letter): number | undefined => {
    const code = shared?.codes[letter.id];
    return code !== undefined && same(shared!.characters[code], letter.characters) ? code : undefined;
  };
  // A name stays in one piece, for whoever searches or copies it; a long text brings only what it must.
  const apart = letters.length <= MOST_IN_ONE_PIECE && letters.some((each) => sharedCode(each) === undefined);
  for (const letter of letters) {
    const code = apart ? undefined : sharedCode(letter);
    const place = code === undefined ? brought.find(run, letter) : { name: shared!.name, code };
    const moved = letter.right !== 0 || letter.up !== 0;
    if (place.name !== current || moved) {
      flush();
      if (place.name !== current) lines.push(`/${place.name} ${decimal(size)} Tf`);
      lines.push(`1 0 0 -1 ${decimal(x + letter.right * size)} ${decimal(run.y - letter.up * size)} Tm`);
      // After a letter that was moved, the next one is placed anew.
      current = moved ? undefined : place.name;
    }
    shown += `${open ? '' : '<'}${place.code.toString(16).padStart(4, '0')}`;
    open = true;
    const kerning = decimal((letter.width - letter.advance) * 1000);
    if (kerning !== '0') {
      shown += `>${kerning}`;
      open = false;
    }
    x += letter.advance * size + tracking;
  }
  flush();
}

function rgb(colour: string): string {
  return [1, 3, 5].map((at) => decimal(Number.parseInt(colour.slice(at, at + 2), 16) / 255)).join(' ');
}

/**
 * As an image mask (8.9.6.2) in the page itself, four dots to each square of the code: a hexadecimal digit, and sharp even where a reader smooths
 * pictures. It packs better than rectangles do. The quiet zone is the paper's.
 */
function drawQr(place: Template['qr'], text: string): string {
  const { size, data } = createQr([{ data: Buffer.from(text), mode: 'byte' }], {
    errorCorrectionLevel: 'M',
    // To look for the best mask costs more than all the rest of a page. A long text holds a signature, which is as good as noise: any will do.
    ...(text.length > 200 ? { maskPattern: 2 } : {}),
  }).modules;
  const rows: string[] = [];
  for (let row = 0; row < size; row += 1) {
    let digits = '';
    for (let column = 0; column < size; column += 1) digits += data[row * size + column] === 0 ? '0' : 'f';
    // A row of dots ends with a whole byte.
    const line = size % 2 === 0 ? digits : `${digits}0`;
    rows.push(line, line, line, line);
  }
  const side = decimal(place.size);
  return [
    'q',
    `${rgb(place.color)} rg`,
    // Its first row is on top, where the page has been turned over.
    `${side} 0 0 -${side} ${decimal(place.x)} ${decimal(place.y + place.size)} cm`,
    `BI /IM true /W ${4 * size} /H ${4 * size} /BPC 1 /D [1 0] /F /AHx ID`,
    `${rows.join('\n')}>`,
    'EI',
    'Q',
  ].join('\n');
}

/** A composite font (9.7) of single letters. @returns its object. */
function putFont(writer: Writer, { key, font, letters }: BroughtFont): number {
  const scale = 1000 / font.unitsPerEm;
  const of = (value: number): string => decimal(value * scale);
  const file = writer.next();
  const outlines = cutFont(
    outlinesOf(key),
    letters.map(({ id }) => id),
  );
  writer.put(file, stream(`/Filter /FlateDecode /Length1 ${outlines.length}`, deflateSync(outlines)));
  // Six letters that tell subsets apart (9.6.4).
  const tag = createHash('sha256')
    .update(letters.map(({ id }) => id).join())
    .digest()
    .subarray(0, 6);
  const name = `${Array.from(tag, (byte) => String.fromCharCode(65 + (byte % 26))).join('')}+${font.postscriptName}`;
  const { bbox } = font;
  const descriptor = writer.next();
  writer.put(
    descriptor,
    `<< /Type /FontDescriptor /FontName /${name} /Flags 4 /FontBBox [${of(bbox.minX)} ${of(bbox.minY)} ${of(bbox.maxX)} ${of(bbox.maxY)}] ` +
      `/ItalicAngle ${decimal(font.italicAngle)} /Ascent ${of(font.ascent)} /Descent ${of(font.descent)} /CapHeight ${of(font.capHeight)} /StemV 80 /FontFile2 ${file} 0 R >>`,
  );
  const empty = of(font.getGlyph(0).advanceWidth);
  const descendant = writer.next();
  writer.put(
    descendant,
    `<< /Type /Font /Subtype /CIDFontType2 /BaseFont /${name} /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> ` +
      `/FontDescriptor ${descriptor} 0 R /CIDToGIDMap /Identity /W [0 [${[empty, ...letters.map(({ width }) => decimal(width * 1000))].join(' ')}]] >>`,
  );
  const unicode = writer.next();
  writer.put(unicode, stream('/Filter /FlateDecode', deflateSync(Buffer.from(toUnicode(letters), 'latin1'))));
  const object = writer.next();
  writer.put(
    object,
    `<< /Type /Font /Subtype /Type0 /BaseFont /${name} /Encoding /Identity-H /DescendantFonts [${descendant} 0 R] /ToUnicode ${unicode} 0 R >>`,
  );
  return object;
}

/** Which characters are copied out of which letters (9.10.3). */
function toUnicode(letters: BroughtFont['letters']): string {
  const lines = letters.map(({ characters }, index) => {
    const text = Buffer.from(String.fromCodePoint(...characters), 'utf16le')
      .swap16()
      .toString('hex');
    return `<${(index + 1).toString(16).padStart(4, '0')}> <${text}>`;
  });
  const blocks: string[] = [];
  for (let at = 0; at < lines.length; at += 100) {
    const block = lines.slice(at, at + 100);
    blocks.push(`${block.length} beginbfchar`, ...block, 'endbfchar');
  }
  return [
    '/CIDInit /ProcSet findresource begin',
    '12 dict begin',
    'begincmap',
    '/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def',
    '/CMapName /Adobe-Identity-UCS def',
    '/CMapType 2 def',
    '1 begincodespacerange',
    '<0000> <FFFF>',
    'endcodespacerange',
    ...blocks,
    'endcmap',
    'CMapName currentdict /CMap defineresource pop',
    'end',
    'end',
  ].join('\n');
}

function putAttachment(writer: Writer, filespec: number, { attachment, at }: Person): void {
  const { fileName, type, description, bytes } = attachment;
  const file = writer.next();
  writer.put(
    file,
    stream(
      `/Type /EmbeddedFile /Subtype /${type.replaceAll(/[^A-Za-z0-9]/g, (sign) => `#${sign.charCodeAt(0).toString(16).padStart(2, '0')}`)} ` +
        `/Params << /Size ${bytes.length} /CreationDate ${date(at)} /ModDate ${date(at)} >> /Filter /FlateDecode`,
      deflateSync(bytes),
    ),
  );
  // ISO 19005-3, 6.8: both names, and how it is related to the page.
  writer.put(
    filespec,
    `<< /Type /Filespec /AFRelationship /Data /F (${fileName}) /UF ${textString(fileName)} /Desc ${textString(description)} /EF << /F ${file} 0 R /UF ${file} 0 R >> >>`,
  );
}

/** XMP (ISO 16684-1) with the identification of PDF/A (ISO 19005-3, 6.6.4). */
function metadataOf({ title, description, issuerName, creator, at }: Person): string {
  const day = `${at.toISOString().slice(0, 19)}Z`;
  return `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"><pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance></rdf:Description>
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:format>application/pdf</dc:format><dc:language><rdf:Bag><rdf:li>zh-CN</rdf:li></rdf:Bag></dc:language><dc:title><rdf:Alt><rdf:li xml:lang="x-default">${xml(title)}</rdf:li></rdf:Alt></dc:title><dc:creator><rdf:Seq><rdf:li>${xml(issuerName)}</rdf:li></rdf:Seq></dc:creator><dc:description><rdf:Alt><rdf:li xml:lang="x-default">${xml(description)}</rdf:li></rdf:Alt></dc:description></rdf:Description>
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"><xmp:CreateDate>${day}</xmp:CreateDate><xmp:ModifyDate>${day}</xmp:ModifyDate><xmp:CreatorTool>${xml(creator)}</xmp:CreatorTool></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"><pdf:Producer>pdfkit</pdf:Producer></rdf:Description>
</rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>`;
}

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
