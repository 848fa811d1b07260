import type { RawBuilder } from 'kysely';
import type { RetentionRule as RuleName } from '../config.ts';
import type { Executor } from '../db/database.ts';

/** What becomes of rows when their person is erased. */
export type Fate =
  /** They stay as they are: the law of records asks for them, or nobody can tell from them who it was. */
  | 'kept'
  /** The row stays for its dates and for what hangs on it; what tells who it was goes. */
  | 'stripped'
  | 'removed';

/** Rows of one kind that are held about a person, or that tell what the person did. */
export interface PersonalPart {
  /** In an export and in a preview; it never changes, so that programs may rely on it. */
  readonly name: string;
  /** The tables whose rows of a person are all among these. */
  readonly tables: readonly string[];
  readonly fate: Fate;
  /** A query for a person's rows, with columns as they are exported and `key`, a text that orders them and stands once. */
  rows(personId: string): RawBuilder<unknown>;
  /** For what the database can't read by itself. */
  readonly shape?: (row: ExportedRow) => ExportedRow;
}

export type ExportedRow = Readonly<Record<string, unknown>>;

/** A rule by which a room forgets what it need not keep; `days` after which, are told from outside (config.ts). */
export interface RetentionRule {
  readonly name: RuleName;
  /** Forgets at most `limit` rows of what was over by then. Never waits for a lock. @returns how many. */
  forget(
    tx: Executor,
    over: { readonly before: Date; readonly day: string; readonly limit: number },
  ): Promise<number>;
}

/** What a room holds about people. Each room that does has one, and the app hands all of them to those who export, erase and forget. */
export interface PersonalDataKeeper {
  readonly parts: readonly PersonalPart[];
  /** Does with these people's rows what the parts' fates say, in the caller's transaction. Again, it finds nothing more to do. */
  erase?(tx: Executor, personIds: readonly string[], at: Date): Promise<void>;
  /** Documents of a person, for an export. */
  listFiles?(db: Executor, personId: string): Promise<PersonalFile[]>;
  readonly retention?: readonly RetentionRule[];
}

export interface PersonalFile {
  /** Its path in the export. */
  readonly name: string;
  open(): Promise<Buffer>;
}

/** What stands in place of the name of somebody who was erased. */
export const ERASED_NAME = '已删除 / erased';

/** Cases of article 47 of the Personal Information Protection Law in which data must be erased. */
export const erasureGrounds = [
  'purpose_achieved',
  'term_ended',
  'consent_withdrawn',
  'unlawful',
  'other_law',
] as const;
export type ErasureGround = (typeof erasureGrounds)[number];
