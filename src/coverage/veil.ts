/** Aggregates of fewer people than this are not told to who may not see the people themselves. */
export const FEWEST_TOLD = 5;

const isFew = (people: number, fewest = FEWEST_TOLD): boolean => people > 0 && people < fewest;

/**
 * Which of these numbers, that add up to one that is told, must not be told. Those of a few people; and where they would follow from the
 * others by subtraction, the smallest of those too, until what can be learnt is the sum of several and of enough people.
 */
export function hiddenAmong(totals: readonly number[], fewest = FEWEST_TOLD): boolean[] {
  const hidden = totals.map((total) => isFew(total, fewest));
  if (!hidden.includes(true)) return hidden;
  const enough = (): boolean => {
    const among = totals.filter((_total, at) => hidden[at]);
    return among.length >= 2 && among.reduce((sum, total) => sum + total, 0) >= fewest;
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

/** One of the units right below another. */
export interface Beside {
  readonly total: number;
  /** Whether the total is not told. */
  readonly hidden: boolean;
  /** People by role; nobody counts in more than few. */
  readonly byRole: readonly number[];
}

/**
 * Of which of these units, that add up to one whose roles are told, the roles must not be told by themselves. They are told all or none,
 * since one alone would follow from the total and the others; and where whole rows are missing from a table with its sums, nothing follows
 * but what they are together, which is of enough people or of nobody in each role.
 */
export function rolesHiddenAmong(units: readonly Beside[]): boolean[] {
  const hidden = units.map((unit) => unit.hidden || unit.byRole.some((people) => isFew(people)));
  for (;;) {
    const among = units.filter((unit, at) => hidden[at] === true && unit.total > 0);
    const lacking = (units[0]?.byRole ?? []).findIndex((_people, role) =>
      isFew(among.reduce((sum, unit) => sum + unit.byRole[role]!, 0)),
    );
    if (among.length !== 1 && lacking === -1) return hidden;
    let next = -1;
    for (const [at, unit] of units.entries()) {
      if (hidden[at] === true || (lacking === -1 ? unit.total : unit.byRole[lacking]!) === 0) continue;
      if (next === -1 || unit.total < units[next]!.total) next = at;
    }
    if (next === -1) return hidden;
    hidden[next] = true;
  }
}
