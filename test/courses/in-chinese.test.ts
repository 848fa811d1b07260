import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { makeCourseService } from '../../src/courses/course.service.ts';
import {
  assignTeachers,
  finishActivities,
  startService,
  type Learner,
  type TestService,
} from '../support/service.ts';

const HAN = /\p{Script=Han}/u;

describe('a course in Chinese alone, asked for in English', () => {
  let root: string;
  let service: TestService;
  let learner: Learner;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'xinqiao-courses-'));
    await cp(inject('coreCourses'), root, { recursive: true });
    const file = join(root, 'core-gatekeeper/course.yaml');
    await writeFile(
      file,
      (await readFile(file, 'utf8')).replace(/^version: .*$/m, 'version: 99.0.0\nlanguages: [zh-CN]'),
    );
    service = await startService();
    const synced = await makeCourseService({
      db: service.database.db,
      clock: service.clock,
      coursesFolder: root,
      h5p: service.app.services.h5p,
    }).sync();
    if (synced.find(({ slug }) => slug === 'core-gatekeeper')?.outcome !== 'synced')
      throw new Error(JSON.stringify(synced));
    learner = (await assignTeachers(service, ['t1'])).learners[0]!;
  });
  afterAll(async () => {
    await service.stop();
    await rm(root, { recursive: true, force: true });
  });

  const ask = async (fields: string, id = learner.assignmentId, type = 'Assignment') =>
    (
      await service.ask(learner.key, `query ($id: ID!) { node(id: $id) { ... on ${type} { ${fields} } } }`, {
        id,
      })
    ).data.node;
  const change = async (mutation: string) =>
    (await service.ask(learner.key, `mutation { ${mutation} }`)).data;

  it('says what it is in, and has its titles and summaries in English', async () => {
    const { course } = await ask(
      'course { version languages title(language: en) summary(language: en) modules { title(language: en) } }',
    );
    expect(course).toMatchObject({ version: '99.0.0', languages: ['zh_CN'] });
    expect(JSON.stringify(course)).not.toMatch(HAN);
  });

  it('plays the Chinese lesson, and has one state of it whatever language is asked for', async () => {
    const { activities } = await ask(
      'activities { activity { key en: playerUrl(language: en) zh: playerUrl(language: zh_CN) } }',
    );
    const { en, zh } = activities[0].activity as { en: string; zh: string };
    expect(en).toBe(zh);
    expect(en).toMatch(/language=zh-CN$/);
    const saved = await change(
      `saveUserState(input: { assignmentId: "${learner.assignmentId}", activityKey: "${activities[0].activity.key}", language: en, data: "{\\"at\\":3}", baseVersion: 0 }) { __typename }`,
    );
    expect(saved.saveUserState.__typename).toBe('SaveUserStatePayload');
    const states = await ask(
      'activities { en: userState(language: en) { data } zh: userState(language: zh_CN) { data } outdated: stateCleared(language: en) }',
    );
    expect(states.activities[0]).toEqual({
      en: { data: '{"at":3}' },
      zh: { data: '{"at":3}' },
      outdated: false,
    });
  });

  it('tells exam, conversation and scale in Chinese, and says so of each', async () => {
    const { efficacy } = await ask(
      'efficacy(language: en) { scale { language title answers items { text } } }',
    );
    expect(efficacy.scale.language).toBe('zh_CN');
    for (const said of [efficacy.scale.title, ...efficacy.scale.answers]) expect(said).toMatch(HAN);

    await finishActivities(service, learner);
    const { activities } = await ask(
      'activities { simulation { language(language: en) setting(language: en) runs { scene(language: en) { language title studentName moves { said coach } ending { text } mustPass { title } } } } }',
    );
    const conversations = activities.flatMap(({ simulation }: { simulation: unknown }) => simulation ?? []);
    expect(conversations.length).toBeGreaterThanOrEqual(3);
    for (const { language, setting, runs } of conversations) {
      const [{ scene }] = runs;
      expect([language, scene.language]).toEqual(['zh_CN', 'zh_CN']);
      for (const said of [
        setting,
        scene.title,
        scene.studentName,
        scene.ending.text,
        ...scene.moves.flatMap((move: { said: string; coach: string }) => [move.said, move.coach]),
        ...scene.mustPass.map((step: { title: string }) => step.title),
      ])
        expect(said).toMatch(HAN);
    }

    const attempt = await change(
      `startAttempt(input: { assignmentId: "${learner.assignmentId}" }) { ... on StartAttemptPayload { attempt { id items(language: en) { language stem options { text } } } } ... on Refusal { message } }`,
    );
    for (const item of attempt.startAttempt.attempt.items) {
      expect(item.language).toBe('zh_CN');
      expect(item.stem).toMatch(HAN);
      for (const { text } of item.options) expect(text).toMatch(/[^a-z]/i);
    }
  });
});
