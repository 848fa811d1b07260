import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleCertification, SAMPLE_COUNTY } from '../../src/commands/sample/county.ts';
import { finishActivities, SAVE, smallRoster, START, SUBMIT, until } from '../support/service.ts';
import {
  makeDataFolder,
  startProcess,
  type DataFolder,
  type StartedService,
} from '../support/started-service.ts';
import { builtWeb } from '../support/web.ts';
import { chosenOf, readAnswers, type RightAnswer } from './teacher.ts';

/** One teacher for each moment of the end, in milliseconds after the exam was handed in. */
const MOMENTS = [0, 4, 12, 30, 60, 110];

interface Teacher {
  readonly key: string;
  readonly assignmentId: string;
}

interface Item {
  readonly key: string;
  readonly stem: string;
  readonly chosen: readonly string[];
  readonly options: readonly { key: string; text: string }[];
  readonly targets: readonly { key: string; text: string }[];
}

describe('kill -9', { timeout: 120_000 }, () => {
  let folder: DataFolder;
  let service: StartedService;
  let answers: Map<string, RightAnswer>;
  const teachers: Teacher[] = [];

  const start = async (): Promise<void> => {
    service = await startProcess(folder.path, { XINQIAO_SAMPLES: 'staff' });
  };
  const begin = async (teacher: Teacher): Promise<string> => {
    await finishActivities(service, { key: teacher.key, assignmentId: teacher.assignmentId });
    const { data } = await service.ask(teacher.key, START, { id: teacher.assignmentId });
    return data.startAttempt.attempt.id as string;
  };
  const attemptOf = async (
    teacher: Teacher,
    id: string,
  ): Promise<{ state: string; deadline: string; percent: number | null; items: Item[] }> => {
    const { data } = await service.ask(teacher.key, ATTEMPT, { id });
    return data.node;
  };
  const answer = async (teacher: Teacher, attemptId: string, items: readonly Item[]): Promise<void> => {
    for (const item of items) {
      const chosen = chosenOf(answers.get(item.stem)!, item);
      const { data } = await service.ask(teacher.key, SAVE, {
        input: { attemptId, itemKey: item.key, chosen },
      });
      expect(data.saveResponse.__typename).toBe('SaveResponsePayload');
    }
  };
  const certificateOf = async (teacher: Teacher): Promise<string | undefined> => {
    const { data } = await service.ask(teacher.key, '{ viewer { certificates { number } } }');
    const numbers = (data.viewer.certificates as { number: string }[]).map(({ number }) => number);
    expect(numbers.length).toBeLessThanOrEqual(1);
    return numbers[0];
  };

  beforeAll(async () => {
    folder = await makeDataFolder(await builtWeb());
    answers = await readAnswers(sampleCertification.courseSlug);
    await start();
    const ids = Array.from({ length: MOMENTS.length + 3 }, (_, index) => `T${index + 1}`);
    const roster = smallRoster(ids.map((id) => ({ id, family: '陈', given: '静' })));
    const imported = await service.importRoster('coordinator', SAMPLE_COUNTY, roster);
    if (imported.state !== 'APPLIED') throw new Error(JSON.stringify(imported));
    const { data } = await service.ask('coordinator', PLAN, {
      input: {
        code: sampleCertification.code,
        title: { zhCN: sampleCertification.title['zh-CN'], en: sampleCertification.title.en },
        courseSlug: sampleCertification.courseSlug,
        roles: ['CLASS_TEACHER'],
        divisionCode: SAMPLE_COUNTY,
        issuerName: sampleCertification.issuerName,
        // The journey is faster than any teacher.
        minimumHoursShare: 0,
      },
    });
    const certificationId = data.planCertification.certification.id as string;
    const { data: place } = await service.ask(null, `{ division(code: "${SAMPLE_COUNTY}") { id } }`);
    await service.ask('coordinator', ASSIGN, {
      input: { certificationId, unitId: place.division.id, role: 'CLASS_TEACHER' },
    });
    for (const id of ids) {
      const { data: mine } = await service.ask(`staff:${id}`, '{ viewer { assignments { id } } }');
      teachers.push({ key: `staff:${id}`, assignmentId: mine.viewer.assignments[0].id });
    }
  }, 60_000);
  afterAll(async () => {
    await service.stop();
    await folder.remove();
  });

  it('in the middle of an exam loses no answer and gives no more time', async () => {
    const teacher = teachers[0]!;
    const id = await begin(teacher);
    const before = await attemptOf(teacher, id);
    await answer(teacher, id, before.items.slice(0, 4));
    await service.kill();
    await start();

    const after = await attemptOf(teacher, id);
    expect(after.state).toBe('OPEN');
    expect(after.deadline).toBe(before.deadline);
    expect(after.items.map((item) => item.key)).toEqual(before.items.map((item) => item.key));
    expect(after.items.map((item) => item.chosen.length > 0)).toEqual(
      before.items.map((_item, index) => index < 4),
    );
    await answer(teacher, id, after.items.slice(4));
    const { data } = await service.ask(teacher.key, SUBMIT, { id });
    expect(data.submitAttempt.attempt).toMatchObject({ percent: 100, passed: true });
    await until(async () => certificateOf(teacher));
  });

  it('while the database dies too keeps what was acknowledged', async () => {
    const teacher = teachers[1]!;
    const id = await begin(teacher);
    const { items } = await attemptOf(teacher, id);
    await answer(teacher, id, items);
    const database = Number(
      readFileSync(join(folder.path, 'database/postgres/postmaster.pid'), 'utf8').split('\n')[0],
    );
    await service.kill();
    process.kill(database, 'SIGKILL');
    await start();

    expect((await attemptOf(teacher, id)).items.every((item) => item.chosen.length > 0)).toBe(true);
    const { data } = await service.ask(teacher.key, SUBMIT, { id });
    expect(data.submitAttempt.attempt.percent).toBe(100);
    await until(async () => certificateOf(teacher));
  });

  it('of a part of the database, which then begins again, is survived by the service', async () => {
    const teacher = teachers[2]!;
    const id = await begin(teacher);
    await answer(teacher, id, (await attemptOf(teacher, id)).items);
    const socket = encodeURIComponent(join(folder.path, 'database/socket'));
    const client = new pg.Client({ connectionString: `postgres://postgres@/xinqiao?host=${socket}` });
    client.on('error', () => {});
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    process.kill(rows[0]!.pid, 'SIGKILL');

    await until(async () => ((await service.fetch('/readyz')).status === 200 ? true : undefined));
    await until(async () => {
      const { data } = await service.ask(teacher.key, SUBMIT, { id });
      return data?.submitAttempt?.attempt?.percent === 100 || data?.submitAttempt?.code === 'ATTEMPT_CLOSED'
        ? true
        : undefined;
    });
    expect(await until(async () => certificateOf(teacher))).toMatch(/^XQ/);
  });

  it.each(MOMENTS.map((wait, index) => ({ wait, teacherIndex: index + 3 })))(
    '$wait ms after an exam was handed in issues one certificate and one credit',
    async ({ wait, teacherIndex }) => {
      const teacher = teachers[teacherIndex]!;
      const id = await begin(teacher);
      await answer(teacher, id, (await attemptOf(teacher, id)).items);
      // The caller may never hear the answer.
      const handedIn = service.ask(teacher.key, SUBMIT, { id }).catch(() => undefined);
      await sleep(wait);
      await service.kill();
      await handedIn;
      await start();

      // What was cut off before it was committed is open, as if it had not been asked; it can be asked again.
      const after = await attemptOf(teacher, id);
      if (after.state === 'OPEN') await service.ask(teacher.key, SUBMIT, { id });
      const { data } = await service.ask(teacher.key, SUBMIT, { id });
      expect(data.submitAttempt.code).toBe('ATTEMPT_CLOSED');
      const number = await until(async () => certificateOf(teacher));
      const feed = (await (await service.fetch('/feed/credit-records?limit=500', 'hr')).json()) as {
        records: { certificateNumber: string; staffNumber: string }[];
      };
      const mine = feed.records.filter((record) => `staff:${record.staffNumber}` === teacher.key);
      expect(mine.map((record) => record.certificateNumber)).toEqual([number]);
    },
  );
});

const ATTEMPT = `query ($id: ID!) { node(id: $id) { ... on Attempt { state deadline percent
  items { key stem chosen options { key text } targets { key text } } } } }`;
const PLAN = `mutation ($input: PlanCertificationInput!) { planCertification(input: $input) {
  ... on PlanCertificationPayload { certification { id } } } }`;
const ASSIGN = `mutation ($input: AssignCohortInput!) { assignCohort(input: $input) {
  ... on AssignCohortPayload { assigned } } }`;
