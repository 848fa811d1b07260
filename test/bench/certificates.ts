import { deflateSync } from 'node:zlib';
import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { create, type Font } from 'fontkit';
import PDFDocument from 'pdfkit';
import { create as createQr } from 'qrcode';
import { bindingsOf, draw, type CertificateClaims } from '../../src/certification/document.ts';
import { fontOf } from '../../src/certification/fonts.ts';
import { choose, place, placeRuns } from '../../src/certification/layout.ts';
import { certificatesIn } from '../../src/certification/signature/key-file.ts';
import { roomOf, signDocument } from '../../src/certification/signature/sign.ts';
import { keySigner } from '../../src/certification/signature/signer.ts';
import { drawShape } from '../../src/certification/shapes.ts';
import { readTemplate } from '../../src/certification/template.ts';
import { sampleClaims } from '../../src/commands/preview-certificate.ts';

/* What the bench `certificates` measures, for its workers too. */

const template = await readTemplate('shanhe', 1);
const FAMILY = '王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾';
const GIVEN = '伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英建华文辉玲宇浩然欣怡梓涵雨桐';

/** Another person each time, of another school. */
export function claimsOf(index: number): CertificateClaims {
  const at = (letters: string, step: number): string => letters[(index * step + step) % letters.length]!;
  const number = `XQ2026-${(index % 32 ** 4).toString(32).toUpperCase().padStart(4, '0')}-9QXR-4TWA`;
  return {
    ...sampleClaims,
    number,
    holderName: at(FAMILY, 7) + at(GIVEN, 5) + at(GIVEN, 11),
    organizationName: `${at(FAMILY, 3)}${at(GIVEN, 13)}县第${1 + (index % 9)}实验小学`,
    percent: 80 + (index % 21),
    verificationUrl: `https://xinqiao.example/verify/${number}#code=ABCD-EFGH-JKMN-PQRS`,
  };
}

/** A signed certificate, as the service makes it. @param pem key and chain. */
export async function makeSigning(pem: string): Promise<(index: number) => Promise<number>> {
  const signer = keySigner(createPrivateKey(pem), certificatesIn(pem, 'bench'));
  const room = roomOf(signer, undefined);
  return async (index) =>
    (await signDocument(draw(template, claimsOf(index), { room }), signer)).bytes.length;
}

const { resolve } = createRequire(import.meta.url);
const files = {
  regular: resolve('@expo-google-fonts/noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf'),
  bold: resolve('@expo-google-fonts/noto-sans-sc/700Bold/NotoSansSC_700Bold.ttf'),
};

/** The same page by pdfkit alone, unsigned: with its fonts opened for it, or with those that are open. */
export async function drawPlainly(index: number, reuse: boolean): Promise<number> {
  const claims = claimsOf(index);
  const bindings = bindingsOf(claims);
  const doc = new PDFDocument({
    size: [template.page.width, template.page.height],
    margin: 0,
    font: null as unknown as string,
  });
  let length = 0;
  doc.on('data', (chunk: Buffer) => (length += chunk.length));
  const done = new Promise((settle) => doc.on('end', settle));
  const opened = (name: 'regular' | 'bold'): Font =>
    reuse ? fontOf(`${name}-0`) : (create(readFileSync(files[name])) as Font);
  const fonts = { regular: opened('regular'), bold: opened('bold') };
  for (const shape of template.art) drawShape(doc, shape, claims.issuerName);
  for (const element of template.texts) {
    const chosen = choose(element, bindings);
    if (chosen === undefined) continue;
    const text = place(element, chosen);
    doc
      .font(fonts[element.font] as unknown as string, element.font)
      .fontSize(text.size)
      .fillColor(element.color);
    for (const run of placeRuns(text))
      doc.text(run.text, run.x, run.y, { lineBreak: false, baseline: 'alphabetic' });
  }
  const { modules } = createQr(claims.verificationUrl, { errorCorrectionLevel: 'M' });
  const side = template.qr.size / modules.size;
  for (let row = 0; row < modules.size; row += 1)
    for (let column = 0; column < modules.size; column += 1)
      if (modules.get(row, column) !== 0)
        doc.rect(template.qr.x + column * side, template.qr.y + row * side, side, side);
  doc.fill('#111827');
  doc.end();
  await done;
  return length;
}

/** The least that a signed page takes: one P-256 signature and one deflate of 12 kB. */
export function makeFloor(pem: string): () => void {
  const key = createPrivateKey(pem);
  const { bytes } = draw(template, claimsOf(0), { room: 0 });
  const page = bytes.subarray(0, 12_000);
  return () => {
    sign('sha256', page, { key, dsaEncoding: 'der' });
    deflateSync(page);
  };
}
