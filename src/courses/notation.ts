import { z } from 'zod';

/** What every file of a course writes alike. */

/** A text in Chinese, which every course has, and English beside it. */
export const text = z.strictObject({ 'zh-CN': z.string().trim().min(1), en: z.string().trim().min(1) });

export const key = z
  .string()
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'lower-case words joined by hyphens, e.g. warning-signs');

export const path = z
  .string()
  .regex(/^(?!\/)(?!.*\.\.)[\w./-]+$/, 'a path inside the course folder, without ".." and not absolute');

export type Text = z.infer<typeof text>;
