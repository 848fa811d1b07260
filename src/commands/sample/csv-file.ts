import { open, type FileHandle } from 'node:fs/promises';

const CHUNK = 1 << 18;

/** A CSV file (RFC 4180, UTF-8, no BOM) that is written as it comes; `settle` lets the disk catch up. */
export class CsvFile {
  readonly #handle: FileHandle;
  #pending = '';

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  static async create(path: string, header: readonly string[]): Promise<CsvFile> {
    const file = new CsvFile(await open(path, 'w'));
    file.row(header);
    return file;
  }

  row(fields: readonly (string | number)[]): void {
    let line = '';
    for (let index = 0; index < fields.length; index += 1)
      line += (index === 0 ? '' : ',') + quoted(String(fields[index]));
    this.#pending += `${line}\r\n`;
  }

  async settle(atLeast: number = CHUNK): Promise<void> {
    if (this.#pending.length < atLeast) return;
    const text = this.#pending;
    this.#pending = '';
    await this.#handle.writeFile(text);
  }

  async close(): Promise<void> {
    try {
      await this.settle(0);
    } finally {
      await this.#handle.close();
    }
  }
}

function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
