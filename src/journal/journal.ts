/** A part of the tree with the codes above it; divisions and organizations of the regions are some. */
export interface Concerned {
  readonly provinceCode: string | null;
  readonly prefectureCode: string | null;
  readonly countyCode: string | null;
  readonly organizationId?: string;
}

/** Who acts: a person, or a named part of the service itself (`worker:issue-certificate`). */
export interface JournalEntry {
  readonly at: Date;
  readonly actor: string;
  /** `noun.verb`, e.g. `certificate.revoke`. */
  readonly action: string;
  /** `noun:id`. */
  readonly subject: string;
  /**
   * Facts that help to understand the entry later. Ids and numbers: never a secret, never a person's name or address, nor free text, which
   * may hold them. The journal is not erased when a person is; what people wrote stands in the row that the entry is about.
   */
  readonly detail?: Readonly<Record<string, unknown>>;
  /**
   * Units whose auditors are to see it, as those of the units above will. Each of them sees all of it, so it may tell of none what the
   * others should not know. With none, and no person, it is for auditors of the nation.
   */
  readonly units?: readonly Concerned[];
  /** Whom it concerns: it is also seen where that person holds a post on the day. */
  readonly personId?: string;
}

/** Keys as they are kept: a division's code, an organization's id below zero; all that stand above are among them. */
export function concernKeys(units: readonly Concerned[]): string[] {
  return [
    ...new Set(
      units.flatMap(({ provinceCode, prefectureCode, countyCode, organizationId }) => [
        ...[provinceCode, prefectureCode, countyCode].filter((code) => code !== null),
        ...(organizationId === undefined ? [] : [`-${organizationId}`]),
      ]),
    ),
  ];
}

/** What all of these have in common: for an entry that tells of several units, and so is for those only who see them all. */
export function commonPart(units: readonly Concerned[]): Concerned[] {
  const [first, ...others] = units;
  if (first === undefined) return [];
  const same = (pick: (unit: Concerned) => string | null | undefined): string | null => {
    const value = pick(first) ?? null;
    return others.every((other) => (pick(other) ?? null) === value) ? value : null;
  };
  const organizationId = same((unit) => unit.organizationId);
  return [
    {
      provinceCode: same((unit) => unit.provinceCode),
      prefectureCode: same((unit) => unit.prefectureCode),
      countyCode: same((unit) => unit.countyCode),
      ...(organizationId === null ? {} : { organizationId }),
    },
  ];
}
