import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  assignTeachers,
  finishActivities,
  sitExam,
  startService,
  SUBMIT,
  TestClock,
  until,
  type Learner,
  type TestService,
} from '../support/service.ts';

const SITTING =
  'sitting { proof nextInSeconds pace addedSeconds activity { activityKey creditedSeconds ceilingSeconds } }';
const OPEN = `mutation ($input: OpenSittingInput!) { openSitting(input: $input) { __typename
  ... on OpenSittingPayload { ${SITTING} } ... on Refusal { code message } ... on InvalidInput { path } } }`;
const BEAT = `mutation ($input: RecordBeatInput!) { recordBeat(input: $input) { __typename
  ... on RecordBeatPayload { ${SITTING} } ... on Refusal { code message } ... on InvalidInput { path } } }`;
const TIME = `query ($id: ID!) { node(id: $id) { ... on Assignment { state
  time { creditedSeconds classHours classHoursNeeded secondsToGo byActivity { activityKey creditedSeconds ceilingSeconds } flags { id } }
  shortfalls(language: en) { code text } activities { activity { key minutes } }
  certificate { classHours evidenceGrade evidence(language: en) } } } }`;

interface Sitting {
  readonly proof: string;
  readonly pace: string;
  readonly addedSeconds: number;
  readonly activity: { readonly creditedSeconds: number; readonly ceilingSeconds: number };
}

describe('time in the ledger', () => {
  let service: TestService;
  let clock: TestClock;
  let learners: Learner[];
  beforeAll(async () => {
    clock = new TestClock('2030-03-04T00:00:00Z');
    service = await startService({ clock });
    ({ learners } = await assignTeachers(
      service,
      ['t1', 't2', 't3', 't4', 't5', 't6', 't7', 't8', 't9', 't10'],
      { minimumHoursShare: 0.5 },
    ));
  });
  afterAll(async () => service.stop());

  const seconds = (count: number): void => clock.move(count / 60);
  const timeOf = async (learner: Learner) =>
    (await service.ask(learner.key, TIME, { id: learner.assignmentId })).data.node;
  const creditedTo = async (learner: Learner): Promise<number> =>
    (await timeOf(learner)).time.creditedSeconds as number;
  const keysOf = async (learner: Learner): Promise<{ key: string; minutes: number }[]> =>
    ((await timeOf(learner)).activities as { activity: { key: string; minutes: number } }[]).map(
      ({ activity }) => activity,
    );
  const openAs = async (learner: Learner, more: Record<string, unknown> = {}) => {
    const input = {
      assignmentId: learner.assignmentId,
      activityKey: (await keysOf(learner))[0]!.key,
      ...more,
    };
    return (await service.ask(learner.key, OPEN, { input })).data.openSitting;
  };
  const open = async (learner: Learner, activityKey?: string): Promise<Sitting> => {
    const answer = await openAs(learner, activityKey === undefined ? {} : { activityKey });
    if (answer.__typename !== 'OpenSittingPayload') throw new Error(JSON.stringify(answer));
    return answer.sitting as Sitting;
  };
  const beatAs = async (key: string, proof: string, more: Record<string, unknown> = {}) =>
    (await service.ask(key, BEAT, { input: { proof, visible: true, interactions: 2, ...more } })).data
      .recordBeat;
  const beat = async (
    learner: Learner,
    before: Sitting,
    more: Record<string, unknown> = {},
  ): Promise<Sitting> => {
    const answer = await beatAs(learner.key, before.proof, more);
    if (answer.__typename !== 'RecordBeatPayload') throw new Error(JSON.stringify(answer));
    return answer.sitting as Sitting;
  };
  /** Learns like a person for some time, on one page. */
  const learn = async (learner: Learner, minutes: number, activityKey?: string): Promise<void> => {
    let sitting = await open(learner, activityKey);
    for (let gone = 0; gone < minutes * 60; gone += 60) {
      seconds(60);
      sitting = await beat(learner, sitting);
    }
  };

  describe('a script', () => {
    it('that sends heartbeats faster than time goes by gains nothing', async () => {
      const [learner] = learners as [Learner];
      let sitting = await open(learner);
      for (let index = 0; index < 10; index++) sitting = await beat(learner, sitting);
      expect(await creditedTo(learner)).toBe(0);
      // Timers at 1.5 times their speed: a heartbeat of "20 s" every 13.
      for (let index = 0; index < 9; index++) {
        seconds(13);
        sitting = await beat(learner, sitting);
        expect(sitting.addedSeconds).toBe(13);
      }
      expect(await creditedTo(learner)).toBe(9 * 13);
    });

    it('that sends a heartbeat once more adds nothing; one that was followed before is refused', async () => {
      const learner = learners[1]!;
      const first = await open(learner);
      seconds(20);
      const second = await beat(learner, first);
      for (let index = 0; index < 3; index++) {
        const repeated = await beat(learner, first);
        expect(repeated).toMatchObject({ addedSeconds: 0, proof: second.proof });
      }
      seconds(20);
      await beat(learner, second);
      seconds(20);
      expect(await beatAs(learner.key, first.proof)).toMatchObject({
        __typename: 'Conflict',
        code: 'BEAT_REPLAYED',
      });
      expect(await creditedTo(learner)).toBe(40);
    });

    it('that sends the same heartbeat ten times at the same moment has it counted once', async () => {
      const learner = learners[1]!;
      const before = await creditedTo(learner);
      const first = await open(learner);
      seconds(20);
      const answers = await Promise.all(
        Array.from({ length: 10 }, async () => beatAs(learner.key, first.proof)),
      );
      expect(answers.map((each) => each.__typename)).toEqual(
        Array.from({ length: 10 }, () => 'RecordBeatPayload'),
      );
      expect(answers.filter((each) => each.sitting.addedSeconds > 0)).toHaveLength(1);
      expect(await creditedTo(learner)).toBe(before + 20);
    });

    it('that makes up a proof, or brings another’s, is refused', async () => {
      const [, , mine, other] = learners as [Learner, Learner, Learner, Learner];
      const sitting = await open(mine);
      const [body, signature] = sitting.proof.split('.') as [string, string];
      // An hour from the future, or an hour ago, by its own words.
      const facts = JSON.parse(Buffer.from(body, 'base64url').toString()) as unknown[];
      for (const [place, value] of [
        [4, 7],
        [5, clock.now().getTime() - 3_600_000],
        [5, clock.now().getTime() + 3_600_000],
        [8, 10 ** 9],
        [9, 0],
      ] as const) {
        const forged = facts.with(place, value);
        const text = `${Buffer.from(JSON.stringify(forged)).toString('base64url')}.${signature}`;
        expect(await beatAs(mine.key, text)).toMatchObject({ __typename: 'Conflict', code: 'BEAT_FORGED' });
      }
      expect((await beatAs(mine.key, 'x')).code).toBe('BEAT_FORGED');
      seconds(20);
      for (const stranger of [other.key, 'coordinator', 'hr'])
        expect(await beatAs(stranger, sitting.proof)).toMatchObject({
          code: 'NOT_FOUND',
          message: 'The sitting was not found.',
        });
      expect(
        await service.ask(null, BEAT, { input: { proof: sitting.proof, visible: true, interactions: 1 } }),
      ).toMatchObject({
        data: { recordBeat: { code: 'NOT_SIGNED_IN' } },
      });
      expect(await creditedTo(mine)).toBe(0);
      expect(await creditedTo(other)).toBe(0);
    });

    it('that opens twenty tabs, on all activities, gains no more than the time that goes by', async () => {
      const learner = learners[3]!;
      const keys = (await keysOf(learner)).map(({ key }) => key);
      let tabs = await Promise.all(
        Array.from({ length: 20 }, async (_each, index) => open(learner, keys[index % keys.length])),
      );
      for (let round = 0; round < 4; round++) {
        seconds(20);
        tabs = await Promise.all(tabs.map(async (tab) => beat(learner, tab)));
        expect(tabs.reduce((sum, tab) => sum + tab.addedSeconds, 0)).toBe(20);
        expect(tabs.filter(({ pace }) => pace === 'ELSEWHERE')).toHaveLength(19);
      }
      expect(await creditedTo(learner)).toBe(80);
    });

    it('that stays on one page has no more than the activity’s ceiling', async () => {
      const learner = learners[4]!;
      const shortest = (await keysOf(learner)).toSorted((a, b) => a.minutes - b.minutes)[0]!;
      await learn(learner, shortest.minutes * 1.5 + 3, shortest.key);
      const sitting = await beat(learner, await open(learner, shortest.key));
      expect(sitting).toMatchObject({
        pace: 'FULL',
        activity: { creditedSeconds: shortest.minutes * 90, ceilingSeconds: shortest.minutes * 90 },
      });
      expect(await creditedTo(learner)).toBe(shortest.minutes * 90);
    });

    it('that fills an activity from many tabs at the same moment passes its ceiling by nothing', async () => {
      const learner = learners[5]!;
      const shortest = (await keysOf(learner)).toSorted((a, b) => a.minutes - b.minutes)[0]!;
      await learn(learner, shortest.minutes * 1.5 - 1, shortest.key);
      let tabs = await Promise.all(Array.from({ length: 8 }, async () => open(learner, shortest.key)));
      for (let round = 0; round < 3; round++) {
        seconds(40);
        tabs = await Promise.all(tabs.map(async (tab) => beat(learner, tab)));
      }
      expect(await creditedTo(learner)).toBe(shortest.minutes * 90);
    });

    it('that claims scores and completions has the hours of the time that it was there', async () => {
      const learner = learners[6]!;
      const started = clock.now();
      await finishActivities(service, learner);
      await service.ask(learner.key, SUBMIT, { id: await sitExam(service, learner, { right: true }) });
      expect(clock.now()).toEqual(started);
      const { time, state, shortfalls, certificate } = await timeOf(learner);
      expect(time).toMatchObject({
        creditedSeconds: 0,
        classHours: 0,
        classHoursNeeded: 1,
        secondsToGo: 2700,
      });
      expect({ state, certificate }).toEqual({ state: 'HOURS_OPEN', certificate: null });
      expect(shortfalls).toEqual([
        {
          code: 'HOURS_MISSING',
          text: 'About 45 more minutes of learning (0 class hours so far, 1 needed)',
        },
      ]);
    });

    it('that opens what is not there, or another’s, is told that there is none', async () => {
      const [mine, other] = learners as [Learner, Learner];
      for (const [more, code] of [
        [{ activityKey: 'none' }, 'NOT_FOUND'],
        [{ assignmentId: other.assignmentId }, 'NOT_FOUND'],
        [{ assignmentId: Buffer.from('Assignment:999999').toString('base64') }, 'NOT_FOUND'],
        [{ device: 'short' }, 'INVALID_INPUT'],
        [{ device: 'x'.repeat(65) }, 'INVALID_INPUT'],
        [{ device: 'with blanks in it' }, 'INVALID_INPUT'],
      ] as const)
        expect({ more, code: (await openAs(mine, more)).code }).toEqual({ more, code });
      const { proof } = await open(mine);
      expect(await beatAs(mine.key, proof, { interactions: -1 })).toMatchObject({
        path: 'input.interactions',
      });
    });
  });

  describe('a slow and honest learner', () => {
    it('loses nothing to heartbeats that come late, or not at all', async () => {
      const learner = learners[7]!;
      let sitting = await open(learner);
      // Asked for every 20 s; a line that holds one back for half a minute, and loses the answer of another, which is sent again.
      for (const pause of [20, 50, 5, 75]) {
        seconds(pause);
        sitting = await beat(learner, sitting);
      }
      seconds(20);
      const lost = sitting;
      await beat(learner, lost);
      seconds(8);
      sitting = await beat(learner, lost);
      seconds(12);
      await beat(learner, sitting);
      expect(await creditedTo(learner)).toBe(20 + 50 + 5 + 75 + 20 + 8 + 12);
    });

    it('goes on after a reload, on the same or another device, from where they were', async () => {
      const learner = learners[7]!;
      const before = await creditedTo(learner);
      let sitting = await open(learner);
      seconds(20);
      sitting = await beat(learner, sitting, { visible: false });
      const reloaded = await open(learner);
      expect(reloaded.activity.creditedSeconds).toBe(before + 20);
      seconds(20);
      await beat(learner, reloaded);
      expect(await creditedTo(learner)).toBe(before + 40);
    });

    it('reads on without a touch; what counts stops after three minutes and goes on with the next', async () => {
      const learner = learners[8]!;
      let sitting = await open(learner);
      for (let index = 0; index < 12; index++) {
        seconds(20);
        sitting = await beat(learner, sitting, { interactions: 0 });
      }
      expect(sitting.pace).toBe('IDLE');
      expect(await creditedTo(learner)).toBe(180);
      sitting = await beat(learner, sitting);
      expect(sitting.pace).toBe('RUNNING');
      seconds(20);
      await beat(learner, sitting);
      expect(await creditedTo(learner)).toBe(200);
    });

    it('has no time while the page is hidden, and each stretch stands by itself with its evidence', async () => {
      const learner = learners[9]!;
      let sitting = await open(learner);
      seconds(10);
      sitting = await beat(learner, sitting, { visible: false });
      expect(sitting.pace).toBe('HIDDEN');
      seconds(600);
      sitting = await beat(learner, sitting);
      seconds(20);
      sitting = await beat(learner, sitting);
      seconds(300);
      sitting = await beat(learner, sitting);
      seconds(15);
      await beat(learner, sitting);
      const { rows } = await service.database.pool.query(
        `select credited_ms::int / 1000 as credited, extract(epoch from ended_at - began_at)::int as length, beats, interactions from time_stretches s
        join assignments a on a.id = s.assignment_id join person_sources p using (person_id) where p.source_id = 't10' order by s.id`,
      );
      expect(rows).toEqual([
        { credited: 10, length: 10, beats: 2, interactions: 4 },
        // The pause of five minutes counts for the first 20 s.
        { credited: 40, length: 40, beats: 2, interactions: 4 },
        { credited: 15, length: 15, beats: 1, interactions: 2 },
      ]);
    });

    it('gets the certificate as soon as the hours suffice, with the hours that were earned', async () => {
      const learner = learners[6]!;
      const keys = (await keysOf(learner)).map(({ key }) => key);
      await learn(learner, 13, keys[0]);
      await learn(learner, 10, keys[2]);
      expect((await timeOf(learner)).state).toBe('HOURS_OPEN');
      await learn(learner, 24, 'exam');
      const { certificate, time } = await until(async () => {
        const now = await timeOf(learner);
        return now.certificate === null ? undefined : now;
      });
      expect(certificate).toEqual({
        classHours: 1,
        evidenceGrade: 'B',
        evidence:
          'All course activities completed; exam drawn, timed and graded by the server passed (evidence grade B)',
      });
      expect(time.creditedSeconds).toBe(47 * 60);
    });
  });
});
