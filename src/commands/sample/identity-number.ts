const DAY = 86_400_000;
const FIRST_BIRTHDAY = Date.UTC(1900, 0, 1);
const WEIGHTS = Array.from({ length: 17 }, (_, index) => 2 ** (17 - index) % 11);
/** Areas 4399 01–99 and the 500 numbers of one gender on one birthday. */
const NUMBERS = 99 * 500;

/**
 * Identity numbers that check (GB 11643, ISO 7064 MOD 11-2), never repeat, and belong to nobody: no province has a
 * prefecture 99, so no such area code was ever given out.
 */
export class IdentityNumbers {
  readonly #province: string;
  readonly #given: Uint16Array;

  /** @param lastBirthday milliseconds; nobody is born later. */
  constructor(provinceCode: string, lastBirthday: number) {
    this.#province = provinceCode.slice(0, 2);
    this.#given = new Uint16Array(2 * (Math.floor((lastBirthday - FIRST_BIRTHDAY) / DAY) + 1));
  }

  next(birthday: Date, female: boolean): string {
    const day = Math.round((birthday.getTime() - FIRST_BIRTHDAY) / DAY);
    const slot = 2 * day + (female ? 0 : 1);
    const count = this.#given[slot] ?? NUMBERS;
    if (count >= NUMBERS)
      throw new Error(`No identity numbers are left for ${birthday.toISOString().slice(0, 10)}.`);
    this.#given[slot] = count + 1;
    // 17 389 has no factor in common with 49 500, so the steps meet every number once.
    const number = (count * 17_389 + day * 7_919) % NUMBERS;
    const area = String(Math.floor(number / 500) + 1).padStart(2, '0');
    const order = String((number % 500) * 2 + (female ? 0 : 1)).padStart(3, '0');
    const body = `${this.#province}99${area}${birthday.toISOString().slice(0, 10).replaceAll('-', '')}${order}`;
    let sum = 0;
    for (let index = 0; index < 17; index += 1) sum += Number(body[index]) * (WEIGHTS[index] ?? 0);
    return body + '10X98765432'.charAt(sum % 11);
  }
}
