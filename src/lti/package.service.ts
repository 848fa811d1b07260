import { hashSecret } from '../access/access-token.ts';
import type { ExamService } from '../assessment/exam.service.ts';
import type { Clock } from '../clock.ts';
import { activityKeys } from '../courses/course.ts';
import type { CourseService } from '../courses/course.service.ts';
import { actingAs, inParts } from '../db/acting.ts';
import type { Database } from '../db/database.ts';
import { Conflict, InvalidInput, NotFound } from '../errors.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import type { LearningService } from '../learning/learning.service.ts';
import type { Viewer } from '../people/permission.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import { bindPackageAttempt, findAssignmentOf, findPackageAttempt } from './package.repository.ts';
import { packageFiles, UNKNOWN_STATE, type PackageFormat, type PackageState } from './package.ts';
import { scoreOfCourse } from './score.ts';

/** As the package's page makes them: 256 bits in hexadecimal. */
const CODE = /^[0-9a-f]{64}$/;

export type CoursePackageService = ReturnType<typeof makeCoursePackageService>;

/** Courses as packages for platforms without LTI, and what their pages are told. */
export function makeCoursePackageService({
  db,
  clock,
  publicUrl,
  courses,
  programmes,
  learning,
  exams,
}: {
  db: Database;
  clock: Clock;
  publicUrl: string;
  courses: CourseService;
  programmes: ProgrammeService;
  learning: LearningService;
  exams: ExamService;
}) {
  const service = {
    /** The files of a package; undefined for a course that is not there. Courses are open material, and a package holds nothing of anybody. */
    async files(slug: string, format: PackageFormat): Promise<ReadonlyMap<string, string> | undefined> {
      const course = await courses.findCurrent(db, slug);
      return course === undefined ? undefined : packageFiles(course, { format, serviceUrl: publicUrl });
    },

    /**
     * The viewer agrees that a package's page is told how far they are with a course. @param origin of that page, as the browser named it.
     * @throws InvalidInput; NotFound where they have no assignment of the course; Conflict PACKAGE_TAKEN where somebody else has agreed before.
     */
    async agree(
      viewer: Viewer,
      input: { code: string; course: string; origin: string | null },
    ): Promise<string> {
      if (!CODE.test(input.code)) throw new InvalidInput('input.code', 'This is no code of a package.');
      const assignmentId = await findAssignmentOf(db, { personId: viewer.personId, course: input.course });
      if (
        assignmentId === undefined ||
        (await programmes.findOwnAssignment(viewer, assignmentId)) === undefined
      )
        throw new NotFound('The assignment');
      const at = clock.now();
      await actingAs('gate', async () =>
        db.transaction().execute(async (tx) => {
          const codeHash = hashSecret(input.code);
          const known = await findPackageAttempt(tx, codeHash);
          const owner = await bindPackageAttempt(tx, {
            codeHash,
            assignmentId,
            origin: input.origin?.slice(0, 255) ?? null,
            at,
          });
          if (owner !== assignmentId)
            throw new Conflict('PACKAGE_TAKEN', 'Somebody else’s results go to that page already.');
          if (known === undefined)
            await insertJournalEntry(tx, {
              at,
              actor: `person:${viewer.personId}`,
              action: 'package.agree',
              subject: `assignment:${assignmentId}`,
              personId: viewer.personId,
            });
        }),
      );
      return assignmentId;
    },

    /** What the page of a code may know; one that nobody has agreed to knows nothing, whether or not there is one. */
    async stateOf(code: string): Promise<PackageState> {
      if (!CODE.test(code)) return UNKNOWN_STATE;
      const found = await actingAs('gate', async () => findPackageAttempt(db, hashSecret(code)));
      if (found === undefined) return UNKNOWN_STATE;
      const assignment = await programmes.getAssignment(db, found.assignmentId);
      const { manifest } = await programmes.courseOf(db, assignment);
      const progress = await learning.listProgress(db, assignment.id);
      const attempts = await exams.listAttempts(db, assignment.id);
      const { score, activityProgress } = scoreOfCourse(progress, attempts, manifest.exam);
      const keys = activityKeys(manifest);
      const done = progress.filter(
        ({ activityKey, completedAt }) => completedAt !== null && keys.includes(activityKey),
      );
      return {
        state:
          activityProgress === 'Completed' ? 'passed' : activityProgress === 'Submitted' ? 'failed' : 'begun',
        score,
        progress: Math.floor((100 * done.length) / keys.length),
      };
    },
  };
  return inParts({ stateOf: 'issuer' }, service);
}
