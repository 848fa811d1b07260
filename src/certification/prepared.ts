import { createHash } from 'node:crypto';
import PDFDocument from 'pdfkit';
import { evidenceOfEarned } from './evidence.ts';
import { fontOf, forgetCharacters, isFontKey, runsOf, type FontKey } from './fonts.ts';
import {
  featuresOf,
  place,
  placeRuns,
  trackingAt,
  type Bindings,
  type Chosen,
  type Element,
  type PlacedText,
} from './layout.ts';
import { roleTitles } from './role-titles.ts';
import { drawShape } from './shapes.ts';
import { namesIn, type BindingName, type Template } from './template.ts';

/*
 * What is alike on all certificates of a template, certification, course and issuer, drawn once by pdfkit: the art, the words that never
 * change, the fonts with the letters of these words and those that the others usually need, the structure that is read aloud, the colour
 * profile. `person.ts` puts one person's words behind it. src/decisions/0027-certificates-on-paper.md
 */

/** What does not change from one person to the next. */
const SHARED: readonly BindingName[] = [
  'certificationTitle.zh',
  'certificationTitle.en',
  'courseTitle.zh',
  'courseTitle.en',
  'courseReview.zh',
  'courseReview.en',
  'issuerName',
];

const CODE = '-0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const MONTHS = 'January February March April May June July August September October November December';
/** Which letters a person's words usually have: they go into the shared fonts. Others are brought along, at a price in bytes. */
const USUAL: Readonly<Partial<Record<BindingName, string>>> = {
  number: `XQ${CODE}`,
  verificationCode: CODE,
  identityLast4: '0123456789X',
  // A certification is for one or two of the roles.
  'roleTitle.zh': roleTitles.class_teacher['zh-CN'],
  'roleTitle.en': Object.values(roleTitles)
    .map((title) => title.en)
    .join(''),
  'classHours.zh': '0123456789. 学时',
  'classHours.en': '0123456789. class hours',
  percent: '0123456789.',
  'issuedOn.zh': '0123456789年月日',
  'issuedOn.en': `0123456789 ${MONTHS}`,
  'validity.zh': '0123456789年月日至长期有效',
  'validity.en': `0123456789 –No expiry${MONTHS}`,
  'evidence.zh': (['A', 'B', 'C'] as const).map((grade) => evidenceOfEarned(grade)['zh-CN']).join(''),
  'evidence.en': (['A', 'B', 'C'] as const).map((grade) => evidenceOfEarned(grade).en).join(''),
  verificationPage: `https://./verify/XQ${CODE}abcdefghijklmnopqrstuvwxyz`,
};

/** A font in the shared part. */
export interface SharedFont {
  /** As the page names it, e.g. `F1`. */
  readonly name: string;
  readonly object: number;
  /** Number in the file of the font → number in the document. */
  readonly codes: Readonly<Record<number, number>>;
  /** Number in the document → the characters that are copied out of it. */
  readonly characters: readonly (readonly number[] | undefined)[];
}

/** Words of one element: what pdfkit wrote for them, or what the person's own are marked with. */
export type Piece = { readonly written: string } | { readonly element: number; readonly mark: string };

export interface Prepared {
  /** A PDF without an end: header and objects. */
  readonly bytes: Buffer;
  /** SHA-256 of them. */
  readonly digest: string;
  /** Where object n + 1 begins; null: the person's part holds it. */
  readonly offsets: readonly (number | null)[];
  readonly objects: Readonly<Record<OwnObject, number>>;
  readonly fonts: ReadonlyMap<FontKey, SharedFont>;
  /** In the order in which they are read. */
  readonly pieces: readonly Piece[];
  readonly qrMark: string;
}

const OWN = ['root', 'content', 'resources', 'metadata', 'info', 'form', 'field', 'filespec'] as const;
/** Objects that the shared part points at and the person's part holds. */
export type OwnObject = (typeof OWN)[number];

/** How the credential is called in the document. */
export const ATTACHMENT = 'credential';

interface Ref {
  readonly id: number;
  readonly data: Record<string, unknown>;
  write(chunk: unknown): void;
  end(): void;
}
/* What pdfkit has and its types do not tell. The version is pinned, and the tests read what comes out. */
// oxlint-disable no-underscore-dangle
interface Inside {
  ref(data?: object): Ref;
  _root: Ref;
  _offsets: (number | null)[];
  _fontFamilies: Record<
    string,
    {
      id: string;
      subset: { mapping: Record<number, number> };
      unicode: number[][];
      ref(): Ref;
      encode(text: string, features: string[]): unknown;
    }
  >;
  page: { content: { write(chunk: unknown): void }; resources: Ref; dictionary: Ref };
  info: object;
  endMetadata(): void;
  endAcroForm(): void;
  addNamedEmbeddedFile(name: string, ref: Ref): void;
}

const known = new WeakMap<Template, Map<string, Prepared>>();
/** Each is some 40 kB. */
const MOST = 60;

/** Whether an element says the same on every certificate. */
export function isShared(element: Element): boolean {
  return element.text.flatMap(namesIn).every((name) => SHARED.includes(name as BindingName));
}

/** @param chosen undefined where an element has nothing to say. @throws MissingGlyph, TextDoesNotFit */
export function prepare(
  template: Template,
  bindings: Bindings,
  chosen: readonly (Chosen | undefined)[],
): Prepared {
  const said = chosen.map((text) => (text === undefined ? '0' : '1')).join('');
  const key = JSON.stringify([...SHARED.map((name) => bindings[name] ?? null), said]);
  let ofTemplate = known.get(template);
  if (ofTemplate === undefined) known.set(template, (ofTemplate = new Map()));
  const before = ofTemplate.get(key);
  if (before !== undefined) return before;
  if (ofTemplate.size >= MOST) ofTemplate.delete(ofTemplate.keys().next().value!);
  const prepared = drawShared(template, bindings, chosen);
  ofTemplate.set(key, prepared);
  return prepared;
}

function drawShared(
  template: Template,
  bindings: Bindings,
  chosen: readonly (Chosen | undefined)[],
): Prepared {
  forgetCharacters();
  const doc = new PDFDocument({
    size: [template.page.width, template.page.height],
    margin: 0,
    pdfVersion: '1.7',
    subset: 'PDF/A-3b',
    tagged: true,
    lang: 'zh-CN',
    displayTitle: true,
    // pdfkit would open Helvetica for nothing.
    font: null as unknown as string,
    // No day of today's: the same template gives the same bytes.
    info: { CreationDate: new Date(0) },
  });
  const inside = doc as unknown as Inside;
  const { page } = inside;
  const own = Object.fromEntries(
    OWN.map((name) => [
      name,
      name === 'root' ? inside._root : name === 'resources' ? page.resources : inside.ref(),
    ]),
  ) as Record<OwnObject, Ref>;

  doc.markContent('Artifact', { type: 'Layout' });
  for (const shape of template.art) drawShape(doc, shape, bindings.issuerName!);
  doc.endMarkedContent();

  // Words are kept apart from the art: they stand in the person's part, in the order in which they are read.
  const art = inside.page.content;
  let written: string[] = [];
  inside.page.content = { write: (chunk) => written.push(String(chunk)) };
  const take = (): string[] => {
    const chunks = written;
    written = [];
    return chunks;
  };
  const markOf = ([mark]: readonly string[]): string => mark!.replaceAll('\n', ' ');
  const document = doc.struct('Document');
  doc.addStructure(document);
  const pieces = template.texts.flatMap((element, index): Piece[] => {
    const text = chosen[index];
    if (text === undefined) return [];
    const shared = isShared(element);
    document.add(
      doc.struct(element.role, element.lang === 'en' ? { lang: 'en' } : {}, [
        () => {
          if (shared) drawText(doc, place(element, text));
        },
      ]),
    );
    return [shared ? { written: take().join('\n') } : { element: index, mark: markOf(take()) }];
  });
  const { x, y, size } = template.qr;
  const alt = '核验二维码 QR code for verification';
  document.add(doc.struct('Figure', { alt, bbox: [x, y, x + size, y + size] } as object, [() => undefined]));
  const qrMark = markOf(take());
  document.end();
  inside.page.content = art;

  addUsualLetters(doc, template, bindings);
  const fonts = new Map<FontKey, SharedFont>();
  for (const [key, font] of Object.entries(inside._fontFamilies))
    if (isFontKey(key))
      fonts.set(key, {
        name: font.id,
        object: font.ref().id,
        codes: font.subset.mapping,
        characters: font.unicode,
      });

  page.dictionary.data['Contents'] = [page.content, own.content];
  page.dictionary.data['Annots'] = [own.field];
  // The person's part names the fonts that it brings along in it.
  page.resources.end = () => undefined;
  Object.assign(inside._root.data, { Metadata: own.metadata, AcroForm: own.form, AF: [own.filespec] });
  inside.addNamedEmbeddedFile(ATTACHMENT, own.filespec);
  inside.info = {};
  inside.endMetadata = () => undefined;
  inside.endAcroForm = () => undefined;
  // It never ends, since what the person's part holds is missing: so pdfkit writes no table of objects, and `person.ts` does.
  doc.end();
  const bytes = doc.read() as Buffer;
  return {
    bytes,
    digest: createHash('sha256').update(bytes).digest('hex'),
    offsets: inside._offsets,
    objects: Object.fromEntries(OWN.map((name) => [name, own[name].id])) as Record<OwnObject, number>,
    fonts,
    pieces,
    qrMark,
  };
}

function drawText(doc: InstanceType<typeof PDFDocument>, text: PlacedText): void {
  const { element, size } = text;
  doc.fontSize(size).fillColor(element.color);
  for (const run of placeRuns(text)) {
    // The types know paths and buffers only; a parsed font is taken too, and costs an eighth.
    doc.font(run.font as unknown as string, run.key);
    doc.text(run.text, run.x, run.y, {
      lineBreak: false,
      baseline: 'alphabetic',
      characterSpacing: trackingAt(element, size),
      features: featuresOf(element),
    });
  }
}

/** Puts the letters into the shared fonts that most persons' words need. */
function addUsualLetters(
  doc: InstanceType<typeof PDFDocument>,
  template: Template,
  bindings: Bindings,
): void {
  for (const element of template.texts) {
    if (isShared(element)) continue;
    const names = element.text.flatMap(namesIn) as BindingName[];
    // In a row, since a letter's form may depend on its neighbours: digits among Latin letters, “fi”.
    const rows = [
      ...element.text.flatMap((text) => text.split(/\{[^{}]*\}/)),
      ...names.map((name) => (SHARED.includes(name) ? bindings[name] : USUAL[name]) ?? ''),
    ].filter((row) => row !== '');
    for (const row of rows)
      for (const run of runsOf(element.font, row)) {
        doc.font(fontOf(run.key) as unknown as string, run.key);
        (doc as unknown as Inside)._fontFamilies[run.key]!.encode(run.text, featuresOf(element));
      }
  }
}
