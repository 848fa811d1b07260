import { createHash } from 'node:crypto';
import PDFDocument from 'pdfkit';
import { create as createQr } from 'qrcode';
import type { Text } from '../courses/manifest.ts';
import { Refusal } from '../errors.ts';
import { fontOf, requireGlyphs, type FontName } from './fonts.ts';
import type { Template } from './template.ts';

/** What a certificate says. Days are `YYYY-MM-DD`; hours are class hours 学时; percent is 0–100. */
export interface CertificateClaims {
  readonly number: string;
  readonly holderName: string;
  readonly organizationName: string | null;
  readonly roleTitle: Text | null;
  readonly certificationTitle: Text;
  readonly courseTitle: Text;
  readonly classHours: number;
  readonly percent: number | null;
  readonly issuerName: string;
  readonly issuedOn: string;
  readonly validFrom: string;
  /** Last valid day; null = does not expire. */
  readonly validUntil: string | null;
  readonly evidence: Text;
  readonly verificationUrl: string;
}

/** A text that its place can't hold at its smallest size: refused, never clipped. */
export class TextDoesNotFit extends Refusal {
  readonly code = 'TEXT_DOES_NOT_FIT';
  constructor(text: string) {
    super(`"${text}" does not fit its place on the certificate, even at the smallest size.`);
  }
}

/**
 * Draws a certificate, one page, as tagged PDF 1.7. It takes no clock and no chance: the same template, claims and fonts give
 * the same bytes.
 * @throws MissingGlyph, TextDoesNotFit
 */
export async function drawCertificate(template: Template, claims: CertificateClaims): Promise<Uint8Array> {
  const bindings = bindingsOf(claims);
  const doc = new PDFDocument({
    size: [template.page.width, template.page.height],
    margin: 0,
    pdfVersion: '1.7',
    tagged: true,
    lang: 'zh-CN',
    displayTitle: true,
    // pdfkit would open Helvetica for nothing.
    font: null as unknown as string,
    info: {
      Title: `${claims.certificationTitle['zh-CN']} ${claims.number}`,
      Author: claims.issuerName,
      Subject: claims.certificationTitle.en,
      Creator: 'Xinqiao',
      Producer: 'pdfkit',
      CreationDate: new Date(`${claims.issuedOn}T00:00:00Z`),
      ModDate: new Date(`${claims.issuedOn}T00:00:00Z`),
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
  for (const element of template.texts) {
    const text = bind(element.text, bindings);
    if (text === undefined) continue;
    document.add(doc.struct(element.role, {}, [() => drawText(doc, element, text)]));
  }
  document.add(doc.struct('Figure', { alt: `QR code: ${claims.verificationUrl}` }, [() => drawQr(doc, template.qr, claims.verificationUrl)]));
  document.end();
  doc.end();
  return done;
}

/** SHA-256, hex. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What a template may write in braces. undefined leaves the element out. */
export function bindingsOf(claims: CertificateClaims): Readonly<Record<string, string | undefined>> {
  const { validUntil } = claims;
  return {
    number: claims.number,
    holderName: claims.holderName,
    organizationName: claims.organizationName ?? undefined,
    'roleTitle.zh': claims.roleTitle?.['zh-CN'],
    'roleTitle.en': claims.roleTitle?.en,
    'certificationTitle.zh': claims.certificationTitle['zh-CN'],
    'certificationTitle.en': claims.certificationTitle.en,
    'courseTitle.zh': claims.courseTitle['zh-CN'],
    'courseTitle.en': claims.courseTitle.en,
    classHours: String(claims.classHours),
    percent: claims.percent === null ? undefined : String(claims.percent),
    issuerName: claims.issuerName,
    'issuedOn.zh': chineseDay(claims.issuedOn),
    'issuedOn.en': englishDay(claims.issuedOn),
    'validity.zh': validUntil === null ? '长期有效' : `${chineseDay(claims.validFrom)}至${chineseDay(validUntil)}`,
    'validity.en': validUntil === null ? 'No expiry' : `${englishDay(claims.validFrom)} – ${englishDay(validUntil)}`,
    'evidence.zh': claims.evidence['zh-CN'],
    'evidence.en': claims.evidence.en,
    verificationCode: claims.verificationUrl.split('code=')[1],
    verificationUrl: claims.verificationUrl,
  };
}

function chineseDay(day: string): string {
  const [year, month, date] = day.split('-').map(Number);
  return `${year}年${month}月${date}日`;
}

function englishDay(day: string): string {
  return new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' }).format(new Date(`${day}T00:00:00Z`));
}

/** undefined when a binding has no value. @throws Error for a binding that does not exist: the template is wrong. */
function bind(text: string, bindings: Readonly<Record<string, string | undefined>>): string | undefined {
  let complete = true;
  const bound = text.replaceAll(/\{([^}]+)\}/g, (_whole, name: string) => {
    if (!(name in bindings)) throw new Error(`The template binds {${name}}, which does not exist.`);
    const value = bindings[name];
    if (value === undefined) complete = false;
    return value ?? '';
  });
  return complete ? bound : undefined;
}

type Doc = InstanceType<typeof PDFDocument>;

function drawShape(doc: Doc, shape: Template['art'][number]): void {
  doc.save();
  doc.lineWidth('lineWidth' in shape ? shape.lineWidth : 1);
  switch (shape.kind) {
    case 'rect':
      doc.roundedRect(shape.x, shape.y, shape.width, shape.height, shape.radius);
      paint(doc, shape);
      break;
    case 'line':
      doc.moveTo(shape.x1, shape.y1).lineTo(shape.x2, shape.y2).stroke(shape.stroke);
      break;
    case 'circle':
      if (shape.dash !== undefined) doc.dash(shape.dash, { space: shape.dash });
      doc.circle(shape.x, shape.y, shape.radius).stroke(shape.stroke);
      break;
    case 'path':
      doc.path(shape.d);
      paint(doc, shape);
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

/** Rings of waves round a point, each turned a little against the last, as banknotes have them. */
function drawRosette(doc: Doc, { x, y, radius, petals, rings, stroke }: Extract<Template['art'][number], { kind: 'rosette' }>): void {
  const steps = petals * 10;
  for (let ring = 0; ring < rings; ring += 1) {
    const middle = radius * (0.45 + (0.45 * ring) / rings);
    for (let step = 0; step <= steps; step += 1) {
      const angle = (2 * Math.PI * step) / steps;
      const distance = middle + radius * 0.1 * Math.sin(petals * angle + (Math.PI * ring) / rings);
      const point = [Number((x + distance * Math.cos(angle)).toFixed(2)), Number((y + distance * Math.sin(angle)).toFixed(2))] as const;
      if (step === 0) doc.moveTo(...point);
      else doc.lineTo(...point);
    }
    doc.stroke(stroke);
  }
}

function drawText(doc: Doc, element: Template['texts'][number], text: string): void {
  requireGlyphs(element.font, text);
  // The types know paths and buffers only; a parsed font is taken too, and costs an eighth.
  doc.font(fontOf(element.font) as unknown as string);
  const { size, lines } = fit(element, text);
  doc.fontSize(size).fillColor(element.color);
  const height = size * element.lineHeight;
  // A text that needs fewer lines than its place has stands in the middle of it.
  const top = element.y + ((element.lines - lines.length) * element.size * element.lineHeight) / 2;
  lines.forEach((line, index) => {
    const width = widthOf(element.font, line, size, element.tracking);
    const x = element.align === 'left' ? element.x : element.align === 'right' ? element.x + element.width - width : element.x + (element.width - width) / 2;
    doc.text(line, x, top + index * height + (height - size * 1.448) / 2, { lineBreak: false, characterSpacing: element.tracking, features: featuresFor(line) });
  });
}

/** The largest size, from the element's own down to its smallest, at which the text takes no more lines than it may. */
function fit(element: Template['texts'][number], text: string): { size: number; lines: string[] } {
  const smallest = element.minSize ?? element.size;
  for (let size = element.size; size >= smallest; size -= 0.5) {
    const lines = breakLines(element.font, text, size, element.width, element.tracking);
    if (lines.length <= element.lines && lines.every((line) => widthOf(element.font, line, size, element.tracking) <= element.width)) return { size, lines };
  }
  throw new TextDoesNotFit(text);
}

const NOT_AT_LINE_START = /^[，。、；：？！）》」』”’…·,.;:?!)\]%]/u;

/** Breaks between words, and between any two Chinese characters but before closing punctuation. */
function breakLines(font: FontName, text: string, size: number, width: number, tracking: number): string[] {
  const pieces = text.match(/[\p{Script=Latin}\d'’.,%–-]+\s*|\s+|./gu) ?? [];
  const lines: string[] = [];
  let line = '';
  for (const piece of pieces) {
    if (line !== '' && !NOT_AT_LINE_START.test(piece) && widthOf(font, (line + piece).trimEnd(), size, tracking) > width) {
      lines.push(line.trimEnd());
      line = piece.trimStart();
    } else {
      line += piece;
    }
  }
  return line === '' ? lines : [...lines, line.trimEnd()];
}

function widthOf(fontName: FontName, text: string, size: number, tracking: number): number {
  const font = fontOf(fontName);
  return (font.layout(text, featuresFor(text)).advanceWidth / font.unitsPerEm) * size + tracking * Math.max(0, [...text].length - 1);
}

/** In a Latin line, quotation marks take their own width and not that of a Chinese character. */
function featuresFor(text: string): ('pwid' | 'kern')[] {
  return /\p{Script=Han}/u.test(text) ? [] : ['pwid', 'kern'];
}

/** As vector squares: sharp at any size of print. The quiet zone is white by itself. */
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
