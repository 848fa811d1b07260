import type { Item } from './item.ts';
import type { Language } from './language.ts';
import type { Activity, H5pActivity, Manifest } from './manifest.ts';
import type { Scale } from './scale.ts';
import type { Scenario } from './scenario.ts';

/** Key of an H5P activity → each language of the course → hash of its unpacked content. */
export type Contents = Readonly<Record<string, Readonly<{ 'zh-CN': string; en?: string }>>>;

/** A course as it was at one version; never changed once somebody learns by it. */
export interface CourseVersion {
  readonly id: string;
  readonly slug: string;
  readonly version: string;
  readonly manifest: Manifest;
  readonly contents: Contents;
  /** Key of a simulation's activity → what is played. With the points: for the assessment room alone. */
  readonly scenarios: Readonly<Record<string, Scenario>>;
  readonly scale: Scale | null;
}

export type StoredItem = Item & { readonly id: string };

/** How many questions an attempt has. */
export function itemsPerAttempt({ blueprint, vignettes }: Manifest['exam']): number {
  return (
    blueprint.reduce((sum, part) => sum + part.count, 0) +
    vignettes.reduce((sum, part) => sum + part.count * part.questions, 0)
  );
}

/** In which language a course is met by whoever asks for one: Chinese, where it is in Chinese alone. */
export function languageOf({ languages }: Manifest, asked: Language): Language {
  return languages.includes(asked) ? asked : 'zh-CN';
}

export function listActivities(manifest: Manifest): Activity[] {
  return manifest.modules.flatMap((module) => module.activities);
}

export function activityKeys(manifest: Manifest): string[] {
  return listActivities(manifest).map((activity) => activity.key);
}

export function findH5pActivity(manifest: Manifest, key: string): H5pActivity | undefined {
  return listActivities(manifest).find(
    (activity): activity is H5pActivity => activity.key === key && activity.kind === 'h5p',
  );
}
