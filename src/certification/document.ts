import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Text } from '../courses/notation.ts';
import { evidenceOfEarned, type EvidenceGrade } from './evidence.ts';
import { choose, composed, place, type Bindings } from './layout.ts';
import { drawPerson, type Hole } from './person.ts';
import { isShared, prepare, type Prepared } from './prepared.ts';
import type { Template } from './template.ts';

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

/** What a document carries besides what it says. */
export interface Carried {
  /** What the QR code says: up to some 600 characters. Usually the verification address. */
  readonly qrText?: string;
  /** The credential in its compact form (JWT), embedded for machines; null: the claims themselves are, as canonical JSON. */
  readonly credential?: string | null;
  /** How many bytes a signature may take. 0: it is not to be signed. */
  readonly room?: number;
}

/** A document before it is signed. */
export interface Drawing {
  readonly bytes: Buffer;
  readonly hole: Hole | undefined;
  /** What it has in common with others: the bytes begin with it. */
  readonly prepared: Prepared;
}

/**
 * Draws a certificate, one page, as tagged PDF 1.7 and PDF/A-3b. It takes no clock and no chance: the same template, claims, fonts and
 * Node.js give the same bytes (another zlib may pack the same page otherwise; what was issued is kept: see `keep.ts`).
 * @throws MissingGlyph, TextDoesNotFit
 */
export function draw(template: Template, claims: CertificateClaims, carried: Carried = {}): Drawing {
  const bindings = composed(bindingsOf(claims));
  // Placed before anything is drawn, so that a refusal leaves no half-made document behind.
  const chosen = template.texts.map((element) => choose(element, bindings));
  const texts = chosen.map((text, index) => {
    const element = template.texts[index]!;
    return text === undefined || isShared(element) ? undefined : place(element, text);
  });
  const prepared = prepare(template, bindings, chosen);
  const credential = carried.credential ?? null;
  const drawn = drawPerson(prepared, template, {
    texts,
    qrText: carried.qrText ?? claims.verificationUrl,
    title: `${claims.certificationTitle['zh-CN']} ${claims.number}`,
    description: claims.certificationTitle.en,
    issuerName: claims.issuerName,
    creator: `Xinqiao ${template.name}/${template.version}`,
    // Noon in China: the same day in every time zone from London to Tokyo.
    at: new Date(`${claims.issuedOn}T12:00:00+08:00`),
    attachment:
      credential === null
        ? {
            fileName: 'claims.json',
            type: 'application/json',
            description: '证书所载内容 What the certificate says',
            bytes: Buffer.from(canonicalize(claims)!),
          }
        : {
            fileName: 'credential.jwt',
            type: 'application/vc+jwt',
            description: '可验证凭证 Open Badges 3.0 credential',
            bytes: Buffer.from(credential),
          },
    room: carried.room ?? 0,
  });
  return { ...drawn, prepared };
}

/** The document without a signature, as a preview shows it. @throws MissingGlyph, TextDoesNotFit */
export async function drawCertificate(
  template: Template,
  claims: CertificateClaims,
  carried: Omit<Carried, 'room'> = {},
): Promise<Uint8Array> {
  return draw(template, claims, carried).bytes;
}

const samples = new WeakMap<Prepared, Buffer>();

/** What the own part of a document of the same kind looks like, of nobody: documents are packed against it to be kept. */
export function sampleEnd(
  { prepared, hole }: Drawing,
  template: Template,
  claims: CertificateClaims,
): Buffer {
  let sample = samples.get(prepared);
  if (sample === undefined) {
    const drawing = draw(template, someone(claims), { room: hole?.room ?? 0 });
    if (drawing.prepared !== prepared) throw new Error('The sample is of another page.');
    sample = drawing.bytes.subarray(prepared.bytes.length);
    samples.set(prepared, sample);
  }
  return sample;
}

/** The claims with all that tells one person from another taken out. Which ones are there stays as it is, and so does the page. */
function someone(claims: CertificateClaims): CertificateClaims {
  return {
    ...claims,
    number: 'XQ2026-0000-0000-0000',
    holderName: '某某',
    ...(typeof claims.identityLast4 === 'string' ? { identityLast4: '0000' } : {}),
    organizationName: claims.organizationName === null ? null : '某校',
    roleTitle: claims.roleTitle === null ? null : { 'zh-CN': '班主任', en: 'Class teacher' },
    classHours: claims.classHours === 0 ? 0 : 1,
    percent: claims.percent === null ? null : 90,
    issuedOn: '2026-01-01',
    validFrom: '2026-01-01',
    validUntil: claims.validUntil === null ? null : '2028-12-31',
    evidence: evidenceOfEarned('A'),
    ...(claims.completedOn === undefined ? {} : { completedOn: '2026-01-01' }),
    recordedFrom: null,
    verificationUrl: `${claims.verificationUrl.split('/verify/')[0]}/verify/XQ2026-0000-0000-0000#code=0000-0000-0000-0000`,
  };
}

/** SHA-256, hex. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

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
