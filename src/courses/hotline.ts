import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { text } from './notation.ts';

/*
 * Numbers to call, as dated data: shown wherever a page touches risk. Those of the country stand in `courses/hotlines.yaml`; a county puts its
 * own into `hotlines.yaml` of the data folder, which stand before them.
 */

export const hotlineSchema = z.strictObject({
  number: z
    .string()
    .regex(/^\+?\d[\d -]{1,19}$/, 'digits, maybe with spaces or hyphens; in quotes')
    .describe('As it is dialled, in quotes.'),
  name: text,
  hours: text.describe('When somebody answers.'),
  audience: text.describe('For whom it is.'),
  source: text.describe('Who says so.'),
  checkedOn: z.iso.date().describe('The day on which number and hours were held against the source.'),
});
export const hotlineFileSchema = z.array(hotlineSchema).min(1);

export type Hotline = z.infer<typeof hotlineSchema> & {
  /** Of the county or institution that runs the service, and not of the country. */
  readonly isLocal: boolean;
};

/** A number that nobody has checked for so long may have moved on. */
export const HOTLINE_MONTHS = 12;

/** @throws Error that names file and place. */
export async function readHotlines(file: string, isLocal: boolean): Promise<Hotline[]> {
  const read = hotlineFileSchema.safeParse(parse(await readFile(file, 'utf8')));
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new Error(`${file} ${issue!.path.join('.')}: ${issue!.message}`);
  }
  return read.data.map((hotline) => ({ ...hotline, isLocal }));
}

/** Those that the service shows: the county's own first. @throws Error that names file and place. */
export async function gatherHotlines(coursesFolder: string, dataFolder: string): Promise<Hotline[]> {
  const own = join(dataFolder, 'hotlines.yaml');
  return [
    ...(existsSync(own) ? await readHotlines(own, true) : []),
    ...(await readHotlines(join(coursesFolder, 'hotlines.yaml'), false)),
  ];
}

/** Digits alone: how a number is written differs, which it is does not. */
export function dialled(number: string): string {
  return number.replaceAll(/\D/g, '');
}
