/* The few notations of ISO 32000-1 that the person's part of a certificate needs. */

/** A text string (7.9.2.2), as hexadecimal digits: UTF-16, so that every character has a place. */
export function textString(text: string): string {
  return `<FEFF${Buffer.from(text, 'utf16le').swap16().toString('hex').toUpperCase()}>`;
}

/** Three decimals: far below what a printer can show. */
export function decimal(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}

/** A date (7.9.4), in UTC. */
export function date(at: Date): string {
  return `(D:${at.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z)`;
}

/** A stream object's dictionary and bytes (7.3.8). */
export function stream(dictionary: string, bytes: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(`<< ${dictionary} /Length ${bytes.length} >>\nstream\n`, 'latin1'),
    bytes,
    Buffer.from('\nendstream', 'latin1'),
  ]);
}

/** Objects that come behind a beginning that is there already, and the table of all of them (7.5.4). */
export class Writer {
  readonly #start: number;
  readonly #offsets: (number | null)[];
  readonly #pieces: Buffer[] = [];
  #length = 0;

  /** @param start how many bytes are there. @param offsets where object n + 1 begins in them; null: it is still to come. */
  constructor(start: number, offsets: readonly (number | null)[]) {
    this.#start = start;
    this.#offsets = [...offsets];
  }

  /** @returns the number of an object that is to be put later. */
  next(): number {
    return this.#offsets.push(null);
  }

  /** @returns where its content begins, from the beginning of the file. */
  put(object: number, content: string | Buffer): number {
    this.#offsets[object - 1] = this.#start + this.#length;
    this.#push(`${object} 0 obj\n`);
    const at = this.#start + this.#length;
    this.#push(content);
    this.#push('\nendobj\n');
    return at;
  }

  /** @param trailer its entries but for the size. @returns all that comes behind the beginning. @throws Error for an object that was never put. */
  end(trailer: string): Buffer {
    const at = this.#start + this.#length;
    const size = this.#offsets.length + 1;
    const lines = this.#offsets.map((offset, index) => {
      if (offset === null) throw new Error(`Object ${index + 1} is missing.`);
      return `${String(offset).padStart(10, '0')} 00000 n \n`;
    });
    this.#push(`xref\n0 ${size}\n0000000000 65535 f \n${lines.join('')}`);
    this.#push(`trailer\n<< /Size ${size} ${trailer} >>\nstartxref\n${at}\n%%EOF\n`);
    return Buffer.concat(this.#pieces, this.#length);
  }

  #push(content: string | Buffer): void {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
    this.#pieces.push(bytes);
    this.#length += bytes.length;
  }
}
