import { outlineOf } from './markdown.ts';
import type { Language } from './language.ts';
import type { ContentText } from './notation.ts';

/*
 * What a course gives teachers to print and hang up, keep in a drawer, fill in: files `pack/<key>.<language>.md`. It is stored with the
 * course's version, so that a page that somebody has printed can be had again.
 */

export interface PackDocument {
  readonly key: string;
  readonly title: ContentText;
  /** Markdown. */
  readonly text: ContentText;
}

/** Whoever has one of these has all: what hangs on the wall, what helps in the talk, and whom to go to. */
export const PACK_KEYS = ['wall-card', 'conversation-guide', 'referral-card'] as const;

/** `pack/wall-card.en.md`, by its parts; undefined: it is named otherwise. */
export function readPackName(file: string): { key: string; language: Language } | undefined {
  const match = /^([a-z][a-z0-9]*(?:-[a-z0-9]+)*)\.(zh-CN|en)\.md$/.exec(file);
  return match === null ? undefined : { key: match[1]!, language: match[2] as Language };
}

export function packDocument(
  key: string,
  texts: { readonly 'zh-CN': string; readonly en?: string },
): PackDocument {
  const title = (text: string): string => outlineOf(text).title ?? key;
  return {
    key,
    title: {
      'zh-CN': title(texts['zh-CN']),
      ...(texts.en === undefined ? {} : { en: title(texts.en) }),
    },
    text: texts,
  };
}
