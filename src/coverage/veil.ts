/** Aggregates of fewer people than this are not told to who may not see the people themselves. */
export const FEWEST_TOLD = 5;

/**
 * Which of these numbers, that add up to one that is told, must not be told. Those of a few people; and where they would follow from the
 * others by subtraction, the smallest of those too, until what can be learnt is the sum of several and of enough people.
 */
export function hiddenAmong(totals: readonly number[]): boolean[] {
  const hidden = totals.map((total) => total > 0 && total < FEWEST_TOLD);
  if (!hidden.includes(true)) return hidden;
  const enough = (): boolean => {
    const among = totals.filter((_total, at) => hidden[at]);
    return among.length >= 2 && among.reduce((sum, total) => sum + total, 0) >= FEWEST_TOLD;
  };
  while (!enough()) {
    let next = -1;
    for (const [at, total] of totals.entries())
      if (hidden[at] !== true && total > 0 && (next === -1 || total < totals[next]!)) next = at;
    if (next === -1) break;
    hidden[next] = true;
  }
  return hidden;
}
