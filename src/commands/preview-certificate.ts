import { describeReview, unreviewed } from '../courses/review.ts';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { drawCertificate, type CertificateClaims } from '../certification/document.ts';
import { findLatestVersion, readTemplate } from '../certification/template.ts';

/* Draws a template with sample claims: see certificates/README.md. */

const USAGE =
  'Usage: node src/commands/preview-certificate.ts <template> [--version <latest>] [--out file.pdf] [--png file.png]';

export const sampleClaims: CertificateClaims = {
  number: 'XQ2026-7K3M-9QXR-4TWA',
  holderName: '欧阳静怡',
  organizationName: '长沙县星沙实验小学',
  roleTitle: { 'zh-CN': '班主任', en: 'Class teacher' },
  certificationTitle: { 'zh-CN': '学生心理健康守门人', en: 'Gatekeeper for Students’ Mental Health' },
  courseTitle: { 'zh-CN': '心桥守门人：看见与倾听', en: 'Xinqiao Gatekeeper: Noticing and Listening' },
  courseReview: describeReview(unreviewed),
  classHours: 2,
  percent: 90,
  issuerName: '长沙县教育局',
  issuedOn: '2026-11-24',
  validFrom: '2026-11-24',
  validUntil: '2029-11-23',
  evidence: {
    'zh-CN': '完成全部课程活动，并通过由服务端组卷、计时与评分的考试',
    en: 'All course activities completed; exam drawn, timed and graded by the server passed',
  },
  verificationUrl: 'https://xinqiao.example/verify/XQ2026-7K3M-9QXR-4TWA#code=ABCD-EFGH-JKMN-PQRS',
};

/** One that was recorded from an old certificate. */
export const recordedClaims: CertificateClaims = {
  ...sampleClaims,
  courseTitle: null,
  classHours: 1,
  percent: null,
  completedOn: '2025-03-04',
  recordedFrom: { number: '湘教师培〔2025〕0417', issuingBody: '湖南省教师培训中心', issuedOn: '2025-03-04' },
  evidence: {
    'zh-CN':
      '据湖南省教师培训中心2025年3月4日颁发的证书（编号 湘教师培〔2025〕0417）登记，由长沙县教育局经两人审核认定',
    en: 'Recorded from certificate No. 湘教师培〔2025〕0417, issued by 湖南省教师培训中心 on 4 March 2025; recognized by 长沙县教育局 after review by two people',
  },
};

/** The first page at 144 dpi, by a renderer that is there for the tests. */
async function renderPage(pdf: Uint8Array): Promise<Buffer> {
  const { createCanvas } = await import('@napi-rs/canvas');
  const { getDocument } = await import('pdfjs-dist/legacy/build/pdf.mjs');
  // pdf.js takes the bytes it is given for itself.
  const document = await getDocument({ data: Uint8Array.from(pdf), verbosity: 0 }).promise;
  const page = await document.getPage(1);
  const viewport = page.getViewport({ scale: 2 });
  const canvas = createCanvas(Math.round(viewport.width), Math.round(viewport.height));
  await page.render({
    canvas: canvas as never,
    canvasContext: canvas.getContext('2d') as never,
    viewport,
  }).promise;
  return canvas.toBuffer('image/png');
}

if (import.meta.main) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { version: { type: 'string' }, out: { type: 'string' }, png: { type: 'string' } },
  });
  const [name] = positionals;
  const version = values.version ?? (name === undefined ? undefined : await findLatestVersion(name));
  if (name === undefined || version === undefined || !/^\d+$/.test(String(version))) {
    console.error(USAGE);
    process.exit(2);
  }
  const template = await readTemplate(name, Number(version));
  const started = performance.now();
  const pdf = await drawCertificate(template, name === 'recorded' ? recordedClaims : sampleClaims);
  const took = Math.round(performance.now() - started);
  const out = values.out ?? `${name}-${version}.pdf`;
  await writeFile(out, pdf);
  console.log(`${out}: ${(pdf.length / 1000).toFixed(1)} kB in ${took} ms, reading the fonts included`);
  if (values.png !== undefined) {
    await writeFile(values.png, await renderPage(pdf));
    console.log(values.png);
  }
}
