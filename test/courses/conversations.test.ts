import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SAMPLE_COUNTY } from '../../src/commands/sample/county.ts';
import { listActivities } from '../../src/courses/course.ts';
import { manifestSchema, type Manifest } from '../../src/courses/manifest.ts';
import { scenarioSchema, type Scenario } from '../../src/courses/scenario.ts';
import { playRun, startRun, wordsOf } from '../support/conversation.ts';
import { allCourses, assignTeachers, startService, TestClock, type TestService } from '../support/service.ts';

const PLAN = `mutation ($input: PlanCertificationInput!) { planCertification(input: $input) { __typename
  ... on PlanCertificationPayload { certification { id } } ... on Refusal { message } } }`;
const ASSIGN = `mutation ($input: AssignCohortInput!) { assignCohort(input: $input) { __typename ... on Refusal { message } } }`;
const MINE = `{ viewer { assignments { id certification { id } } } }`;

const courses: { manifest: Manifest; scenarios: Map<string, Scenario> }[] = [];
for (const entry of await readdir(allCourses, { withFileTypes: true })) {
  if (!entry.isDirectory() || ['libraries', 'template'].includes(entry.name)) continue;
  const read = async (file: string): Promise<unknown> =>
    parse(await readFile(join(allCourses, entry.name, file), 'utf8'));
  const manifest = manifestSchema.parse(await read('course.yaml'));
  const scenarios = new Map<string, Scenario>();
  for (const activity of listActivities(manifest))
    if (activity.kind === 'simulation')
      scenarios.set(activity.key, scenarioSchema.parse(await read(activity.scenario)));
  courses.push({ manifest, scenarios });
}

/** By a learner who is assigned to the course, turn by turn on the server, in the words that the page shows. */
describe('every conversation of every course', () => {
  const clock = new TestClock('2030-03-04T04:00:00Z');
  let service: TestService;
  beforeAll(async () => {
    service = await startService({ coursesFolder: allCourses, clock });
    const { unitId } = await assignTeachers(service, ['t1']);
    for (const { manifest } of courses) {
      if (manifest.slug === 'core-gatekeeper') continue;
      const { data } = await service.ask('coordinator', PLAN, {
        input: {
          code: manifest.slug,
          title: { zhCN: manifest.title['zh-CN'], en: manifest.title.en },
          courseSlug: manifest.slug,
          roles: ['CLASS_TEACHER'],
          validityMonths: 36,
          divisionCode: SAMPLE_COUNTY,
          issuerName: '示例县教育局',
        },
      });
      if (data.planCertification.certification === undefined) throw new Error(JSON.stringify(data));
      const certificationId = data.planCertification.certification.id as string;
      await service.ask('coordinator', ASSIGN, { input: { certificationId, unitId, role: 'CLASS_TEACHER' } });
      const mine = (await service.ask('t1', MINE)).data.viewer.assignments as {
        id: string;
        certification: { id: string };
      }[];
      assignments.set(manifest.slug, mine.find((each) => each.certification.id === certificationId)!.id);
    }
    const [first] = (await service.ask('t1', MINE)).data.viewer.assignments.filter(
      ({ id }: { id: string }) => ![...assignments.values()].includes(id),
    );
    assignments.set('core-gatekeeper', first.id);
  });
  afterAll(async () => service.stop());
  /** Slug → the learner's assignment. */
  const assignments = new Map<string, string>();

  it.each(
    courses.flatMap(({ manifest, scenarios }) => [...scenarios.keys()].map((key) => [manifest.slug, key])),
  )('%s %s fails on its worst way and is passed on its best', async (slug, key) => {
    const scenario = courses.find(({ manifest }) => manifest.slug === slug)!.scenarios.get(key)!;
    const assignment = assignments.get(slug)!;
    const play = async (way: 'worst' | 'best') => {
      const words = wordsOf(scenario, way);
      return playRun(
        service,
        't1',
        await startRun(service, 't1', assignment, key),
        (_shown, move) => words[move]!,
      );
    };
    const worst = await play('worst');
    expect(worst).toMatchObject({ state: 'FINISHED', passed: false });
    // A graded one that was failed may be tried again after a while.
    clock.move(2 * 24 * 60);
    const best = await play('best');
    expect(best).toMatchObject({ state: 'FINISHED', passed: true });
    expect(best.percent!).toBeGreaterThan(worst.percent!);
  });
});
