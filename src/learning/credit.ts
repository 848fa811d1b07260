import { GAP_MS, IDLE_MS, TAIL_MS } from './time.ts';

/** Where a page's clock stands after a heartbeat, as the server knows it. Instants in milliseconds since 1970. */
export interface Standing {
  /** When the last heartbeat came. */
  readonly at: number;
  /** When the last one came that told of somebody using the page. */
  readonly activeAt: number;
  /** Whether time runs from `at` on. */
  readonly running: boolean;
}

/** What a page says of itself. Claims, all of them: they can only make less count than the server's clock allows. */
export interface Claims {
  readonly visible: boolean;
  /** Touches, keys and scrolling since the last heartbeat, roughly. */
  readonly interactions: number;
}

/** What happens to time: it runs; or it does not, since the page is hidden or nobody uses it. */
export type Pace = 'running' | 'hidden' | 'idle';

export interface Credit {
  /** What counts unless it was counted for another page: from here to there. Empty where both are the same. */
  readonly from: number;
  readonly to: number;
  readonly next: Standing;
  readonly pace: Pace;
  /** The pause was longer than any page that is there makes, or time did not run: what runs now is a new stretch. */
  readonly beginsAnew: boolean;
}

/**
 * What a heartbeat is worth, by the server's clock alone. How often a page sends them changes nothing: twice as many count half as
 * much each.
 */
export function creditOf(standing: Standing, claims: Claims, now: number): Credit {
  // A clock that was set back makes nobody's time run backwards.
  const at = Math.max(standing.at, now);
  const used = claims.interactions > 0;
  const idleFrom = standing.activeAt + IDLE_MS;
  const pause = at - standing.at;
  const isLong = pause > GAP_MS;
  const end = isLong ? standing.at + TAIL_MS : at;
  const from = standing.at;
  const to = standing.running ? Math.max(from, Math.min(end, idleFrom)) : from;
  const isIdle = !used && at > idleFrom;
  const running = claims.visible && !isIdle;
  return {
    from,
    to,
    next: { at, activeAt: used ? at : standing.activeAt, running },
    pace: running ? 'running' : claims.visible ? 'idle' : 'hidden',
    beginsAnew: running && (!standing.running || isLong || at > idleFrom),
  };
}
