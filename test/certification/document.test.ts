import { describe, expect, it } from 'vitest';
import { sampleClaims } from '../../src/commands/preview-certificate.ts';
import { digestOf, drawCertificate, type CertificateClaims } from '../../src/certification/document.ts';
import { readTemplate } from '../../src/certification/template.ts';
import { readPdf } from '../support/pdf.ts';

const template = await readTemplate('standard', 1);
const draw = async (claims: Partial<CertificateClaims>): Promise<Uint8Array> =>
  drawCertificate(template, { ...sampleClaims, ...claims });

describe('a certificate on paper', () => {
  it.each([
    ['a common name', { holderName: '李娜' }],
    ['a long name with a dot', { holderName: '阿依古丽·买买提江·吐尔逊古丽' }],
    ['a name with characters that few fonts have', { holderName: '王㛃䶮〇' }],
    ['a name in Latin letters', { holderName: 'Zoë Ångström-Müller' }],
    [
      'everything long',
      {
        holderName: '欧阳静怡欧阳静怡',
        organizationName:
          '新疆维吾尔自治区伊犁哈萨克自治州察布查尔锡伯自治县第一中等职业技术学校附属实验小学',
        certificationTitle: {
          'zh-CN': '中小学班主任与高校辅导员学生心理健康守门人（含危机识别、转介与返校支持）',
          en: 'Gatekeeper for Students’ Mental Health, with Recognising a Crisis, Referral and Return to School',
        },
        issuerName: '伊犁哈萨克自治州察布查尔锡伯自治县教育局',
      },
    ],
    [
      'nothing that may be absent',
      { organizationName: null, roleTitle: null, percent: null, validUntil: null },
    ],
  ] as const)('says what it should with %s', async (_name, claims) => {
    const pdf = await readPdf(await draw(claims));
    expect(pdf.pages).toBe(1);
    const text = pdf.text.replaceAll(/\s/g, '');
    for (const said of [
      ...Object.values(claims).flatMap((value) =>
        typeof value === 'string' ? [value] : value !== null && 'zh-CN' in value ? [value['zh-CN']] : [],
      ),
      sampleClaims.number,
    ])
      expect(text).toContain(said.replaceAll(/\s/g, ''));
    expect(pdf.qr).toBe(sampleClaims.verificationUrl);
  });

  it('is the same to the byte when it is drawn again', async () => {
    expect(digestOf(await draw({}))).toBe(digestOf(await draw({})));
    expect(digestOf(await draw({ holderName: '李娜' }))).not.toBe(digestOf(await draw({})));
  });

  it('is refused rather than printed with a hole', async () => {
    await expect(draw({ holderName: 'བསོད་ནམས' })).rejects.toMatchObject({
      message: expect.stringContaining('བ'),
    });
  });

  it('is refused rather than printed over itself', async () => {
    await expect(draw({ holderName: '长'.repeat(200) })).rejects.toMatchObject({ code: 'TEXT_DOES_NOT_FIT' });
  });
});
