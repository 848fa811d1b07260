import { createHash } from 'node:crypto';
import type { ErasureGround, Fate } from './personal-data.ts';

/** Why somebody can't be erased now. */
export type Blocked = 'POST_OPEN' | 'GRANT_OPEN' | 'DOUBT_OPEN';

export const whyBlocked: Readonly<Record<Blocked, string>> = {
  POST_OPEN: 'A post is still held: the employer needs what is known of the person until it has ended.',
  GRANT_OPEN:
    'A grant still holds, and what is done under it must be told from what others do. End it first.',
  DOUBT_OPEN:
    'A row of a roster waits for somebody to decide whether it is about this person. Decide that first.',
};

/** What would become of what is held about a person. */
export interface ErasurePreview {
  readonly personId: string;
  /** Those with anything in them. */
  readonly parts: readonly { readonly name: string; readonly fate: Fate; readonly rows: number }[];
  readonly blocked: Blocked | null;
  readonly erasedAt: Date | null;
  /** To be given with the request: it shows that this very preview was looked at. */
  readonly confirmation: string;
}

export interface Erasure {
  readonly id: string;
  readonly personId: string;
  readonly ground: ErasureGround;
  /** null: the retention period was over. */
  readonly requestedBy: string | null;
  readonly requestedAt: Date;
  readonly state: 'queued' | 'done' | 'refused';
  readonly finishedAt: Date | null;
  /** Of a refused one: the post or grant came after the request. */
  readonly refusal: Blocked | null;
}

/** The same for the same preview, and for no other. */
export function confirmationOf(personId: string, parts: ErasurePreview['parts']): string {
  const text = [personId, ...parts.map(({ name, fate, rows }) => `${name} ${fate} ${rows}`)].join('\n');
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
