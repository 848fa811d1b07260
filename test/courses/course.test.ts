import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { partsOf } from '../../src/courses/item.ts';
import { makeCourseService, type CourseService } from '../../src/courses/course.service.ts';
import {
  allCourses,
  assignTeachers,
  finishActivities,
  START,
  startService,
  type Learner,
  type TestService,
} from '../support/service.ts';

const SLUG = 'core-gatekeeper';
/** Lies beside it. */
const OTHER = 'class-teacher';
const ITEMS = 'items/notice-signs.yaml';

describe('a course', () => {
  let root: string;
  let service: TestService;
  let courses: CourseService;
  let learners: Learner[];
  /** The version that is ours today. */
  let first: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'xinqiao-courses-'));
    await cp(inject('coreCourses'), root, { recursive: true });
    await cp(join(allCourses, OTHER), join(root, OTHER), { recursive: true });
    service = await startService();
    courses = syncing();
    first = (await courses.findCurrent(service.database.db, SLUG))!.version;
    ({ learners } = await assignTeachers(service, ['t1', 't2']));
  });
  afterAll(async () => {
    await service.stop();
    await rm(root, { recursive: true, force: true });
  });

  /** Takes in from a folder of its own, as another instance would. */
  const syncing = (): CourseService =>
    makeCourseService({
      db: service.database.db,
      clock: service.clock,
      coursesFolder: root,
      h5p: service.app.services.h5p,
    });
  const change = async (file: string, from: string, to: string): Promise<void> => {
    const text = await readFile(join(root, SLUG, file), 'utf8');
    expect(text).toContain(from);
    await writeFile(join(root, SLUG, file), text.replace(from, to));
  };
  const sync = async () => (await courses.sync()).find((result) => result.slug === SLUG)!;
  const versions = async (): Promise<string[]> =>
    (
      await service.database.pool.query(
        `select version, is_current from course_versions where slug = '${SLUG}' order by id`,
      )
    ).rows.map((row) => `${row.version as string}${row.is_current === true ? ' served' : ''}`);
  const passMarkOf = async (learner: Learner): Promise<number> =>
    (
      await service.ask(
        learner.key,
        'query ($id: ID!) { node(id: $id) { ... on Assignment { exam { passMark } } } }',
        { id: learner.assignmentId },
      )
    ).data.node.exam.passMark as number;

  it('is taken in once, however often and by however many at once', async () => {
    expect(await versions()).toEqual([`${first} served`]);
    expect(await sync()).toMatchObject({ outcome: 'unchanged' });
    await change('course.yaml', 'minutes: 28', 'minutes: 29');
    await change('course.yaml', `version: ${first}`, 'version: 99.0.1');
    const results = await Promise.all(Array.from({ length: 4 }, async () => syncing().sync()));
    expect(results.map((each) => each.find(({ slug }) => slug === SLUG)!.outcome).toSorted()).toEqual([
      'synced',
      'unchanged',
      'unchanged',
      'unchanged',
    ]);
    expect(await versions()).toEqual([first, '99.0.1 served']);
  });

  it('may change within a version as long as nobody learns by it', async () => {
    await change('course.yaml', 'minutes: 29', 'minutes: 30');
    expect(await sync()).toMatchObject({ outcome: 'synced' });
    expect((await courses.findCurrent(service.database.db, SLUG))?.manifest.exam.minutes).toBe(30);
    expect(await versions()).toEqual([first, '99.0.1 served']);
  });

  it('that is broken is refused whole, and what was served goes on', async () => {
    const right = '她和自己的平时比，变化有多大';
    await change(ITEMS, 'correct: true', 'correct: false');
    expect(await sync()).toEqual({
      slug: SLUG,
      outcome: 'refused',
      problems: [{ where: `${ITEMS} ns-three-questions`, what: 'is single and has 0 correct options.' }],
    });
    const served = await courses.findCurrent(service.database.db, SLUG);
    expect(served?.version).toBe('99.0.1');
    const items = await courses.listItems(service.database.db, served!.id);
    expect(
      items.flatMap((item) => partsOf(item)).find((option) => option.text['zh-CN'] === right)?.correct,
    ).toBe(true);
    await change(ITEMS, 'correct: false', 'correct: true');
    expect(await sync()).toMatchObject({ outcome: 'unchanged' });
  });

  it('is kept for who has begun as it was when they began, and is new for the others', async () => {
    const [begun, fresh] = learners;
    await finishActivities(service, begun!);
    await change('course.yaml', 'passMark: 80', 'passMark: 70');
    expect(await sync()).toMatchObject({
      outcome: 'refused',
      problems: [{ where: 'course.yaml version', what: expect.stringContaining('raise the version') }],
    });
    expect(await passMarkOf(begun!)).toBe(80);
    await change('course.yaml', 'version: 99.0.1', 'version: 99.1.0');
    expect(await sync()).toMatchObject({ outcome: 'synced' });
    expect(await versions()).toEqual([first, '99.0.1', '99.1.0 served']);
    expect(await passMarkOf(begun!)).toBe(80);
    expect(await passMarkOf(fresh!)).toBe(70);
    await finishActivities(service, begun!);
    const { data } = await service.ask(begun!.key, START, { id: begun!.assignmentId });
    expect(data.startAttempt.__typename).toBe('StartAttemptPayload');
    const { rows } = await service.database.pool.query(
      `select distinct v.version from attempts t join assignments a on a.id = t.assignment_id join course_versions v on v.id = a.course_version_id`,
    );
    expect(rows).toEqual([{ version: '99.0.1' }]);
  });

  it('can’t go back to an earlier version under its number', async () => {
    await change('course.yaml', 'version: 99.1.0', `version: ${first}`);
    expect(await sync()).toMatchObject({ outcome: 'refused', problems: [{ where: 'course.yaml version' }] });
    await change('course.yaml', `version: ${first}`, 'version: 99.1.0');
    expect(await sync()).toMatchObject({ outcome: 'unchanged' });
  });

  it('that is broken holds up no other', async () => {
    await cp(join(root, SLUG), join(root, 'broken'), { recursive: true });
    await writeFile(join(root, 'broken/content/signs-lesson/zh-CN/h5p.json'), 'null');
    await cp(join(root, SLUG), join(root, 'zz-second'), { recursive: true });
    const manifest = join(root, 'zz-second/course.yaml');
    await writeFile(manifest, (await readFile(manifest, 'utf8')).replace(`slug: ${SLUG}`, 'slug: zz-second'));
    expect((await courses.sync()).map((result) => `${result.slug} ${result.outcome}`)).toEqual([
      'broken refused',
      `${OTHER} unchanged`,
      'core-gatekeeper unchanged',
      'zz-second synced',
    ]);
  });

  it('never lets its answer key out, whoever asks', async () => {
    const { data: attempt } = await service.ask(
      learners[0]!.key,
      `query ($id: ID!) { node(id: $id) { ... on Assignment { exam { openAttempt { items { key kind stem chosen points correct mustPass rationale rightOrder rightNumber tolerance options { key text isRight rightTarget rationale } } } } } } }`,
      { id: learners[0]!.assignmentId },
    );
    const items = attempt.node.exam.openAttempt.items as {
      correct: boolean | null;
      points: number | null;
      options: { isRight: boolean | null; rationale: string | null }[];
    }[];
    expect(items).toHaveLength(14);
    for (const item of items) {
      expect(item).toMatchObject({
        correct: null,
        points: null,
        mustPass: null,
        rationale: null,
        rightOrder: null,
        rightNumber: null,
        tolerance: null,
      });
      for (const option of item.options)
        expect(option).toMatchObject({ isRight: null, rightTarget: null, rationale: null });
    }
    // Nor by a course, whatever is asked of it.
    for (const as of [null, 't1', 'coordinator', 'hr', 'issuer']) {
      const { data, errors } = await service.ask(
        as,
        `{ __type(name: "Course") { fields { name type { name ofType { name ofType { name ofType { name } } } } } } }`,
      );
      expect(errors).toBeUndefined();
      expect(JSON.stringify(data)).not.toMatch(/Item|Option|correct|isRight/);
    }
  });
});
