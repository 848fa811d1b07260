/** By how many people a number changes on a day, past or to come. */
export interface Change {
  /** 0: who holds the roles; else who of them is covered by it. */
  readonly certificationId: string;
  readonly roleSet: number;
  /** See `unitKey`. */
  readonly unit: string;
  readonly day: string;
  readonly change: number;
}

/** What has to be added to `before` to make it `after`, number by number. */
export function differenceOf(before: readonly Change[], after: readonly Change[]): Change[] {
  const net = new Map<string, Change>();
  const add = (each: Change, sign: 1 | -1): void => {
    const key = `${each.certificationId} ${each.roleSet} ${each.unit} ${each.day}`;
    net.set(key, { ...each, change: (net.get(key)?.change ?? 0) + sign * each.change });
  };
  for (const each of after) add(each, 1);
  for (const each of before) add(each, -1);
  return [...net.values()].filter((each) => each.change !== 0);
}
