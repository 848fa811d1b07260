/*
 * Certificate numbers, `XQ2026-7K3M-9QXR-4TWC`: the year of issue, eleven random characters (55 bits, so that no number leads to
 * another), and a check character over GF(32), which catches every single wrong character and every swap of two.
 */

/** Crockford's base 32: no I, L, O or U, which people misread. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const RANDOM_CHARACTERS = 11;
const CODE_CHARACTERS = 16;

/** In its printed form. @param random gives that many random bytes, from a cryptographic source. */
export function newCertificateNumber(year: number, random: (bytes: number) => Uint8Array): string {
  const body = `${year}${randomText(RANDOM_CHARACTERS, random)}`;
  return format(body + checkCharacter(body));
}

/**
 * Reads a number as people write it: any case, spaces and dashes or none, full-width characters, O for 0 and I or L for 1.
 * Returns the printed form; undefined: it can't be a number of ours.
 */
export function parseCertificateNumber(text: string): string | undefined {
  const match = /^XQ([0-9]{4}[0-9A-Z]{12})$/.exec(plain(text));
  if (match === null) return undefined;
  const all = match[1]!;
  if ([...all].some((character) => !ALPHABET.includes(character))) return undefined;
  return checkCharacter(all.slice(0, -1)) === all.at(-1) ? format(all) : undefined;
}

/** Sixteen random characters (80 bits), in groups: `ABCD-EFGH-JKMN-PQRS`. Who has it has seen the document. */
export function newVerificationCode(random: (bytes: number) => Uint8Array): string {
  return grouped(randomText(CODE_CHARACTERS, random));
}

/** Reads a code as leniently as a number. It has no check character: a wrong one is simply not the document's. */
export function parseVerificationCode(text: string): string | undefined {
  const code = plain(text);
  return code.length === CODE_CHARACTERS && [...code].every((character) => ALPHABET.includes(character))
    ? grouped(code)
    : undefined;
}

function plain(text: string): string {
  if (text.length > 100) return '';
  return (
    text
      .normalize('NFKC')
      .toUpperCase()
      // Chat programs and PDF readers leave invisible marks in what is copied from them.
      .replaceAll(/[\s\p{Cf}\p{Pd}−_.·]/gu, '')
      .replaceAll('O', '0')
      .replaceAll(/[IL]/g, '1')
  );
}

function format(all: string): string {
  return `XQ${all.slice(0, 4)}-${grouped(all.slice(4))}`;
}

function grouped(text: string): string {
  return text.match(/.{1,4}/g)!.join('-');
}

function randomText(length: number, random: (bytes: number) => Uint8Array): string {
  // 256 is a multiple of 32, so that every character is as likely.
  return Array.from(random(length), (byte) => ALPHABET[byte % 32]).join('');
}

/** Multiplication by x in GF(2)[x] / (x⁵ + x² + 1), of which x is a generator. */
function timesX(value: number): number {
  const shifted = value << 1;
  return shifted & 32 ? shifted ^ 0b100101 : shifted;
}

/** Σ xⁱ·dᵢ: its weights are all different and none is zero, which is what catches a wrong character and a swap. */
function checkCharacter(body: string): string {
  const sum = [...body].reduce((total, character) => timesX(total ^ ALPHABET.indexOf(character)), 0);
  return ALPHABET[sum]!;
}
