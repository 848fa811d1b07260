/** How many people count in a unit; as a change, how many more or fewer. */
export interface Count {
  /** 0: who holds the roles; else who of them is covered by it. */
  readonly certificationId: string;
  readonly roleSet: number;
  /** See `unitKey`. */
  readonly unit: string;
  readonly people: number;
}

/** What has to be added to `before` to make it `after`, number by number. */
export function differenceOf(before: readonly Count[], after: readonly Count[]): Count[] {
  const net = new Map<string, Count>();
  const add = (each: Count, sign: 1 | -1): void => {
    const key = `${each.certificationId} ${each.roleSet} ${each.unit}`;
    net.set(key, { ...each, people: (net.get(key)?.people ?? 0) + sign * each.people });
  };
  for (const each of after) add(each, 1);
  for (const each of before) add(each, -1);
  return [...net.values()].filter((each) => each.people !== 0);
}
