import { z } from 'zod';
import type { Language } from './language.ts';

/** What every file of a course writes alike. */

const words = z.string().trim().min(1);

/** A title or a summary: in Chinese, and in English beside it, whatever languages the course itself is in. */
export const text = z.strictObject({ 'zh-CN': words, en: words });

/**
 * What is taught, asked or said in a course: in Chinese, which every course has, and in English where the course's `languages` say so. That
 * no English is missing then is for the check to say, since a single file does not know its course.
 */
export const contentText = z.strictObject({ 'zh-CN': words, en: words.optional() });

export const key = z
  .string()
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'lower-case words joined by hyphens, e.g. warning-signs');

export const path = z
  .string()
  .regex(/^(?!\/)(?!.*\.\.)[\w./-]+$/, 'a path inside the course folder, without ".." and not absolute');

export type Text = z.infer<typeof text>;
export type ContentText = z.infer<typeof contentText>;

/** Chinese where there is nothing else; `languageOfText` says which it is. */
export function inLanguage(said: ContentText, asked: Language): string {
  return said[asked] ?? said['zh-CN'];
}

export function languageOfText(said: ContentText, asked: Language): Language {
  return said[asked] === undefined ? 'zh-CN' : asked;
}
