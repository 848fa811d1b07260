import { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import type { Content, ContentStore } from './content-store.ts';

/** Media are packed already; packing them again only takes time. */
const PACKED =
  /\.(?:png|jpe?g|gif|webp|avif|mp4|m4v|mov|webm|mp3|m4a|aac|og[gva]|opus|flac|woff2?|zip|docx|xlsx|pptx|od[tsp])$/i;
/** The same content gives the same bytes. */
const MADE_AT = new Date('2020-01-01T00:00:00Z');

/** A content as a `.h5p` for any H5P host: with every library that it needs. It is packed while it is sent. */
export async function packContent(content: Content, store: ContentStore): Promise<Readable> {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  zip.on('error', (error: Error) => output.destroy(error));
  const add = (path: string, file: { blob: string; size: number }): void =>
    zip.addReadStreamLazy(path, { mtime: MADE_AT, mode: 0o100644, compress: !PACKED.test(path) }, (use) => {
      store.openBlob(file).then(
        (bytes) => use(null, Readable.from(bytes)),
        (error: unknown) => use(error as Error, Readable.from([])),
      );
    });
  for (const [path, file] of Object.entries(content.files)) add(path, file);
  for (const [folder, id] of Object.entries(content.libraries)) {
    const { library } = await store.sourceOf(id);
    for (const [path, file] of Object.entries(library.files)) add(`${folder}/${path}`, file);
  }
  zip.end();
  return output;
}
