import type { Item, Manifest } from './manifest.ts';

export type Language = 'zh-CN' | 'en';
export const languages: readonly Language[] = ['zh-CN', 'en'];

/** Activity key → language → hash of its unpacked content. */
export type Contents = Readonly<Record<string, Readonly<Record<Language, string>>>>;

/** A course as it was at one version; never changed once somebody learns by it. */
export interface CourseVersion {
  readonly id: string;
  readonly slug: string;
  readonly version: string;
  readonly manifest: Manifest;
  readonly contents: Contents;
}

export interface StoredItem extends Item {
  readonly id: string;
}

export function activityKeys(manifest: Manifest): string[] {
  return manifest.modules.flatMap((module) => module.activities.map((activity) => activity.key));
}
