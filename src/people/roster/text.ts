/** A file that is not what it says; it is refused whole, with this reason. */
export class UnreadableFile extends Error {
  override name = 'UnreadableFile';
}

/**
 * The text of a file as bureaus save it: UTF-8 with or without a byte order mark, or GB18030 (GBK and GB2312 are parts of it), which
 * spreadsheets in China write for "CSV". Anything else is refused by its name.
 * @throws UnreadableFile
 */
export function readText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    throw new UnreadableFile('it is UTF-16 text; save it as "CSV UTF-8"');
  if (bytes.includes(0)) throw new UnreadableFile('it is not a text file');
  const utf8 = decode(bytes, 'utf-8');
  if (utf8 !== undefined) return utf8;
  for (const cut of [1, 2, 3]) {
    const whole = decode(bytes.subarray(0, -cut), 'utf-8');
    // With Chinese before it this is no chance: the last character was cut in two, and who knows how much more is missing.
    if (whole !== undefined && /\P{ASCII}/u.test(whole))
      throw new UnreadableFile('it is UTF-8 text that ends in the middle of a character: it was cut off');
  }
  const gb18030 = decode(bytes, 'gb18030');
  // Bytes of another encoding often decode to something; in Chinese text nothing comes from the private or unassigned parts.
  if (gb18030 !== undefined && !/[\p{Co}\p{Cn}\u0080-\u009f\ufffd]/u.test(gb18030)) return gb18030;
  throw new UnreadableFile('it is neither UTF-8 nor GBK text; save it as "CSV UTF-8"');
}

function decode(bytes: Uint8Array, encoding: string): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Digits, letters and signs in their plain width, as codes and numbers are compared: ４３０１２１ is 430121. */
export function narrow(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll(/[\u200b-\u200d\u2060\ufeff]/g, '')
    .trim();
}

/**
 * A calendar day as people and spreadsheets write it: 2024-09-01, 2024/9/1, 2024.9.1, 2024年9月1日, 20240901, with a time of midnight or
 * none. @returns `YYYY-MM-DD`; undefined: no day, or one that does not exist. A bare number, as a spreadsheet keeps its dates, is none:
 * it could as well be anything else.
 */
export function readDay(text: string): string | undefined {
  const match =
    /^(\d{4})(?:-|\/|\.|年)(\d{1,2})(?:-|\/|\.|月)(\d{1,2})日?(?:[T ]0?0:00(?::00)?)?$/.exec(narrow(text)) ??
    /^(\d{4})(\d{2})(\d{2})$/.exec(narrow(text));
  if (match === null) return undefined;
  const day = `${match[1]}-${match[2]!.padStart(2, '0')}-${match[3]!.padStart(2, '0')}`;
  return !Number.isNaN(Date.parse(day)) && new Date(day).toISOString().startsWith(day) ? day : undefined;
}
