import { checkLink, checkWords } from './check-content.ts';
import type { Manifest } from './manifest.ts';
import { outlineOf } from './markdown.ts';
import { PACK_KEYS, packDocument, readPackName, type PackDocument } from './pack.ts';
import type { Findings } from './problem.ts';

/** @param files name → text, of what lies in `pack/`. @returns the documents in the order of their keys, those that all have first. */
export function readPack(
  files: ReadonlyMap<string, string>,
  { languages }: Manifest,
  findings: Findings,
): PackDocument[] {
  const texts = new Map<string, { 'zh-CN'?: string; en?: string }>();
  for (const [file, text] of files) {
    const where = `pack/${file}`;
    const name = readPackName(file);
    if (name === undefined) {
      findings.problems.push({
        where,
        what: 'is named otherwise than <key>.<language>.md, e.g. wall-card.zh-CN.md.',
      });
      continue;
    }
    const { title, links } = outlineOf(text);
    if (title === undefined || title === '')
      findings.problems.push({ where, what: 'does not begin with its title: # and the title.' });
    else if (name.language === 'zh-CN' && !/\p{Script=Han}/u.test(title))
      findings.problems.push({ where, what: `has a title that is not Chinese: ${title}.` });
    for (const link of links) checkLink(link, where, new Set(), findings);
    checkWords([text], where, findings);
    if (!languages.includes(name.language)) {
      findings.warnings.push({
        where,
        what: `is not served as long as course.yaml languages does not name ${name.language}.`,
      });
      continue;
    }
    texts.set(name.key, { ...texts.get(name.key), [name.language]: text });
  }
  for (const [key, each] of texts)
    for (const language of languages)
      if (each[language] === undefined)
        findings.problems.push({ where: `pack/${key}.${language}.md`, what: 'is not there.' });
  if (texts.size > 0)
    for (const key of PACK_KEYS)
      if (!texts.has(key))
        findings.problems.push({
          where: `pack/${key}.zh-CN.md`,
          what: `is not there: a pack has ${PACK_KEYS.join(', ')}.`,
        });
  const keys = [...texts.keys()].toSorted();
  return [
    ...PACK_KEYS.filter((key) => texts.has(key)),
    ...keys.filter((key) => !PACK_KEYS.some((each) => each === key)),
  ]
    .map((key) => [key, texts.get(key)!] as const)
    .flatMap(([key, { 'zh-CN': chinese, en }]) =>
      chinese === undefined
        ? []
        : [packDocument(key, { 'zh-CN': chinese, ...(en === undefined ? {} : { en }) })],
    );
}
