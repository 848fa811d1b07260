import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashSecret } from '../../src/access/access-token.ts';
import { newCertificateNumber } from '../../src/certification/number.ts';
import { makeRenewalService } from '../../src/certification/renewal.service.ts';
import {
  assignTeachers,
  finishActivities,
  importEnd,
  importRoster,
  IMPORT,
  allCourses,
  sitExam,
  EVERY_KIND,
  drawThese,
  smallRoster,
  startService,
  START,
  SUBMIT,
  TestClock,
  until,
  uploadOf,
  type GraphqlAnswer,
  type TestService,
} from '../support/service.ts';
import { startRun } from '../support/conversation.ts';
import { library, pack, textPackage, TEXT_SEMANTICS } from '../h5p/packages.ts';
import { CLIENT, TestIssuer } from '../support/issuer.ts';
import { insertSittings } from '../support/sittings.ts';
import { SEQUENCER_LOCK } from '../../src/certification/log/log.repository.ts';
import { makeUndo, type Undo } from '../support/undo.ts';
import { OLD_HEADER } from './askings.ts';
import { COUNTY, OTHER_COUNTY, PROVINCE, TODAY, viewers, type Granted } from './viewers.ts';

/** What there is to ask for. All of it belongs to the county, or to t1. */
export type Objects = Readonly<Record<ObjectName, string>>;
type ObjectName =
  | 'countyCode'
  | 'provinceCode'
  | 'county'
  | 'province'
  | 'school'
  | 'secondSchool'
  | 'mergedSchool'
  | 'otherCounty'
  | 'otherSchool'
  | 'person'
  | 'otherPerson'
  | 'candidate'
  | 'certification'
  | 'cohort'
  | 'certificate'
  | 'revokedCertificate'
  | 'number'
  | 'code'
  | 'certifiedAssignment'
  | 'newAssignment'
  | 'readyAssignment'
  | 'openAssignment'
  | 'renewalAssignment'
  | 'gradedAttempt'
  | 'openAttempt'
  | 'activityKey'
  | 'simulationKey'
  | 'finishedRun'
  | 'openRun'
  | 'itemKey'
  | 'proof'
  | 'timeFlag'
  | 'judgedFlag'
  | 'option'
  | 'practiceItem'
  | 'accommodation'
  | 'rosterImport'
  | 'rosterImportNumber'
  | 'approvedRequestNumber'
  | 'checkedImport'
  | 'refusedImport'
  | 'doubt'
  | 'decidedDoubt'
  | 'indicator'
  | 'peopleIndicator'
  | 'snapshot'
  | 'snapshotDigest'
  | 'schoolDigest'
  | 'objectedSnapshot'
  | 'signedSnapshot'
  | 'contentHash'
  | 'courseSlug'
  | 'h5pContent'
  | 'h5pContentNumber'
  | 'upgradedContent'
  | 'staffNumber'
  | 'colleague'
  | 'coordinator'
  | 'operator'
  | 'issuersRequest'
  | 'leaver'
  | 'confirmation'
  | 'newCertification'
  | 'renewedCertification'
  | 'grant'
  | 'endedGrant'
  | 'coordinatorGrant'
  | 'accessToken'
  | 'placedToken'
  | 'endedToken'
  | 'session'
  | 'issueRequest'
  | 'approvedRequest'
  | 'issuingRequest'
  | 'oldCertificate'
  | 'oldNumber'
  | 'oldCode'
  | 'journalEntry'
  | 'readingEntry'
  | 'auditorsEntry'
  | 'platform'
  | 'endedPlatform'
  | 'waitingAccount'
  | 'linkedAccount'
  | 'platformGrade'
  | 'platformRoster';

export interface World {
  readonly service: TestService;
  readonly undo: Undo;
  readonly objects: Objects;
  /** Bearer tokens by the viewer's key; null: none. */
  readonly tokens: ReadonlyMap<string, string | null>;
  /** Viewer and global id → whether the viewer sees it; filled while asking. */
  readonly seen: Map<string, Promise<boolean>>;
  stop(): Promise<void>;
}

export const gid = (type: string, id: string): string => Buffer.from(`${type}:${id}`).toString('base64');
const localOf = (id: string): string => Buffer.from(id, 'base64').toString().split(':')[1]!;
const staff = (key: string): string => `sample:staff:${key}`;

/** What is there not, and looks just like what is. */
export function missing(object: string): string {
  if (/^\d{6}$/.test(object)) return '430999';
  if (/^\d+$/.test(object)) return '999999998';
  if (/^[0-9a-f]{40}$/.test(object)) return 'f'.repeat(40);
  if (/^t\d$/.test(object)) return 't99';
  if (object === 'core-gatekeeper') return 'nowhere';
  if (object.startsWith('XQ')) return newCertificateNumber(2027, (bytes) => Buffer.alloc(bytes, 1));
  const [type, id] = Buffer.from(object, 'base64').toString().split(':');
  if (id === undefined) throw new Error(`How to name one like ${object} that is not there?`);
  return gid(type!, type === 'Division' ? '430999' : '999999998');
}

/** A multipart request with the files where the variables want them: at `input.files`, or the only one at `input.file`. */
export function bodyOf(
  query: string,
  variables: Readonly<Record<string, unknown>>,
  files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): FormData {
  const form = uploadOf(query, variables, files);
  const { input } = variables;
  if (typeof input === 'object' && input !== null && 'file' in input)
    form.set('map', JSON.stringify({ 0: ['variables.input.file'] }));
  return form;
}

/** A county in the middle of its year, its neighbour, and everybody who asks. */
export async function makeWorld(): Promise<World> {
  const webFolder = await mkdtemp(join(tmpdir(), 'xinqiao-web-'));
  await mkdir(join(webFolder, 'assets'));
  for (const file of ['index.html', 'verify.html', 'worker.js', 'assets/page.js'])
    await writeFile(join(webFolder, file), '');
  const issuer = await TestIssuer.start();
  const service = await startService({
    clock: new TestClock(`${TODAY}T04:00:00Z`),
    webFolder,
    coursesFolder: allCourses,
    env: {
      // Everybody asks everything, in a minute.
      RATE_VIEWER: '0',
      OIDC_ISSUERS: JSON.stringify([
        { key: 'one', issuer: issuer.url, name: { 'zh-CN': '一', en: 'one' }, clientId: CLIENT.id },
      ]),
    },
  });
  const query = async (sql: string, values: unknown[] = []) =>
    (await service.database.pool.query(sql, values)).rows as Record<string, string>[];
  const one = async (sql: string, values: unknown[] = []): Promise<string> =>
    Object.values((await query(sql, values))[0] ?? {})[0] ?? fail(`nothing for ${sql}`);
  const fail = (why: string): never => {
    throw new Error(`The world can't be made: ${why}`);
  };
  /** The payload of a mutation. */
  const change = async (
    as: string,
    name: string,
    input: object,
    selection: string,
    file?: { name: string; bytes: Uint8Array },
  ) => {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    const query = `mutation ($input: ${type}Input!) { ${name}(input: $input) { __typename ... on ${type}Payload ${selection} ... on Refusal { code message } } }`;
    const answer =
      file === undefined
        ? await service.ask(as, query, { input })
        : ((await (
            await fetch(`${service.app.publicUrl}/graphql`, {
              method: 'POST',
              headers: { authorization: `Bearer ${as}` },
              body: bodyOf(query, { input }, [file]),
            })
          ).json()) as GraphqlAnswer);
    const payload = answer.data?.[name];
    return payload?.__typename === `${type}Payload` ? payload : fail(`${name}: ${JSON.stringify(answer)}`);
  };

  // The roster: two schools and one that is merged, a row that is refused, two of whom it can't be told who they are.
  const { certificationId: certification } = await assignTeachers(service, ['t1', 't2', 't3']);
  const roster = smallRoster([
    { id: 't1', family: '王', given: '小明', ends: '2030-07-31' },
    { id: 'm1', family: '李', given: '心', roles: 'mental_health_teacher' },
    { id: 'm2', family: '李', given: '语', roles: 'class_teacher', orgs: 's3' },
    { id: 'n1', family: '王', given: '小刚', ends: '2030-07-31', identity: '11010519491231002X' },
    { id: 'n2', family: '王', given: '小红' },
    { id: 'leaver', family: '陈', given: '离', ends: '2027-01-31' },
    { id: 'bad', family: '坏', given: '行', starts: 'never' },
  ]);
  const third = 's3,,,星沙第三小学,school,4301210003,b1,430121,primary,100,2026-09-01';
  const withThird = roster.map((file) =>
    file.name === 'orgs.csv' ? { ...file, bytes: Buffer.from(`${file.bytes.toString()}\n${third}`) } : file,
  );
  const imported = await importRoster(service, withThird);
  if (imported.state !== 'APPLIED' || imported.rowsRefused === 0) fail(JSON.stringify(imported));
  const checked = await importRoster(service, withThird, 'coordinator', { dryRun: true });
  const school = async (id: string): Promise<string> =>
    gid('Organization', await one('select id from organizations where source_id = $1', [id]));
  const [first, second, merged] = [await school('s1'), await school('s2'), await school('s3')];
  await change(
    'coordinator',
    'renameOrganization',
    { organizationId: second, name: '星沙二中', on: '2027-02-01' },
    '{ __typename }',
  );
  await change(
    'coordinator',
    'mergeOrganizations',
    { organizationIds: [merged], intoId: second, on: '2027-03-01' },
    '{ __typename }',
  );
  const doubt = async (sourceId: string): Promise<string> =>
    gid('RosterDoubt', await one('select id from roster_doubts where source_id = $1', [sourceId]));
  const decided = await change(
    'coordinator',
    'decideRosterDoubt',
    { rosterDoubtId: await doubt('n2'), personId: null, reason: '新来的' },
    '{ rosterImport { id } }',
  );
  await importEnd(service, decided.rosterImport.id);

  await query(
    `update people set identity_hash = '\\x00', identity_last4 = '0014' where id = (select person_id from person_sources where source_id = 't3')`,
  );
  const refused = await importRoster(service, [{ name: 'orgs.csv', bytes: Buffer.from('no roster') }]);

  // Everybody who asks by a grant.
  for (const { granted } of viewers) if (granted !== undefined) await addGranted(granted);
  async function addGranted({ key, role, unit, startsOn, endsOn }: Granted): Promise<void> {
    await query(
      `with p as (insert into people (name, staff_number) values ($1, $1) returning id)
       insert into role_grants (person_id, role, division_code, organization_id, starts_on, ends_on, reason) select id, $2, $3, $4, $5, $6, 'test' from p`,
      [
        key,
        role,
        /^\d+$/.test(unit) ? unit : null,
        unit === 'school' ? localOf(first) : null,
        startsOn,
        endsOn,
      ],
    );
  }

  // A content of an author, and what came of it by an upgrade.
  const uploadText = async (text: string, patch: number, js: string): Promise<string> =>
    (
      await change(
        staff(`author-${COUNTY}`),
        'uploadH5p',
        { divisionCode: COUNTY, file: null },
        '{ h5pContent { id } }',
        {
          name: 'x.h5p',
          bytes: await pack(
            textPackage(text, {
              'content/content.json': { text, picture: { path: 'images/gone.png' } },
              ...library('H5P.TestOfWorld', { version: [1, 0, patch], semantics: TEXT_SEMANTICS, js }),
              'h5p.json': {
                title: text,
                mainLibrary: 'H5P.TestOfWorld',
                preloadedDependencies: [{ machineName: 'H5P.TestOfWorld', majorVersion: 1, minorVersion: 0 }],
              },
            }),
          ),
        },
      )
    ).h5pContent.id as string;
  const h5pContent = await uploadText('旧的', 0, '/* old */');
  await uploadText('别的', 1, '/* newer */');
  const upgradedContent = (
    await change(
      staff(`author-${COUNTY}`),
      'upgradeH5pContent',
      { h5pContentId: h5pContent },
      '{ h5pContent { id } }',
    )
  ).h5pContent.id as string;
  // Another may be asked for.
  await uploadText('更新的', 2, '/* newest */');

  // The neighbour, with a teacher.
  const neighbours = smallRoster([{ id: 'tb', family: '赵', given: '邻', orgs: 's1' }]).map((file) => ({
    ...file,
    bytes: Buffer.from(file.bytes.toString().replaceAll(COUNTY, OTHER_COUNTY)),
  }));
  const requested = await service.upload(
    staff(`coordinator-${OTHER_COUNTY}`),
    IMPORT,
    { input: { divisionCode: OTHER_COUNTY, files: neighbours.map(() => null) } },
    neighbours,
  );
  await importEnd(service, requested.data.importRoster.rosterImport.id, staff(`coordinator-${OTHER_COUNTY}`));

  // Targets and indicators, before anything is frozen.
  const define = async (code: string, kind: string, level: string, countsPeople: boolean): Promise<string> =>
    (
      await change(
        'coordinator',
        'defineIndicator',
        {
          divisionCode: COUNTY,
          code,
          kind,
          level,
          countsPeople,
          title: { zhCN: code, en: code },
          measure: { zhCN: code, en: code },
        },
        '{ indicator { id } }',
      )
    ).indicator.id as string;
  const indicator = await define('plans', 'SHARE', 'COUNTY', false);
  const peopleIndicator = await define('visitors', 'COUNT', 'ORGANIZATION', true);
  for (const [indicatorId, csv] of [
    [indicator, 'unit,since,day,numerator,denominator\n430121,2027-01-01,2027-01-31,3,4\n'],
    [peopleIndicator, 'unit,day,value\n4301210001,2027-01-31,7\n'],
  ] as const)
    await change(
      'coordinator',
      'importIndicatorValues',
      { divisionCode: COUNTY, indicatorId, source: '县教育局', csv },
      '{ added }',
    );
  for (const [measure, certificationId, indicatorId, role] of [
    ['coverage', localOf(certification), null, null],
    ['coverage', localOf(certification), null, 'class_teacher'],
    ['staffing', null, null, null],
    ['indicator', null, localOf(indicator), null],
  ] as const)
    await query(
      `insert into coverage_targets (measure, division_code, rate, starts_on, certification_id, indicator_id, role, set_at) values ($1, $2, 0.5, '2027-01-01', $3, $4, $5, now())`,
      [measure, COUNTY, certificationId, indicatorId, role],
    );

  // t1 has a certificate, a course to begin, an exam to begin, and one that is going on.
  const assignments = new Map<string, string>();
  const certifications = new Map<string, string>();
  for (const code of ['done', 'new', 'ready', 'open']) {
    const planned =
      code === 'done'
        ? certification
        : ((
            await change(
              'coordinator',
              'planCertification',
              {
                code,
                title: { zhCN: code, en: code },
                courseSlug: 'core-gatekeeper',
                roles: ['CLASS_TEACHER'],
                divisionCode: COUNTY,
                issuerName: '长沙县教育局',
              },
              '{ certification { id } }',
            )
          ).certification.id as string);
    if (code !== 'done')
      await change(
        'coordinator',
        'assignCohort',
        {
          certificationId: planned,
          unitId: gid('Division', COUNTY),
          role: 'CLASS_TEACHER',
          dueOn: '2027-12-31',
        },
        '{ assigned }',
      );
    const { data } = await service.ask('t1', '{ viewer { assignments { id certification { id } } } }');
    const own = (data.viewer.assignments as { id: string; certification: { id: string } }[]).find(
      (each) => each.certification.id === planned,
    )!;
    certifications.set(code, planned);
    assignments.set(code, own.id);
    if (code === 'done') await answerScale(own.id);
    if (code !== 'new') await finishActivities(service, { key: 't1', assignmentId: own.id });
  }
  async function answerScale(assignmentId: string): Promise<void> {
    const { data } = await service.ask(
      't1',
      'query ($id: ID!) { node(id: $id) { ... on Assignment { efficacy { scale { items { key } } } } } }',
      { id: assignmentId },
    );
    const items = data.node.efficacy.scale.items as { key: string }[];
    await change(
      't1',
      'answerEfficacy',
      { assignmentId, wave: 'BEFORE', answers: items.map(({ key }) => ({ itemKey: key, answer: 3 })) },
      '{ __typename }',
    );
  }
  const pass = async (key: string, assignmentId: string) => {
    // Passed at the mark, with a competency that is worth practising.
    const attempt = await sitExam(
      service,
      { key, assignmentId },
      { right: (item) => item.vignette === undefined, draw: EVERY_KIND },
    );
    await service.ask(key, SUBMIT, { id: attempt });
    const certificate = await until(
      async () =>
        (await service.ask(key, '{ viewer { certificates { id number } } }')).data.viewer.certificates[0] as
          { id: string; number: string } | undefined,
    );
    return { attempt, certificate };
  };
  const { attempt: gradedAttempt, certificate } = await pass('t1', assignments.get('done')!);
  // Another teacher's was revoked.
  const { data: others } = await service.ask('t3', '{ viewer { assignments { id } } }');
  const other = { key: 't3', assignmentId: others.viewer.assignments[0].id as string };
  await finishActivities(service, other);
  const { certificate: revoked } = await pass(other.key, other.assignmentId);
  await change(
    staff(`issuer-${COUNTY}`),
    'revokeCertificate',
    { certificateId: revoked.id, reason: '误发' },
    '{ __typename }',
  );
  const { accommodation: given } = await change(
    staff(`coordinator-${COUNTY}`),
    'grantAccommodation',
    {
      personId: gid('Person', await one('select person_id from person_sources where source_id = $1', ['t1'])),
      certificationId: certifications.get('new')!,
      extraTimePercent: 50,
      reason: '阅读较慢',
      endsOn: '2099-12-31',
    },
    '{ accommodation { id } }',
  );
  const accommodation = given.id as string;
  const open = (await service.ask('t1', START, { id: assignments.get('open') })).data.startAttempt
    .attempt as { id: string };
  await drawThese(service, open.id, EVERY_KIND);
  const { data } = await service.ask(
    't1',
    'query ($id: ID!) { node(id: $id) { ... on Assignment { activities { activity { key } simulation { mode runs { id } } } } } }',
    { id: assignments.get('open') },
  );
  const activityKey = data.node.activities[0].activity.key as string;
  await change(
    't1',
    'saveUserState',
    { assignmentId: assignments.get('open'), activityKey, language: 'zh_CN', baseVersion: 0, data: '{}' },
    '{ version }',
  );

  // A group that answered the scale before and after: teachers of the first school, of whom nothing else is known.
  await query(
    `with p as (insert into people (name) select '王小' || n from generate_series(1, 12) n returning id), h as (
       insert into posts (person_id, organization_id, role, starts_on) select id, $1, 'class_teacher', '2027-03-01' from p), a as (
       insert into assignments (certification_id, person_id, cohort_id, created_at) select $2, p.id, (select min(id) from cohorts), now() from p returning id)
     insert into efficacy_answers (assignment_id, wave, scale_key, scale_version, answers, given_at)
     select a.id, wave, scale ->> 'key', (scale ->> 'version')::int, case when wave = 'before' then array[1 + a.id % 3, 2, 2, 2, 2, 2, 2, 2, 2, 2] else array[3 + a.id % 2, 3, 3, 3, 3, 3, 3, 3, 3, 3] end, now()
     from a, unnest(array['before', 'after']) wave, course_versions where is_current and slug = 'core-gatekeeper'`,
    [localOf(first), localOf(certification)],
  );

  // Time: a page that is open; what looked odd, one of which was judged.
  const opened = await change(
    't1',
    'openSitting',
    { assignmentId: assignments.get('open'), activityKey },
    '{ sitting { proof } }',
  );
  await service.app.services.time.look(localOf(assignments.get('open')!));
  const [timeFlag, judgedFlag] = (await query('select id from time_flags order by id limit 2')).map((row) =>
    gid('TimeFlag', row['id']!),
  ) as [string, string];
  await change(
    'coordinator',
    'judgeTimeFlag',
    { flagId: judgedFlag, outcome: 'DISMISSED', note: '机房共用电脑' },
    '{ __typename }',
  );
  // A conversation that has ended, and one in the middle.
  const practised = data.node.activities.find(
    (each: { simulation: { mode: string } | null }) => each.simulation?.mode === 'PRACTICE',
  );
  const simulationKey = practised.activity.key as string;
  const finishedRun = practised.simulation.runs[0].id as string;
  const openRun = await startRun(service, 't1', assignments.get('open')!, simulationKey);
  await change('t1', 'makeMove', { runId: openRun.id, turn: 1, choice: '1' }, '{ __typename }');

  // Snapshots: one that the county signed, and one that a school objected to, with the one in its place.
  const county = gid('Division', COUNTY);
  const take = async (certificationId: string): Promise<string> => {
    const taken = await change(
      'coordinator',
      'takeSnapshot',
      { unitId: county, certificationId },
      '{ snapshot { id } }',
    );
    const { id } = taken.snapshot as { id: string };
    await until(async () => (await partOf(id, county))?.digest);
    return id;
  };
  const partOf = async (
    id: string,
    unitId: string,
  ): Promise<{ digest: string; children: { nodes: { unit: { id: string } }[] } } | undefined> => {
    const found = await service.ask(
      'coordinator',
      `query ($id: ID!, $unitId: ID!) { node(id: $id) { ... on Snapshot { state part(unitId: $unitId) { digest
        children(first: 50, waiting: true) { nodes { unit { ... on Organization { id } } } } } } } }`,
      { id, unitId },
    );
    return found.data.node.state === 'FROZEN' ? found.data.node.part : undefined;
  };
  const signedSnapshot = await take(certifications.get('ready')!);
  const part = (await partOf(signedSnapshot, county))!;
  await change(
    'coordinator',
    'signSnapshot',
    {
      snapshotId: signedSnapshot,
      unitId: county,
      digest: part.digest,
      remark: '属实',
      missing: part.children.nodes.map((each) => ({ unitId: each.unit.id, reason: '放假' })),
    },
    '{ __typename }',
  );
  const objectedSnapshot = await take(certification);
  await change(
    staff('coordinator-school'),
    'objectToSnapshot',
    { snapshotId: objectedSnapshot, unitId: first, reason: '人数不对' },
    '{ __typename }',
  );
  const snapshot = await take(certification);

  // Sessions that are over, of somebody who could do much.
  const signIn = async (key = 'coordinator'): Promise<string> =>
    (await change('coordinator', 'signInSample', { key }, '{ token }')).token as string;
  const expired = await signIn();
  await query(
    `update sessions set created_at = $1::timestamptz - interval '2 days', expires_at = $1::timestamptz - interval '1 day'`,
    [service.clock.now()],
  );
  const signedOut = await signIn();
  await service.ask(signedOut, 'mutation { signOut }');

  // What rooms of people, grants, tokens and certificates outside of the earned path hold about t1 and the county.
  const personOf = async (number: string): Promise<string> =>
    gid('Person', await one('select id from people where staff_number = $1', [number]));
  const [person, leaver, coordinator] = [
    await personOf('t1'),
    await personOf('leaver'),
    await personOf(`coordinator-${COUNTY}`),
  ];
  const operator = staff(`operator-${COUNTY}`);
  const give = async (as: string, personId: string, role: string, unitId: string): Promise<string> => {
    const input = { personId, role, unitId, endsOn: '2027-12-31', reason: '工作需要' };
    return (await change(as, 'grantRole', input, '{ grant { id } }')).grant.id as string;
  };
  const endGrant = async (as: string, grantId: string): Promise<void> =>
    void (await change(as, 'endGrant', { grantId, reason: '职责调整' }, '{ __typename }'));
  const makeToken = async (
    as: string,
    input: { permissions: string[]; unitId?: string },
  ): Promise<{ id: string; token: string }> => {
    const made = await change(
      as,
      'createAccessToken',
      { name: 'a program', expiresAt: '2027-06-01T00:00:00Z', ...input },
      '{ token accessToken { id } }',
    );
    return { id: made.accessToken.id as string, token: made.token as string };
  };
  await change(
    't1',
    'setOwnContacts',
    { email: 't1@school.example', mobile: '13800001234' },
    '{ __typename }',
  );
  await change(staff('leaver'), 'setOwnContacts', { email: 'leaver@school.example' }, '{ __typename }');
  const grant = await give(operator, person, 'AUTHOR', first);
  // One that was ended at once stands in the way of nothing.
  await endGrant(staff('operator-nation'), await give(staff('operator-nation'), leaver, 'AUTHOR', county));
  const session = await signIn('staff:t1');
  const readsCoverage = { permissions: ['COVERAGE_READ'], unitId: county };
  const selfToken = await makeToken('t1', { permissions: ['SELF'] });
  const endedGrant = await give(operator, person, 'AUDITOR', county);
  const emptyToken = await makeToken('t1', readsCoverage);
  await endGrant(operator, endedGrant);
  const placedToken = await makeToken(staff(`coordinator-${COUNTY}`), readsCoverage);
  const expiredToken = await makeToken(staff(`coordinator-${COUNTY}`), readsCoverage);
  await query(
    `update access_tokens set created_at = $1::timestamptz - interval '2 days', expires_at = $1::timestamptz - interval '1 day' where id = $2`,
    [service.clock.now(), localOf(expiredToken.id)],
  );
  const revokedToken = await makeToken(staff(`coordinator-${COUNTY}`), readsCoverage);
  const operatorsToken = await makeToken(staff('operator-nation'), {
    permissions: ['GRANT_GIVE'],
    unitId: county,
  });
  const endedToken = await makeToken('t1', { permissions: ['SELF'] });
  for (const [as, { id }] of [
    [staff(`coordinator-${COUNTY}`), revokedToken],
    ['t1', endedToken],
  ] as const)
    await change(as, 'revokeAccessToken', { accessTokenId: id }, '{ __typename }');

  const requestIssue = async (code: string, personId: string): Promise<string> =>
    (
      await change(
        staff(`issuer-${COUNTY}`),
        'requestManualIssue',
        {
          certificationId: certifications.get(code),
          personId,
          completedOn: '2027-01-15',
          classHours: 1,
          reason: '外地调入',
          evidence: '原单位培训记录第 12 页',
        },
        '{ issueRequest { id } }',
      )
    ).issueRequest.id as string;
  // Who is an issuer as well decides nothing about themselves.
  await give(operator, await personOf('t3'), 'ISSUER', county);
  const issueRequest = await requestIssue('new', person);
  const issuersRequest = await requestIssue('open', await personOf('t3'));
  const renewed = await change(
    'coordinator',
    'planCertification',
    {
      code: 'old',
      title: { zhCN: 'old', en: 'old' },
      courseSlug: 'core-gatekeeper',
      roles: ['CLASS_TEACHER'],
      // Recorded last September, it is within the window.
      validityMonths: 12,
      renewalMonths: 11,
      renewalCourseSlug: 'ethics-and-own-strength',
      divisionCode: COUNTY,
      issuerName: '长沙县教育局',
    },
    '{ certification { id } }',
  );
  const recorded = await change(
    staff(`issuer-${COUNTY}`),
    'importOldCertificates',
    { divisionCode: COUNTY, reason: '历年培训', file: null },
    '{ issueRequest { id } }',
    {
      name: 'old.csv',
      bytes: Buffer.from(
        `${OLD_HEADER}\nt1,王小明,old,2026-09-01,旧字第 1 号,长沙县教育局,培训名册第 3 页\n`,
      ),
    },
  );
  await change(
    staff(`issuer-${PROVINCE}`),
    'approveIssueRequest',
    { issueRequestId: recorded.issueRequest.id, remark: '属实' },
    '{ __typename }',
  );
  // Half done: as if the worker had been stopped on the way.
  const [issuing] = await query(
    `with q as (
       insert into issue_requests (path, division_code, reason, requested_by, requested_at, state, decided_by, decided_at, rows_total, rows_refused, run_began_at, run_began_with, told_at)
       select path, division_code, reason, requested_by, requested_at, 'issuing', decided_by, decided_at, 2, 1, decided_at, 0, decided_at + interval '5 s' from issue_requests where id = $1 returning id
     ), r as (
       insert into issue_request_rows (request_id, line, person_id, certification_id, completed_on, class_hours, evidence, old_number, issuing_body, refusal)
       select q.id, given.* from q, (values
         (2, $2::bigint, $4::bigint, date '2026-09-01', 0, '培训名册第 4 页', '旧字第 12 号', '长沙县教育局', 'PERSON_MOVED'),
         (3, $3::bigint, $4::bigint, date '2026-09-01', 0, '培训名册第 5 页', '旧字第 13 号', '长沙县教育局', null)) given
     )
     select id from q`,
    [
      localOf(recorded.issueRequest.id as string),
      localOf(await personOf('t2')),
      localOf(await personOf('n2')),
      localOf(renewed.certification.id as string),
    ],
  );
  await makeRenewalService({ ...service.app.services, clock: service.clock }).assign();
  const [oldCertificate] = await query(
    `select id, number, verification_code as code from certificates where path = 'imported'`,
  );

  // Verified before anybody asks: what is counted while the matrix asks would come into the table at another place in each run.
  await service.app.services.verification.verifyList(
    undefined,
    [{ line: 1, number: oldCertificate!['number']!, name: undefined }],
    {
      way: 'page',
      strangersNames: false,
    },
  );
  await service.app.services.verification.writeCounts();

  // Entries of the journal: about t1, about the reading of it, about an auditor; each with its seal.
  await give(operator, await personOf(`auditor-${COUNTY}`), 'AUTHOR', county);
  await service.ask(
    staff(`auditor-${COUNTY}`),
    'query ($id: ID!) { journal(unitId: $id) { nodes { id } } }',
    {
      id: county,
    },
  );
  const entry = async (action: string, actor: string, subject: string | null): Promise<string> =>
    gid(
      'JournalEntry',
      await one(
        'select max(id) from journal_entries where action = $1 and actor = $2 and subject = coalesce($3, subject)',
        [action, `person:${localOf(await personOf(actor))}`, subject],
      ),
    );
  const entries = {
    journalEntry: await entry('grant.give', `operator-${COUNTY}`, `role-grant:${localOf(grant)}`),
    readingEntry: await entry('journal.read', `auditor-${COUNTY}`, `division:${COUNTY}`),
    auditorsEntry: await entry('grant.give', `operator-${COUNTY}`, null),
  };
  for (const id of Object.values(entries))
    await until(async () => {
      const found = await service.ask(
        staff('auditor-nation'),
        'query ($id: ID!) { node(id: $id) { ... on JournalEntry { seal { position } } } }',
        { id },
      );
      return (found.data.node.seal as object | null) ?? undefined;
    });

  // Platforms of the county, and who came from one: t1, and somebody who is not known.
  const [launch] = await query(
    `with r as (insert into lti_registrations (division_code, name, platform, issuer, client_id, auth_url, token_url, token_audience, key_set_url, frame_origins, person_claim, custom_parameter, way, registered_at, ended_by, ended_at)
       select '${COUNTY}', '县平台', 'moodle', 'https://lms.school.example', client, 'https://lms.school.example/auth', 'https://lms.school.example/token', 'https://lms.school.example', 'https://lms.school.example/keys',
         '{https://www.school.example}', 'custom', 'staff', 'manual', $1, case when over then $2::bigint end, case when over then $1::timestamptz end
       from (values ('one', false), ('two', true)) given (client, over) returning id, client_id),
     d as (insert into lti_deployments (registration_id, deployment_id, state, created_at) select id, 'd1', 'open', $1 from r where client_id = 'one' returning id),
     a as (insert into lti_accounts (registration_id, subject, state, person_id, doubt, told_name, told_identifier, created_at, seen_at, decided_at)
       select r.id, given.* from r, (values ('s1', 'waiting', null::bigint, 'nobody', '王小明', 't99', $1::timestamptz, $1::timestamptz, null::timestamptz), ('s2', 'linked', $2::bigint, null, null, null, $1, $1, $1)) given
       where client_id = 'one' returning id, subject),
     k as (insert into lti_resource_links (deployment_id, resource_link_id, context_id, context_title, title, memberships_url, line_item_url, seen_at)
       select id, 'link', 'course', '教师培训', '守门人', 'https://lms.school.example/members', 'https://lms.school.example/lineitems/1', $1 from d returning id),
     g as (insert into lti_grades (account_id, resource_link_id, assignment_id, owed, failed_at, failure, failure_status, sent_at)
       select a.id, k.id, $3::bigint, false, $1::timestamptz - interval '1 hour', 'refused', 403, $1::timestamptz - interval '1 day' from a, k where a.subject = 's2' returning id),
     c as (insert into lti_scores (grade_id, module_key, score, activity_progress, grading_progress, told_at) select id, '', 90, 'Completed', 'FullyGraded', $1 from g returning 1),
     o as (insert into lti_rosters (deployment_id, context_id, asked_by, asked_at, read_at, failed_at, failure)
       select d.id, 'course', $2::bigint, $1::timestamptz, $1::timestamptz, $1::timestamptz, 'busy' from d returning id),
     m as (insert into lti_members (roster_id, account_id, active, seen_at) select o.id, a.id, true, $1::timestamptz from o, a returning 1)
     select (select id from r where client_id = 'one') as platform, (select id from r where client_id = 'two') as ended,
       (select id from a where subject = 's1') as waiting, (select id from a where subject = 's2') as linked, (select id from g) as grade, (select id from o) as roster, (select count(*) from c) + (select count(*) from m) as made`,
    [service.clock.now(), localOf(person), localOf(assignments.get('new')!)],
  );

  const objects: Objects = {
    platform: gid('LtiRegistration', launch!['platform']!),
    endedPlatform: gid('LtiRegistration', launch!['ended']!),
    waitingAccount: gid('LtiAccount', launch!['waiting']!),
    linkedAccount: gid('LtiAccount', launch!['linked']!),
    platformGrade: gid('LtiGrade', launch!['grade']!),
    platformRoster: gid('LtiRoster', launch!['roster']!),
    countyCode: COUNTY,
    provinceCode: PROVINCE,
    county,
    province: gid('Division', PROVINCE),
    school: first,
    secondSchool: second,
    mergedSchool: merged,
    otherCounty: gid('Division', OTHER_COUNTY),
    otherSchool: gid(
      'Organization',
      await one('select id from organizations where county_code = $1 and source_id = $2', [
        OTHER_COUNTY,
        's1',
      ]),
    ),
    person: gid('Person', await one('select person_id from person_sources where source_id = $1', ['t1'])),
    otherPerson: gid(
      'Person',
      await one('select person_id from person_sources where source_id = $1', ['tb']),
    ),
    candidate: gid('Person', await one('select person_id from person_sources where source_id = $1', ['t3'])),
    certification,
    cohort: gid('Cohort', await one('select max(id) from cohorts where created_by is not null')),
    certificate: certificate.id,
    revokedCertificate: revoked.id,
    number: certificate.number,
    code: await one('select verification_code from certificates where number = $1', [certificate.number]),
    certifiedAssignment: assignments.get('done')!,
    newAssignment: assignments.get('new')!,
    readyAssignment: assignments.get('ready')!,
    openAssignment: assignments.get('open')!,
    renewalAssignment: gid('Assignment', await one('select id from assignments where period = 2')),
    gradedAttempt,
    openAttempt: open.id,
    activityKey,
    simulationKey,
    finishedRun,
    openRun: openRun.id,
    itemKey: EVERY_KIND[0]!,
    option: 'a',
    practiceItem: 'pr-promise',
    accommodation,
    rosterImport: imported.id,
    rosterImportNumber: localOf(imported.id),
    approvedRequestNumber: localOf(recorded.issueRequest.id),
    checkedImport: checked.id,
    refusedImport: refused.id,
    doubt: await doubt('n1'),
    decidedDoubt: await doubt('n2'),
    indicator,
    peopleIndicator,
    snapshot,
    schoolDigest: (await partOf(snapshot, first))!.digest,
    snapshotDigest: (await partOf(snapshot, county))!.digest,
    objectedSnapshot,
    signedSnapshot,
    proof: opened.sitting.proof as string,
    timeFlag,
    judgedFlag,
    staffNumber: 't1',
    colleague: await personOf('t2'),
    coordinator,
    leaver,
    confirmation: 'of the preview, which is looked at just before',
    newCertification: certifications.get('new')!,
    renewedCertification: renewed.certification.id as string,
    grant,
    endedGrant,
    coordinatorGrant: gid(
      'RoleGrant',
      await one('select id from role_grants where person_id = $1', [localOf(coordinator)]),
    ),
    accessToken: selfToken.id,
    placedToken: placedToken.id,
    endedToken: endedToken.id,
    session: gid(
      'Session',
      await one('select id from sessions where token_hash = $1', [hashSecret(session)]),
    ),
    issueRequest,
    issuersRequest,
    operator: await personOf(`operator-${COUNTY}`),
    approvedRequest: recorded.issueRequest.id,
    issuingRequest: gid('IssueRequest', issuing!['id']!),
    oldCertificate: gid('Certificate', oldCertificate!['id']!),
    oldNumber: oldCertificate!['number']!,
    oldCode: oldCertificate!['code']!,
    ...entries,
    h5pContent,
    h5pContentNumber: localOf(h5pContent),
    upgradedContent,
    contentHash: await one(`select value ->> 'zh-CN' from course_versions, jsonb_each(contents) limit 1`),
    courseSlug: 'core-gatekeeper',
  };
  // As many have sat the exam as an item analysis needs, half of them well; one item is found by all.
  const [version, items] = [
    await one(`select version from course_versions where slug = 'core-gatekeeper'`),
    await query(
      `select i.key, i.body -> 'options' -> 0 ->> 'key' as option from items i join course_versions v on v.id = i.course_version_id where v.slug = 'core-gatekeeper' order by i.key`,
    ),
  ];
  await insertSittings(
    service.database.pool,
    'core-gatekeeper',
    version,
    Array.from({ length: 30 }, (_, at) => ({
      answers: Object.fromEntries(
        items.map(({ key, option }, place) => [
          key!,
          { chosen: [option!], points: place === 0 || at % 2 === 0 ? 1 : 0 },
        ]),
      ),
    })),
  );
  const tokens = new Map<string, string | null>([
    ['nobody', null],
    ['garbage', 'no-token-of-anybody'],
    ['expired', expired],
    ['signed-out', signedOut],
    ['token-of-coordinator', placedToken.token],
    ['token-of-self', selfToken.token],
    ['token-without-self', emptyToken.token],
    ['no-sample', 'sample:nobody'],
    ['token-of-operator', operatorsToken.token],
    ['token-expired', expiredToken.token],
    ['token-revoked', revokedToken.token],
  ]);
  for (const { key } of viewers) if (!tokens.has(key)) tokens.set(key, staff(key));
  // What is still owed would be done while others ask, taken back with what they did, and be owed again: each asking would wait for it.
  await until(async () => {
    const { rows } = await service.database.pool.query(
      'select from graphile_worker._private_jobs where run_at <= now() and attempts < max_attempts limit 1',
    );
    return rows.length === 0 ? true : undefined;
  });
  const undo = await makeUndo(service.database.pool);
  await service.app.ledger.fold();
  await service.app.services.transparency.sequence();
  // What the log has sequenced can't be taken back, so that nothing could be any more: from here on another sequencer seems to be at it.
  const sequencer = await service.database.pool.connect();
  await sequencer.query('select pg_advisory_lock($1::bigint)', [SEQUENCER_LOCK]);
  await undo.keep();
  return {
    service,
    objects,
    tokens,
    seen: new Map(),
    undo,
    async stop() {
      sequencer.release(true);
      await service.stop();
      await issuer.stop();
      await rm(webFolder, { recursive: true, force: true });
    },
  };
}
