import { isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../schema/schema.ts';
import {
  assignTeachers,
  finishActivities,
  IMPORT,
  sitExam,
  smallRoster,
  startService,
  SUBMIT,
  until,
  type TestService,
} from '../support/service.ts';

/*
 * Who may see and do what, for every node and every mutation of the contract. What is not there and what is somebody else's must not
 * be told apart, byte for byte.
 */

const gid = (type: string, id: string | number): string => Buffer.from(`${type}:${id}`).toString('base64');
const NOWHERE = '999999999';

describe('what is not yours', () => {
  let service: TestService;
  /** Type → an object of it that belongs to t1 or to the county. */
  const ids: Record<string, string> = {};
  let certificationId: string;

  beforeAll(async () => {
    service = await startService();
    const prepared = await assignTeachers(service, ['t1', 't2', 't3']);
    certificationId = prepared.certificationId;
    const [learner] = prepared.learners;
    await finishActivities(service, learner!);
    ids['Assignment'] = learner!.assignmentId;
    ids['Attempt'] = await sitExam(service, learner!, { right: true });
    await service.ask(learner!.key, SUBMIT, { id: ids['Attempt'] });
    ids['Certificate'] = await until(
      async () =>
        (await service.ask('t1', '{ viewer { certificates { id } } }')).data.viewer.certificates[0]?.id as
          string | undefined,
    );
    const first = async (sql: string): Promise<string> =>
      (await service.database.pool.query(sql)).rows[0].id as string;
    ids['Person'] = gid(
      'Person',
      await first(`select person_id as id from person_sources where source_id = 't1'`),
    );
    ids['Cohort'] = gid('Cohort', await first('select id from cohorts'));
    const taken = await service.ask(
      'coordinator',
      `mutation ($input: TakeSnapshotInput!) { takeSnapshot(input: $input) { ... on TakeSnapshotPayload { snapshot { id } } } }`,
      { input: { unitId: gid('Division', '430121'), certificationId } },
    );
    ids['Snapshot'] = taken.data.takeSnapshot.snapshot.id;
    await until(
      async () =>
        (
          await service.ask(
            'coordinator',
            `query ($id: ID!) { node(id: $id) { ... on Snapshot { digest } } }`,
            {
              id: ids['Snapshot'],
            },
          )
        ).data.node.digest ?? undefined,
    );
    ids['RosterImport'] = gid('RosterImport', await first('select id from roster_imports'));
    ids['Organization'] = gid('Organization', await first('select id from organizations'));
    await service.database.pool.query(`
      insert into roster_doubts (source, source_id, division_code, kind, import_id, line, name, leaves, complete, posts, candidate_ids, state)
      select 'x', 'x', '430121', 'namesake', i.id, 2, 'x', false, true, '[]', array[p.id], 'open' from (select min(id) as id from roster_imports) i, (select min(id) as id from people) p`);
    ids['RosterDoubt'] = gid('RosterDoubt', await first('select id from roster_doubts'));
    ids['CreditRecord'] = gid('CreditRecord', await first('select id from credit_records'));
    // HR, coordinator and issuer of the neighbouring county, all in one.
    for (const role of ['hr_verifier', 'coordinator', 'issuer'])
      await service.database.pool.query(
        `insert into role_grants (person_id, role, division_code, starts_on, reason) select person_id, $1, '430102', '2020-01-01', 'test' from person_sources where source_id = 't3'`,
        [role],
      );
  });
  afterAll(async () => service.stop());

  /** The tree, courses and rules are open to whoever is signed in; names of schools are no secret. */
  const OPEN = ['Division', 'Organization', 'Course', 'Certification', 'Indicator'];
  const nodes = Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type) && type.getInterfaces().some((each) => each.name === 'Node'))
    .map((type) => type.name)
    .filter((name) => !OPEN.includes(name));

  it('is judged for every node that there is', () => {
    expect(nodes.length).toBeGreaterThanOrEqual(5);
    expect(nodes.filter((name) => ids[name] === undefined)).toEqual([]);
  });

  it.each(nodes)('%s answers strangers as if it were not there', async (type) => {
    const ask = async (as: string | null, id: string) =>
      JSON.stringify(await service.ask(as, 'query ($id: ID!) { node(id: $id) { __typename id } }', { id }));
    const owners = {
      Person: 't1',
      Assignment: 't1',
      Attempt: 't1',
      Certificate: 't1',
      CreditRecord: 'hr',
    } as Record<string, string>;
    expect(await ask(owners[type] ?? 'coordinator', ids[type]!)).toContain(`"__typename":"${type}"`);
    for (const as of ['t2', 't3', null])
      expect(await ask(as, ids[type]!)).toBe(await ask(as, gid(type, NOWHERE)));
  });

  it('can’t be guessed at with ids that are none', async () => {
    for (const id of [
      '',
      'x',
      gid('Person', '1 or 1=1'),
      gid('Nothing', '1'),
      gid('Person', '9'.repeat(40)),
      '💥',
    ])
      expect(
        (await service.ask('coordinator', 'query ($id: ID!) { node(id: $id) { id } }', { id })).data?.node ??
          null,
      ).toBeNull();
  });

  /** For each mutation: input for an object that a stranger may not touch, and the same for one that is not there. */
  const cases: Record<string, { type: string; theirs: () => object; nobodys: () => object }> = {
    planCertification: plan('430121', '430999'),
    assignCohort: {
      type: 'AssignCohortInput',
      theirs: () => ({ certificationId, unitId: gid('Division', '430121'), role: 'CLASS_TEACHER' }),
      nobodys: () => ({ certificationId, unitId: gid('Division', '430999'), role: 'CLASS_TEACHER' }),
    },
    setCoverageTarget: {
      type: 'SetCoverageTargetInput',
      theirs: () => ({ certificationId, divisionCode: '430121', rate: 0.9, startsOn: '2099-01-01' }),
      nobodys: () => ({ certificationId, divisionCode: '430999', rate: 0.9, startsOn: '2099-01-01' }),
    },
    setStaffingTarget: inDivision('SetStaffingTargetInput', { rate: 0.9, startsOn: '2099-01-01' }),
    setIndicatorTarget: inDivision('SetIndicatorTargetInput', {
      indicatorId: gid('Indicator', 1),
      rate: 0.9,
      startsOn: '2099-01-01',
    }),
    defineIndicator: inDivision('DefineIndicatorInput', {
      code: 'xy',
      title: { zhCN: 'x', en: 'x' },
      measure: { zhCN: 'x', en: 'x' },
      kind: 'COUNT',
      level: 'COUNTY',
    }),
    importIndicatorValues: inDivision('ImportIndicatorValuesInput', {
      indicatorId: gid('Indicator', 1),
      source: 'x',
      csv: 'x',
    }),
    takeSnapshot: {
      type: 'TakeSnapshotInput',
      theirs: () => ({ certificationId, unitId: gid('Division', '430121') }),
      nobodys: () => ({ certificationId, unitId: gid('Division', '430999') }),
    },
    signSnapshot: one('SignSnapshotInput', 'snapshotId', 'Snapshot', {
      unitId: gid('Division', '430121'),
      digest: 'x',
    }),
    objectToSnapshot: one('ObjectToSnapshotInput', 'snapshotId', 'Snapshot', {
      unitId: gid('Division', '430121'),
      reason: 'x',
    }),
    decideRosterDoubt: one('DecideRosterDoubtInput', 'rosterDoubtId', 'RosterDoubt', { reason: 'x' }),
    cancelRosterImport: one('CancelRosterImportInput', 'rosterImportId', 'RosterImport'),
    repeatRosterImport: one('RepeatRosterImportInput', 'rosterImportId', 'RosterImport'),
    renameOrganization: one('RenameOrganizationInput', 'organizationId', 'Organization', {
      name: 'x',
      on: '2026-09-01',
    }),
    mergeOrganizations: {
      type: 'MergeOrganizationsInput',
      theirs: () => ({
        organizationIds: [ids['Organization']],
        intoId: gid('Organization', NOWHERE),
        on: '2026-09-01',
      }),
      nobodys: () => ({
        organizationIds: [gid('Organization', '999999998')],
        intoId: gid('Organization', NOWHERE),
        on: '2026-09-01',
      }),
    },
    startAttempt: one('StartAttemptInput', 'assignmentId', 'Assignment'),
    saveResponse: one('SaveResponseInput', 'attemptId', 'Attempt', { itemKey: 'x', chosen: [] }),
    submitAttempt: one('SubmitAttemptInput', 'attemptId', 'Attempt'),
    recordStatements: one('RecordStatementsInput', 'assignmentId', 'Assignment', {
      activityKey: 'x',
      language: 'en',
      statements: [],
    }),
    saveUserState: one('SaveUserStateInput', 'assignmentId', 'Assignment', {
      activityKey: 'x',
      language: 'en',
      baseVersion: 0,
      data: '{}',
    }),
    erasePersonalData: one('ErasePersonalDataInput', 'personId', 'Person', {
      ground: 'UNLAWFUL',
      confirmation: 'x',
    }),
    revokeCertificate: one('RevokeCertificateInput', 'certificateId', 'Certificate', { reason: 'x' }),
  };
  /** They take no object, or have a test of their own. */
  const ELSEWHERE = [
    'signInSample',
    'signOut',
    'importRoster',
    'addDivisions',
    'setOwnContacts',
    'eraseOwnData',
  ];

  function plan(theirs: string, nobodys: string) {
    const input = (divisionCode: string) => () => ({
      code: 'x',
      title: { zhCN: 'x', en: 'x' },
      courseSlug: 'core-gatekeeper',
      roles: ['CLASS_TEACHER'],
      divisionCode,
      issuerName: 'x',
    });
    return { type: 'PlanCertificationInput', theirs: input(theirs), nobodys: input(nobodys) };
  }
  function inDivision(type: string, more: object) {
    return {
      type,
      theirs: () => ({ divisionCode: '430121', ...more }),
      nobodys: () => ({ divisionCode: '430999', ...more }),
    };
  }
  function one(input: string, field: string, type: string, more: object = {}) {
    return {
      type: input,
      theirs: () => ({ [field]: ids[type], ...more }),
      nobodys: () => ({ [field]: gid(type, NOWHERE), ...more }),
    };
  }
  const mutations = Object.keys(schema.getMutationType()!.getFields()).filter(
    (name) => !ELSEWHERE.includes(name),
  );

  it('is judged for every mutation that there is', () => {
    expect(mutations.toSorted()).toEqual(Object.keys(cases).toSorted());
  });

  it.each(mutations)('%s is refused to strangers as if the object were not there', async (name) => {
    const { type, theirs, nobodys } = cases[name]!;
    const ask = async (as: string | null, input: object) => {
      const answer = await service.ask(
        as,
        `mutation ($input: ${type}!) { ${name}(input: $input) { __typename ... on Refusal { code message } } }`,
        { input },
      );
      expect(answer.errors).toBeUndefined();
      return answer.data[name] as { __typename: string; code: string; message: string };
    };
    expect((await ask(null, theirs())).code).toBe('NOT_SIGNED_IN');
    for (const as of ['t2', 't3']) {
      const refused = await ask(as, theirs());
      expect(refused.__typename).toBe('NotFound');
      const missing = await ask(as, nobodys());
      expect({ ...missing, message: missing.message.replace('430999', '430121') }).toEqual(refused);
    }
  });

  it('and an import for another’s division is as if there were no such division', async () => {
    const ask = async (as: string, divisionCode: string) =>
      (
        await service.upload(
          as,
          IMPORT,
          { input: { divisionCode, files: [null] } },
          smallRoster([]).slice(0, 1),
        )
      ).data.importRoster;
    for (const as of ['t2', 't3']) {
      const refused = await ask(as, '430121');
      expect(refused.__typename).toBe('NotFound');
      expect((await ask(as, '430999')).message.replace('430999', '430121')).toBe(refused.message);
    }
  });
});
