import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createCanvas } from '@napi-rs/canvas';
import { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs';
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';

const { resolve } = createRequire(import.meta.url);
const pdfjs = dirname(resolve('pdfjs-dist/package.json'));

/** Letters of the first page that stand together; points from the top left, `y` of their baseline. */
export interface PlacedLetters {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly size: number;
}

export interface ReadPdf {
  readonly pages: number;
  readonly text: string;
  readonly letters: readonly PlacedLetters[];
  /** The first page as PNG. */
  readonly png: Buffer;
  /** What the QR code on the first page says. */
  readonly qr: string | undefined;
}

/** Reads a PDF with an independent renderer: its text layer, its first page as people see it, and the QR code found on that picture. */
export async function readPdf(bytes: Uint8Array, scale = 2): Promise<ReadPdf> {
  const document = await getDocument({
    data: new Uint8Array(bytes),
    standardFontDataUrl: `${join(pdfjs, 'standard_fonts')}/`,
    cMapUrl: `${join(pdfjs, 'cmaps')}/`,
    verbosity: 0,
  }).promise;
  const page = await document.getPage(1);
  const { items } = await page.getTextContent();
  const text = items.map((item) => ('str' in item ? item.str : '')).join('\n');
  const { height } = page.getViewport({ scale: 1 });
  const letters = items.flatMap((item) => {
    if (!('str' in item) || item.str.trim() === '') return [];
    const [, , , size, x, y] = item.transform as number[];
    return { text: item.str, x: x!, y: height - y!, width: item.width, size: size! };
  });
  const viewport = page.getViewport({ scale });
  const canvas = createCanvas(Math.round(viewport.width), Math.round(viewport.height));
  await page.render({ canvas: canvas as never, canvasContext: canvas.getContext('2d') as never, viewport })
    .promise;
  const wasm = await readFile(resolve('zxing-wasm/reader/zxing_reader.wasm'));
  prepareZXingModule({
    overrides: {
      wasmBinary: Uint8Array.from(wasm).buffer,
    },
  });
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const [code] = await readBarcodes(pixels as unknown as ImageData, { formats: ['QRCode'] });
  return { pages: document.numPages, text, letters, png: canvas.toBuffer('image/png'), qr: code?.text };
}

/** The address with the verification code that a certificate's signed QR code stands for, as `verificationUrl` tells it. */
export function codeIn(qr: string | undefined): string {
  const [page, signed = ''] = (qr ?? '').split('#');
  const { k } = JSON.parse(Buffer.from(signed.split('.')[1] ?? '', 'base64url').toString()) as { k: string };
  return `${page}#code=${k.replaceAll(/(.{4})(?=.)/g, '$1-')}`;
}
