import type { RoleGrant as RoleGrantFacts } from '../src/access/grant.ts';
import type { Accommodation as AccommodationFacts } from '../src/assessment/accommodation.ts';
import type { AttemptItem as AttemptItemFacts } from '../src/assessment/exam.service.ts';
import type { ItemStatistics as ItemStatisticsFacts } from '../src/assessment/analysis.ts';
import type { ItemAnalysis as ItemAnalysisFacts } from '../src/assessment/analysis.service.ts';
import type { Attempt as AttemptFacts } from '../src/assessment/attempt.repository.ts';
import type { SimulationRun as SimulationRunFacts } from '../src/assessment/simulation.ts';
import type { AuditedEntry } from '../src/audit/audit.repository.ts';
import type { AccessToken as AccessTokenFacts } from '../src/access/access-token.ts';
import type { Session as SessionFacts } from '../src/access/session.ts';
import type { Verification } from '../src/certification/certificate.service.ts';
import type { Certificate as CertificateFacts } from '../src/certification/certificate.ts';
import type {
  IssueRequest as IssueRequestFacts,
  IssueRequestRow as IssueRequestRowFacts,
} from '../src/certification/issue-request.ts';
import type { CourseVersion } from '../src/courses/course.ts';
import type { H5pContent as H5pContentFacts, KnownLibrary } from '../src/h5p/content.ts';
import type { UncoveredPerson as UncoveredPersonFacts } from '../src/coverage/coverage.repository.ts';
import type { UnitCoverage } from '../src/coverage/coverage.service.ts';
import type { Indicator as IndicatorFacts } from '../src/coverage/indicator.ts';
import type { IndicatorValue as IndicatorValueFacts } from '../src/coverage/indicator.repository.ts';
import type { UnitIndicator as UnitIndicatorFacts } from '../src/coverage/indicator.service.ts';
import type {
  Snapshot as SnapshotFacts,
  Verdict as VerdictFacts,
} from '../src/coverage/snapshot.repository.ts';
import type { SeenUnit } from '../src/coverage/snapshot.service.ts';
import type {
  OrganizationStaffing as OrganizationStaffingFacts,
  UnitStaffing,
} from '../src/coverage/staffing.service.ts';
import type { TimeFlag as TimeFlagFacts } from '../src/learning/flag.repository.ts';
import type { LtiAccount as LtiAccountFacts } from '../src/lti/account.ts';
import type { LtiGrade as LtiGradeFacts } from '../src/lti/grade.ts';
import type { LtiRoster as LtiRosterFacts } from '../src/lti/roster.ts';
import type { LtiRegistration as LtiRegistrationFacts } from '../src/lti/registration.ts';
import type { Person as PersonFacts, Post as PostFacts } from '../src/people/person.ts';
import type { Viewer as ViewerFacts } from '../src/people/permission.ts';
import type { RosterDoubt as RosterDoubtFacts } from '../src/people/roster/doubt.repository.ts';
import type {
  RosterImport as RosterImportFacts,
  RosterRefusal as RosterRefusalFacts,
} from '../src/people/roster/import.repository.ts';
import { roles } from '../src/people/role.ts';
import type {
  Assignment as AssignmentFacts,
  Certification as CertificationFacts,
  Cohort as CohortFacts,
} from '../src/programmes/certification.ts';
import type { Division as DivisionFacts } from '../src/regions/division.ts';
import type { Organization as OrganizationFacts } from '../src/regions/organization.ts';
import type { CreditRecord as CreditRecordFacts } from '../src/titles/credit-record.ts';
import { builder } from './builder.ts';

/* References apart from the fields that use them: files of nouns may then point at each other without a circle. */

export const Division = builder.objectRef<DivisionFacts>('Division');
export const Organization = builder.objectRef<OrganizationFacts>('Organization');
export const Person = builder.objectRef<PersonFacts>('Person');
export const Post = builder.objectRef<PostFacts>('Post');
export const AccessToken = builder.objectRef<AccessTokenFacts>('AccessToken');
export const LtiRegistration = builder.objectRef<LtiRegistrationFacts>('LtiRegistration');
export const LtiGrade = builder.objectRef<LtiGradeFacts>('LtiGrade');
export const LtiRoster = builder.objectRef<LtiRosterFacts>('LtiRoster');
export const LtiAccount = builder.objectRef<LtiAccountFacts>('LtiAccount');
export const Session = builder.objectRef<SessionFacts>('Session');
export const RoleGrant = builder.objectRef<RoleGrantFacts>('RoleGrant');
export const Viewer = builder.objectRef<ViewerFacts>('Viewer');
export const RosterImport = builder.objectRef<RosterImportFacts>('RosterImport');
export const RosterDoubt = builder.objectRef<RosterDoubtFacts>('RosterDoubt');
export const RosterRefusal = builder.objectRef<RosterRefusalFacts>('RosterRefusal');
export const H5pContent = builder.objectRef<H5pContentFacts>('H5pContent');
export const H5pLibrary = builder.objectRef<KnownLibrary>('H5pLibrary');
export const Course = builder.objectRef<CourseVersion>('Course');
export const Certification = builder.objectRef<CertificationFacts>('Certification');
export const Cohort = builder.objectRef<CohortFacts>('Cohort');
export const Assignment = builder.objectRef<AssignmentFacts>('Assignment');
export const Attempt = builder.objectRef<AttemptFacts>('Attempt');
export const AttemptItem = builder.objectRef<{
  facts: AttemptItemFacts;
  language: 'zh-CN' | 'en';
}>('AttemptItem');
export const TimeFlag = builder.objectRef<TimeFlagFacts>('TimeFlag');
export const ItemAnalysis = builder.objectRef<ItemAnalysisFacts>('ItemAnalysis');
export const ItemStatistics = builder.objectRef<ItemStatisticsFacts>('ItemStatistics');
export const SimulationRun = builder.objectRef<SimulationRunFacts>('SimulationRun');
export const Accommodation = builder.objectRef<AccommodationFacts>('Accommodation');
export const Certificate = builder.objectRef<CertificateFacts>('Certificate');
export const CertificateVerification = builder.objectRef<Verification>('CertificateVerification');
export const IssueRequest = builder.objectRef<IssueRequestFacts>('IssueRequest');
export const IssueRequestRow = builder.objectRef<IssueRequestRowFacts>('IssueRequestRow');
export const Coverage = builder.objectRef<UnitCoverage>('Coverage');
export const RoleCoverage = builder.objectRef<UnitCoverage['byRole'][number]>('RoleCoverage');
export const UncoveredPerson = builder.objectRef<UncoveredPersonFacts>('UncoveredPerson');
export const Staffing = builder.objectRef<UnitStaffing>('Staffing');
export const OrganizationStaffing = builder.objectRef<OrganizationStaffingFacts>('OrganizationStaffing');
export const Indicator = builder.objectRef<IndicatorFacts>('Indicator');
export const UnitIndicator = builder.objectRef<UnitIndicatorFacts>('UnitIndicator');
export const IndicatorValue = builder.objectRef<
  IndicatorValueFacts & { readonly kind: IndicatorFacts['kind']; readonly veiled: boolean }
>('IndicatorValue');
export const Snapshot = builder.objectRef<SnapshotFacts>('Snapshot');
export const SnapshotUnit = builder.objectRef<SeenUnit>('SnapshotUnit');
export const SnapshotVerdict = builder.objectRef<VerdictFacts & { readonly veiled: boolean }>(
  'SnapshotVerdict',
);
export const JournalEntry = builder.objectRef<AuditedEntry>('JournalEntry');
export const CreditRecord = builder.objectRef<CreditRecordFacts>('CreditRecord');

export const RoleEnum = builder.enumType('Role', {
  description: 'What a post is: the roles of item 15 of the action plan, and those beside them.',
  values: Object.fromEntries(roles.map((role) => [role.toUpperCase(), { value: role }])) as {
    [K in (typeof roles)[number] as Uppercase<K>]: { value: K };
  },
});
