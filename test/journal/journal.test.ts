import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../schema/schema.ts';
import { actionTitles } from '../../src/audit/action-titles.ts';
import { addDays } from '../../src/clock.ts';
import { SAMPLE_COUNTY } from '../../src/commands/sample/county.ts';
import { START_RUN } from '../support/conversation.ts';
import { library, pack, textPackage, TEXT_SEMANTICS } from '../h5p/packages.ts';
import { addAuthor, uploadPackage } from '../h5p/upload.ts';
import {
  assignTeachers,
  finishActivities,
  IMPORT,
  sitExam,
  smallRoster,
  START,
  startService,
  SUBMIT,
  TestClock,
  until,
  type Learner,
  type TestService,
} from '../support/service.ts';

const PLAN = `mutation ($input: PlanCertificationInput!) { planCertification(input: $input) { __typename } }`;
const ASSIGN = `mutation ($input: AssignCohortInput!) { assignCohort(input: $input) { __typename } }`;
const TARGET = `mutation ($input: SetCoverageTargetInput!) { setCoverageTarget(input: $input) { __typename } }`;
const DEFINE = `mutation ($input: DefineIndicatorInput!) { defineIndicator(input: $input) { __typename } }`;
const TAKE = `mutation ($input: ImportIndicatorValuesInput!) { importIndicatorValues(input: $input) { __typename } }`;
const ADD = `mutation ($input: AddDivisionsInput!) { addDivisions(input: $input) { __typename } }`;
const DECIDE = `mutation ($input: DecideRosterDoubtInput!) { decideRosterDoubt(input: $input) { __typename } }`;
const ERASE = `mutation ($input: ErasePersonalDataInput!) { erasePersonalData(input: $input) { __typename } }`;
const RENAME = `mutation ($input: RenameOrganizationInput!) { renameOrganization(input: $input) { __typename } }`;
const MERGE = `mutation ($input: MergeOrganizationsInput!) { mergeOrganizations(input: $input) { __typename } }`;
const TAKE_SNAPSHOT = `mutation ($input: TakeSnapshotInput!) { takeSnapshot(input: $input) { __typename } }`;
const SIGN = `mutation ($input: SignSnapshotInput!) { signSnapshot(input: $input) { __typename } }`;
const CREATE_TOKEN = `mutation ($input: CreateAccessTokenInput!) { createAccessToken(input: $input) { __typename } }`;
const REVOKE_TOKEN = `mutation ($id: ID!) { revokeAccessToken(input: { accessTokenId: $id }) { __typename } }`;
const SIGN_IN = `mutation { signInSample(input: { key: "coordinator" }) { __typename } }`;
const END_SESSION = `mutation ($id: ID!) { endSession(input: { sessionId: $id }) { __typename } }`;
const UPGRADE_H5P = `mutation ($id: ID!) { upgradeH5pContent(input: { h5pContentId: $id }) { __typename } }`;
const gid = (type: string, id: string): string => Buffer.from(`${type}:${id}`).toString('base64');
const OBJECT = `mutation ($input: ObjectToSnapshotInput!) { objectToSnapshot(input: $input) { __typename } }`;
const CANCEL = `mutation ($input: CancelRosterImportInput!) { cancelRosterImport(input: $input) { __typename } }`;
const GIVE = `mutation ($input: GrantRoleInput!) { grantRole(input: $input) { __typename } }`;
const ACCOMMODATE = `mutation ($input: GrantAccommodationInput!) { grantAccommodation(input: $input) { __typename } }`;
const END_ACCOMMODATION = `mutation ($input: RevokeAccommodationInput!) { revokeAccommodation(input: $input) { __typename } }`;
const END = `mutation ($input: EndGrantInput!) { endGrant(input: $input) { __typename } }`;
const MANUAL = `mutation ($input: RequestManualIssueInput!) { requestManualIssue(input: $input) { __typename } }`;
const APPROVE = `mutation ($input: ApproveIssueRequestInput!) { approveIssueRequest(input: $input) { __typename } }`;
const CANCEL_ISSUE = `mutation ($input: CancelIssueRequestInput!) { cancelIssueRequest(input: $input) { __typename } }`;
const DECLINE = `mutation ($input: DeclineIssueRequestInput!) { declineIssueRequest(input: $input) { __typename } }`;
const JUDGE = `mutation ($input: JudgeTimeFlagInput!) { judgeTimeFlag(input: $input) { __typename } }`;
const INVITE = `mutation ($input: InviteLtiPlatformInput!) { inviteLtiPlatform(input: $input) { __typename } }`;
const REGISTER_PLATFORM = `mutation ($input: RegisterLtiPlatformInput!) { registerLtiPlatform(input: $input) { __typename } }`;
const CHANGE_PLATFORM = `mutation ($input: ChangeLtiRegistrationInput!) { changeLtiRegistration(input: $input) { __typename } }`;
const SET_DEPLOYMENT = `mutation ($input: SetLtiDeploymentInput!) { setLtiDeployment(input: $input) { __typename } }`;
const END_PLATFORM = `mutation ($input: EndLtiRegistrationInput!) { endLtiRegistration(input: $input) { __typename } }`;
const LINK_ACCOUNT = `mutation ($input: LinkLtiAccountInput!) { linkLtiAccount(input: $input) { __typename } }`;
const SEND_AGAIN = `mutation ($input: SendLtiGradeAgainInput!) { sendLtiGradeAgain(input: $input) { __typename } }`;
const SEND_FAILED = `mutation ($input: SendFailedLtiGradesInput!) { sendFailedLtiGrades(input: $input) { __typename } }`;
const AGREE = `mutation ($input: AgreeToPackageInput!) { agreeToPackage(input: $input) { __typename } }`;
const READ_ROSTER = `mutation ($input: ReadLtiRosterInput!) { readLtiRoster(input: $input) { __typename } }`;
const GIVE_UP_ROSTER = `mutation ($input: GiveUpLtiRosterInput!) { giveUpLtiRoster(input: $input) { __typename } }`;
const REFUSE_ACCOUNT = `mutation ($input: RefuseLtiAccountInput!) { refuseLtiAccount(input: $input) { __typename } }`;
const REVOKE =
  `mutation ($id: ID!) { revokeCertificate(input: { certificateId: $id, reason: '错误' }) { __typename } }`.replaceAll(
    "'",
    '"',
  );

const SUPERSEDE = REVOKE.replace('revokeCertificate', 'supersedeCertificate');

/** What each kind of change writes: a row whose last writer is the entry's own transaction. */
const CHANGES: Record<string, { subject: string; row: string | undefined }> = {
  // Its files go and its row changes when it is applied.
  'roster.request': { subject: 'roster-import', row: undefined },
  'roster.apply': { subject: 'roster-import', row: 'roster_imports where id' },
  'roster.cancel': { subject: 'roster-import', row: 'roster_cancellations where import_id' },
  'organization.rename': {
    subject: 'organization',
    row: "organization_changes where kind = 'renamed' and organization_id",
  },
  'organization.merge': {
    subject: 'organization',
    row: "organization_changes where kind = 'merged' and organization_id",
  },
  'h5p.upload': { subject: 'h5p-content', row: 'h5p_contents where upgraded_from is null and id' },
  'h5p.upgrade': { subject: 'h5p-content', row: 'h5p_contents where upgraded_from is not null and id' },
  'roster.decide': { subject: 'roster-doubt', row: 'roster_doubts where id' },
  'division.add': { subject: 'division', row: 'divisions where code::bigint' },
  'grant.give': { subject: 'role-grant', row: 'role_grants where ended_at is null and id' },
  'grant.end': { subject: 'role-grant', row: 'role_grants where ended_at is not null and id' },
  'contacts.set': { subject: 'person', row: 'person_contacts where person_id' },
  'erasure.request': { subject: 'person', row: undefined },
  'erasure.apply': { subject: 'person', row: 'erasures where person_id' },
  'retention.forget': { subject: 'retention', row: undefined },
  'retention.run': { subject: 'retention', row: undefined },
  'certification.plan': { subject: 'certification', row: 'certifications where id' },
  'cohort.assign': { subject: 'cohort', row: 'assignments where cohort_id' },
  'target.set': { subject: 'division', row: 'coverage_targets where division_code::bigint' },
  'indicator.define': { subject: 'indicator', row: 'indicators where id' },
  'indicator.import': { subject: 'indicator-import', row: 'indicator_imports where id' },
  'snapshot.request': { subject: 'snapshot', row: undefined },
  'snapshot.freeze': { subject: 'snapshot', row: 'snapshot_units where snapshot_id' },
  'snapshot.sign': { subject: 'snapshot', row: `snapshot_verdicts where verdict = 'signed' and snapshot_id` },
  'snapshot.object': {
    subject: 'snapshot',
    row: `snapshot_verdicts where verdict = 'objected' and snapshot_id`,
  },
  'simulation.start': { subject: 'simulation-run', row: 'simulation_runs where finished_at is null and id' },
  'simulation.grade': {
    subject: 'simulation-run',
    row: 'simulation_runs where finished_at is not null and id',
  },
  'accommodation.grant': { subject: 'accommodation', row: 'accommodations where revoked_at is null and id' },
  'accommodation.revoke': {
    subject: 'accommodation',
    row: 'accommodations where revoked_at is not null and id',
  },
  'attempt.start': { subject: 'attempt', row: 'attempts where submitted_at is null and id' },
  'attempt.grade': { subject: 'attempt', row: 'attempts where submitted_at is not null and id' },
  'time-flag.raise': { subject: 'time-flag', row: `time_flags where state = 'open' and id` },
  'time-flag.judge': { subject: 'time-flag', row: `time_flags where state <> 'open' and id` },
  'issue-request.make': { subject: 'issue-request', row: 'issue_request_rows where request_id' },
  // Its row is changed again by each lot.
  'issue-request.approve': { subject: 'issue-request', row: undefined },
  'issue-request.finish': { subject: 'issue-request', row: `issue_requests where state = 'approved' and id` },
  'issue-request.cancel': {
    subject: 'issue-request',
    row: `issue_requests where state = 'cancelled' and id`,
  },
  'issue-request.decline': {
    subject: 'issue-request',
    row: `issue_requests where state = 'declined' and id`,
  },
  'certificate.issue': { subject: 'certificate', row: 'certificate_documents where certificate_id' },
  'certificate.revoke': { subject: 'certificate', row: 'certificates where id' },
  'certificate.supersede': {
    subject: 'certificate',
    row: 'certificates where superseded_at is not null and id',
  },
  'access-token.create': { subject: 'access-token', row: 'access_tokens where revoked_at is null and id' },
  'access-token.revoke': {
    subject: 'access-token',
    row: 'access_tokens where revoked_at is not null and id',
  },
  'lti-invitation.make': { subject: 'lti-invitation', row: 'lti_invitations where id' },
  'lti-registration.add': { subject: 'lti-registration', row: undefined },
  'lti-registration.change': { subject: 'lti-registration', row: undefined },
  'lti-registration.end': {
    subject: 'lti-registration',
    row: 'lti_registrations where ended_at is not null and id',
  },
  'lti-deployment.set': { subject: 'lti-registration', row: 'lti_deployments where registration_id' },
  'lti-account.link': { subject: 'lti-account', row: undefined },
  'lti-account.refuse': { subject: 'lti-account', row: `lti_accounts where state = 'refused' and id` },
  'lti-grade.send-again': { subject: 'lti-grade', row: undefined },
  'lti-grade.send-failed': { subject: 'lti-registration', row: undefined },
  'lti-roster.ask': { subject: 'lti-roster', row: undefined },
  'lti-roster.give-up': { subject: 'lti-roster', row: 'lti_rosters where not kept and id' },
  'package.agree': { subject: 'assignment', row: 'package_attempts where assignment_id' },
  'lti-key.add': { subject: 'lti-key', row: 'lti_keys where id' },
  'session.begin': { subject: 'session', row: 'sessions where ended_at is null and id' },
  'session.end': { subject: 'session', row: 'sessions where ended_at is not null and id' },
  'coverage.rebuild': { subject: 'coverage', row: 'coverage_totals where 0' },
};

/** What each mutation of the contract writes; null: nothing, for what is not a change that somebody has to answer for. */
const OF_MUTATIONS: Record<string, string | null> = {
  addDivisions: 'division.add',
  assignCohort: 'cohort.assign',
  cancelIssueRequest: 'issue-request.cancel',
  cancelRosterImport: 'roster.cancel',
  decideRosterDoubt: 'roster.decide',
  defineIndicator: 'indicator.define',
  importIndicatorValues: 'indicator.import',
  importRoster: 'roster.request',
  judgeTimeFlag: 'time-flag.judge',
  uploadH5p: 'h5p.upload',
  upgradeH5pContent: 'h5p.upgrade',
  mergeOrganizations: 'organization.merge',
  objectToSnapshot: 'snapshot.object',
  planCertification: 'certification.plan',
  renameOrganization: 'organization.rename',
  repeatRosterImport: 'roster.request',
  revokeCertificate: 'certificate.revoke',
  supersedeCertificate: 'certificate.supersede',
  setCoverageTarget: 'target.set',
  setIndicatorTarget: 'target.set',
  setStaffingTarget: 'target.set',
  signSnapshot: 'snapshot.sign',
  startAttempt: 'attempt.start',
  startSimulation: 'simulation.start',
  // Its last one, where it is graded: simulation.grade.
  makeMove: 'simulation.grade',
  submitAttempt: 'attempt.grade',
  takeSnapshot: 'snapshot.request',
  // A learner's own work, many times a minute, kept row by row with its time. What comes of it is written down: the grade.
  openSitting: null,
  recordBeat: null,
  recordStatements: null,
  saveResponse: null,
  // Practice leaves nothing behind.
  checkPractice: null,
  grantAccommodation: 'accommodation.grant',
  revokeAccommodation: 'accommodation.revoke',
  saveUserState: null,
  // What one says of oneself is nobody else's, and an entry would show auditors whose it is.
  answerEfficacy: null,
  declineEfficacy: null,
  withdrawEfficacy: null,
  approveIssueRequest: 'issue-request.approve',
  createAccessToken: 'access-token.create',
  declineIssueRequest: 'issue-request.decline',
  endGrant: 'grant.end',
  endOtherSessions: 'session.end',
  endSession: 'session.end',
  eraseOwnData: 'erasure.request',
  erasePersonalData: 'erasure.request',
  grantRole: 'grant.give',
  importOldCertificates: 'issue-request.make',
  requestManualIssue: 'issue-request.make',
  revokeAccessToken: 'access-token.revoke',
  setOwnContacts: 'contacts.set',
  inviteLtiPlatform: 'lti-invitation.make',
  registerLtiPlatform: 'lti-registration.add',
  changeLtiRegistration: 'lti-registration.change',
  endLtiRegistration: 'lti-registration.end',
  setLtiDeployment: 'lti-deployment.set',
  linkLtiAccount: 'lti-account.link',
  refuseLtiAccount: 'lti-account.refuse',
  rotateLtiKey: 'lti-key.add',
  sendLtiGradeAgain: 'lti-grade.send-again',
  sendFailedLtiGrades: 'lti-grade.send-failed',
  readLtiRoster: 'lti-roster.ask',
  giveUpLtiRoster: 'lti-roster.give-up',
  assignLtiRoster: 'cohort.assign',
  agreeToPackage: 'package.agree',
  // That a page is still there; when the session was used is kept beside it.
  renewLaunchedSession: null,
  signInSample: 'session.begin',
  signOut: 'session.end',
};

describe('the journal', () => {
  let service: TestService;
  let learners: Learner[];
  let certificationId: string;
  let unitId: string;
  let attemptId: string;
  let certificateId: string;
  let author: string;
  let snapshotDay = '2030-03-04';

  const query = async (sql: string, values: unknown[] = []) =>
    (await service.database.pool.query(sql, values)).rows as Record<string, string>[];
  /** Each kind of change, done once more. @returns the answer's type, or the code of its error. */
  const act: Record<string, () => Promise<string>> = {
    'roster.request': async () => {
      const files = smallRoster([{ id: 'n1', family: '李', given: '新' }]);
      const input = { divisionCode: SAMPLE_COUNTY, files: files.map(() => null) };
      const { data, errors } = await service.upload('coordinator', IMPORT, { input }, files);
      return data?.importRoster?.__typename ?? errors?.[0]?.extensions?.code;
    },
    'h5p.upload': async () => {
      // Other bytes each time, played with a library in its first patch.
      const [row] = await query('select count(*) as n from h5p_contents');
      const files = textPackage(`第 ${row!['n']} 个`);
      const { data, errors } = await uploadPackage(service, author, await pack(files));
      return data?.uploadH5p?.__typename ?? errors?.[0]?.extensions?.code;
    },
    'h5p.upgrade': async () => {
      const [first] = await query('select min(id) as id from h5p_contents');
      return mutate(author, UPGRADE_H5P, { id: gid('H5pContent', first!['id']!) });
    },
    'roster.decide': async () => {
      const [doubt] = await query(`
        insert into roster_doubts (source, source_id, division_code, kind, import_id, line, name, leaves, complete, posts, candidate_ids, state)
        select 'division:430121', 'd' || i.id, '430121', 'namesake', i.id, 2, '王小明', false, false, '[]', array[p.id], 'open'
        from (select max(id) as id from roster_imports) i, (select min(id) as id from people) p
        on conflict (source, source_id) where state = 'open' do update set line = 2 returning id`);
      const rosterDoubtId = Buffer.from(`RosterDoubt:${doubt!['id']}`).toString('base64');
      return mutate('coordinator', DECIDE, { input: { rosterDoubtId, reason: '同名' } });
    },
    'access-token.create': async () =>
      mutate('coordinator', CREATE_TOKEN, {
        input: {
          name: '林静的脚本',
          permissions: ['COVERAGE_READ'],
          unitId,
          expiresAt: '2030-04-01T00:00:00Z',
        },
      }),
    'access-token.revoke': async () => {
      const [token] = await query('select max(id) as id from access_tokens where revoked_at is null');
      return mutate('coordinator', REVOKE_TOKEN, { id: gid('AccessToken', token!['id']!) });
    },
    'session.begin': async () => mutate(null, SIGN_IN, {}),
    'session.end': async () => {
      const [session] = await query('select max(id) as id from sessions');
      return mutate('coordinator', END_SESSION, { id: gid('Session', session!['id']!) });
    },
    'contacts.set': async () =>
      mutate('t2', `mutation { setOwnContacts(input: { mobile: "13812345678" }) { __typename } }`, {}),
    // Somebody new each time, who has left.
    'erasure.request': async () => {
      const [gone] = await query(`insert into people (name) values ('王小走') returning id`);
      await query(
        `insert into posts (person_id, organization_id, role, starts_on, ends_on) select $1, min(id), 'class_teacher', '2020-01-01', '2021-01-01' from organizations`,
        [gone!['id']],
      );
      const id = Buffer.from(`Person:${gone!['id']}`).toString('base64');
      const { data } = await service.ask(
        'coordinator',
        'query ($id: ID!) { erasurePreview(personId: $id) { confirmation } }',
        { id },
      );
      const { confirmation } = data.erasurePreview as { confirmation: string };
      return mutate('coordinator', ERASE, { input: { personId: id, ground: 'UNLAWFUL', confirmation } });
    },
    'grant.give': async () => {
      await makeOperator();
      const [row] = await query(
        `select p.id, (select count(*) from role_grants) as n from people p join person_sources s on s.person_id = p.id where s.source_id = 't2'`,
      );
      const startsOn = addDays('2030-03-04', Number(row!['n']));
      return mutate('coordinator', GIVE, {
        input: {
          personId: Buffer.from(`Person:${row!['id']}`).toString('base64'),
          role: 'AUDITOR',
          startsOn,
          endsOn: startsOn,
          reason: 'x',
        },
      });
    },
    'grant.end': async () => {
      const [row] = await query(
        `select max(id) as id from role_grants where role = 'auditor' and ended_at is null`,
      );
      return mutate('coordinator', END, {
        input: { grantId: Buffer.from(`RoleGrant:${row!['id']}`).toString('base64'), reason: 'x' },
      });
    },
    'division.add': async () => {
      await makeOperator();
      const code = `4301${70 + Number((await query(`select count(*) as n from divisions where code like '43017_'`))[0]!['n'])}`;
      return mutate('coordinator', ADD, { input: { divisions: [{ code, name: '开发区' }] } });
    },
    'certification.plan': async () =>
      mutate('coordinator', PLAN, {
        input: {
          code: `c${Math.floor(performance.now())}`,
          title: { zhCN: 'x', en: 'x' },
          courseSlug: 'core-gatekeeper',
          roles: ['CLASS_TEACHER', 'PRINCIPAL'],
          divisionCode: SAMPLE_COUNTY,
          issuerName: 'x',
        },
      }),
    'accommodation.grant': async () => {
      const [row] = await query(`select person_id from person_sources where source_id = 't2'`);
      return mutate('coordinator', ACCOMMODATE, {
        input: {
          personId: Buffer.from(`Person:${row!['person_id']}`).toString('base64'),
          certificationId,
          extraTimePercent: 50,
          reason: 'x',
        },
      });
    },
    'accommodation.revoke': async () => {
      const [row] = await query(
        `insert into accommodations (person_id, certification_id, extra_time_percent, extra_attempts, reason, starts_on, granted_by, granted_at)
         select person_id, certification_id, 10, 0, 'x', starts_on, granted_by, granted_at from accommodations limit 1 returning id`,
      );
      return mutate('coordinator', END_ACCOMMODATION, {
        input: { accommodationId: Buffer.from(`Accommodation:${row!['id']}`).toString('base64') },
      });
    },
    'cohort.assign': async () =>
      mutate('coordinator', ASSIGN, { input: { certificationId, unitId, role: 'CLASS_TEACHER' } }),
    'target.set': async () =>
      mutate('coordinator', TARGET, {
        input: { certificationId, divisionCode: SAMPLE_COUNTY, rate: 0.9, startsOn: '2030-05-01' },
      }),
    'indicator.define': async () =>
      mutate('coordinator', DEFINE, {
        input: {
          divisionCode: SAMPLE_COUNTY,
          code: `c${Math.floor(performance.now())}`,
          title: { zhCN: 'x', en: 'x' },
          measure: { zhCN: 'x', en: 'x' },
          kind: 'COUNT',
          level: 'COUNTY',
        },
      }),
    'lti-invitation.make': async () =>
      mutate('operator', INVITE, { input: { divisionCode: SAMPLE_COUNTY, name: 'x' } }),
    'lti-registration.add': async () =>
      mutate('operator', REGISTER_PLATFORM, {
        input: {
          divisionCode: SAMPLE_COUNTY,
          name: 'x',
          issuer: 'https://lms.example',
          clientId: 'x',
          authUrl: 'https://lms.example/auth',
          keySetUrl: 'https://lms.example/keys',
        },
      }),
    'lti-registration.change': async () =>
      mutate('operator', CHANGE_PLATFORM, { input: { registrationId: await platform(), name: 'y' } }),
    'lti-deployment.set': async () =>
      mutate('operator', SET_DEPLOYMENT, {
        input: { registrationId: await platform(), deploymentId: 'd1', open: true },
      }),
    'lti-account.link': async () =>
      mutate('coordinator', LINK_ACCOUNT, {
        input: { accountId: await waitingAccount(), personId: await personOf('t1') },
      }),
    'lti-account.refuse': async () =>
      mutate('coordinator', REFUSE_ACCOUNT, { input: { accountId: await waitingAccount() } }),
    'lti-grade.send-again': async () => mutate('t1', SEND_AGAIN, { input: { gradeId: await sentGrade() } }),
    'lti-grade.send-failed': async () =>
      mutate('operator', SEND_FAILED, { input: { registrationId: await platform() } }),
    'lti-roster.ask': async () => {
      await contextOf();
      return mutate('coordinator', READ_ROSTER, {
        input: { registrationId: await platform(), contextId: 'course' },
      });
    },
    'package.agree': async () =>
      mutate('t2', AGREE, { input: { code: 'ab'.repeat(32), course: 'core-gatekeeper' } }),
    'lti-roster.give-up': async () =>
      mutate('coordinator', GIVE_UP_ROSTER, { input: { rosterId: await keptRoster() } }),
    'lti-registration.end': async () =>
      mutate('operator', END_PLATFORM, { input: { registrationId: await platform() } }),
    'lti-key.add': async () =>
      (await service.fetch('/lti/jwks.json')).status === 200 ? 'KeySetPayload' : 'INTERNAL',
    'indicator.import': async () =>
      mutate('coordinator', TAKE, {
        input: {
          indicatorId: Buffer.from('Indicator:1').toString('base64'),
          divisionCode: SAMPLE_COUNTY,
          source: 'x',
          csv: 'unit,day,numerator,denominator\n430121,2030-01-01,1,2\n',
        },
      }),
    'organization.rename': async () =>
      mutate('coordinator', RENAME, {
        input: {
          organizationId: await organization('s1'),
          name: `星沙${Math.floor(performance.now())}小`,
          on: '2030-03-04',
        },
      }),
    'organization.merge': async () =>
      mutate('coordinator', MERGE, {
        input: {
          organizationIds: [await organization('s2')],
          intoId: await organization('s1'),
          on: '2030-03-04',
        },
      }),
    'snapshot.request': async () => {
      snapshotDay = addDays(snapshotDay, -1);
      return mutate('coordinator', TAKE_SNAPSHOT, { input: { unitId, certificationId, on: snapshotDay } });
    },
    'snapshot.sign': async () => verdict(SIGN, {}),
    'snapshot.object': async () => verdict(OBJECT, { reason: 'x' }),
    'simulation.start': async () =>
      mutate('t3', START_RUN, {
        input: { assignmentId: learners[2]!.assignmentId, activityKey: 'dormitory-conversation' },
      }),
    'attempt.start': async () => mutate('t2', START, { id: learners[1]!.assignmentId }),
    'attempt.grade': async () => mutate('t1', SUBMIT, { id: attemptId }),
    'time-flag.judge': async () => {
      const [flag] = await query(`select min(id) as id from time_flags where state = 'open'`);
      return mutate('coordinator', JUDGE, {
        input: { flagId: gid('TimeFlag', flag!['id']!), outcome: 'UPHELD', note: 'x' },
      });
    },
    'issue-request.make': async () =>
      mutate('issuer', MANUAL, {
        input: {
          certificationId,
          personId: Buffer.from(
            `Person:${(await query(`select person_id from person_sources where source_id = 't3'`))[0]!['person_id']}`,
          ).toString('base64'),
          completedOn: '2030-01-01',
          classHours: 0,
          reason: 'x',
          evidence: 'x',
        },
      }),
    'issue-request.approve': async () => decide(APPROVE),
    'issue-request.decline': async () => decide(DECLINE),
    'certificate.revoke': async () => mutate('issuer', REVOKE, { id: certificateId }),
    'certificate.supersede': async () => mutate('issuer', SUPERSEDE, { id: certificateId }),
  };
  /** By a second issuer, what waits. */
  const decide = async (mutation: string) => {
    await query(
      `insert into role_grants (person_id, role, starts_on, reason) select person_id, 'issuer', '2020-01-01', 'test' from sample_sign_ins where key = 'hr' and not exists (select from role_grants where role = 'issuer' and division_code is null)`,
    );
    const [waiting] = await query(`select id from issue_requests where state = 'waiting'`);
    return mutate('hr', mutation, {
      input: {
        issueRequestId: Buffer.from(`IssueRequest:${waiting!['id']}`).toString('base64'),
        ...(mutation === DECLINE ? { reason: 'x' } : {}),
      },
    });
  };
  const makeOperator = async () =>
    query(
      `insert into role_grants (person_id, role, starts_on, reason) select person_id, 'operator', '2020-01-01', 'test' from sample_sign_ins where key = 'coordinator' and not exists (select from role_grants where role = 'operator' and division_code is null)`,
    );
  const platform = async (): Promise<string> =>
    gid('LtiRegistration', (await query('select max(id) as id from lti_registrations'))[0]!['id']!);
  /** One that a launch left. */
  const waitingAccount = async (): Promise<string> => {
    const [row] = await query(
      `insert into lti_accounts (registration_id, subject, state, created_at, seen_at) select max(id), gen_random_uuid()::text, 'waiting', '2030-03-04', '2030-03-04' from lti_registrations returning id`,
    );
    return gid('LtiAccount', row!['id']!);
  };
  /** A course there, with its roster, as a launch leaves it. */
  const contextOf = async () =>
    query(
      `with d as (select max(id) as id from lti_deployments where registration_id = (select max(id) from lti_registrations))
       insert into lti_resource_links (deployment_id, resource_link_id, context_id, memberships_url, seen_at) select id, 'k', 'course', 'https://lms.example/members', '2030-03-04' from d
       on conflict (deployment_id, resource_link_id) do update set seen_at = excluded.seen_at returning id, deployment_id`,
    );
  const keptRoster = async (): Promise<string> => {
    const [link] = await contextOf();
    const [row] = await query(
      `insert into lti_rosters (deployment_id, context_id, asked_by, asked_at) select $1, 'course', max(id), '2030-03-04' from people
       on conflict (deployment_id, context_id) do update set kept = true returning id`,
      [link!['deployment_id']],
    );
    return gid('LtiRoster', row!['id']!);
  };
  /** One of t1's that a platform has taken. */
  const sentGrade = async (): Promise<string> => {
    const [link] = await contextOf();
    const [row] = await query(
      `with a as (select a.id, a.person_id from lti_accounts a join person_sources s on s.person_id = a.person_id where a.state = 'linked' and s.source_id = 't1' limit 1)
       insert into lti_grades (account_id, resource_link_id, assignment_id, owed, sent_at) select a.id, $1, s.id, false, '2030-03-04' from a join assignments s on s.person_id = a.person_id
       on conflict (account_id, resource_link_id) do update set sent_at = excluded.sent_at returning id`,
      [link!['id']],
    );
    return gid('LtiGrade', row!['id']!);
  };
  const personOf = async (sourceId: string): Promise<string> =>
    gid(
      'Person',
      (await query('select person_id as id from person_sources where source_id = $1', [sourceId]))[0]!['id']!,
    );
  const organization = async (sourceId: string): Promise<string> => {
    const [row] = await query('select id from organizations where source_id = $1', [sourceId]);
    return Buffer.from(`Organization:${row!['id']}`).toString('base64');
  };
  const mutate = async (
    as: string | null,
    mutation: string,
    variables: Record<string, unknown>,
  ): Promise<string> => {
    const { data, errors } = await service.ask(as, mutation, variables);
    return (
      (data === null || data === undefined
        ? undefined
        : (Object.values(data)[0] as { __typename: string })?.__typename) ??
      errors?.[0]?.extensions?.code ??
      'nothing'
    );
  };
  /** Of the county, in its newest snapshot that has none yet. */
  const verdict = async (mutation: string, more: object): Promise<string> => {
    const [held] = await query(
      `select snapshot_id, digest, array(select unit from snapshot_units c where c.snapshot_id = u.snapshot_id and c.parent = u.unit and c.signs)::text[] as below from snapshot_units u
       where unit = 430121 and not exists (select from snapshot_verdicts v where v.snapshot_id = u.snapshot_id) order by snapshot_id desc limit 1`,
    );
    const input = { snapshotId: Buffer.from(`Snapshot:${held!['snapshot_id']}`).toString('base64'), unitId };
    const missing = (held!['below'] as unknown as string[]).map((unit) => ({
      unitId: Buffer.from(`Organization:${unit.slice(1)}`).toString('base64'),
      reason: 'x',
    }));
    return mutate('coordinator', mutation, {
      input: { ...input, ...(mutation === SIGN ? { digest: held!['digest'], missing } : more) },
    });
  };
  /** Makes the journal refuse entries of one kind, as a full disk would. */
  const block = async (action: string): Promise<void> => {
    await query(
      `create or replace function refuse_entry() returns trigger language plpgsql as $$ begin raise 'the journal is full'; end $$`,
    );
    await query(
      `create trigger blocked before insert on journal_entries for each row when (new.action = '${action}') execute function refuse_entry()`,
    );
  };
  const unblock = async () => query('drop trigger blocked on journal_entries');
  /** All that a change could leave behind. */
  const state = async () =>
    query(`select
      (select count(*) from sessions) as sessions, (select count(*) from sessions where ended_at is not null) as ended, (select count(*) from access_tokens where revoked_at is not null) as tokens_revoked,
      (select count(*) from journal_entries) as entries, (select count(*) from role_grants where granted_by is not null) as grants, (select count(*) from role_grants where ended_at is not null) as grants_ended, (select count(*) from roster_imports) as imports, (select count(*) from h5p_contents) as h5p, (select count(*) from h5p_libraries) as libraries, (select count(*) from people) as people, (select count(*) from person_contacts where told_by = 'person') as contacts, (select count(*) from divisions) as divisions, (select count(*) from roster_doubts where state = 'decided') as decided,
      (select count(*) from organization_changes) as reorganized, (select count(*) from organizations where closed_on is not null) as closed,
      (select count(*) from certifications) as certifications, (select count(*) from cohorts) as cohorts, (select count(*) from assignments) as assignments,
      (select count(*) from coverage_targets) as targets, (select count(*) from indicators) as indicators, (select count(*) from snapshots) as snapshots, (select count(*) from snapshot_verdicts) as verdicts, (select count(*) from indicator_values) as reported, (select count(*) from attempts) as attempts, (select count(*) from attempts where passed) as passed,
      (select count(*) from certificates) as certificates, (select count(*) from issue_requests) as requests, (select count(*) from issue_requests where state <> 'waiting') as requests_decided, (select count(*) from certificate_documents) as documents, (select count(*) from credit_records) as credits,
      (select count(*) from time_flags where state <> 'open') as flags_judged, (select count(*) from lti_invitations) as invited, (select count(*) from lti_registrations) as platforms, (select count(*) from lti_registrations where name = 'y') as renamed,
      (select count(*) from lti_registrations where ended_at is not null) as platforms_ended, (select count(*) from lti_deployments) as deployments, (select count(*) from lti_accounts where state = 'linked') as linked, (select count(*) from lti_accounts where state = 'refused') as kept_out, (select count(*) from lti_keys) as keys, (select count(*) from lti_grades where again) as grades_again, (select count(*) from lti_rosters) as rosters, (select count(*) from package_attempts) as agreed, (select count(*) from lti_rosters where kept) as rosters_kept, (select count(*) from certificates where revoked_on is not null) as revoked, (select string_agg(key, ' ' order by key) from graphile_worker.jobs) as debts`);
  const idle = async () =>
    until(async () =>
      (await query('select 1 from graphile_worker.jobs where run_at <= now()')).length === 0
        ? true
        : undefined,
    );

  beforeAll(async () => {
    service = await startService({ clock: new TestClock('2030-03-04T04:00:00Z') });
    author = await addAuthor(service, 'author');
    const newer = library('H5P.TestText', { version: [1, 0, 1], semantics: TEXT_SEMANTICS });
    for (const files of [textPackage('旧'), textPackage('新', newer)])
      await uploadPackage(service, author, await pack(files));
    ({ learners, certificationId, unitId } = await assignTeachers(service, ['t1', 't2', 't3']));
    for (const learner of learners.slice(0, 2)) await finishActivities(service, learner);
    // Completed in no time, which is raised.
    await service.app.services.time.look(
      Buffer.from(learners[1]!.assignmentId, 'base64').toString().split(':')[1]!,
    );
    attemptId = await sitExam(service, learners[0]!, { right: true });
    await idle();
  });
  afterAll(async () => service.stop());

  it.each([
    'roster.request',
    'h5p.upload',
    'h5p.upgrade',
    'certification.plan',
    'accommodation.grant',
    'accommodation.revoke',
    'cohort.assign',
    'target.set',
    'indicator.define',
    'indicator.import',
    'snapshot.request',
    'snapshot.sign',
    'snapshot.request',
    'snapshot.object',
    'division.add',
    'access-token.create',
    'access-token.revoke',
    'access-token.create',
    'session.begin',
    'session.end',
    'session.begin',
    'grant.give',
    'grant.end',
    'grant.give',
    'issue-request.make',
    'issue-request.decline',
    'issue-request.make',
    'issue-request.approve',
    'roster.decide',
    'contacts.set',
    'organization.rename',
    'organization.merge',
    'time-flag.judge',
    'lti-invitation.make',
    'lti-registration.add',
    'lti-registration.change',
    'lti-deployment.set',
    'lti-account.link',
    'lti-account.refuse',
    'lti-grade.send-again',
    'lti-grade.send-failed',
    'lti-roster.ask',
    'lti-roster.give-up',
    'package.agree',
    'lti-registration.end',
    'lti-key.add',
    'simulation.start',
    'attempt.start',
    'attempt.grade',
  ])('takes %s back whole when its entry can not be written, and what it owed with it', async (action) => {
    const before = await state();
    await block(action);
    expect(await act[action]!()).toBe('INTERNAL');
    expect(await state()).toEqual(before);
    await unblock();
    expect(await act[action]!()).toMatch(/Payload$/);
    await idle();
    expect(await state()).not.toEqual(before);
  });

  it('takes what a job did back whole as well, and the job is done again', async () => {
    // Graded above; the certificate came after it.
    await query('delete from certificate_documents');
    await query('delete from credit_records');
    await query('delete from log_pending');
    await query('update issue_request_rows set certificate_id = null where certificate_id is not null');
    await query('delete from certificates');
    const before = await state();
    await block('certificate.issue');
    const assignment = Buffer.from(learners[0]!.assignmentId, 'base64').toString().split(':')[1]!;
    await expect(service.app.services.certificates.issue(assignment)).rejects.toThrow('the journal is full');
    expect(await state()).toEqual(before);
    await unblock();
    await service.app.services.certificates.issue(assignment);
    expect(await state()).not.toEqual(before);

    // Requested above; the worker has frozen it, and freezes another only whole.
    await block('snapshot.freeze');
    await act['snapshot.request']!();
    const [refused] = await until(async () => {
      const rows = await query(
        `select last_error from graphile_worker.jobs where key like 'freeze-snapshot:%' and last_error is not null`,
      );
      return rows.length === 0 ? undefined : rows;
    });
    expect(refused!['last_error']).toContain('the journal is full');
    const newest = `select s.state, (select count(*)::int from snapshot_units u where u.snapshot_id = s.id) as units from snapshots s order by s.id desc limit 1`;
    expect(await query(newest)).toEqual([{ state: 'queued', units: 0 }]);
    await unblock();
    await query('update graphile_worker._private_jobs set run_at = now() where attempts > 0');
    await idle();
    // The county, its two schools and its bureau.
    expect(await query(newest)).toEqual([{ state: 'frozen', units: 4 }]);

    await block('roster.apply');
    await act['roster.request']!();
    const [failed] = await until(async () => {
      const rows = await query(`select last_error from graphile_worker.jobs where last_error is not null`);
      return rows.length === 0 ? undefined : rows;
    });
    expect(failed!['last_error']).toContain('the journal is full');
    expect(await query(`select state from roster_imports order by id desc limit 1`)).toEqual([
      { state: 'queued' },
    ]);
    await unblock();
    await query('update graphile_worker._private_jobs set run_at = now() where attempts > 0');
    await idle();
    expect(await query(`select state from roster_imports order by id desc limit 1`)).toEqual([
      { state: 'applied' },
    ]);
  });

  it('takes the word to stop an import back whole', async () => {
    await block('roster.apply');
    await act['roster.request']!();
    await until(async () => {
      const rows = await query('select from graphile_worker.jobs where last_error is not null');
      return rows.length === 0 ? undefined : true;
    });
    // It waits until it has been told to stop.
    await query(
      `update graphile_worker._private_jobs set run_at = now() + interval '1 hour' where attempts > 0`,
    );
    await unblock();
    const [asked] = await query('select max(id) as id from roster_imports');
    const input = { rosterImportId: Buffer.from(`RosterImport:${asked!['id']}`).toString('base64') };
    const cancellations = async () => query('select import_id from roster_cancellations');
    await block('roster.cancel');
    expect(await mutate('coordinator', CANCEL, { input })).toBe('INTERNAL');
    expect(await cancellations()).toEqual([]);
    await unblock();
    expect(await mutate('coordinator', CANCEL, { input })).toBe('CancelRosterImportPayload');
    expect(await cancellations()).toEqual([{ import_id: asked!['id'] }]);
    await query('update graphile_worker._private_jobs set run_at = now() where attempts > 0');
    await idle();
  });

  it('takes a lot of certificates back whole, and the word to stop a request', async () => {
    await act['issue-request.make']!();
    const [made] = await query('select max(id) as id from issue_requests');
    const requestId = made!['id']!;
    const found = async () =>
      (
        await query(
          `select q.state, q.rows_issued, count(r.certificate_id)::int as certificates from issue_requests q join issue_request_rows r on r.request_id = q.id where q.id = $1 group by q.id`,
          [requestId],
        )
      )[0];
    const open = { state: 'issuing', rows_issued: 0, certificates: 0 };
    await block('issue-request.finish');
    // It is decided, and the worker has it to do.
    expect(await act['issue-request.approve']!()).toBe('ApproveIssueRequestPayload');
    expect(await found()).toEqual(open);
    await unblock();
    const input = { issueRequestId: gid('IssueRequest', requestId) };
    await block('issue-request.cancel');
    expect(await mutate('issuer', CANCEL_ISSUE, { input })).toBe('INTERNAL');
    expect(await found()).toEqual(open);
    await unblock();
    await query(`update graphile_worker._private_jobs set run_at = now() where key = 'issue-lot:' || $1`, [
      requestId,
    ]);
    await idle();
    expect(await found()).toEqual({ state: 'approved', rows_issued: 1, certificates: 1 });

    await query('update issue_request_rows set certificate_id = null where request_id = $1', [requestId]);
    await query(
      `update issue_requests set state = 'issuing', finished_at = null, rows_issued = 0 where id = $1`,
      [requestId],
    );
    expect(await mutate('issuer', CANCEL_ISSUE, { input })).toBe('CancelIssueRequestPayload');
    expect(await found()).toEqual({ ...open, state: 'cancelled' });
  });

  it('takes back whole what was forgotten and who was erased, and forgets it again', async () => {
    await block('erasure.request');
    expect(await act['erasure.request']!()).toBe('INTERNAL');
    expect(await query('select 1 from erasures')).toEqual([]);
    await unblock();
    await block('erasure.apply');
    expect(await act['erasure.request']!()).toBe('ErasePersonalDataPayload');
    await until(async () => {
      const rows = await query(
        `select 1 from graphile_worker.jobs where key like 'erase-person:%' and last_error is not null`,
      );
      return rows.length === 0 ? undefined : rows;
    });
    const erased = `select e.state, p.erased_at from erasures e join people p on p.id = e.person_id`;
    expect(await query(erased)).toEqual([{ state: 'queued', erased_at: null }]);
    await unblock();
    await query('update graphile_worker._private_jobs set run_at = now() where attempts > 0');
    await idle();
    expect(await query(erased)).toEqual([{ state: 'done', erased_at: expect.any(Date) }]);

    // The database has a clock of its own, by which all of them came years ago.
    await query(`update people set created_at = '2030-03-04'`);
    await query(
      `insert into sessions (token_hash, person_id, way, created_at, expires_at, last_used_at) select sha256('x'), min(id), 'sample', '2020-01-01', '2020-01-02', '2020-01-01' from people`,
    );
    await block('retention.forget');
    await expect(service.app.services.erasures.forgetWhatIsOver()).rejects.toThrow('the journal is full');
    expect(await query(`select 1 from sessions where created_at < '2021-01-01'`)).toHaveLength(1);
    await unblock();
    await service.app.services.erasures.forgetWhatIsOver();
    expect(await query(`select 1 from sessions where created_at < '2021-01-01'`)).toEqual([]);
  });

  it('takes a correction back whole, with the credit it moved and the certificate it issued', async () => {
    const { data } = await service.ask('t1', '{ viewer { certificates { id state } } }');
    certificateId = data.viewer.certificates[0].id;
    const before = await state();
    await block('certificate.supersede');
    expect(await act['certificate.supersede']!()).toBe('INTERNAL');
    expect(await state()).toEqual(before);
    await unblock();
    expect(await act['certificate.supersede']!()).toBe('SupersedeCertificatePayload');
  });

  it('takes a revocation back whole, with the credit it withdrew', async () => {
    const { data } = await service.ask('t1', '{ viewer { certificates { id state } } }');
    certificateId = data.viewer.certificates.find(({ state }: { state: string }) => state === 'VALID').id;
    const before = await state();
    await block('certificate.revoke');
    expect(await act['certificate.revoke']!()).toBe('INTERNAL');
    expect(await state()).toEqual(before);
    await unblock();
    expect(await act['certificate.revoke']!()).toBe('RevokeCertificatePayload');
  });

  it('has an entry of every kind of change, written by the very transaction of the change', async () => {
    await service.app.ledger.rebuild();
    const kinds = await query('select distinct action from journal_entries order by action');
    expect(kinds.map((row) => row['action'])).toEqual(Object.keys(CHANGES).toSorted());
    for (const [action, { subject, row }] of Object.entries(CHANGES)) {
      if (row === undefined) continue;
      const same = await query(
        `select j.subject from journal_entries j where j.action = $1 and j.subject like $2 || ':%'
         and exists (select 1 from ${row} = ${subject === 'coverage' ? '0' : `split_part(j.subject, ':', 2)::bigint`} and xmin = j.xmin)`,
        [action, subject],
      );
      expect({ action, found: same.length > 0 }).toEqual({ action, found: true });
    }
  });

  it('knows what each mutation of the contract writes, and what that is called', () => {
    expect(Object.keys(OF_MUTATIONS).toSorted()).toEqual(
      Object.keys(schema.getMutationType()!.getFields()).toSorted(),
    );
    const written = Object.values(OF_MUTATIONS).filter((action) => action !== null);
    expect(written.filter((action) => !Object.hasOwn(CHANGES, action))).toEqual([]);
    // Not changes, and written by themselves; or of the shell, or refused; or of a night years later, in test/certification/renewal.test.ts.
    const others = [
      'journal.read',
      'table.export',
      'person.export',
      'person.add',
      'erasure.refuse',
      'renewal.assign',
    ];
    expect(Object.keys(actionTitles).toSorted()).toEqual([...Object.keys(CHANGES), ...others].toSorted());
  });

  it('says which job it was, and whose auditors are to see it', async () => {
    const jobs = ['roster.apply', 'snapshot.freeze'];
    for (const { action, request_id: requestId } of await query(
      'select action, request_id from journal_entries where action = any($1)',
      [jobs],
    ))
      expect({ action, requestId }).toEqual({
        action,
        requestId: expect.stringMatching(/^job:\d+$/) as string,
      });
    // Whoever did it over the wire, from where is known.
    expect(
      await query(
        `select action from journal_entries where actor like 'person:%' and request_id is null and action <> 'test'`,
      ),
    ).toEqual([]);
    // All but what is of the nation.
    const unknown = await query(
      `select distinct action from journal_entries where concerns = '{}' order by action`,
    );
    expect(unknown.map(({ action }) => action)).toEqual([
      'coverage.rebuild',
      'lti-key.add',
      'retention.forget',
      'retention.run',
    ]);
    const people = await query(
      'select distinct action from journal_entries where person_id is not null order by action',
    );
    expect(people.map(({ action }) => action)).toEqual([
      'access-token.create',
      'access-token.revoke',
      'accommodation.grant',
      'accommodation.revoke',
      'attempt.grade',
      'attempt.start',
      'certificate.issue',
      'certificate.revoke',
      'certificate.supersede',
      'contacts.set',
      'erasure.request',
      'grant.end',
      'grant.give',
      'lti-account.link',
      'lti-grade.send-again',
      'package.agree',
      'session.begin',
      'session.end',
      'simulation.grade',
      'simulation.start',
      'time-flag.judge',
      'time-flag.raise',
    ]);
  });

  it('says who, and holds ids where a name would be more than is needed', async () => {
    const entries = await query('select actor, action, subject, detail::text from journal_entries');
    for (const entry of entries) {
      expect(entry['actor']).toMatch(/^(person:\d+|worker:[a-z-]+)$/);
      expect(entry['subject']).toMatch(/^[a-z\d-]+:(\d+|all)$/);
      // Nor what people wrote, nor what their files were called.
      expect(entry['detail']).not.toMatch(/王小|林静|李新|错误|同名|users\.csv/);
    }
  });
});
