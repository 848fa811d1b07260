import { createHash } from 'node:crypto';
import PDFDocument from 'pdfkit';
import { create as createQr } from 'qrcode';
import type { Text } from '../courses/notation.ts';
import { Refusal } from '../errors.ts';
import type { EvidenceGrade } from './evidence.ts';
import { forgetCharacters, runsOf } from './fonts.ts';
import { namesIn, type BindingName, type Template } from './template.ts';

/** An old certificate of somebody else, as a fact. */
export interface RecordedFrom {
  readonly number: string;
  readonly issuingBody: string;
  readonly issuedOn: string;
}

/** What a certificate says. Days are `YYYY-MM-DD`; hours are class hours 学时; percent is 0–100. */
export interface CertificateClaims {
  readonly number: string;
  readonly holderName: string;
  /** The last four characters of the holder's identity number, where the issuer wants them printed to tell namesakes apart. */
  readonly identityLast4?: string | null;
  readonly organizationName: string | null;
  readonly roleTitle: Text | null;
  readonly certificationTitle: Text;
  /** null: it was not earned by a course of ours. */
  readonly courseTitle: Text | null;
  /** Whether the course was reviewed when it was taken, as a clause without a full stop; of a course of ours since it is said at all. */
  readonly courseReview?: Text | null;
  /** 0: none are credited. */
  readonly classHours: number;
  /** null: there was no exam of ours. */
  readonly percent: number | null;
  readonly issuerName: string;
  readonly issuedOn: string;
  readonly validFrom: string;
  /** Last valid day; null = does not expire. */
  readonly validUntil: string | null;
  /** What was checked, as a clause without a full stop. */
  readonly evidence: Text;
  /** Only of certificates that were issued before there were grades it is not there. */
  readonly evidenceGrade?: EvidenceGrade;
  /** The last day of the training that was recognized; only where no exam of ours stands behind it. */
  readonly completedOn?: string;
  readonly recordedFrom?: RecordedFrom | null;
  /** `https://…/verify/<number>#code=<code>`: what the QR code says; its parts are printed too. */
  readonly verificationUrl: string;
}

/** A text that its box can't hold at its smallest size: refused, never clipped. */
export class TextDoesNotFit extends Refusal {
  readonly code = 'TEXT_DOES_NOT_FIT';
  /** The claims in it, e.g. `holderName`. */
  readonly field: string;
  constructor(field: string, text: string) {
    super(`${field}: "${text}" does not fit its place on the certificate, even at the smallest size.`);
    this.field = field;
  }
}

/**
 * Draws a certificate, one page, as tagged PDF 1.7. It takes no clock and no chance: the same template, claims, fonts and
 * Node.js give the same bytes (another zlib may pack the same page otherwise, so keep the bytes that were issued).
 * @throws MissingGlyph, TextDoesNotFit
 */
export async function drawCertificate(template: Template, claims: CertificateClaims): Promise<Uint8Array> {
  const bindings = bindingsOf(claims);
  // Placed before anything is drawn, so that a refusal leaves no half-made document behind.
  const texts = template.texts.flatMap((element) => place(element, bindings) ?? []);
  forgetCharacters();
  // Noon in China: the same day in every time zone from London to Tokyo.
  const issued = new Date(`${claims.issuedOn}T12:00:00+08:00`);
  const doc = new PDFDocument({
    size: [template.page.width, template.page.height],
    margin: 0,
    pdfVersion: '1.7',
    tagged: true,
    lang: 'zh-CN',
    displayTitle: true,
    // pdfkit would open Helvetica for nothing.
    font: null as unknown as string,
    // pdfkit makes the document's /ID from these, so the number in the title makes it one of a kind.
    info: {
      Title: `${claims.certificationTitle['zh-CN']} ${claims.number}`,
      Author: claims.issuerName,
      Subject: claims.certificationTitle.en,
      Creator: `Xinqiao ${template.name}/${template.version}`,
      Producer: 'pdfkit',
      CreationDate: issued,
      ModDate: issued,
    },
  });
  const chunks: Buffer[] = [];
  const done = new Promise<Uint8Array>((resolve, reject) => {
    doc.on('data', (chunk: Buffer) => chunks.push(chunk));
    doc.on('end', () => resolve(Buffer.concat(chunks)));
    doc.on('error', reject);
  });

  doc.markContent('Artifact', { type: 'Layout' });
  for (const shape of template.art) drawShape(doc, shape);
  doc.endMarkedContent();

  const document = doc.struct('Document');
  doc.addStructure(document);
  for (const text of texts) {
    const { role, lang } = text.element;
    document.add(doc.struct(role, lang === 'en' ? { lang } : {}, [() => drawText(doc, text)]));
  }
  const alt = `核验二维码 QR code: ${claims.verificationUrl}`;
  document.add(doc.struct('Figure', { alt }, [() => drawQr(doc, template.qr, claims.verificationUrl)]));
  document.end();
  doc.end();
  return done;
}

/** SHA-256, hex. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

type Bindings = Readonly<Record<BindingName, string | undefined>>;

/** The claims in words. undefined: there is nothing to say. */
export function bindingsOf(claims: CertificateClaims): Bindings {
  const { classHours, validFrom, validUntil } = claims;
  const [page, fragment] = claims.verificationUrl.split('#');
  return {
    number: claims.number,
    holderName: claims.holderName,
    identityLast4: claims.identityLast4 ?? undefined,
    organizationName: claims.organizationName ?? undefined,
    'roleTitle.zh': claims.roleTitle?.['zh-CN'],
    'roleTitle.en': claims.roleTitle?.en,
    'certificationTitle.zh': claims.certificationTitle['zh-CN'],
    'certificationTitle.en': claims.certificationTitle.en,
    'courseTitle.zh': claims.courseTitle?.['zh-CN'],
    'courseTitle.en': claims.courseTitle?.en,
    'courseReview.zh': claims.courseReview?.['zh-CN'],
    'courseReview.en': claims.courseReview?.en,
    'classHours.zh': classHours === 0 ? undefined : `${classHours} 学时`,
    'classHours.en':
      classHours === 0 ? undefined : classHours === 1 ? '1 class hour' : `${classHours} class hours`,
    percent: claims.percent === null ? undefined : String(claims.percent),
    issuerName: claims.issuerName,
    'issuedOn.zh': chineseDay(claims.issuedOn),
    'issuedOn.en': englishDay(claims.issuedOn),
    'validity.zh': validUntil === null ? '长期有效' : `${chineseDay(validFrom)}至${chineseDay(validUntil)}`,
    'validity.en': validUntil === null ? 'No expiry' : `${englishDay(validFrom)} – ${englishDay(validUntil)}`,
    'evidence.zh': claims.evidence['zh-CN'],
    'evidence.en': claims.evidence.en,
    verificationPage: page,
    verificationCode: new URLSearchParams(fragment).get('code') ?? undefined,
  };
}

export function chineseDay(day: string): string {
  const [year, month, date] = day.split('-').map(Number);
  return `${year}年${month}月${date}日`;
}

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);

export function englishDay(day: string): string {
  const [year, month, date] = day.split('-').map(Number);
  return `${date} ${MONTHS[month! - 1]} ${year}`;
}

type Doc = InstanceType<typeof PDFDocument>;
type Shape = Template['art'][number];
type Element = Template['texts'][number];
type Point = readonly [x: number, y: number];

function drawShape(doc: Doc, shape: Shape): void {
  doc.save().lineWidth(shape.lineWidth);
  switch (shape.kind) {
    case 'rect':
      doc.roundedRect(shape.x, shape.y, shape.width, shape.height, shape.radius);
      paint(doc, shape);
      break;
    case 'circle':
      doc.circle(shape.x, shape.y, shape.radius);
      paint(doc, shape);
      break;
    case 'line':
      doc.moveTo(shape.x1, shape.y1).lineTo(shape.x2, shape.y2).stroke(shape.stroke);
      break;
    case 'path':
      doc.path(shape.d);
      paint(doc, shape);
      break;
    case 'band':
      drawBand(doc, shape);
      break;
    case 'rosette':
      drawRosette(doc, shape);
      break;
  }
  doc.restore();
}

function paint(doc: Doc, { stroke, fill }: { stroke?: string | undefined; fill?: string | undefined }): void {
  if (stroke !== undefined && fill !== undefined) doc.fillAndStroke(fill, stroke);
  else if (fill !== undefined) doc.fill(fill);
  else if (stroke !== undefined) doc.stroke(stroke);
}

/*
 * Both kinds of guilloche repeat one figure under a moved or turned coordinate system: the repeated bytes then compress to
 * almost nothing, where absolute coordinates would take 100 kB.
 */

/** Sine waves along a line, each as far behind the one before. */
function drawBand(
  doc: Doc,
  { x1, y1, x2, y2, amplitude, waves, strands, stroke }: Extract<Shape, { kind: 'band' }>,
): void {
  const length = Math.hypot(x2 - x1, y2 - y1) / waves;
  doc.translate(x1, y1).rotate((Math.atan2(y2 - y1, x2 - x1) * 180) / Math.PI);
  for (let wave = 0; wave < waves; wave += 1) {
    for (let strand = 0; strand < strands; strand += 1) {
      const phase = (2 * Math.PI * strand) / strands;
      traceCurve(doc, 4, (t) => [length * t, amplitude * Math.sin(2 * Math.PI * t + phase)]);
    }
    doc.stroke(stroke).translate(length, 0);
  }
}

/** The same round a point: the ring that the waves fill lies between `inner` and `outer`. */
function drawRosette(
  doc: Doc,
  { x, y, inner, outer, petals, strands, stroke }: Extract<Shape, { kind: 'rosette' }>,
): void {
  doc.translate(x, y);
  for (let strand = 0; strand < strands; strand += 1) {
    traceCurve(doc, petals * 6, (t) => {
      const radius = (outer + inner) / 2 + ((outer - inner) / 2) * Math.sin(2 * Math.PI * petals * t);
      return [radius * Math.cos(2 * Math.PI * t), radius * Math.sin(2 * Math.PI * t)];
    });
    doc.stroke(stroke).rotate(360 / petals / strands);
  }
}

/** Bézier curves through `steps` + 1 points of a smooth curve, t from 0 to 1, with the curve's own slope at each. */
function traceCurve(doc: Doc, steps: number, at: (t: number) => Point): void {
  const near = 1e-6;
  const handle = (t: number, axis: 0 | 1): number =>
    (at(t + near)[axis] - at(t - near)[axis]) / (2 * near) / (3 * steps);
  const round = (length: number): number => Math.round(length * 100) / 100;
  let [x, y] = at(0);
  doc.moveTo(round(x), round(y));
  for (let step = 1; step <= steps; step += 1) {
    const [from, to] = [(step - 1) / steps, step / steps];
    const [nextX, nextY] = at(to);
    doc.bezierCurveTo(
      round(x + handle(from, 0)),
      round(y + handle(from, 1)),
      round(nextX - handle(to, 0)),
      round(nextY - handle(to, 1)),
      round(nextX),
      round(nextY),
    );
    [x, y] = [nextX, nextY];
  }
}

/** A text that has its size, its lines, and letters for every character. */
interface PlacedText {
  readonly element: Element;
  readonly size: number;
  readonly lines: readonly string[];
}

/** undefined: none of the element's texts has all it says. @throws MissingGlyph, TextDoesNotFit */
function place(element: Element, bindings: Bindings): PlacedText | undefined {
  // A letter and its accent may be given as two characters, where the font has the one that they make.
  const valueOf = (name: string): string | undefined =>
    bindings[name as BindingName]?.replaceAll(/\p{L}\p{M}+/gu, (letter) => letter.normalize('NFC'));
  const pattern = element.text.find((each) => namesIn(each).every((name) => valueOf(name) !== undefined));
  if (pattern === undefined) return undefined;
  const names = namesIn(pattern);
  for (const name of names) runsOf(element.font, valueOf(name)!, name);
  const text = pattern.replaceAll(/\{([^{}]*)\}/g, (_whole, name: string) => valueOf(name)!);
  for (let size = element.size; size >= (element.minSize ?? element.size); size -= 0.5) {
    const lines = breakLines(element, text, size, element.width);
    if (fits(element, size, lines)) return { element, size, lines: balance(element, text, size, lines) };
  }
  throw new TextDoesNotFit(names.join(', ') || 'text', text);
}

function fits(element: Element, size: number, lines: readonly string[], width = element.width): boolean {
  // A hair of tolerance for floating point, far below what a printer can show.
  if (lines.length * size * element.lineHeight > element.height + 0.01) return false;
  return lines.every((line) => widthOf(element, line, size) <= width + 0.01);
}

/** Centred lines of about the same length, rather than a full one and a leftover. */
function balance(element: Element, text: string, size: number, lines: readonly string[]): readonly string[] {
  if (lines.length === 1 || element.align !== 'center') return lines;
  let balanced = lines;
  for (let width = element.width - size / 2; width > element.width / lines.length; width -= size / 2) {
    const narrower = breakLines(element, text, size, width);
    if (narrower.length > lines.length || !fits(element, size, narrower, width)) break;
    balanced = narrower;
  }
  return balanced;
}

/**
 * Units that a line break leaves whole: a Latin word or number, or one character, with the opening marks before it and the
 * closing marks behind it, which may begin or end no line.
 */
const UNIT =
  /[“‘《「『（〈【〔([]*(?:[\p{Script=Latin}\p{Nd}][\p{Script=Latin}\p{Nd}\p{M}'’.,:/#=%–-]*|\S)[”’》」』）〉】〕)\]，。、；：？！…·,.;:?!%]*\s*|\s+/gu;

function breakLines(element: Element, text: string, size: number, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const unit of text.match(UNIT) ?? []) {
    if (line !== '' && widthOf(element, (line + unit).trimEnd(), size) > width + 0.01) {
      lines.push(line.trimEnd());
      line = '';
    }
    line += unit;
  }
  return [...lines, line.trimEnd()];
}

/** Of a line, in points. */
function widthOf(element: Element, text: string, size: number): number {
  return advanceOf(element, text) * size + trackingAt(element, size) * Math.max(0, [...text].length - 1);
}

/** Laying a text out is what drawing costs, and most texts of a template are the same on every certificate. */
const advances = new Map<string, number>();
const MOST_ADVANCES = 20_000;

/** Of a text's letters, in ems. */
function advanceOf(element: Element, text: string): number {
  const key = `${element.font} ${element.lang ?? ''} ${text}`;
  const known = advances.get(key);
  if (known !== undefined) return known;
  const advance = runsOf(element.font, text).reduce(
    (sum, run) => sum + run.font.layout(run.text, featuresOf(element)).advanceWidth / run.font.unitsPerEm,
    0,
  );
  if (advances.size >= MOST_ADVANCES) advances.clear();
  advances.set(key, advance);
  return advance;
}

function trackingAt(element: Element, size: number): number {
  return (element.tracking * size) / element.size;
}

/** In English, quotation marks take their own width and not that of a Chinese character. */
function featuresOf({ lang }: Element): ('pwid' | 'kern')[] {
  return lang === 'en' ? ['pwid', 'kern'] : [];
}

/** How far a centred line looks off its middle, times its size: half of a Chinese punctuation mark is blank. */
function blankAtEnds(line: string): number {
  return (/[，。、；：！？）》」』】]$/u.test(line) ? 0.25 : 0) - (/^[（《「『【]/u.test(line) ? 0.25 : 0);
}

/** In the middle of its box, from top to bottom. */
function drawText(doc: Doc, { element, size, lines }: PlacedText): void {
  const tracking = trackingAt(element, size);
  const lineHeight = size * element.lineHeight;
  const top = element.y + (element.height - lines.length * lineHeight) / 2;
  doc.fontSize(size).fillColor(element.color);
  for (const [index, line] of lines.entries()) {
    const spare = element.width - widthOf(element, line, size);
    let x =
      element.x + { left: 0, center: spare / 2 + blankAtEnds(line) * size, right: spare }[element.align];
    // A Chinese character's middle is 0.38 of its size above the baseline.
    const baseline = top + (index + 0.5) * lineHeight + 0.38 * size;
    for (const run of runsOf(element.font, line)) {
      // The types know paths and buffers only; a parsed font is taken too, and costs an eighth.
      doc.font(run.font as unknown as string, run.key);
      doc.text(run.text, x, baseline, {
        lineBreak: false,
        baseline: 'alphabetic',
        characterSpacing: tracking,
        features: featuresOf(element),
      });
      x += widthOf(element, run.text, size) + tracking;
    }
  }
}

/** As vector squares: sharp at any size of print. The quiet zone is the paper's. */
function drawQr(doc: Doc, place: Template['qr'], text: string): void {
  const { modules } = createQr(text, { errorCorrectionLevel: 'M' });
  const side = place.size / modules.size;
  for (let row = 0; row < modules.size; row += 1) {
    for (let column = 0; column < modules.size; column += 1) {
      if (modules.get(row, column) === 0) continue;
      let end = column;
      while (end + 1 < modules.size && modules.get(row, end + 1) !== 0) end += 1;
      doc.rect(place.x + column * side, place.y + row * side, (end - column + 1) * side, side);
      column = end;
    }
  }
  doc.fill(place.color);
}
