import { readPlayerFiles } from '../../src/http/player-files.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectFolder } from '../../src/config.ts';
import { scaleSchema } from '../../src/courses/scale.ts';
import { pack, textPackage } from '../h5p/packages.ts';
import type { Objects, World } from './world.ts';

/*
 * How to ask for everything that there is. The entries are found in the schema and in the routers; one that has no line here fails the test, and
 * so does a line for what is no longer there. Fields of objects need none: they are found, and asked wherever their object can be reached.
 *
 * A key may end in words, ` of the province`: the same entry asked about something else, in a row of its own.
 */

export interface Asking {
  /** Names in `objects` of what is asked about: the test also asks with one that is not there, and wants the same answer for whoever is refused. */
  readonly about?: readonly (keyof Objects)[];
}

export interface FieldAsking extends Asking {
  readonly args: (of: Objects) => Readonly<Record<string, unknown>>;
  /** What has to be looked up just before, since asking changes it. */
  readonly now?: (world: World) => Promise<Partial<Objects>>;
  /** Uploaded at `input.files`, or at `input.file`. */
  readonly files?: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

export interface RouteAsking extends Asking {
  readonly path: (of: Objects) => string;
  readonly body?: (of: Objects) => unknown;
  /** Of the body; JSON otherwise. */
  readonly type?: string;
}

const PACKAGE = { name: 'x.h5p', bytes: await pack(textPackage('新的')) };
const STATEMENT = {
  verb: { id: 'http://adlnet.gov/expapi/verbs/interacted' },
  object: { id: 'https://example.org/x' },
};
/** Of old certificates that are recorded. */
export const OLD_HEADER = 'staff_number,name,certification,issued_on,old_number,issuing_body,reason';
const nothing = { args: () => ({}) };
/** A mutation's input about one object. */
const about = (
  object: keyof Objects,
  input: (of: Objects) => Readonly<Record<string, unknown>>,
): FieldAsking => ({ about: [object], args: (of) => ({ input: input(of) }) });
const importOld = (row: string): FieldAsking => ({
  ...about('countyCode', (of) => ({ divisionCode: of.countyCode, reason: '历年培训', file: null })),
  files: [{ name: 'old.csv', bytes: Buffer.from(`${OLD_HEADER}\n${row}\n`) }],
});
const scale = scaleSchema.parse(
  parse(readFileSync(join(projectFolder, 'courses/core-gatekeeper/scale.yaml'), 'utf8')),
);
const text = { zhCN: '新的', en: 'new' };
const plan = (of: Objects) => ({
  code: 'fresh',
  title: text,
  courseSlug: 'core-gatekeeper',
  roles: ['CLASS_TEACHER'],
  divisionCode: of.countyCode,
  issuerName: '长沙县教育局',
});

/** Whoever confirms has looked at the preview as it is now: the journal that it counts grows with each who is let through. */
const confirmed = async ({ service, objects }: World): Promise<Partial<Objects>> => {
  const { data } = await service.ask(
    'coordinator',
    'query ($personId: ID!) { erasurePreview(personId: $personId) { confirmation } }',
    { personId: objects.leaver },
  );
  return { confirmation: data.erasurePreview.confirmation as string };
};

export const queries: Readonly<Record<string, FieldAsking>> = {
  accommodations: { about: ['person'], args: (of) => ({ personId: of.person }) },
  accessTokens: { about: ['person'], args: (of) => ({ personId: of.person }) },
  'accessTokens of a coordinator': { about: ['coordinator'], args: (of) => ({ personId: of.coordinator }) },
  certificate: { about: ['number'], args: (of) => ({ number: of.number }) },
  certifications: nothing,
  courses: nothing,
  hotlines: nothing,
  coverage: {
    about: ['county'],
    args: (of) => ({ certificationId: of.certification, unitId: of.county }),
  },
  'coverage of the province': {
    about: ['province'],
    args: (of) => ({ certificationId: of.certification, unitId: of.province }),
  },
  'coverage of the school': {
    about: ['school'],
    args: (of) => ({ certificationId: of.certification, unitId: of.school }),
  },
  'coverage of the second school': {
    about: ['secondSchool'],
    args: (of) => ({ certificationId: of.certification, unitId: of.secondSchool }),
  },
  creditRecords: nothing,
  division: { about: ['countyCode'], args: (of) => ({ code: of.countyCode }) },
  efficacyChange: {
    about: ['county'],
    args: (of) => ({ certificationId: of.certification, unitId: of.county }),
  },
  'efficacyChange of the province': {
    about: ['province'],
    args: (of) => ({ certificationId: of.certification, unitId: of.province }),
  },
  'efficacyChange of the school': {
    about: ['school'],
    args: (of) => ({ certificationId: of.certification, unitId: of.school }),
  },
  erasurePreview: { about: ['person'], args: (of) => ({ personId: of.person }) },
  'erasurePreview of who has left': { about: ['leaver'], args: (of) => ({ personId: of.leaver }) },
  grants: { about: ['county'], args: (of) => ({ unitId: of.county, withEnded: true }) },
  'grants of the nation': { args: () => ({ withEnded: true }) },
  'grants of the school': { about: ['school'], args: (of) => ({ unitId: of.school, withEnded: true }) },
  h5pContents: { about: ['countyCode'], args: (of) => ({ divisionCode: of.countyCode }) },
  'h5pContents of the province': {
    about: ['provinceCode'],
    args: (of) => ({ divisionCode: of.provinceCode }),
  },
  identityProviders: nothing,
  indicators: { about: ['county'], args: (of) => ({ unitId: of.county }) },
  'indicators of the school': { about: ['school'], args: (of) => ({ unitId: of.school }) },
  itemAnalysis: { about: ['courseSlug'], args: (of) => ({ courseSlug: of.courseSlug }) },
  issueRequests: { about: ['county'], args: (of) => ({ unitId: of.county }) },
  'issueRequests of the school': { about: ['school'], args: (of) => ({ unitId: of.school }) },
  journal: nothing,
  lrsForwarding: nothing,
  ltiAccounts: { about: ['countyCode'], args: (of) => ({ divisionCode: of.countyCode }) },
  'ltiAccounts of the province': {
    about: ['provinceCode'],
    args: (of) => ({ divisionCode: of.provinceCode }),
  },
  ltiRegistrations: { about: ['countyCode'], args: (of) => ({ divisionCode: of.countyCode }) },
  'ltiRegistrations of the province': {
    about: ['provinceCode'],
    args: (of) => ({ divisionCode: of.provinceCode }),
  },
  'journal of the county': { about: ['county'], args: (of) => ({ unitId: of.county }) },
  'journal of the school': { about: ['school'], args: (of) => ({ unitId: of.school }) },
  'journal of a person': { args: (of) => ({ personId: of.person }) },
  node: { about: ['person'], args: (of) => ({ id: of.person }) },
  nodes: { about: ['person', 'certificate'], args: (of) => ({ ids: [of.person, of.certificate] }) },
  rosterDoubts: { about: ['countyCode'], args: (of) => ({ divisionCode: of.countyCode }) },
  'rosterDoubts of the province': {
    about: ['provinceCode'],
    args: (of) => ({ divisionCode: of.provinceCode }),
  },
  sampleSignIns: nothing,
  snapshots: { about: ['county'], args: (of) => ({ unitId: of.county }) },
  'snapshots of the school': { about: ['school'], args: (of) => ({ unitId: of.school }) },
  staffing: { about: ['county'], args: (of) => ({ unitId: of.county }) },
  'staffing of the school': { about: ['school'], args: (of) => ({ unitId: of.school }) },
  'staffMember by their number': { about: ['staffNumber'], args: (of) => ({ staffNumber: of.staffNumber }) },
  timeFlags: { about: ['county'], args: (of) => ({ unitId: of.county }) },
  'timeFlags of the school': { about: ['school'], args: (of) => ({ unitId: of.school }) },
  verifyCertificate: {
    about: ['oldNumber'],
    args: (of) => ({ number: of.oldNumber, code: of.oldCode }),
  },
  'verifyCertificate without its code': { about: ['oldNumber'], args: (of) => ({ number: of.oldNumber }) },
  verifyCertificates: { about: ['oldNumber'], args: (of) => ({ rows: [{ number: of.oldNumber }] }) },
  transparencyLog: nothing,
  viewer: nothing,
};

export const mutations: Readonly<Record<string, FieldAsking>> = {
  addDivisions: { args: () => ({ input: { divisions: [{ code: '430171', name: '开发区' }] } }) },
  answerEfficacy: about('newAssignment', (of) => ({
    assignmentId: of.newAssignment,
    wave: 'BEFORE',
    answers: scale.items.map(({ key }) => ({ itemKey: key, answer: 3 })),
  })),
  approveIssueRequest: about('issueRequest', (of) => ({ issueRequestId: of.issueRequest })),
  'approveIssueRequest about an issuer': about('issuersRequest', (of) => ({
    issueRequestId: of.issuersRequest,
  })),
  assignCohort: about('county', (of) => ({
    certificationId: of.certification,
    unitId: of.county,
    role: 'CLASS_TEACHER',
  })),
  'assignCohort of the school': about('school', (of) => ({
    certificationId: of.certification,
    unitId: of.school,
    role: 'CLASS_TEACHER',
  })),
  changeLtiRegistration: about('platform', (of) => ({ registrationId: of.platform, name: '新名' })),
  endLtiRegistration: about('platform', (of) => ({ registrationId: of.platform })),
  setLtiDeployment: about('platform', (of) => ({
    registrationId: of.platform,
    deploymentId: 'd2',
    open: true,
  })),
  inviteLtiPlatform: about('countyCode', (of) => ({ divisionCode: of.countyCode, name: '新平台' })),
  registerLtiPlatform: about('countyCode', (of) => ({
    divisionCode: of.countyCode,
    name: '新平台',
    issuer: 'https://lms.example',
    clientId: 'new',
    authUrl: 'https://lms.example/auth',
    keySetUrl: 'https://lms.example/keys',
  })),
  linkLtiAccount: about('waitingAccount', (of) => ({
    accountId: of.waitingAccount,
    personId: of.colleague,
  })),
  refuseLtiAccount: about('waitingAccount', (of) => ({ accountId: of.waitingAccount })),
  'refuseLtiAccount that is linked': about('linkedAccount', (of) => ({ accountId: of.linkedAccount })),
  rotateLtiKey: nothing,
  sendLtiGradeAgain: about('platformGrade', (of) => ({ gradeId: of.platformGrade })),
  agreeToPackage: { args: () => ({ input: { code: 'cd'.repeat(32), course: 'core-gatekeeper' } }) },
  sendFailedLtiGrades: about('platform', (of) => ({ registrationId: of.platform })),
  readLtiRoster: about('platform', (of) => ({ registrationId: of.platform, contextId: 'course' })),
  giveUpLtiRoster: about('platformRoster', (of) => ({ rosterId: of.platformRoster })),
  assignLtiRoster: about('platformRoster', (of) => ({
    rosterId: of.platformRoster,
    certificationId: of.certification,
    role: 'CLASS_TEACHER',
  })),
  renewLaunchedSession: nothing,
  cancelIssueRequest: about('issuingRequest', (of) => ({ issueRequestId: of.issuingRequest })),
  'cancelIssueRequest that is over': about('approvedRequest', (of) => ({
    issueRequestId: of.approvedRequest,
  })),
  cancelRosterImport: about('checkedImport', (of) => ({ rosterImportId: of.checkedImport })),
  createAccessToken: about('county', (of) => ({
    name: 'a program',
    permissions: ['COVERAGE_READ'],
    unitId: of.county,
    expiresAt: '2027-04-01T00:00:00Z',
  })),
  'createAccessToken to read people': about('county', (of) => ({
    name: 'a program',
    permissions: ['PEOPLE_READ'],
    unitId: of.county,
    expiresAt: '2027-04-01T00:00:00Z',
  })),
  'createAccessToken for oneself': {
    args: () => ({ input: { name: 'a program', permissions: ['SELF'], expiresAt: '2027-04-01T00:00:00Z' } }),
  },
  decideRosterDoubt: about('doubt', (of) => ({
    rosterDoubtId: of.doubt,
    personId: of.candidate,
    reason: '同一个人',
  })),
  declineEfficacy: about('newAssignment', (of) => ({ assignmentId: of.newAssignment, wave: 'BEFORE' })),
  declineIssueRequest: about('issueRequest', (of) => ({
    issueRequestId: of.issueRequest,
    reason: '证据不足',
  })),
  defineIndicator: about('countyCode', (of) => ({
    divisionCode: of.countyCode,
    code: 'new',
    title: text,
    measure: text,
    kind: 'COUNT',
    level: 'COUNTY',
  })),
  endGrant: about('grant', (of) => ({ grantId: of.grant, reason: '职责调整' })),
  'endGrant of a coordinator': about('coordinatorGrant', (of) => ({
    grantId: of.coordinatorGrant,
    reason: '职责调整',
  })),
  endOtherSessions: nothing,
  endSession: about('session', (of) => ({ sessionId: of.session })),
  eraseOwnData: { now: confirmed, args: (of) => ({ input: { confirmation: of.confirmation } }) },
  erasePersonalData: {
    ...about('leaver', (of) => ({
      personId: of.leaver,
      ground: 'TERM_ENDED',
      confirmation: of.confirmation,
    })),
    now: confirmed,
  },
  grantRole: about('person', (of) => ({
    personId: of.person,
    role: 'ISSUER',
    unitId: of.county,
    reason: '负责发证',
  })),
  'grantRole for the nation': about('person', (of) => ({
    personId: of.person,
    role: 'AUTHOR',
    unitId: null,
    reason: '编写课程',
  })),
  'grantRole for the school': about('person', (of) => ({
    personId: of.person,
    role: 'ISSUER',
    unitId: of.school,
    reason: '负责发证',
  })),
  'grantRole to somebody of another county': about('otherPerson', (of) => ({
    personId: of.otherPerson,
    role: 'ISSUER',
    unitId: of.county,
    reason: '负责发证',
  })),
  'grantRole to an operator': about('operator', (of) => ({
    personId: of.operator,
    role: 'AUTHOR',
    unitId: of.county,
    reason: '编写课程',
  })),
  importIndicatorValues: about('countyCode', (of) => ({
    divisionCode: of.countyCode,
    indicatorId: of.peopleIndicator,
    source: '县教育局',
    csv: 'unit,day,value\n4301210002,2027-01-31,7\n',
  })),
  importOldCertificates: importOld('t2,王小红,new,2026-09-01,旧字第 2 号,长沙县教育局,培训名册第 3 页'),
  'importOldCertificates of an issuer': importOld(
    't3,王小刚,new,2026-09-01,旧字第 3 号,长沙县教育局,培训名册第 3 页',
  ),
  importRoster: {
    about: ['countyCode'],
    args: (of) => ({ input: { divisionCode: of.countyCode, files: [null] } }),
    files: [{ name: 'users.csv', bytes: Buffer.from('sourcedId\n') }],
  },
  judgeTimeFlag: about('timeFlag', (of) => ({ flagId: of.timeFlag, outcome: 'UPHELD', note: '不是本人' })),
  'judgeTimeFlag that was judged': about('judgedFlag', (of) => ({
    flagId: of.judgedFlag,
    outcome: 'UPHELD',
    note: '不是本人',
  })),
  makeMove: about('openRun', (of) => ({ runId: of.openRun, turn: 2, choice: '1' })),
  mergeOrganizations: about('secondSchool', (of) => ({
    organizationIds: [of.secondSchool],
    intoId: of.school,
    on: '2027-03-02',
  })),
  'mergeOrganizations into another county’s': about('otherSchool', (of) => ({
    organizationIds: [of.secondSchool],
    intoId: of.otherSchool,
    on: '2027-03-02',
  })),
  objectToSnapshot: about('county', (of) => ({
    snapshotId: of.snapshot,
    unitId: of.county,
    reason: '人数不对',
  })),
  'objectToSnapshot of the school': about('snapshot', (of) => ({
    snapshotId: of.snapshot,
    unitId: of.school,
    reason: '人数不对',
  })),
  openSitting: about('openAssignment', (of) => ({
    assignmentId: of.openAssignment,
    activityKey: of.activityKey,
  })),
  planCertification: about('countyCode', plan),
  recordBeat: { args: (of) => ({ input: { proof: of.proof, visible: true, interactions: 1 } }) },
  recordStatements: about('openAssignment', (of) => ({
    assignmentId: of.openAssignment,
    activityKey: of.activityKey,
    language: 'zh_CN',
    // One that is taken, and one that is refused.
    statements: [STATEMENT, {}],
  })),
  renameOrganization: about('school', (of) => ({
    organizationId: of.school,
    name: '星沙一小',
    on: '2027-03-02',
  })),
  repeatRosterImport: about('checkedImport', (of) => ({ rosterImportId: of.checkedImport })),
  requestManualIssue: about('colleague', (of) => ({
    certificationId: of.newCertification,
    personId: of.colleague,
    completedOn: '2027-01-15',
    classHours: 1,
    reason: '外地调入',
    evidence: '原单位培训记录第 12 页',
  })),
  'requestManualIssue for an issuer': about('candidate', (of) => ({
    certificationId: of.newCertification,
    personId: of.candidate,
    completedOn: '2027-01-15',
    classHours: 1,
    reason: '外地调入',
    evidence: '原单位培训记录第 12 页',
  })),
  revokeAccessToken: about('accessToken', (of) => ({ accessTokenId: of.accessToken })),
  'revokeAccessToken of a coordinator': about('placedToken', (of) => ({ accessTokenId: of.placedToken })),
  supersedeCertificate: about('certificate', (of) => ({
    certificateId: of.certificate,
    reason: '姓名更正',
    withPost: false,
  })),
  revokeCertificate: about('certificate', (of) => ({ certificateId: of.certificate, reason: '误发' })),
  'revokeCertificate of an issuer, revoked': about('revokedCertificate', (of) => ({
    certificateId: of.revokedCertificate,
    reason: '误发',
  })),
  saveResponse: about('openAttempt', (of) => ({
    attemptId: of.openAttempt,
    itemKey: of.itemKey,
    chosen: [of.option],
  })),
  saveUserState: about('readyAssignment', (of) => ({
    assignmentId: of.readyAssignment,
    activityKey: of.activityKey,
    language: 'zh_CN',
    baseVersion: 0,
    data: '{}',
  })),
  setCoverageTarget: about('countyCode', (of) => ({
    certificationId: of.certification,
    divisionCode: of.countyCode,
    rate: 0.9,
    startsOn: '2099-01-01',
  })),
  setIndicatorTarget: about('countyCode', (of) => ({
    indicatorId: of.indicator,
    divisionCode: of.countyCode,
    rate: 0.9,
    startsOn: '2099-01-01',
  })),
  setOwnContacts: { args: () => ({ input: { email: 'new@school.example' } }) },
  setStaffingTarget: about('countyCode', (of) => ({
    divisionCode: of.countyCode,
    rate: 0.9,
    startsOn: '2099-01-01',
  })),
  signInSample: { args: () => ({ input: { key: 'coordinator' } }) },
  'signInSample by a key that is none': { args: () => ({ input: { key: 'no-such-key' } }) },
  signOut: nothing,
  signSnapshot: about('county', (of) => ({
    snapshotId: of.snapshot,
    unitId: of.county,
    digest: of.snapshotDigest,
    missing: [of.school, of.secondSchool].map((unitId) => ({ unitId, reason: '放假' })),
  })),
  'signSnapshot of the school': about('snapshot', (of) => ({
    snapshotId: of.snapshot,
    unitId: of.school,
    digest: of.schoolDigest,
  })),
  checkPractice: about('gradedAttempt', (of) => ({
    attemptId: of.gradedAttempt,
    itemKey: of.practiceItem,
    chosen: ['a'],
  })),
  grantAccommodation: about('person', (of) => ({
    personId: of.person,
    certificationId: of.certification,
    extraTimePercent: 25,
    reason: '阅读较慢',
  })),
  revokeAccommodation: about('accommodation', (of) => ({ accommodationId: of.accommodation })),
  startAttempt: about('readyAssignment', (of) => ({ assignmentId: of.readyAssignment })),
  startSimulation: about('newAssignment', (of) => ({
    assignmentId: of.newAssignment,
    activityKey: of.simulationKey,
  })),
  submitAttempt: about('openAttempt', (of) => ({ attemptId: of.openAttempt })),
  takeSnapshot: about('county', (of) => ({
    certificationId: of.certification,
    unitId: of.county,
    on: '2027-03-01',
  })),
  'takeSnapshot of the school': about('school', (of) => ({
    certificationId: of.certification,
    unitId: of.school,
    on: '2027-03-01',
  })),
  withdrawEfficacy: about('certifiedAssignment', (of) => ({
    assignmentId: of.certifiedAssignment,
    wave: 'BEFORE',
  })),
  uploadH5p: {
    ...about('countyCode', (of) => ({ divisionCode: of.countyCode, file: null })),
    files: [PACKAGE],
  },
  upgradeH5pContent: about('h5pContent', (of) => ({ h5pContentId: of.h5pContent })),
};

/** The first is asked for as a node; the fields of a type are asked of all of them, and what one of them tells counts. */
export const nodes: Readonly<Record<string, readonly (keyof Objects)[]>> = {
  AccessToken: ['accessToken', 'placedToken', 'endedToken'],
  'AccessToken of a coordinator': ['placedToken'],
  Assignment: ['certifiedAssignment', 'newAssignment', 'openAssignment', 'renewalAssignment'],
  Accommodation: ['accommodation'],
  Attempt: ['gradedAttempt', 'openAttempt'],
  Certificate: ['certificate', 'revokedCertificate', 'oldCertificate'],
  'Certificate of a colleague, revoked': ['revokedCertificate'],
  Certification: ['certification', 'renewedCertification'],
  Cohort: ['cohort'],
  Division: ['county', 'province'],
  H5pContent: ['h5pContent', 'upgradedContent'],
  Indicator: ['indicator', 'peopleIndicator'],
  IssueRequest: ['issueRequest', 'approvedRequest', 'issuingRequest'],
  'IssueRequest of the county': ['approvedRequest'],
  JournalEntry: ['journalEntry', 'readingEntry', 'auditorsEntry'],
  'JournalEntry of the county': ['readingEntry'],
  LtiAccount: ['waitingAccount', 'linkedAccount'],
  LtiGrade: ['platformGrade'],
  LtiRegistration: ['platform', 'endedPlatform'],
  LtiRoster: ['platformRoster'],
  Organization: ['school', 'secondSchool', 'mergedSchool'],
  Person: ['person'],
  'Person of another county': ['otherPerson'],
  'Person who has left': ['leaver'],
  'Person who is granted a role': ['coordinator'],
  RoleGrant: ['grant', 'endedGrant'],
  'RoleGrant of a coordinator': ['coordinatorGrant'],
  RosterDoubt: ['doubt', 'decidedDoubt'],
  RosterImport: ['rosterImport', 'refusedImport'],
  Session: ['session'],
  SimulationRun: ['finishedRun', 'openRun'],
  Snapshot: ['snapshot', 'signedSnapshot', 'objectedSnapshot'],
  TimeFlag: ['timeFlag', 'judgedFlag'],
};

/** Arguments of fields which can’t be asked without, or would tell little. */
export const fieldArgs: Readonly<Record<string, (of: Objects) => Readonly<Record<string, unknown>>>> = {
  'Attempt.practice': () => ({ competency: 'listen-and-refer' }),
  'Coverage.trend': () => ({ from: '2027-01-01' }),
};

const exported =
  'query ($code: String!, $after: String) { rosterDoubts(divisionCode: $code, after: $after) { nodes { name } pageInfo { hasNextPage endCursor } } }';

/** Types of which another field than the first found tells more. */
export const via: Readonly<Record<string, string>> = {
  SnapshotVerdict: 'SnapshotUnit.verdict',
};

/** Fields of a type asked once more, by a query's other row or through a node's field, in rows of their own. */
export const again: readonly (
  | { readonly type: string; readonly query: string }
  | { readonly type: string; readonly through: string; readonly name: string }
)[] = [
  { type: 'CertificateVerification', query: 'verifyCertificate without its code' },
  { type: 'Coverage', query: 'coverage of the school' },
  { type: 'ErasurePreview', query: 'erasurePreview of who has left' },
  { type: 'Person', through: 'AccessToken.owner', name: ' behind a token' },
  { type: 'Person', through: 'IssueRequest.requestedBy', name: ' behind a request' },
  { type: 'Person', through: 'RoleGrant.person', name: ' behind a grant' },
  { type: 'Person', query: 'staffMember by their number' },
  { type: 'Staffing', query: 'staffing of the school' },
  { type: 'UnitIndicator', query: 'indicators of the school' },
];

const playerFiles = await readPlayerFiles('/player-files');

/** By address, method and path; prefixes of files end in `/*`. */
export const routes: Readonly<Record<string, RouteAsking>> = {
  'service GET /healthz': { path: () => '/healthz' },
  'service GET /readyz': { path: () => '/readyz' },
  'service ALL /graphql': { path: () => '/graphql', body: () => ({ query: '{ viewer { person { id } } }' }) },
  'service POST /export': {
    about: ['countyCode'],
    path: () => '/export',
    body: (of) => ({ format: 'csv', name: 'x', query: exported, variables: { code: of.countyCode } }),
  },
  'service GET /certificates/:file': { about: ['number'], path: (of) => `/certificates/${of.number}.pdf` },
  'service GET /credentials/:file': { about: ['number'], path: (of) => `/credentials/${of.number}.json` },
  'service GET /.well-known/did.json': { path: () => '/.well-known/did.json' },
  'service GET /status/:list': { path: () => '/status/1' },
  'service GET /verify/offline.json': { path: () => '/verify/offline.json' },
  'service GET /verify/worker.js': { path: () => '/verify/worker.js' },
  'service GET /verify/app.webmanifest': { path: () => '/verify/app.webmanifest' },
  'service GET /verify/icon.svg': { path: () => '/verify/icon.svg' },
  'service POST /api/verify': {
    path: () => '/api/verify',
    body: (of) => ({ certificates: [{ number: of.oldNumber }] }),
  },
  'service POST /api/verify/pdf': { path: () => '/api/verify/pdf', body: () => ({}) },
  'service GET /log/checkpoint': { path: () => '/log/checkpoint' },
  'service GET /log/tile/*path': { path: () => '/log/tile/entries/000.p/1' },
  'service GET /roster-template.xlsx': { path: () => '/roster-template.xlsx' },
  'service GET /roster-imports/:id/refusals.xlsx': {
    about: ['rosterImportNumber'],
    path: (of) => `/roster-imports/${of.rosterImportNumber}/refusals.xlsx`,
  },
  'service GET /issue-requests/:id/refusals.xlsx': {
    about: ['approvedRequestNumber'],
    path: (of) => `/issue-requests/${of.approvedRequestNumber}/refusals.xlsx`,
  },
  'service GET /feed/credit-records': { path: () => '/feed/credit-records' },
  'service GET /h5p/:file': { about: ['h5pContentNumber'], path: (of) => `/h5p/${of.h5pContentNumber}.h5p` },
  'service GET /h5p/:file of a course': {
    about: ['contentHash'],
    path: (of) => `/h5p/${of.contentHash}.h5p`,
  },
  'service GET /my-data.zip': { path: () => '/my-data.zip' },
  'service GET /sign-in': { path: () => '/sign-in' },
  'service GET /sign-in/callback': { path: () => '/sign-in/callback?state=x&code=y' },
  'service GET /sign-in/:issuer': { path: () => '/sign-in/one' },
  'service GET /lti/login': { path: () => '/lti/login?iss=x' },
  'service POST /lti/login': { path: () => '/lti/login', body: () => ({}) },
  'service POST /lti/launch': { path: () => '/lti/launch', body: () => ({}) },
  'service GET /packages/:course/:file': { path: () => '/packages/core-gatekeeper/scorm-1.2.zip' },
  'service POST /packages/open': { path: () => '/packages/open', body: () => ({}) },
  'service POST /packages/state': { path: () => '/packages/state', body: () => ({}) },
  'service POST /lti/selection': { path: () => '/lti/selection', body: () => ({}) },
  'service GET /lti/register/:invitation': { path: () => '/lti/register/x?openid_configuration=x' },
  'service GET /lti/jwks.json': { path: () => '/lti/jwks.json' },
  'service GET /lti/logo.svg': { path: () => '/lti/logo.svg' },
  'service GET /': { path: () => '/' },
  'service GET /curriculum': { path: () => '/curriculum' },
  'service GET /courses/:slug/pack/:key': { path: () => '/courses/ethics-and-own-strength/pack/wall-card' },
  'service GET /about-time': { path: () => '/about-time' },
  'service GET /assignments/*rest': { path: () => '/assignments/x' },
  'service GET /attempts/*rest': { path: () => '/attempts/x' },
  'service GET /verify': { path: () => '/verify' },
  'service GET /verify/*rest': { path: () => '/verify/x' },
  'service GET /assets/*': { path: () => '/assets/page.js' },
  'content GET /player/:hash': { about: ['contentHash'], path: (of) => `/player/${of.contentHash}` },
  'content GET /player-files/*': { path: () => `${playerFiles.path}/player/player.js` },
  'content GET /contents/*': { about: ['contentHash'], path: (of) => `/contents/${of.contentHash}/h5p.json` },
};

/** Object types that no row asks, each with the reason. */
export const unasked: Readonly<Record<string, string>> = {
  Erasure: 'answered to who asks for one, and to nobody else',
  RefusedStatement: 'what was wrong with what the asker sent',
  Sitting: 'answered to whose page it is, and to nobody else',
  RefusedRow: 'part of a refusal: what stood in the asker’s own table',
};

/** Rows in which nobody is told anything, each with the reason: any other would prove nothing. */
export const silent: Readonly<Record<string, string>> = {
  'Mutation renewLaunchedSession': 'only of a session that a launch began',
  'Field RenewLaunchedSessionPayload.expiresAt': 'only of a session that a launch began',
  'Mutation judgeTimeFlag that was judged': 'the first outcome stands',
  'Mutation revokeCertificate of an issuer, revoked': 'it is revoked; A is for whose it is',
  'Mutation signInSample by a key that is none': 'refused to everybody',
  'Field CertificateVerification.log without its code': 'only with the code, which is on the document',
  'Field CourseReview.by': 'asked of a course that nobody has reviewed',
  'Field CourseReview.on': 'asked of a course that nobody has reviewed',
  'Field VerifiedRow.successorNumber': 'asked of ones that nothing has replaced',
  'Field Accommodation.revokedAt': 'asked of one that holds',
  'Field ActivityProgress.secondsLeft': 'only of an activity that is done by time',
  'Field Certificate.successorNumber': 'asked of ones that nothing has replaced',
  'Field CertificateVerification.revocationReason': 'asked of one that is valid; nobody’s secret',
  'Field CertificateVerification.revokedOn': 'asked of one that is valid; nobody’s secret',
  'Field CertificateVerification.successorNumber': 'asked of one that is valid',
  'Field CertificateVerification.evidence without its code': 'only with the code, which is on the document',
  'Field CertificateVerification.organizationName without its code':
    'only with the code, which is on the document',
  'Field CertificateVerification.pdfDigest without its code': 'only with the code, which is on the document',
  'Field CertificateVerification.recordedFrom without its code':
    'only with the code, which is on the document',
  'Field CertificateVerification.revocationReason without its code': 'asked of one that is valid',
  'Field CertificateVerification.revokedOn without its code': 'asked of one that is valid',
  'Field CertificateVerification.successorNumber without its code': 'asked of one that is valid',
  'Field Coverage.children of the school': 'there is nothing below a school',
  'Field Coverage.table of the school': 'there is nothing below a school',
  'Field ErasurePreview.erasedAt': 'only of somebody who was erased',
  'Field ErasurePreview.blocked of who has left': 'nothing stands in the way there',
  'Field ErasurePreview.erasedAt of who has left': 'only of somebody who was erased',
  'Field ExamBlock.retryAt': 'only after an attempt that failed',
  'Field FailedLtiGrade.retryAt': 'what a platform refused is not tried again by itself',
  'Field LrsForwarding.failedAt': 'no store is named in this world',
  'Field LrsForwarding.lastError': 'no store is named in this world',
  'Field LrsForwarding.lastSentAt': 'no store is named in this world',
  'Field LrsForwarding.retryAt': 'no store is named in this world',
  'Field LtiGrade.retryAt': 'what a platform refused is not tried again by itself',
  'Field Person.contacts behind a request': 'of issuers, who have none in this world',
  'Field Person.contacts by their number':
    'who gives roles need not be one who reads people, and no other finds them so',
  'Field RosterImport.progress': 'only while an import runs',
  'Field RosterImportProgress.phase': 'only while an import runs',
  'Field RosterImportProgress.rowsDone': 'only while an import runs',
  'Field RosterImportProgress.rowsPerSecond': 'only while an import runs',
  'Field RosterImportProgress.rowsTotal': 'only while an import runs',
  'Field RosterImportProgress.secondsLeft': 'only while an import runs',
  'Field Session.issuer': 'only of one by an issuer’s word',
  'Field SimulationBlock.retryAt': 'only after a graded conversation that failed',
  'Field SnapshotStaffing.students': 'told of a school, and asked of the county',
  'Field SnapshotStaffing.studentsOn': 'told of a school, and asked of the county',
  'Field Staffing.children of the school': 'there is nothing below a school',
  'Field Staffing.organizations of the school': 'there is nothing below a school',
  'Field UnitIndicator.children of the school': 'there is nothing below a school',
  'Field UnitIndicator.denominator of the school': 'schools report counts there',
  'Field UnitIndicator.rate of the school': 'schools report counts there',
  'Field UnitIndicator.reachesTarget of the school': 'schools report counts there',
  'Route service GET /sign-in/callback': 'only for whom an issuer sends back',
  'Route service GET /lti/login': 'only for whom a platform sends',
  'Route service POST /lti/login': 'only for whom a platform sends',
  'Route service POST /lti/launch': 'only for whom a platform sends back',
  'Route service POST /lti/selection': 'only for whom a platform has sent to choose',
  'Route service GET /lti/register/:invitation': 'only by an invitation, once',
};
