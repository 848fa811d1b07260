import { dialled } from './hotline.ts';
import type { Language } from './language.ts';
import { LONGEST_SENTENCE, MOST_UNCOMMON, readingLevel } from './reading-level.ts';
import type { Findings } from './problem.ts';

/* What can be said of texts and pages whatever they are about: how they read, where they lead, what they show, whom they say to call. */

/** As many sentences of one file are told. */
const MOST_TOLD = 3;
/** An alt text that says so much says nothing. */
const NO_ALT = /^(?:image|picture|photo|图|图片|照片|插图|示意图)\d*$|\.(?:svg|png|jpe?g|gif|webp)$/i;

/** Phrases that hurt or mislead, whatever stands around them; none of them tells anything of a method. */
const HURTFUL: readonly (readonly [RegExp, string])[] = [
  [/\bcommit(?:s|ted|ting)? suicide\b/i, '"died by suicide" blames nobody'],
  [/\b(?:successful|unsuccessful|failed) suicide\b/i, 'a death is no success, and a life no failure'],
  [/自杀(?:成功|失败)|(?:成功|失败)的?自杀/u, '生死不说成败：写“自杀身亡”“自杀未遂”'],
];

/** How a file of texts reads: warnings alone, since a warm text may be hard in one sentence. */
export function checkReading(texts: readonly string[], where: string, findings: Findings): void {
  const level = readingLevel(texts);
  for (const sentence of level.longSentences.slice(0, MOST_TOLD))
    findings.warnings.push({
      where,
      what: `has a sentence of more than ${LONGEST_SENTENCE} characters: ${sentence}`,
    });
  if (level.longSentences.length > MOST_TOLD)
    findings.warnings.push({
      where,
      what: `has ${level.longSentences.length - MOST_TOLD} more sentences of more than ${LONGEST_SENTENCE} characters.`,
    });
  // In a few words a single rare one is a large share.
  if (level.uncommon > MOST_UNCOMMON && level.uncommonCharacters.length > 2)
    findings.warnings.push({
      where,
      what: `has ${level.uncommon.toFixed(1)} % uncommon characters: ${level.uncommonCharacters.join('')}`,
    });
}

export function checkWords(texts: readonly string[], where: string, findings: Findings): void {
  for (const text of texts)
    for (const [phrase, why] of HURTFUL) {
      const found = phrase.exec(text)?.[0];
      // It may stand there to say that it is not to be said.
      if (found !== undefined) findings.warnings.push({ where, what: `says "${found}": ${why}.` });
    }
}

/** All texts of one language in what was read from a course's file. */
export function textsOf(value: unknown, language: Language): string[] {
  if (Array.isArray(value)) return value.flatMap((each) => textsOf(each, language));
  if (typeof value !== 'object' || value === null) return [];
  const own = (value as Partial<Record<Language, unknown>>)[language];
  return typeof own === 'string' ? [own] : Object.values(value).flatMap((each) => textsOf(each, language));
}

/** All texts of an H5P content's parameters, but for those of its interface, what is no text, and files. */
export function textsOfParameters(parameters: unknown): string[] {
  const visit = (value: unknown, name: string): string[] => {
    if (typeof value === 'string')
      return ['l10n', 'path', 'mime', 'id', 'type'].includes(name) ? [] : [value];
    if (Array.isArray(value)) return value.flatMap((each) => visit(each, name));
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, each]) => (key === 'l10n' ? [] : visit(each, key)));
  };
  return visit(parameters, '');
}

/** What the check knows around a content. */
export interface Surroundings {
  /** Digits of the numbers that are known and dated. */
  readonly hotlines: ReadonlySet<string>;
  /** Paths below the content's `content/`; undefined: whoever read the package has judged its files. */
  readonly files?: ReadonlySet<string> | undefined;
}

/** Pictures, sounds, links and numbers to call of an H5P content. */
export function checkContent(
  parameters: unknown,
  where: string,
  { hotlines, files }: Surroundings,
  findings: Findings,
): void {
  const visit = (value: unknown, place: readonly string[]): void => {
    if (typeof value === 'string') {
      for (const [, link] of value.matchAll(/\bhref\s*=\s*["']?([^"'\s>]*)/gi))
        checkLink(link!, [where, ...place].join(' '), files, findings);
      for (const [tag] of value.matchAll(/<img\b[^>]*>/gi))
        if (isMeaningless(/\balt\s*=\s*["']([^"']*)/i.exec(tag)?.[1]))
          findings.problems.push({
            where: [where, ...place].join(' '),
            what: 'has a picture without an alt text.',
          });
      return;
    }
    if (Array.isArray(value)) {
      for (const [index, each] of value.entries()) visit(each, [...place, String(index + 1)]);
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    const its = value as Record<string, unknown>;
    for (const [name, each] of Object.entries(its)) {
      if (name === 'l10n') continue;
      if (isPicture(each)) {
        const at = [where, ...place, name].join(' ');
        if (
          isMeaningless(
            its['alt'] ?? its['contentName'] ?? (its['metadata'] as { title?: unknown } | undefined)?.title,
          )
        )
          findings.problems.push({
            where: at,
            what: 'is a picture without an alt text that says what it shows.',
          });
        checkLink(each.path, at, files, findings);
        continue;
      }
      const sounds = soundsIn(each);
      if (sounds.length > 0) {
        const at = [where, ...place, name].join(' ');
        for (const sound of sounds) checkLink(sound, at, files, findings);
        if (!hasWords(its['transcript'])) {
          const what = 'is a sound without a transcript: not everybody can hear it, or play it aloud.';
          // Our lessons ask for one; most types of others have no place for it.
          (place.at(-1) === 'audio' ? findings.problems : findings.warnings).push({ where: at, what });
        }
        continue;
      }
      if (name === 'help') checkHelp(each, [where, ...place, name].join(' '), hotlines, findings);
      visit(each, [...place, name]);
    }
  };
  visit(parameters, []);
}

function isPicture(value: unknown): value is { path: string } {
  const { path, mime } = (value ?? {}) as { path?: unknown; mime?: unknown };
  return (
    typeof path === 'string' &&
    (typeof mime === 'string' ? mime.startsWith('image/') : /\.(?:svg|png|jpe?g|gif|webp)$/i.test(path))
  );
}

/** Paths of the sound that a field holds: H5P keeps the same one in several formats, as a list. */
function soundsIn(value: unknown): string[] {
  return (Array.isArray(value) ? (value as unknown[]) : []).flatMap((each) => {
    const { path, mime } = (each ?? {}) as { path?: unknown; mime?: unknown };
    return typeof path === 'string' && typeof mime === 'string' && mime.startsWith('audio/') ? [path] : [];
  });
}

function hasWords(html: unknown): boolean {
  return typeof html === 'string' && html.replaceAll(/<[^>]*>|&nbsp;/g, '').trim() !== '';
}

function isMeaningless(alt: unknown): boolean {
  return typeof alt !== 'string' || alt.trim() === '' || NO_ALT.test(alt.trim());
}

function checkHelp(help: unknown, where: string, hotlines: ReadonlySet<string>, findings: Findings): void {
  const lines = (help as { lines?: unknown } | null)?.lines;
  for (const [index, line] of (Array.isArray(lines) ? lines : []).entries()) {
    const number = (line as { number?: unknown } | null)?.number;
    if (typeof number !== 'string' || !hotlines.has(dialled(number)))
      findings.problems.push({
        where: `${where} lines ${index + 1}`,
        what: `says to call "${String(number)}", which hotlines.yaml does not list: nobody has said when it was checked.`,
      });
  }
}

/** Of a page or a pack: malformed addresses, and files that are not there. Nothing is asked of the network. */
export function checkLink(
  link: string,
  where: string,
  files: ReadonlySet<string> | undefined,
  findings: Findings,
): void {
  const broken = (why: string): void => {
    findings.problems.push({ where, what: `leads to "${link}", ${why}.` });
  };
  if (/^(?:mailto|tel):\S+$/i.test(link) || link.startsWith('#')) return;
  // Whatever it is called: a file's name may have spaces.
  if (files?.has(link) === true) return;
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) {
    const url = URL.parse(link);
    if (!/^https?:/i.test(link)) broken('which is neither http, https, mailto nor tel');
    else if (url === null || !/^https?:\/\//i.test(link) || !url.hostname.includes('.'))
      broken('which is no address');
    return;
  }
  if (link === '' || /\s/.test(link)) broken('which is no address');
  else if (files !== undefined && !files.has(link.split(/[?#]/)[0]!)) broken('which is not there');
}
