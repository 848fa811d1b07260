import type { CourseVersion } from '../courses/course.ts';
import type { CourseService } from '../courses/course.service.ts';
import { actingAs } from '../db/acting.ts';
import type { Database } from '../db/database.ts';
import { NotFound } from '../errors.ts';
import { may, type Viewer } from '../people/permission.ts';
import { NATION } from '../regions/division.ts';
import { countAnswers, listVersionsOf } from './analysis.repository.ts';
import { describeItem, ENOUGH, type AnalyzedItem, type ItemStatistics } from './analysis.ts';
import { alpha, reliabilityAsDrawn, type Estimate } from './psychometrics.ts';

export interface ItemAnalysis {
  readonly course: CourseVersion;
  readonly acrossVersions: boolean;
  /** Counted. */
  readonly attempts: number;
  readonly enough: boolean;
  /** Of an exam of average length; null while there is not enough, or where it can't be told. */
  readonly alpha: Estimate | null;
  readonly reliabilityAsDrawn: Estimate | null;
  /** Every item of the version, in key order. */
  readonly items: readonly ItemStatistics[];
}

export type AnalysisService = ReturnType<typeof makeAnalysisService>;

/** How the items of an exam do, for those who write them: sums over everybody, about nobody. */
export function makeAnalysisService({ db, courses }: { db: Database; courses: CourseService }) {
  return {
    /**
     * Courses belong to no unit, and who reads an analysis reads the answer key: only who is an author for the nation may.
     *
     * @param asked version null: the one that is offered now.
     * @throws NotFound for what is not there or not the viewer's to see.
     */
    async analyze(
      viewer: Viewer,
      asked: { readonly slug: string; readonly version: string | null; readonly acrossVersions: boolean },
    ): Promise<ItemAnalysis> {
      const notThere = new NotFound(`Course ${asked.slug}`);
      if (!may(viewer, 'item.analyze', NATION)) throw notThere;
      const versions = await listVersionsOf(db, asked.slug);
      const base = versions.find(({ version, isCurrent }) =>
        asked.version === null ? isCurrent : version === asked.version,
      );
      if (base === undefined) throw notThere;
      const [course] = await courses.listVersions(db, [base.id]);
      const items: readonly AnalyzedItem[] = await courses.listItems(db, base.id);
      // Whoever grades sees everybody's answers; only sums leave this.
      const { sums, items: counts } = await actingAs('issuer', async () =>
        countAnswers(db, base.id, asked.acrossVersions ? versions.map(({ id }) => id) : [base.id]),
      );
      const byItem = new Map(counts.map((each) => [each.itemId, each]));
      const enough = sums.attempts >= ENOUGH;
      return {
        course: course!,
        acrossVersions: asked.acrossVersions,
        attempts: sums.attempts,
        enough,
        alpha: enough ? (alpha(sums) ?? null) : null,
        reliabilityAsDrawn: enough ? (reliabilityAsDrawn(sums) ?? null) : null,
        items: items
          .filter(({ use }) => use !== 'practice')
          .map((item) => describeItem(item, byItem.get(item.id), sums.attempts)),
      };
    },
  };
}
