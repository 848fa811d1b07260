import { fromBuffer, type ZipFile } from 'yauzl';
import { UnreadableFile } from './text.ts';

export interface NamedFile {
  readonly name: string;
  readonly bytes: Buffer;
}

const MAX_FILES = 64;
/** Unpacked bytes in all: a county's roster is well below 10 MB. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * The files of an upload: CSV files as they are, a zip opened. Nothing is written to disk, so a path in the zip leads nowhere;
 * one that points outside is refused all the same, since somebody made it on purpose.
 * @throws UnreadableFile
 */
export async function unpack(files: readonly NamedFile[]): Promise<NamedFile[]> {
  const unpacked: NamedFile[] = [];
  for (const file of files) {
    if (file.bytes.subarray(0, 4).equals(Buffer.from('PK\u0003\u0004', 'latin1')))
      unpacked.push(...(await unzip(file)));
    else if (file.name.toLowerCase().endsWith('.zip'))
      throw new UnreadableFile(`${file.name}: it is not a zip file`);
    else unpacked.push({ name: baseName(file.name), bytes: file.bytes });
  }
  const twice = unpacked.find(
    (file, index) => unpacked.findIndex((other) => other.name === file.name) !== index,
  );
  if (twice !== undefined) throw new UnreadableFile(`${twice.name}: it was given twice`);
  return unpacked;
}

function baseName(path: string): string {
  return path.split(/[/\\]/).at(-1) ?? path;
}

async function unzip(archive: NamedFile): Promise<NamedFile[]> {
  const refuse = (why: string): UnreadableFile => new UnreadableFile(`${archive.name}: ${why}`);
  const zip = await new Promise<ZipFile>((resolve, reject) =>
    fromBuffer(archive.bytes, { lazyEntries: true, strictFileNames: true }, (error, opened) =>
      error === null ? resolve(opened) : reject(refuse(`it can't be opened as a zip (${error.message})`)),
    ),
  );
  const files: NamedFile[] = [];
  let total = 0;
  return new Promise((resolve, reject) => {
    zip.on('error', (error: Error) => reject(refuse(error.message)));
    zip.on('end', () => resolve(files));
    zip.on('entry', (entry) => {
      if (entry.fileName.endsWith('/') || entry.fileName.startsWith('__MACOSX/')) return zip.readEntry();
      if (entry.isEncrypted()) return reject(refuse('it is encrypted'));
      if (files.length >= MAX_FILES) return reject(refuse(`it holds more than ${MAX_FILES} files`));
      total += entry.uncompressedSize;
      if (total > MAX_BYTES) return reject(refuse(`it unpacks to more than ${MAX_BYTES / 1024 / 1024} MB`));
      zip.openReadStream(entry, (error, stream) => {
        if (error !== null) return reject(refuse(error.message));
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('error', (failure: Error) =>
          reject(refuse(`${entry.fileName} is damaged (${failure.message})`)),
        );
        stream.on('end', () => {
          files.push({ name: baseName(entry.fileName), bytes: Buffer.concat(chunks) });
          zip.readEntry();
        });
      });
    });
    zip.readEntry();
  });
}
