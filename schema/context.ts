import DataLoader from 'dataloader';
import type { EfficacyService } from '../src/assessment/efficacy.service.ts';
import type { AnalysisService } from '../src/assessment/analysis.service.ts';
import type { AccommodationService } from '../src/assessment/accommodation.service.ts';
import type { PracticeService } from '../src/assessment/practice.service.ts';
import type { H5pService } from '../src/h5p/content.service.ts';
import type { ExamService } from '../src/assessment/exam.service.ts';
import type { SimulationService } from '../src/assessment/simulation.service.ts';
import type { AuditService } from '../src/audit/audit.service.ts';
import type { CertificateService } from '../src/certification/certificate.service.ts';
import type { CredentialService } from '../src/certification/credential/credential.service.ts';
import type { VerificationService } from '../src/certification/verification.service.ts';
import type { LogService } from '../src/certification/log/log.service.ts';
import type { IssueRequestService } from '../src/certification/issue-request.service.ts';
import type { CourseService } from '../src/courses/course.service.ts';
import type { Hotline } from '../src/courses/hotline.ts';
import type { CoverageService } from '../src/coverage/coverage.service.ts';
import type { EfficacyChangeService } from '../src/coverage/efficacy-change.service.ts';
import type { IndicatorService } from '../src/coverage/indicator.service.ts';
import type { SnapshotService } from '../src/coverage/snapshot.service.ts';
import type { StaffingService } from '../src/coverage/staffing.service.ts';
import { NotSignedIn } from '../src/errors.ts';
import type { FlagService } from '../src/learning/flag.service.ts';
import type { ForwardingService } from '../src/learning/forwarding.service.ts';
import type { LearningService } from '../src/learning/learning.service.ts';
import type { TimeService } from '../src/learning/time.service.ts';
import type { Contact } from '../src/people/contact.ts';
import type { ContactService } from '../src/people/contact.service.ts';
import type { ErasureService } from '../src/people/erasure.service.ts';
import type { PersonalDataService } from '../src/people/personal-data.service.ts';
import type { PeopleService } from '../src/people/people.service.ts';
import type { Viewer } from '../src/people/permission.ts';
import type { Person } from '../src/people/person.ts';
import type { ReorganizationService } from '../src/people/reorganization.service.ts';
import type { DoubtService } from '../src/people/roster/doubt.service.ts';
import type { RosterService } from '../src/people/roster/import.service.ts';
import type { AccessTokenService } from '../src/access/access-token.service.ts';
import type { IssuerService } from '../src/access/issuer.service.ts';
import type { RoleGrant } from '../src/access/grant.ts';
import type { GrantService } from '../src/access/grant.service.ts';
import type { SessionService } from '../src/access/session.service.ts';
import type { SignInService } from '../src/access/sign-in.service.ts';
import type { Certification } from '../src/programmes/certification.ts';
import type { ProgrammeService } from '../src/programmes/programme.service.ts';
import type { Division } from '../src/regions/division.ts';
import type { Organization, OrganizationChange } from '../src/regions/organization.ts';
import type { RegionService } from '../src/regions/region.service.ts';
import type { TitleService } from '../src/titles/title.service.ts';
import type { LtiAccountService } from '../src/lti/account.service.ts';
import type { LtiGradeService } from '../src/lti/grade.service.ts';
import type { LtiInvitationService } from '../src/lti/invitation.service.ts';
import type { LtiKeyService } from '../src/lti/key.service.ts';
import type { LtiLaunchService } from '../src/lti/launch.service.ts';
import type { CoursePackageService } from '../src/lti/package.service.ts';
import type { LtiRegistrationService } from '../src/lti/registration.service.ts';
import type { LtiRosterService } from '../src/lti/roster.service.ts';
import type { LtiSelectionService } from '../src/lti/selection.service.ts';
import type { Database } from '../src/db/database.ts';

/** What the schema may call: the services, handed in by the app. */
export interface Services {
  readonly db: Database;
  readonly contentUrl: string;
  readonly publicUrl: string;
  readonly regions: RegionService;
  readonly people: PeopleService;
  readonly contacts: ContactService;
  readonly personalData: PersonalDataService;
  readonly erasures: ErasureService;
  readonly sessions: SessionService;
  readonly tokens: AccessTokenService;
  readonly issuers: IssuerService;
  readonly signIns: SignInService;
  readonly grants: GrantService;
  readonly roster: RosterService;
  readonly doubts: DoubtService;
  readonly reorganizations: ReorganizationService;
  readonly h5p: H5pService;
  readonly courses: CourseService;
  /** Numbers to call: the county's own first. */
  readonly hotlines: readonly Hotline[];
  readonly programmes: ProgrammeService;
  readonly learning: LearningService;
  readonly time: TimeService;
  readonly flags: FlagService;
  readonly forwarding: ForwardingService;
  readonly exams: ExamService;
  readonly efficacy: EfficacyService;
  readonly analyses: AnalysisService;
  readonly simulations: SimulationService;
  readonly practice: PracticeService;
  readonly accommodations: AccommodationService;
  readonly certificates: CertificateService;
  readonly credentials: CredentialService;
  /** The log of what happens to certificates. */
  readonly transparency: LogService;
  /** Of many certificates at once, and of documents. */
  readonly verification: VerificationService;
  readonly issueRequests: IssueRequestService;
  readonly titles: TitleService;
  readonly coverage: CoverageService;
  readonly efficacyChange: EfficacyChangeService;
  readonly staffing: StaffingService;
  readonly indicators: IndicatorService;
  readonly snapshots: SnapshotService;
  readonly audit: AuditService;
  readonly platformKeys: LtiKeyService;
  readonly platforms: LtiRegistrationService;
  readonly platformInvitations: LtiInvitationService;
  readonly platformAccounts: LtiAccountService;
  readonly launches: LtiLaunchService;
  readonly selections: LtiSelectionService;
  readonly platformGrades: LtiGradeService;
  readonly packages: CoursePackageService;
  readonly platformRosters: LtiRosterService;
}

export interface Context {
  readonly services: Services;
  /** undefined: nobody is signed in. */
  readonly viewer: Viewer | undefined;
  readonly load: Loaders;
}

/** Batched reads of one request, for objects whose parent has been judged visible. */
export interface Loaders {
  readonly division: DataLoader<string, Division | undefined>;
  readonly organization: DataLoader<string, Organization | undefined>;
  readonly organizationChanges: DataLoader<string, OrganizationChange[] | undefined>;
  readonly certification: DataLoader<string, Certification | undefined>;
  /** Whom the viewer may see as a person. */
  readonly person: DataLoader<string, Person | undefined>;
  /** Whoever stands in something that the viewer may see: who gave, asked, decided, signed. */
  readonly named: DataLoader<string, Person | undefined>;
  /** What the viewer may see of a person's. */
  readonly grantsOf: DataLoader<string, RoleGrant[]>;
  /** Masked. */
  readonly contacts: DataLoader<string, Contact[]>;
}

export function makeContext(services: Services, viewer: Viewer | undefined): Context {
  return {
    services,
    viewer,
    load: {
      division: batched(
        async (codes) => services.regions.listDivisions(codes),
        (division) => division.code,
      ),
      organization: batched(
        async (ids) => services.regions.listOrganizations(ids),
        (organization) => organization.id,
      ),
      organizationChanges: new DataLoader(async (ids) => {
        const changes = await services.regions.listOrganizationChanges(ids);
        return ids.map((id) => changes.get(id));
      }),
      certification: batched(
        async (ids) => services.programmes.listCertifications(ids),
        (certification) => certification.id,
      ),
      person: batched(
        async (ids) => services.people.listByIds(ids),
        (person) => person.id,
      ),
      named: batched(
        async (ids) => services.people.listNamed(ids),
        (person) => person.id,
      ),
      grantsOf: new DataLoader(async (ids) => {
        const grants = viewer === undefined ? undefined : await services.grants.listOf(viewer, ids);
        return ids.map((id) => grants?.get(id) ?? []);
      }),
      contacts: new DataLoader(async (ids) => {
        const contacts = viewer === undefined ? undefined : await services.contacts.listMasked(viewer, ids);
        return ids.map((id) => contacts?.get(id) ?? []);
      }),
    },
  };
}

function batched<T>(
  list: (keys: readonly string[]) => Promise<T[]>,
  keyOf: (value: T) => string,
): DataLoader<string, T | undefined> {
  return new DataLoader(async (keys) => {
    const found = new Map((await list(keys)).map((value) => [keyOf(value), value]));
    return keys.map((key) => found.get(key));
  });
}

/** @throws NotSignedIn */
export function signedIn(context: Context): Viewer {
  if (context.viewer === undefined) throw new NotSignedIn();
  return context.viewer;
}
