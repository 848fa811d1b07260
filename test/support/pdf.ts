import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createCanvas } from '@napi-rs/canvas';
import { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs';
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';

const { resolve } = createRequire(import.meta.url);
const pdfjs = dirname(resolve('pdfjs-dist/package.json'));

export interface ReadPdf {
  readonly pages: number;
  readonly text: string;
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
  return { pages: document.numPages, text, png: canvas.toBuffer('image/png'), qr: code?.text };
}
