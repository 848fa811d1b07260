import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { drawCertificate, type CertificateClaims } from '../certification/document.ts';
import { readTemplate } from '../certification/template.ts';

/* npm run certificate:preview -- <template> [--version 1] [--out file.pdf] */

export const sampleClaims: CertificateClaims = {
  number: 'XQ2026-7K3M-9QXR-4TWX',
  holderName: '欧阳静怡',
  organizationName: '长沙县星沙实验小学',
  roleTitle: { 'zh-CN': '班主任', en: 'Class teacher' },
  certificationTitle: { 'zh-CN': '学生心理健康守门人', en: 'Gatekeeper for Students’ Mental Health' },
  courseTitle: { 'zh-CN': '心桥守门人：看见与倾听', en: 'Xinqiao Gatekeeper: Noticing and Listening' },
  classHours: 2,
  percent: 90,
  issuerName: '长沙县教育局',
  issuedOn: '2026-11-24',
  validFrom: '2026-11-24',
  validUntil: '2029-11-23',
  evidence: { 'zh-CN': '完成全部课程活动，并通过由服务端组卷、计时与评分的考试', en: 'All course activities completed; exam drawn, timed and graded by the server passed' },
  verificationUrl: 'https://xinqiao.example/verify/XQ2026-7K3M-9QXR-4TWX#code=ABCD-EFGH-JKMN-PQRS',
};

if (import.meta.main) {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { version: { type: 'string', default: '1' }, out: { type: 'string' } } });
  const [name] = positionals;
  if (name === undefined || !/^\d+$/.test(values.version)) {
    console.error('Usage: npm run certificate:preview -- <template> [--version 1] [--out file.pdf]');
    process.exit(2);
  }
  const started = performance.now();
  const pdf = await drawCertificate(await readTemplate(name, Number(values.version)), sampleClaims);
  const out = values.out ?? `${name}-${values.version}.pdf`;
  await writeFile(out, pdf);
  console.log(`${out}: ${(pdf.length / 1024).toFixed(1)} kB in ${Math.round(performance.now() - started)} ms, the fonts read included`);
}
