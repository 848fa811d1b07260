import type { Clock } from '../clock.ts';
import type { CourseVersion } from '../courses/course.ts';
import type { Scale } from '../courses/scale.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict, NotFound } from '../errors.ts';
import type { LearningService } from '../learning/learning.service.ts';
import type { Viewer } from '../people/permission.ts';
import type { Assignment } from '../programmes/certification.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import {
  dueWave,
  efficacyWaves,
  meanOf,
  readAnswers,
  type DueWave,
  type EfficacyWave,
  type ItemAnswer,
} from './efficacy.ts';
import { listEfficacyAnswers, putEfficacyAnswers, type EfficacyAnswers } from './efficacy.repository.ts';
import type { ExamService } from './exam.service.ts';

/** A learner's own answers of one wave. */
export interface OwnAnswers {
  readonly wave: EfficacyWave;
  readonly givenAt: Date;
  readonly answers: readonly ItemAnswer[];
  readonly mean: number;
}

export interface OwnEfficacy {
  readonly assignmentId: string;
  readonly scale: Scale;
  /** What may be answered now. */
  readonly due: (DueWave & { readonly declined: boolean }) | undefined;
  /** Those given to this version of the scale, in the order of waves. */
  readonly given: readonly OwnAnswers[];
}

export type EfficacyService = ReturnType<typeof makeEfficacyService>;

/**
 * The self-efficacy scale, for the person who answers it and nobody else. It is voluntary and nothing depends on it. No journal entry is
 * written: auditors would see whose it is about. What groups come to is told by the coverage room, as the counter.
 */
export function makeEfficacyService({
  db,
  clock,
  programmes,
  learning,
  exams,
}: {
  db: Database;
  clock: Clock;
  programmes: ProgrammeService;
  learning: LearningService;
  exams: ExamService;
}) {
  const dueNow = async (executor: Executor, assignment: Assignment): Promise<DueWave | undefined> => {
    const progress = await learning.listProgress(executor, assignment.id);
    const attempts = await exams.listAttempts(executor, assignment.id);
    return dueWave({
      completed: progress.filter(({ completedAt }) => completedAt !== null).length,
      attempts: attempts.length,
      passedAt: attempts.find(({ passed }) => passed === true)?.submittedAt ?? undefined,
      now: clock.now(),
    });
  };

  const ownOf = (
    assignment: Assignment,
    scale: Scale,
    kept: readonly EfficacyAnswers[],
    due: DueWave | undefined,
  ): OwnEfficacy => {
    const ofWave = (wave: EfficacyWave): EfficacyAnswers | undefined =>
      kept.find((each) => each.wave === wave);
    return {
      assignmentId: assignment.id,
      scale,
      due:
        due === undefined || (ofWave(due.wave)?.answers ?? null) !== null
          ? undefined
          : { ...due, declined: ofWave(due.wave) !== undefined },
      given: efficacyWaves.flatMap((wave) => {
        const found = ofWave(wave);
        if (found === undefined || found.answers === null || !isOf(found, scale)) return [];
        const { answers, givenAt } = found;
        return [
          {
            wave,
            givenAt,
            mean: meanOf(answers),
            answers: scale.items.map((item, at) => ({ itemKey: item.key, answer: answers[at]! })),
          },
        ];
      }),
    };
  };

  /** @throws NotFound for another's assignment, and where the course asks nothing. */
  const change = async (
    viewer: Viewer,
    assignmentId: string,
    work: (tx: Executor, assignment: Assignment, course: CourseVersion & { scale: Scale }) => Promise<void>,
  ): Promise<OwnEfficacy> => {
    if ((await programmes.findOwnAssignment(viewer, assignmentId)) === undefined)
      throw new NotFound('The assignment');
    return db.transaction().execute(async (tx) => {
      // Of two pages that answer at once, one waits and finds it answered.
      const assignment = await programmes.getAssignment(tx, assignmentId, { lock: true });
      const course = await programmes.courseOf(tx, assignment);
      const { scale } = course;
      if (scale === null) throw new NotFound('The scale');
      await work(tx, assignment, { ...course, scale });
      return ownOf(
        assignment,
        scale,
        await listEfficacyAnswers(tx, assignment.id),
        await dueNow(tx, assignment),
      );
    });
  };

  /** @throws Conflict EFFICACY_NOT_DUE, ALREADY_ANSWERED */
  const mustBeDue = async (tx: Executor, assignment: Assignment, wave: EfficacyWave): Promise<void> => {
    const kept = (await listEfficacyAnswers(tx, assignment.id)).find((each) => each.wave === wave);
    if (kept !== undefined && kept.answers !== null)
      throw new Conflict('ALREADY_ANSWERED', 'This has been answered; the first answers stand.');
    if ((await dueNow(tx, assignment))?.wave !== wave)
      throw new Conflict('EFFICACY_NOT_DUE', 'This is not asked now.');
  };

  const put = async (
    tx: Executor,
    assignment: Assignment,
    scale: Scale,
    wave: EfficacyWave,
    answers: readonly number[] | null,
  ): Promise<void> =>
    putEfficacyAnswers(tx, assignment.id, {
      wave,
      scaleKey: scale.key,
      scaleVersion: scale.version,
      answers,
      givenAt: clock.now(),
    });

  return {
    /** The viewer's own; undefined for another's, and where the course asks nothing. */
    async findOwn(viewer: Viewer, assignmentId: string): Promise<OwnEfficacy | undefined> {
      const assignment = await programmes.findOwnAssignment(viewer, assignmentId);
      if (assignment === undefined) return undefined;
      const { scale } = await programmes.courseOf(db, assignment);
      if (scale === null) return undefined;
      return ownOf(
        assignment,
        scale,
        await listEfficacyAnswers(db, assignment.id),
        await dueNow(db, assignment),
      );
    },

    /** Keeps all answers of a wave, or none. @throws NotFound, InvalidInput, Conflict EFFICACY_NOT_DUE or ALREADY_ANSWERED */
    answer: async (
      viewer: Viewer,
      input: { assignmentId: string; wave: EfficacyWave; answers: readonly ItemAnswer[] },
    ): Promise<OwnEfficacy> =>
      change(viewer, input.assignmentId, async (tx, assignment, course) => {
        const answers = readAnswers(course.scale, input.answers);
        await mustBeDue(tx, assignment, input.wave);
        // So that the same scale is asked again later.
        await programmes.pinCourse(tx, assignment.id, course.id);
        await put(tx, assignment, course.scale, input.wave, answers);
      }),

    /** It is not offered again; while it is due it may still be answered. @throws NotFound, Conflict as `answer` does */
    decline: async (
      viewer: Viewer,
      input: { assignmentId: string; wave: EfficacyWave },
    ): Promise<OwnEfficacy> =>
      change(viewer, input.assignmentId, async (tx, assignment, course) => {
        await mustBeDue(tx, assignment, input.wave);
        await put(tx, assignment, course.scale, input.wave, null);
      }),

    /** Deletes the answers of a wave, at any time; again, it finds none. @throws NotFound */
    withdraw: async (
      viewer: Viewer,
      input: { assignmentId: string; wave: EfficacyWave },
    ): Promise<OwnEfficacy> =>
      change(viewer, input.assignmentId, async (tx, assignment, course) => {
        const kept = await listEfficacyAnswers(tx, assignment.id);
        if (kept.some((each) => each.wave === input.wave && each.answers !== null))
          await put(tx, assignment, course.scale, input.wave, null);
      }),
  };
}

const isOf = (given: EfficacyAnswers, scale: Scale): boolean =>
  given.scaleKey === scale.key && given.scaleVersion === scale.version;
