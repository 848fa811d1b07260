import type { Language } from './language.ts';
import type { ContentText } from './notation.ts';
import type { Problem } from '../h5p/problem.ts';

/**
 * Holds the texts of a file against the languages of its course. What is missing is a problem, each with its place. English in a course that
 * does not say that it is in English is a translation under way: it is left out of what is served, whole, and warned of.
 */
export function inLanguages<T>(
  written: T,
  file: string,
  languages: readonly Language[],
  { problems, warnings }: { readonly problems: Problem[]; readonly warnings: Problem[] },
): T {
  const english = languages.includes('en');
  let unserved = 0;
  const visit = (value: unknown, place: readonly string[]): unknown => {
    if (Array.isArray(value))
      return value.map((each, index) => visit(each, [...place, nameOf(each) ?? String(index + 1)]));
    if (typeof value !== 'object' || value === null) return value;
    if (!isText(value))
      return Object.fromEntries(
        Object.entries(value).map(([name, each]) => [name, visit(each, [...place, name])]),
      );
    if (english && value.en === undefined)
      problems.push({
        where: [file, ...place].join(' '),
        what: 'has no English (en), which course.yaml languages names.',
      });
    if (english || value.en === undefined) return value;
    unserved += 1;
    return { 'zh-CN': value['zh-CN'] };
  };
  const served = visit(written, []) as T;
  if (unserved > 0)
    warnings.push({
      where: file,
      what: `has English in ${unserved} places; it is not shown as long as course.yaml languages does not name en.`,
    });
  return served;
}

function isText(value: object): value is ContentText {
  return typeof (value as Partial<ContentText>)['zh-CN'] === 'string';
}

function nameOf(value: unknown): string | undefined {
  const key = (value as { readonly key?: unknown } | null)?.key;
  return typeof key === 'string' ? key : undefined;
}
