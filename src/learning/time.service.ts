import type { Clock } from '../clock.ts';
import type { CourseVersion } from '../courses/course.ts';
import { actingAs, inParts } from '../db/acting.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict, InvalidInput, NotFound } from '../errors.ts';
import { insertDebt, insertJournalEntry } from '../journal/journal.repository.ts';
import { isSelf, type Viewer } from '../people/permission.ts';
import type { Assignment } from '../programmes/certification.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import { creditOf, type Pace } from './credit.ts';
import { insertFlags } from './flag.repository.ts';
import { findOddities } from './odd.ts';
import { listProgress } from './progress.repository.ts';
import { hashDevice, readProof, timeKeys, writeProof, type Proof } from './proof.ts';
import {
  BEAT_SECONDS,
  ceilingOf,
  creditedHours,
  declaredTime,
  GAP_MS,
  neededTime,
  type CreditedTime,
} from './time.ts';
import {
  findCreditedTime,
  findStanding,
  insertStretch,
  listSharers,
  listStretches,
  recordBeat,
} from './time.repository.ts';

/** Owed by opening a page: looks, when the learner has gone, whether anything is odd. */
export const LOOK_TASK = 'look-at-time';
const LOOK_AFTER_MS = 30 * 60_000;
/** More a minute than this no hand does; more is counted as this. */
const MOST_INTERACTIONS = 600;

/** What a page is told: how it goes on. */
export interface Ticket {
  readonly activityKey: string;
  /** For the next heartbeat. */
  readonly proof: string;
  /** When it is awaited. */
  readonly nextInSeconds: number;
  readonly pace: Pace | 'elsewhere' | 'full';
  /** What the activity has by now, and may have. */
  readonly activityMs: number;
  readonly ceilingMs: number;
  /** What this heartbeat added. */
  readonly addedMs: number;
}

/** Where an assignment stands with its hours. */
export interface Hours {
  readonly time: CreditedTime;
  readonly course: CourseVersion;
  readonly declaredMs: number;
  readonly neededMs: number;
  /** Class hours, to a tenth. */
  readonly credited: number;
  /** Class hours that `neededMs` makes, to a tenth, rounded up. */
  readonly needed: number;
}

export type TimeService = ReturnType<typeof makeTimeService>;

export function makeTimeService({
  db,
  clock,
  random,
  identityKey,
  programmes,
  reachedTask,
}: {
  db: Database;
  clock: Clock;
  random: (bytes: number) => Uint8Array;
  identityKey: Uint8Array;
  programmes: ProgrammeService;
  /** Owed for an assignment as soon as it has the hours that its certification asks for. */
  reachedTask: string;
}) {
  const keys = timeKeys(identityKey);

  const ticket = (
    proof: Proof,
    { pace, activityMs, addedMs }: Pick<Ticket, 'pace' | 'activityMs' | 'addedMs'>,
  ): Ticket => ({
    activityKey: proof.activityKey,
    proof: writeProof(proof, keys.proofs),
    nextInSeconds: beatAfter(random),
    pace,
    activityMs,
    ceilingMs: proof.ceilingMs,
    addedMs,
  });

  const hoursOf = async (executor: Executor, assignment: Assignment): Promise<Hours> => {
    const [certification] = await programmes.listCertifications([assignment.certificationId]);
    const course = await programmes.courseOf(executor, assignment);
    const time = await findCreditedTime(executor, assignment.id);
    const neededMs = neededTime(course.manifest, certification!);
    return {
      time,
      course,
      declaredMs: declaredTime(course.manifest),
      neededMs,
      credited: creditedHours(course.manifest, certification!, time.totalMs),
      needed: Math.ceil((neededMs * 10) / (certification!.classHourMinutes * 60_000)) / 10,
    };
  };

  const service = {
    hoursOf: async (assignment: Assignment): Promise<Hours> => hoursOf(db, assignment),
    /** In the caller's transaction. */
    hoursIn: hoursOf,

    /**
     * The viewer has opened one of their own activities, or the exam, by its key: time runs from now on, as long as heartbeats follow.
     * @param input.device a number that the browser gave itself; it is kept as a keyed hash.
     */
    async open(
      viewer: Viewer,
      input: { assignmentId: string; activityKey: string; device: string | null },
    ): Promise<Ticket> {
      const assignment = await programmes.findOwnAssignment(viewer, input.assignmentId);
      if (assignment === undefined) throw new NotFound('The assignment');
      const [certification] = await programmes.listCertifications([assignment.certificationId]);
      const course = await programmes.courseOf(db, assignment);
      const ceilingMs = ceilingOf(course.manifest, input.activityKey);
      if (ceilingMs === undefined) throw new NotFound('The activity');
      if (input.device !== null && !/^[\w-]{8,64}$/.test(input.device))
        throw new InvalidInput('input.device', 'From 8 to 64 letters, digits, - and _.');
      await programmes.pinCourse(db, assignment.id, course.id);
      const at = clock.now();
      // Nobody's own rights reach what time is credited by.
      const stretchId = await actingAs('issuer', async () =>
        db.transaction().execute(async (tx) => {
          const id = await insertStretch(tx, {
            personId: viewer.personId,
            assignmentId: assignment.id,
            activityKey: input.activityKey,
            device: input.device === null ? null : hashDevice(input.device, keys.devices),
            at,
          });
          // Opened once more, it is looked at later.
          await insertDebt(tx, {
            task: LOOK_TASK,
            payload: { assignmentId: assignment.id },
            key: `${LOOK_TASK}:${assignment.id}`,
            notBefore: new Date(at.getTime() + LOOK_AFTER_MS),
          });
          return id;
        }),
      );
      const { byActivity, totalMs } = await findCreditedTime(db, assignment.id);
      const neededMs = neededTime(course.manifest, certification!);
      return ticket(
        {
          personId: viewer.personId,
          assignmentId: assignment.id,
          activityKey: input.activityKey,
          stretchId,
          beats: 0,
          at: at.getTime(),
          activeAt: at.getTime(),
          running: true,
          ceilingMs,
          neededMs,
          lacksMs: neededMs === 0 ? null : neededMs - totalMs,
        },
        { pace: 'running', activityMs: byActivity.get(input.activityKey) ?? 0, addedMs: 0 },
      );
    },

    /**
     * A page tells that it is still there. One that comes again since its answer was lost is answered again, and adds nothing.
     * @throws Conflict BEAT_FORGED: the proof is none of this service; BEAT_REPLAYED: another heartbeat followed it before.
     */
    async beat(
      viewer: Viewer,
      input: { proof: string; visible: boolean; interactions: number },
    ): Promise<Ticket> {
      const proof = readProof(input.proof, keys.proofs);
      if (proof === undefined)
        throw new Conflict('BEAT_FORGED', 'This proof is none that the service gave; open the page anew.');
      if (!isSelf(viewer, proof.personId)) throw new NotFound('The sitting');
      if (!(input.interactions >= 0)) throw new InvalidInput('input.interactions', 'From 0 on.');
      const interactions = Math.min(input.interactions, MOST_INTERACTIONS);
      const credit = creditOf(proof, { visible: input.visible, interactions }, clock.now().getTime());
      // Nobody's time grows faster than time goes by, but for what another page has not told yet: before, no heartbeat need ask.
      const lacksMs = proof.lacksMs === null ? null : proof.lacksMs - (credit.next.at - proof.at);
      const reached =
        lacksMs === null || lacksMs > GAP_MS
          ? undefined
          : {
              neededMs: proof.neededMs,
              task: reachedTask,
              key: `${reachedTask}:${proof.assignmentId}`,
            };
      const outcome = await actingAs('issuer', async () =>
        recordBeat(db, {
          ...proof,
          credit,
          interactions,
          reached,
        }),
      );
      if (outcome === undefined) return again(proof);
      const { stretchId, activityMs, addedMs, freshMs, courseMs } = outcome;
      const told = credit.to - credit.from;
      return ticket(
        {
          ...proof,
          ...credit.next,
          stretchId,
          beats: stretchId === proof.stretchId ? proof.beats + 1 : 0,
          lacksMs:
            courseMs === undefined
              ? lacksMs
              : // It was owed with this very heartbeat.
                courseMs >= proof.neededMs
                ? null
                : proof.neededMs - courseMs,
        },
        {
          pace:
            credit.pace !== 'running'
              ? credit.pace
              : activityMs >= proof.ceilingMs
                ? 'full'
                : told > 0 && freshMs === 0
                  ? 'elsewhere'
                  : 'running',
          activityMs,
          addedMs,
        },
      );
    },

    /** The worker's part: raises what is odd in an assignment's time, each once, for somebody to judge. */
    async look(assignmentId: string): Promise<void> {
      const assignment = await programmes.getAssignment(db, assignmentId);
      const { manifest } = await programmes.courseOf(db, assignment);
      const minutes = new Map(
        manifest.modules.flatMap(({ activities }) => activities.map((each) => [each.key, each.minutes])),
      );
      const all = await listStretches(db, assignment.personId);
      const oddities = findOddities({
        completed: (await listProgress(db, assignment.id)).flatMap(({ activityKey, completedAt }) => {
          const expected = minutes.get(activityKey);
          return completedAt === null || expected === undefined
            ? []
            : [{ key: activityKey, minutes: expected, at: completedAt }];
        }),
        stretches: all.filter((stretch) => stretch.assignmentId === assignment.id),
        elsewhere: all.filter((stretch) => stretch.assignmentId !== assignment.id),
        sharers: await listSharers(db, assignment.id),
      });
      const at = clock.now();
      await db.transaction().execute(async (tx) => {
        for (const flag of await insertFlags(tx, {
          ...assignment,
          assignmentId: assignment.id,
          oddities,
          at,
        }))
          await insertJournalEntry(tx, {
            at,
            actor: `worker:${LOOK_TASK}`,
            action: 'time-flag.raise',
            subject: `time-flag:${flag.id}`,
            detail: { kind: flag.kind },
            personId: assignment.personId,
          });
      });
    },
  };
  return inParts({ look: 'issuer' }, service);

  /** The answer was lost on its way: the heartbeat after it is still awaited. */
  async function again(proof: Proof): Promise<Ticket> {
    const standing = await findStanding(db, proof.stretchId);
    if (standing === undefined) throw new NotFound('The sitting');
    if (standing.beats !== proof.beats + 1)
      throw new Conflict('BEAT_REPLAYED', 'Another heartbeat followed this one before; it counts once.');
    const { beats, at, activeAt, running, activityMs } = standing;
    return ticket(
      {
        ...proof,
        beats,
        at: at.getTime(),
        activeAt: activeAt.getTime(),
        running,
        lacksMs: proof.lacksMs === null ? null : proof.lacksMs - (at.getTime() - proof.at),
      },
      { pace: running ? 'running' : 'idle', activityMs, addedMs: 0 },
    );
  }
}

/** Not at even times: a program that does not listen gives itself away by keeping its own. */
function beatAfter(random: (bytes: number) => Uint8Array): number {
  const { least, most } = BEAT_SECONDS;
  return least + (random(1)[0]! % (most - least + 1));
}
