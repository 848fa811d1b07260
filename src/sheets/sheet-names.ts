import { cut } from './escape.ts';

const MAX_LENGTH = 31;

/** Gives names of sheets as Excel takes them: short, without its special characters, each one only once. */
export class SheetNames {
  readonly #taken = new Set<string>();

  /** `wanted`, or what comes near to it; numbered from `from` on when that is more than 1 or when it is taken. */
  give(wanted: string, from = 1): string {
    const clean = wanted
      .toWellFormed()
      .replaceAll(/[[\]:*?/\\\p{Cc}\ufffe\uffff]/gu, ' ')
      .replaceAll(/^[\s']+|[\s']+$/g, '');
    // Excel keeps "History" for itself.
    const base = clean === '' ? 'Sheet' : /^history$/i.test(clean) ? `${clean}_` : clean;
    for (let number = from; ; number += 1) {
      const suffix = number === 1 ? '' : ` (${number})`;
      const name = cut(base, MAX_LENGTH - suffix.length).replace(/[\s']+$/, '') + suffix;
      if (this.#taken.has(name.toLowerCase())) continue;
      this.#taken.add(name.toLowerCase());
      return name;
    }
  }
}

/** A sheet's name as formulas have it. */
export function quoted(name: string): string {
  return `'${name.replaceAll("'", "''")}'`;
}

/** The letters of a 0-based column: 27 is AB. */
export function lettersOf(column: number): string {
  let letters = '';
  for (let rest = column + 1; rest > 0; rest = Math.floor((rest - 1) / 26))
    letters = String.fromCharCode(65 + ((rest - 1) % 26)) + letters;
  return letters;
}
