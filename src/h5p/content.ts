import type { Problem } from './problem.ts';

/** A content that an author uploaded for a division, or one that came of it by an upgrade. */
export interface H5pContent {
  readonly id: string;
  /** Names it to the player. */
  readonly hash: string;
  readonly divisionCode: string;
  readonly title: string;
  /** As its h5p.json says; `und` where it does not. */
  readonly contentLanguage: string;
  readonly mainLibraryId: string;
  /** Bytes of its own files, unpacked. */
  readonly size: number;
  readonly warnings: readonly Problem[];
  readonly upgradedFromId: string | null;
  readonly uploadedById: string;
  readonly uploadedAt: Date;
}

/** A library as it is listed: its files are in the store. */
export interface KnownLibrary {
  readonly id: string;
  readonly machineName: string;
  readonly majorVersion: number;
  readonly minorVersion: number;
  readonly patchVersion: number;
  readonly title: string;
}
