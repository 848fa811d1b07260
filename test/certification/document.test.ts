import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { describe, expect, it } from 'vitest';
import { recordedClaims, sampleClaims } from '../../src/commands/preview-certificate.ts';
import { digestOf, drawCertificate, type CertificateClaims } from '../../src/certification/document.ts';
import { readTemplate } from '../../src/certification/template.ts';
import { projectFolder } from '../../src/config.ts';
import { readPdf, type ReadPdf } from '../support/pdf.ts';

const template = await readTemplate('standard', 1);
const draw = async (claims: Partial<CertificateClaims>): Promise<Uint8Array> =>
  drawCertificate(template, { ...sampleClaims, ...claims });
const packed = (text: string): string => text.replaceAll(/\s/g, '');

/** As an independent reader measures it: letters that leave their box, and letters over other letters. */
function misplaced({ letters }: ReadPdf): string[] {
  const boxes = template.texts;
  const outside = letters.filter(
    ({ x, y, width, size }) =>
      !boxes.some(
        (box) =>
          // Half of a full stop is blank; a centred line may hang that much over.
          x >= box.x - 0.3 * size &&
          x + width <= box.x + box.width + 0.3 * size &&
          y > box.y &&
          y <= box.y + box.height,
      ),
  );
  const over = letters.filter((a, index) =>
    letters
      .slice(index + 1)
      .some(
        (b) =>
          a.x + 0.1 < b.x + b.width &&
          b.x + 0.1 < a.x + a.width &&
          a.y - 0.7 * a.size < b.y &&
          b.y - 0.7 * b.size < a.y,
      ),
  );
  return [...outside, ...over].map((each) => each.text);
}

/** How many pixels of two pictures of a page differ, and where, in points. */
async function differing(one: Buffer, other: Buffer, page: { width: number }) {
  const pixels = async (png: Buffer) => {
    const image = await loadImage(png);
    const context = createCanvas(image.width, image.height).getContext('2d');
    context.drawImage(image, 0, 0);
    return {
      width: image.width,
      words: new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer),
    };
  };
  const [a, b] = [await pixels(one), await pixels(other)];
  const at = [...a.words.keys()].filter((index) => a.words[index] !== b.words[index]);
  const scale = page.width / a.width;
  const [xs, ys] = [
    at.map((index) => (index % a.width) * scale),
    at.map((index) => Math.floor(index / a.width) * scale),
  ];
  return {
    count: at.length,
    left: Math.min(...xs),
    right: Math.max(...xs),
    top: Math.min(...ys),
    bottom: Math.max(...ys),
  };
}

describe('a certificate on paper', () => {
  it.each<[string, Partial<CertificateClaims>]>([
    ['a common name', { holderName: '李娜' }],
    ['a name of one character and a short school', { holderName: '丁', organizationName: '一中' }],
    ['a long name with a dot', { holderName: '阿依古丽·买买提江·吐尔逊古丽' }],
    ['a name longer than most', { holderName: '阿卜杜热西提·阿卜杜外力·麦麦提吐尔逊·艾合买提江' }],
    ['a dot as another keyboard gives it', { holderName: '古丽•阿依' }],
    ['a dot as a third one does', { holderName: '古丽‧阿依' }],
    ['a dot as Japanese has it', { holderName: '古丽・阿依' }],
    ['a name with characters that few fonts have', { holderName: '王㛃䶮〇' }],
    ['characters beyond the basic plane', { holderName: '𠮷𠮟𬭎𨱏', organizationName: '𡐓镇第一小学' }],
    ['a Latin letter that Chinese fonts lack', { holderName: 'Łukasz Wałęsa' }],
    ['a name in Latin letters', { holderName: 'Zoë Ångström-Müller' }],
    ['a long name in Latin letters', { holderName: 'María-José Fernández de la Peña y Núñez-Ávila' }],
    ['tones', { holderName: 'Lǚ Xiǎoyīng' }],
    ['digits of the identity number', { identityLast4: '123X' }],
    ['one hour and full marks', { classHours: 1, percent: 100 }],
    ['half an hour and a third of a point', { classHours: 0.5, percent: 83.33 }],
    ['what looks like a binding', { holderName: '王{number}', issuerName: '{holderName}' }],
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
      'titles of 100 characters and the longest names of bureaus',
      {
        certificationTitle: {
          'zh-CN': '学生心理健康守门人培训'.repeat(9),
          en: 'Gatekeeper training '.repeat(5),
        },
        issuerName:
          '新疆维吾尔自治区伊犁哈萨克自治州察布查尔锡伯自治县教育和科学技术局教师工作与学生心理健康科',
        verificationUrl: `https://mental-health-training.jiaoyu.changsha.hunan.example/verify/${sampleClaims.number}#code=ABCD-EFGH-JKMN-PQRS`,
      },
    ],
    [
      'nothing that may be absent',
      { organizationName: null, roleTitle: null, percent: null, validUntil: null },
    ],
  ])('says all it should, each in its place, with %s', async (_name, claims) => {
    const pdf = await readPdf(await draw(claims));
    expect(pdf.pages).toBe(1);
    expect(misplaced(pdf)).toEqual([]);
    const text = packed(pdf.text);
    const { verificationUrl, ...said } = claims;
    for (const value of [...Object.values(said), sampleClaims.number]) {
      if (value === null) continue;
      for (const each of typeof value === 'object' ? Object.values(value) : [String(value)])
        expect(text).toContain(packed(each));
    }
    expect(pdf.qr).toBe(verificationUrl ?? sampleClaims.verificationUrl);
  });

  it('reads aloud, word by word, as it is meant', async () => {
    const { text } = await readPdf(await draw({}));
    // Spaced-out letters are read with spaces.
    expect(text.split('\n').filter((line) => line.trim() !== '')).toMatchInlineSnapshot(`
      [
        "培 训 合 格 证 书",
        "C E R T I F I C A T E",
        "O F",
        "T R A I N I N G",
        "欧阳静怡",
        "长沙县星沙实验小学",
        "班主任",
        "Class teacher",
        "参加《心桥守门人：看见与倾听》课程学习，共计 2 学时；",
        "完成全部课程活动，并通过由服务端组卷、计时与评分的考试，成绩 90 分。",
        "准予获得“学生心理健康守门人”合格证书，特发此证。",
        "This certifies that the person named above completed the course “Xinqiao Gatekeeper: Noticing and Listening”",
        "(2 class hours), scored 90% in its examination, and is awarded the certificate “Gatekeeper for Students’ Mental",
        "Health”. All course activities completed; exam drawn, timed and graded by the server passed.",
        "证书编号",
        "No.",
        "XQ2026-7K3M-9QXR-4TWA",
        "核验码",
        "Code",
        "ABCD-EFGH-JKMN-PQRS",
        "发证日期",
        "Issued",
        "2026年11月24日",
        "24 November 2026",
        "有效期",
        "Valid",
        "2026年11月24日至2029年11月23日",
        "24 November 2026 – 23 November 2029",
        "https://xinqiao.example/verify/XQ2026-7K3M-9QXR-4TWA",
        "长沙县教育局",
        "（盖章）",
        "2026年11月24日",
        "扫码核验 Scan to verify",
      ]
    `);
  });

  it('prints an accent that was given apart from its letter', async () => {
    const apart = 'Zoë Müller'.normalize('NFD');
    expect(apart).toHaveLength(12);
    expect(packed((await readPdf(await draw({ holderName: apart }))).text)).toContain('ZoëMüller');
  });

  it('does not depend on what was drawn before, though two dots share one form', async () => {
    const names = ['古丽·阿依', '古丽•阿依', '古丽‧阿依'];
    const draws = async (order: readonly string[]): Promise<Record<string, string>> => {
      const digests: Record<string, string> = {};
      for (const holderName of order) digests[holderName] = digestOf(await draw({ holderName }));
      return digests;
    };
    expect(await draws(names.toReversed())).toEqual(await draws(names));
  });

  it('can be read by a phone from a coarse print', async () => {
    expect((await readPdf(await draw({}), 1)).qr).toBe(sampleClaims.verificationUrl);
  });

  it('is the same to the byte when it is drawn again, and another for other claims', async () => {
    const first = digestOf(await draw({}));
    expect(digestOf(await draw({}))).toBe(first);
    expect(digestOf((await Promise.all([draw({ holderName: '李娜' }), draw({})]))[1])).toBe(first);
    const others: Partial<CertificateClaims>[] = [
      { holderName: '李娜' },
      { number: 'XQ2026-7K3M-9QXR-4TWB' },
      { issuedOn: '2026-11-25' },
      { validUntil: null },
      { verificationUrl: `${sampleClaims.verificationUrl}X` },
    ];
    const digests = await Promise.all(others.map(async (claims) => digestOf(await draw(claims))));
    expect(new Set([first, ...digests]).size).toBe(others.length + 1);
  });

  it.each([
    ['standard', 1],
    ['standard', 2],
    ['recorded', 1],
    ['chinese', 1],
    ['shanhe', 1],
  ])('of the template %s %i is what the sample beside it is, and shows it', async (name, version) => {
    // Unpacked, since another zlib may pack the same page otherwise.
    const unpacked = (pdf: Uint8Array): string[] =>
      [
        ...Buffer.from(pdf)
          .toString('latin1')
          .matchAll(/(?<!end)stream\n([^]*?)\nendstream/g),
      ].map((match) => {
        const bytes = Buffer.from(match[1]!, 'latin1');
        return digestOf(bytes[0] === 0x78 ? inflateSync(bytes) : bytes);
      });
    const sample = unpacked(readFileSync(join(projectFolder, `certificates/${name}/${version}/sample.pdf`)));
    expect(sample.length).toBeGreaterThan(2);
    const claims = name === 'recorded' ? recordedClaims : sampleClaims;
    const pdf = await drawCertificate(await readTemplate(name, version), claims);
    expect(unpacked(pdf)).toEqual(sample);
    const shown = await readPdf(pdf);
    expect(packed(shown.text)).toContain(claims.holderName);
    // The first version, which is frozen, was before anybody thought of it.
    expect(packed(shown.text).includes('尚未经临床专业人员审阅')).toBe(name === 'standard' && version > 1);
    expect(shown.qr).toBe(claims.verificationUrl);
    expect(
      shown.png.equals(readFileSync(join(projectFolder, `certificates/${name}/${version}/sample.png`))),
    ).toBe(true);
  });

  it('leaves the place of a photo, which changes nothing else', async () => {
    const plain = await readTemplate('shanhe', 1);
    const place = {
      kind: 'photo',
      x: 250,
      y: 676,
      width: 62,
      height: 86,
      stroke: '#9ca3af',
      lineWidth: 1,
    } as const;
    const withPlace = await readPdf(
      await drawCertificate({ ...plain, art: [...plain.art, place] }, sampleClaims),
    );
    const without = await readPdf(await drawCertificate(plain, sampleClaims));
    expect(withPlace.text).toBe(without.text);
    expect(withPlace.qr).toBe(without.qr);
    const changed = await differing(withPlace.png, without.png, plain.page);
    expect(changed.count).toBeGreaterThan(500);
    expect(changed.left).toBeGreaterThan(place.x - 2);
    expect(changed.right).toBeLessThan(place.x + place.width + 2);
    expect(changed.top).toBeGreaterThan(place.y - 2);
    expect(changed.bottom).toBeLessThan(place.y + place.height + 2);
  });

  it.each<[string, string, Partial<CertificateClaims>]>([
    ['བ', 'holderName', { holderName: 'བསོད་ནམས' }],
    ['🎓', 'certificationTitle.zh', { certificationTitle: { 'zh-CN': '守门人🎓', en: 'x' } }],
    ['\n', 'issuerName', { issuerName: '县教育局\n科' }],
    ['\u200b', 'organizationName', { organizationName: '一\u200b中' }],
  ])(
    'with %j in its %s is refused by name rather than printed with a hole',
    async (character, field, claims) => {
      await expect(draw(claims)).rejects.toMatchObject({ code: 'MISSING_GLYPH', character, field });
      await expect(draw(claims)).rejects.toThrow(
        `(U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')})`,
      );
    },
  );

  it.each<[string, Partial<CertificateClaims>]>([
    ['holderName', { holderName: '长'.repeat(200) }],
    ['organizationName, roleTitle.zh', { organizationName: '长'.repeat(100) }],
    ['issuerName', { issuerName: '长'.repeat(60) }],
  ])(
    'with more in %s than its place holds is refused rather than printed over itself',
    async (field, claims) => {
      await expect(draw(claims)).rejects.toMatchObject({ code: 'TEXT_DOES_NOT_FIT', field });
    },
  );
});
