/** One of our own keys. */
export interface LtiKey {
  readonly kid: string;
  readonly createdAt: Date;
  readonly signsFrom: Date;
  /** null: nothing has come after it yet. */
  readonly publishedUntil: Date | null;
}

const DAY_MS = 24 * 3_600_000;
/** A key signs for so long. */
export const SIGNS_DAYS = 90;
/** A new key is shown for so long before it signs: platforms keep our key set for hours. */
export const SHOWN_BEFORE_DAYS = 2;
/** And the one before it for so long after: what it signed is good for minutes, and a platform may be slow to ask. */
export const SHOWN_AFTER_DAYS = 7;

/** The one that signs now: of those whose time has come, the latest. undefined: there is none yet. */
export function signingKey<Key extends LtiKey>(keys: readonly Key[], now: Date): Key | undefined {
  return keys
    .filter((key) => key.signsFrom <= now)
    .toSorted((a, b) => b.signsFrom.getTime() - a.signsFrom.getTime())[0];
}

/** What platforms are shown. */
export function publishedKeys<Key extends LtiKey>(keys: readonly Key[], now: Date): Key[] {
  return keys.filter((key) => key.publishedUntil === null || key.publishedUntil > now);
}

/** When the next key is to sign, where it is time to make one; `asked`: because somebody wants it, however young the current one is. */
export function nextKey(
  keys: readonly LtiKey[],
  now: Date,
  { asked = false }: { asked?: boolean } = {},
): Date | undefined {
  const last = keys.toSorted((a, b) => b.signsFrom.getTime() - a.signsFrom.getTime())[0];
  // The very first has nobody that could know another.
  if (last === undefined) return now;
  // One is on its way already.
  if (last.signsFrom > now) return undefined;
  const shown = new Date(now.getTime() + SHOWN_BEFORE_DAYS * DAY_MS);
  return asked || shown.getTime() >= last.signsFrom.getTime() + SIGNS_DAYS * DAY_MS ? shown : undefined;
}

/** Until when the one before is shown. */
export function shownUntil(nextSignsFrom: Date): Date {
  return new Date(nextSignsFrom.getTime() + SHOWN_AFTER_DAYS * DAY_MS);
}
