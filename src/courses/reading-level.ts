/*
 * How hard a Chinese text is to read, by two things that can be counted, as LIX does it for European languages (Björnsson 1968: length of
 * sentences, share of hard words): characters in a sentence, and the share of characters that are not common. Common are the 3,755 of level 1
 * of GB/T 2312-1980, which were chosen for how often they are used. The limits are our own and told to authors in courses/README.md: what
 * 999 in 1,000 sentences of the first two courses keep to, which teachers are to read on a phone after a day’s work. They warn, and never refuse.
 */

export const LONGEST_SENTENCE = 45;
/** Percent of the characters. */
export const MOST_UNCOMMON = 1;

export interface ReadingLevel {
  /** Chinese characters. */
  readonly characters: number;
  readonly perSentence: number;
  /** Percent of the characters. */
  readonly uncommon: number;
  readonly uncommonCharacters: readonly string[];
  readonly longSentences: readonly string[];
}

export function readingLevel(texts: readonly string[]): ReadingLevel {
  const sentences = texts.flatMap(sentencesOf);
  const counts = sentences.map(hanOf);
  const all = counts.flat();
  const uncommon = all.filter((character) => !isCommon(character));
  return {
    characters: all.length,
    perSentence: sentences.length === 0 ? 0 : all.length / sentences.length,
    uncommon: all.length === 0 ? 0 : (uncommon.length / all.length) * 100,
    uncommonCharacters: [...new Set(uncommon)],
    longSentences: sentences.filter((_sentence, index) => counts[index]!.length > LONGEST_SENTENCE),
  };
}

/** Of plain text or HTML: what stands between full stops, question and exclamation marks, semicolons, and the ends of paragraphs and cells. */
export function sentencesOf(text: string): string[] {
  return text
    .replaceAll(/<\/?(?:strong|em|b|i|a|span)\b[^>]*>/gi, '')
    .split(/<[^>]*>|[。！？；…\n]+[”’」）]*/u)
    .map((sentence) => sentence.trim())
    .filter((sentence) => hanOf(sentence).length > 0);
}

function hanOf(text: string): string[] {
  return text.match(/\p{Script=Han}/gu) ?? [];
}

let common: ReadonlySet<string> | undefined;
function isCommon(character: string): boolean {
  common ??= levelOne();
  return common.has(character);
}

/** Rows 16 to 55 of GB/T 2312, as every decoder of it knows them. */
function levelOne(): ReadonlySet<string> {
  const bytes = [];
  for (let row = 0xb0; row <= 0xd7; row += 1)
    // The last row ends five places early.
    for (let cell = 0xa1; cell <= (row === 0xd7 ? 0xf9 : 0xfe); cell += 1) bytes.push(row, cell);
  return new Set(new TextDecoder('gbk').decode(new Uint8Array(bytes)));
}
