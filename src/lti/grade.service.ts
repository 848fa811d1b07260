import { z } from 'zod';
import type { ExamService } from '../assessment/exam.service.ts';
import type { Clock } from '../clock.ts';
import { activityKeys, type CourseVersion } from '../courses/course.ts';
import { actingAs, inParts } from '../db/acting.ts';
import type { Database } from '../db/database.ts';
import { Conflict, NotFound } from '../errors.ts';
import { inParallel } from '../in-parallel.ts';
import { insertDebt, insertJournalEntry } from '../journal/journal.repository.ts';
import type { LearningService } from '../learning/learning.service.ts';
import type { Log } from '../log.ts';
import { may, type Viewer } from '../people/permission.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import type { RegionService } from '../regions/region.service.ts';
import {
  deleteLineItem,
  failGrade,
  findGrade,
  findLineItem,
  listDueGrades,
  listFailedGrades,
  listGradesOf,
  listScores,
  oweAgain,
  postponeGrade,
  renewLease,
  saveLineItem,
  saveScore,
  saveTimestamp,
  settleGrade,
  takeOwedGrade,
  type DueGrade,
  type OwedGrade,
} from './grade.repository.ts';
import { MOST_FAILURES_OF_LINK, MOST_FAILURES_OF_PLATFORM, waitSeconds, type LtiGrade } from './grade.ts';
import { LINE_ITEM_SCOPE, SCORE_SCOPE, type Answered, type PlatformService } from './platform-service.ts';
import type { LtiRegistration } from './registration.ts';
import { listRegistrations } from './registration.repository.ts';
import {
  nextTimestamp,
  sameScore,
  SCORE_MAXIMUM,
  scoreOfActivities,
  scoreOfCourse,
  scoresUrl,
  UNTOUCHED,
  type Score,
} from './score.ts';

/** Owed by the database itself as somebody learns (migration 32); each minute for what did not get through. */
export const SEND_GRADES_TASK = 'send-lti-grades';
/** For one line item, its tokens and the score, each of which may take its time. */
const LEASE_MS = 3 * 60_000;
/** Of one platform in one go; what is left has its turn in a minute. */
const MOST_IN_ONE_GO = 500;
/** Eight minutes, unless the platform asks for more. */
const MOST_DOUBLED_FOR_ALL = 5;
/** A platform that takes its time holds up nobody else's. */
const PLATFORMS_AT_ONCE = 20;
const MOST_FAILURES_SHOWN = 100;
/** Asking twice in a row brings nothing new. */
const AGAIN_MS = 60_000;

const lineItemsShape = z.array(
  z.looseObject({ id: z.string().max(2_000), resourceId: z.string().nullish() }),
);
const lineItemShape = z.looseObject({ id: z.string().max(2_000) });

type Ask = PlatformService['ask'];
type NotTold = Exclude<Answered, { kind: 'answer' }>;

interface Told {
  /** '' for the link's own line item. */
  readonly moduleKey: string;
  readonly score: Score;
  readonly label: string;
}

export type LtiGradeService = ReturnType<typeof makeLtiGradeService>;

/** Tells platforms how far their learners are (Assignment and Grade Services 2.0). */
export function makeLtiGradeService({
  db,
  clock,
  log,
  random,
  regions,
  programmes,
  learning,
  exams,
  platformService,
}: {
  db: Database;
  clock: Clock;
  log: Log;
  random: (bytes: number) => Uint8Array;
  regions: RegionService;
  programmes: ProgrammeService;
  learning: LearningService;
  exams: ExamService;
  platformService: PlatformService;
}) {
  /** What the platform is to know now, in the order of the course. */
  const tellings = async (grade: OwedGrade): Promise<{ course: CourseVersion; told: Told[] }> => {
    const assignment = await programmes.getAssignment(db, grade.assignmentId);
    const course = await programmes.courseOf(db, assignment);
    const progress = await learning.listProgress(db, assignment.id);
    const { manifest } = course;
    const keys = new Map(
      manifest.modules.map((module) => [module.key, module.activities.map(({ key }) => key)]),
    );
    const own =
      grade.moduleKey !== null && keys.has(grade.moduleKey)
        ? scoreOfActivities(keys.get(grade.moduleKey)!, progress)
        : grade.activityKey !== null && activityKeys(manifest).includes(grade.activityKey)
          ? scoreOfActivities([grade.activityKey], progress)
          : scoreOfCourse(progress, await exams.listAttempts(db, assignment.id), manifest.exam);
    const columns = grade.moduleColumns && grade.moduleKey === null && grade.activityKey === null;
    return {
      course,
      told: [
        ...(columns
          ? manifest.modules.map((module) => ({
              moduleKey: module.key,
              score: scoreOfActivities(keys.get(module.key)!, progress),
              label: `${manifest.title['zh-CN']} · ${module.title['zh-CN']}`,
            }))
          : []),
        { moduleKey: '', score: own, label: '' },
      ],
    };
  };

  /** The line item of a module in the container of its link: as it is there, or else made (section 3.2). */
  const lineItemOf = async (
    grade: OwedGrade,
    course: CourseVersion,
    told: Told,
    ask: Ask,
  ): Promise<{ url: string } | NotTold | undefined> => {
    if (told.moduleKey === '') return grade.lineItemUrl === null ? undefined : { url: grade.lineItemUrl };
    const of = { resourceLinkId: grade.resourceLinkId, moduleKey: told.moduleKey };
    const known = await findLineItem(db, of);
    if (known !== undefined) return { url: known };
    if (grade.lineItemsUrl === null || !grade.gradeScopes.includes(LINE_ITEM_SCOPE)) return undefined;
    const resourceId = `${course.slug}/${told.moduleKey}`;
    const now = clock.now();
    const wanted = new URL(grade.lineItemsUrl);
    wanted.searchParams.set('resource_link_id', grade.platformLinkId);
    wanted.searchParams.set('resource_id', resourceId);
    const found = await ask(
      grade.registration,
      LINE_ITEM_SCOPE,
      wanted.href,
      { headers: { accept: 'application/vnd.ims.lis.v2.lineitemcontainer+json' } },
      { now },
    );
    if (found.kind !== 'answer') return found;
    // Not every platform filters.
    let url = jsonOf(lineItemsShape, found.response)?.find((each) => each.resourceId === resourceId)?.id;
    if (url === undefined) {
      const made = await ask(
        grade.registration,
        LINE_ITEM_SCOPE,
        grade.lineItemsUrl,
        {
          method: 'POST',
          headers: {
            accept: 'application/vnd.ims.lis.v2.lineitem+json',
            'content-type': 'application/vnd.ims.lis.v2.lineitem+json',
          },
          body: JSON.stringify({
            scoreMaximum: SCORE_MAXIMUM,
            label: told.label,
            resourceId,
            resourceLinkId: grade.platformLinkId,
            tag: 'module',
          }),
        },
        { now },
      );
      if (made.kind !== 'answer') return made;
      url = jsonOf(lineItemShape, made.response)?.id;
    }
    // A token is sent there: it is the platform's own, or none.
    if (url === undefined || !platformService.isOwn(grade.registration, url))
      return { kind: 'refused', failure: 'foreign', status: undefined };
    await saveLineItem(db, { ...of, url });
    return { url };
  };

  const postScore = async (
    grade: OwedGrade,
    { url, score, timestamp }: { url: string; score: Score; timestamp: Date },
    ask: Ask,
  ): Promise<Answered> =>
    ask(
      grade.registration,
      SCORE_SCOPE,
      scoresUrl(url),
      {
        method: 'POST',
        headers: { 'content-type': 'application/vnd.ims.lis.v1.score+json' },
        body: JSON.stringify({
          userId: grade.subject,
          timestamp: timestamp.toISOString(),
          ...(score.score === null ? {} : { scoreGiven: score.score, scoreMaximum: SCORE_MAXIMUM }),
          activityProgress: score.activityProgress,
          gradingProgress: score.gradingProgress,
        }),
      },
      // Section 3.4.7: the platform has one that is not older.
      { expected: [409], now: clock.now() },
    );

  /** Each line item for itself. @returns what stood in the way: of several, one that passes, since the grade is tried again then. */
  const send = async (grade: OwedGrade, ask: Ask): Promise<NotTold | undefined> => {
    if (!grade.stands || !grade.gradeScopes.includes(SCORE_SCOPE)) return undefined;
    const { course, told } = await tellings(grade);
    const before = await listScores(db, grade.id);
    let last = grade.toldAt;
    let failed: NotTold | undefined;
    for (const each of told) {
      const known = before.get(each.moduleKey);
      if (
        sameScore(each.score, known) ? !grade.again : known === undefined && sameScore(each.score, UNTOUCHED)
      )
        continue;
      await renewLease(db, grade.id, new Date(clock.now().getTime() + LEASE_MS));
      const lineItem = await lineItemOf(grade, course, each, ask);
      if (lineItem === undefined) continue;
      let answered: Answered | undefined;
      if ('url' in lineItem) {
        const timestamp = nextTimestamp(clock.now(), last);
        await saveTimestamp(db, grade.id, timestamp);
        last = timestamp;
        answered = await postScore(grade, { url: lineItem.url, score: each.score, timestamp }, ask);
        if (answered.kind === 'answer') {
          await saveScore(db, {
            gradeId: grade.id,
            moduleKey: each.moduleKey,
            score: each.score,
            toldAt: timestamp,
            sentAt: clock.now(),
          });
          continue;
        }
        if (answered.kind === 'refused' && each.moduleKey !== '' && answered.status === 404)
          await deleteLineItem(db, { resourceLinkId: grade.resourceLinkId, moduleKey: each.moduleKey });
      } else answered = lineItem;
      if (answered.kind === 'later' && answered.whole) return answered;
      if (failed?.kind !== 'later') failed = answered;
    }
    return failed;
  };

  const sendOne = async (
    grade: OwedGrade,
    ask: Ask,
  ): Promise<{ failed: NotTold | undefined; due: boolean }> => {
    const failed = await send(grade, ask);
    if (failed === undefined) return { failed, due: await settleGrade(db, grade) };
    const at = clock.now();
    const wait =
      failed.kind === 'later'
        ? waitSeconds(
            // Where it stands for the whole platform, one that has failed often must not put it off for hours.
            failed.whole ? Math.min(grade.failures + 1, MOST_DOUBLED_FOR_ALL) : grade.failures + 1,
            failed.waitSeconds,
            random(1)[0]! / 256,
          )
        : undefined;
    const retryAt = wait === undefined ? null : new Date(at.getTime() + wait * 1000);
    const due = await failGrade(db, grade, { failure: failed.failure, status: failed.status, at, retryAt });
    log.warn(
      {
        grade: grade.id,
        registration: grade.registration.id,
        failure: failed.failure,
        status: failed.status,
        retryAt: retryAt?.toISOString() ?? 'not by itself',
      },
      'a grade did not reach its platform',
    );
    return { failed, due };
  };

  /** What is due of one platform, one learner's scores after the other. What stands in one's way puts off no other. */
  const sendTo = async (due: readonly DueGrade[]): Promise<void> => {
    // By scope: it would say the same of each learner.
    const refused = new Map<string, Answered>();
    const ask: Ask = async (registration, scope, ...rest) => {
      const known = refused.get(scope);
      if (known !== undefined) return known;
      const answered = await platformService.ask(registration, scope, ...rest);
      if (answered.kind === 'refused' && answered.failure === 'token') refused.set(scope, answered);
      return answered;
    };
    const ofLink = new Map<string, number>();
    let inARow = 0;
    const left = [...due];
    for (const each of left) {
      const { id, resourceLinkId } = each;
      const before = ofLink.get(resourceLinkId) ?? 0;
      if (before >= MOST_FAILURES_OF_LINK) continue;
      const now = clock.now();
      const grade = await takeOwedGrade(db, id, { now, until: new Date(now.getTime() + LEASE_MS) });
      if (grade === undefined) continue;
      let sent: Awaited<ReturnType<typeof sendOne>>;
      try {
        sent = await sendOne(grade, ask);
      } catch (error) {
        log.error({ err: error, grade: id }, 'a grade could not be made ready');
        const wait = waitSeconds(grade.failures + 1, undefined, random(1)[0]! / 256);
        await postponeGrade(db, id, new Date(now.getTime() + wait * 1000));
        continue;
      }
      const { failed } = sent;
      // Learned while it was being sent: whoever was to send that found it taken.
      if (sent.due) left.push(each);
      const passing = failed?.kind === 'later';
      ofLink.set(resourceLinkId, passing ? before + 1 : 0);
      inARow = passing ? inARow + 1 : 0;
      if ((failed?.kind === 'later' && failed.whole) || inARow >= MOST_FAILURES_OF_PLATFORM) return;
    }
  };

  const managed = async (viewer: Viewer, registrationId: string) => {
    const [registration] = await listRegistrations(db, [registrationId]);
    const division =
      registration === undefined ? undefined : await regions.findDivision(registration.divisionCode);
    if (registration === undefined || division === undefined || !may(viewer, 'lti.register', division))
      throw new NotFound('The registration');
    return { registration, division };
  };

  const service = {
    /**
     * The worker's part: sends what is due, to each platform for itself.
     * @param of of which assignment; or to which registration, once its addresses have changed: there, what was not taken at the old ones as well.
     * Neither: all.
     */
    async send({
      assignmentId,
      registrationId,
    }: { assignmentId?: string | undefined; registrationId?: string | undefined } = {}): Promise<void> {
      if (registrationId !== undefined) await oweAgain(db, { failedOf: registrationId, exceptRefused: true });
      const due = await listDueGrades(db, { of: assignmentId, now: clock.now(), most: MOST_IN_ONE_GO });
      const platforms = Map.groupBy(due, (each) => each.registrationId);
      await inParallel(platforms.values(), PLATFORMS_AT_ONCE, sendTo);
    },

    /** What platforms were told of the viewer's own assignment; nothing of anybody else's. */
    async listOwn(viewer: Viewer, assignmentId: string): Promise<LtiGrade[]> {
      const assignment = await programmes.findOwnAssignment(viewer, assignmentId);
      return assignment === undefined ? [] : actingAs('issuer', async () => listGradesOf(db, assignment.id));
    },

    /** The viewer's own; undefined for another's and for none, alike. */
    async findOwn(viewer: Viewer, id: string): Promise<LtiGrade | undefined> {
      const grade = await actingAs('issuer', async () => findGrade(db, id));
      return grade !== undefined &&
        (await programmes.findOwnAssignment(viewer, grade.assignmentId)) !== undefined
        ? grade
        : undefined;
    },

    /**
     * Owes the viewer's own again, whether or not anything has changed.
     * @throws NotFound; Conflict SENT_JUST_NOW.
     */
    async sendAgain(viewer: Viewer, id: string): Promise<LtiGrade> {
      const grade = await service.findOwn(viewer, id);
      if (grade === undefined) throw new NotFound('The grade');
      const at = clock.now();
      const again = new Date((grade.sentAt?.getTime() ?? 0) + AGAIN_MS);
      if (grade.gradeState === 'sent' && again > at)
        throw new Conflict('SENT_JUST_NOW', 'It was sent less than a minute ago.', again);
      await actingAs('issuer', async () =>
        db.transaction().execute(async (tx) => {
          await oweAgain(tx, { id });
          await insertJournalEntry(tx, {
            at,
            actor: `person:${viewer.personId}`,
            action: 'lti-grade.send-again',
            subject: `lti-grade:${id}`,
            personId: viewer.personId,
          });
          await insertDebt(tx, {
            task: SEND_GRADES_TASK,
            payload: { assignmentId: grade.assignmentId },
            key: `${SEND_GRADES_TASK}:${grade.assignmentId}`,
          });
        }),
      );
      return (await service.findOwn(viewer, id))!;
    },

    /** What did not get through to a platform, the longest first; for a registration that may be seen. Whose it is, is not told. */
    listFailed: async (registration: Pick<LtiRegistration, 'id'>): Promise<LtiGrade[]> =>
      actingAs('issuer', async () => listFailedGrades(db, registration.id, MOST_FAILURES_SHOWN)),

    /**
     * Owes all again that did not get through to a platform, e.g. since its administrator has put something right.
     * @returns how many. @throws NotFound for a registration that is not the viewer's to manage.
     */
    async sendFailedAgain(viewer: Viewer, registrationId: string): Promise<number> {
      const { registration, division } = await managed(viewer, registrationId);
      return actingAs('issuer', async () =>
        db.transaction().execute(async (tx) => {
          const assignments = await oweAgain(tx, { failedOf: registration.id });
          await insertJournalEntry(tx, {
            at: clock.now(),
            actor: `person:${viewer.personId}`,
            action: 'lti-grade.send-failed',
            subject: `lti-registration:${registration.id}`,
            detail: { grades: assignments.length },
            units: [division],
          });
          await insertDebt(tx, { task: SEND_GRADES_TASK, payload: {}, key: SEND_GRADES_TASK });
          return assignments.length;
        }),
      );
    },
  };
  return inParts({ send: 'issuer' }, service);
}

/** undefined for what is not of the shape: whatever a platform sends is its claim. */
function jsonOf<T>(shape: z.ZodType<T>, response: { json(): unknown }): T | undefined {
  try {
    return shape.safeParse(response.json()).data;
  } catch {
    return undefined;
  }
}
