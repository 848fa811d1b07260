/** How fast long work goes: nothing is measured where nothing is done yet. */
export interface Pace {
  readonly rowsDone: number;
  readonly rowsTotal: number;
  /** Since when it is measured, and how much was done by then. */
  readonly beganAt: Date;
  readonly beganWith: number;
  readonly toldAt: Date;
}

/** Rows a second; null in the first moment. */
export function rowsPerSecond({ rowsDone, beganAt, beganWith, toldAt }: Pace): number | null {
  const seconds = (toldAt.getTime() - beganAt.getTime()) / 1000;
  return seconds > 0 && rowsDone > beganWith ? (rowsDone - beganWith) / seconds : null;
}

/** Until all rows are done, at the rate it had so far; null while there is none. */
export function secondsLeft(pace: Pace): number | null {
  const rate = rowsPerSecond(pace);
  return rate === null ? null : Math.max(0, pace.rowsTotal - pace.rowsDone) / rate;
}
