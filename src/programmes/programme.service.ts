import { chinaDay, type Clock } from '../clock.ts';
import type { CourseVersion } from '../courses/course.ts';
import type { CourseService } from '../courses/course.service.ts';
import { CLASS_HOUR_MINUTES } from '../courses/hours.ts';
import type { Text } from '../courses/notation.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict, InvalidInput, NotFound } from '../errors.ts';
import { insertDebt, insertJournalEntry } from '../journal/journal.repository.ts';
import type { PeopleService } from '../people/people.service.ts';
import { isSelf, may, scopesOf, type Viewer } from '../people/permission.ts';
import type { Role } from '../people/role.ts';
import { covers, type Unit } from '../regions/division.ts';
import type { RegionService } from '../regions/region.service.ts';
import {
  courseSlugIn,
  type Assignment,
  type Certification,
  type Cohort,
  type Proof,
  type Renewal,
  type Standings,
} from './certification.ts';
import {
  countAssignments,
  findAssignment,
  findCohort,
  findCohortOfService,
  insertAssignments,
  insertCertification,
  insertCohort,
  listAssignmentsOf,
  listCertifications,
  listCertificationsOf,
  listRenewedCertifications,
  pinCourseVersion,
} from './programme.repository.ts';
import { programmeData } from './personal-data.repository.ts';

/** Owed by planning: coverage begins to count who holds any of the certification's roles. */
export const COUNT_ROLES_TASK = 'count-roles';

/** A year's course is renewed within the year, one of ten years in its last two. */
const LONGEST_WINDOW_MONTHS = 24;

/** So many certifications are kept in memory. */
const MOST_PLANNED = 1_000;
const MOST_PINNED = 20_000;

export type ProgrammeService = ReturnType<typeof makeProgrammeService>;

export function makeProgrammeService({
  db,
  clock,
  regions,
  people,
  courses,
  proof,
  latestTemplate,
  standings,
}: {
  db: Database;
  clock: Clock;
  regions: RegionService;
  people: PeopleService;
  courses: CourseService;
  proof: Proof;
  /** Version of a template that new certifications name; undefined where there is none. The certification room implements it. */
  latestTemplate: (name: string) => Promise<number | undefined>;
  standings: Standings;
}) {
  // Every question about coverage asks for one. Once planned it is never changed, so what is known of it stays true.
  const planned = new Map<string, Certification>();
  // A player asks every few seconds. Once its course is pinned nothing of an assignment is ever changed.
  const pinned = new Map<string, Assignment>();

  return {
    /** What this room holds about people. */
    personalData: programmeData,
    /**
     * @throws NotFound for a division that is not the viewer's to plan for, or a course that is not there.
     * @throws Conflict CODE_TAKEN when the division has a certification of this code.
     */
    async plan(
      viewer: Viewer,
      input: {
        code: string;
        title: Text;
        courseSlug: string;
        roles: readonly Role[];
        validityMonths: number | null;
        /** null unless it says otherwise, both. */
        renewalMonths?: number | null | undefined;
        renewalCourseSlug?: string | null | undefined;
        divisionCode: string;
        issuerName: string;
        /** Of certificates/, in its latest version; `standard` unless it says otherwise. */
        template?: string | undefined;
        /** Half of the declared time unless it says otherwise. */
        minimumHoursShare?: number | undefined;
        /** 45 unless it says otherwise. */
        classHourMinutes?: number | undefined;
      },
    ): Promise<Certification> {
      const division = await regions.findDivision(input.divisionCode);
      if (division === undefined || !may(viewer, 'certification.plan', division))
        throw new NotFound(`Division ${input.divisionCode}`);
      if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(input.code))
        throw new InvalidInput('input.code', 'Use lower-case letters, digits and hyphens, 64 at most.');
      if (input.roles.length === 0) throw new InvalidInput('input.roles', 'Name at least one role.');
      if (input.validityMonths !== null && (input.validityMonths < 1 || input.validityMonths > 600))
        throw new InvalidInput(
          'input.validityMonths',
          'From 1 to 600 months, or null for a certificate that does not expire.',
        );
      const { renewalMonths = null, renewalCourseSlug = null } = input;
      if (renewalMonths !== null && !(renewalMonths >= 1 && renewalMonths <= LONGEST_WINDOW_MONTHS))
        throw new InvalidInput(
          'input.renewalMonths',
          `From 1 to ${LONGEST_WINDOW_MONTHS} months, or null where nobody is assigned anew on their own.`,
        );
      if (renewalMonths !== null && (input.validityMonths === null || renewalMonths >= input.validityMonths))
        throw new InvalidInput(
          'input.renewalMonths',
          'It is for certificates that expire, and shorter than they are valid.',
        );
      if (renewalCourseSlug !== null && renewalMonths === null)
        throw new InvalidInput('input.renewalCourseSlug', 'It takes renewalMonths beside it.');
      const { minimumHoursShare = 0.5, classHourMinutes = CLASS_HOUR_MINUTES } = input;
      if (!(minimumHoursShare >= 0 && minimumHoursShare <= 1))
        throw new InvalidInput('input.minimumHoursShare', 'From 0 to 1 of the declared time.');
      if (!(classHourMinutes >= 30 && classHourMinutes <= 60))
        throw new InvalidInput('input.classHourMinutes', 'A class hour has from 30 to 60 minutes.');
      for (const [path, text] of [
        ['input.title.zhCN', input.title['zh-CN']],
        ['input.title.en', input.title.en],
        ['input.issuerName', input.issuerName],
      ] as const) {
        if (text.trim() === '' || text.length > 100)
          throw new InvalidInput(path, 'From 1 to 100 characters.');
      }
      const course = await courses.findCurrent(db, input.courseSlug);
      if (course === undefined) throw new NotFound(`Course ${input.courseSlug}`);
      const { template = 'standard' } = input;
      const templateVersion = await latestTemplate(template);
      if (templateVersion === undefined)
        throw new InvalidInput('input.template', `There is no template "${template}".`);
      const renewalCourse =
        renewalCourseSlug === null ? undefined : await courses.findCurrent(db, renewalCourseSlug);
      if (renewalCourseSlug !== null && renewalCourse === undefined)
        throw new NotFound(`Course ${renewalCourseSlug}`);
      const printed = {
        ...input,
        renewalMonths,
        renewalCourseSlug,
        template,
        templateVersion,
        minimumHoursShare,
        classHourMinutes,
      };
      for (const each of [course, renewalCourse])
        if (each !== undefined) await proof({ ...printed, course: each.manifest });
      const id = await db.transaction().execute(async (tx) => {
        const created = await insertCertification(tx, {
          ...printed,
          roles: [...new Set(input.roles)],
          createdBy: viewer.personId,
          createdAt: clock.now(),
        });
        if (created === undefined)
          throw new Conflict(
            'CODE_TAKEN',
            `${division.name} already has a certification with the code "${input.code}".`,
          );
        const roles = [...new Set(input.roles)].toSorted().join();
        await insertDebt(tx, {
          task: COUNT_ROLES_TASK,
          payload: { roles },
          key: `${COUNT_ROLES_TASK}:${roles}`,
        });
        await insertJournalEntry(tx, {
          at: clock.now(),
          actor: `person:${viewer.personId}`,
          action: 'certification.plan',
          subject: `certification:${created}`,
          detail: { code: input.code, division: division.code },
          units: [division],
        });
        return created;
      });
      return (await listCertifications(db, [id]))[0]!;
    },

    async listCertifications(ids: readonly string[]): Promise<Certification[]> {
      const known = ids.flatMap((id) => planned.get(id) ?? []);
      const unknown = ids.filter((id) => !planned.has(id));
      if (unknown.length === 0) return known;
      const found = await listCertifications(db, unknown);
      if (planned.size > MOST_PLANNED) planned.clear();
      for (const certification of found) planned.set(certification.id, certification);
      return [...known, ...found];
    },

    /** Those in force where the viewer works as a coordinator or like: set in their divisions, above, or (for the nation) anywhere. */
    async listForViewer(
      viewer: Viewer,
      page: { after: string | undefined; limit: number },
    ): Promise<Certification[]> {
      const codes = new Set<string>();
      for (const scope of scopesOf(viewer, 'coverage.read')) {
        const place =
          scope.kind === 'division'
            ? await regions.findDivision(scope.code)
            : scope.kind === 'organization'
              ? await regions.findOrganization(scope.id)
              : undefined;
        for (const code of [place?.provinceCode, place?.prefectureCode, place?.countyCode])
          if (typeof code === 'string') codes.add(code);
      }
      return listCertificationsOf(db, [...codes], page);
    },

    /**
     * Assigns everybody who holds `role` in the unit today. Who has the assignment already keeps it, so that doing it again
     * only adds those who came since; but whose certificate was revoked, has expired or is within the window is assigned the next period.
     * @throws NotFound for a certification or unit that is not there or not the viewer's.
     */
    async assignCohort(
      viewer: Viewer,
      input: {
        certificationId: string;
        unit: Unit;
        role: Role;
        dueOn: string | null;
        name: string | null;
        /** Only these of them. */
        among?: readonly string[];
      },
    ): Promise<{ cohort: Cohort; assigned: number; alreadyAssigned: number }> {
      const [certification] = await listCertifications(db, [input.certificationId]);
      const place =
        input.unit.kind === 'division'
          ? await regions.findDivision(input.unit.code)
          : await regions.findOrganization(input.unit.id);
      if (place === undefined || !may(viewer, 'cohort.assign', place)) throw new NotFound('The unit');
      if (
        certification === undefined ||
        !covers({ kind: 'division', code: certification.divisionCode }, place)
      )
        throw new NotFound('The certification');
      if (!certification.roles.includes(input.role))
        throw new InvalidInput('input.role', `This certification is for ${certification.roles.join(', ')}.`);
      const today = chinaDay(clock.now());
      if (input.dueOn !== null && input.dueOn < today)
        throw new InvalidInput('input.dueOn', `${input.dueOn} has passed.`);
      const among = input.among === undefined ? undefined : new Set(input.among);
      const personIds = (await people.listHolders(input.unit, input.role, today)).filter(
        (id) => among?.has(id) ?? true,
      );
      const periods = await standings.listNextPeriods(certification, personIds, today);

      return db.transaction().execute(async (tx) => {
        const name = input.name ?? `${place.name} ${input.role} ${today}`;
        const cohortId = await insertCohort(tx, {
          certificationId: certification.id,
          name,
          role: input.role,
          divisionCode: input.unit.kind === 'division' ? input.unit.code : null,
          organizationId: input.unit.kind === 'organization' ? input.unit.id : null,
          dueOn: input.dueOn,
          createdBy: viewer.personId,
          createdAt: clock.now(),
        });
        const assigned = await insertAssignments(
          tx,
          certification.id,
          personIds.map((personId) => ({
            personId,
            cohortId,
            period: periods.get(personId)!,
            dueOn: input.dueOn,
          })),
          clock.now(),
        );
        await insertJournalEntry(tx, {
          at: clock.now(),
          actor: `person:${viewer.personId}`,
          action: 'cohort.assign',
          subject: `cohort:${cohortId}`,
          detail: { certification: certification.id, role: input.role, people: personIds.length, assigned },
          units: [place],
        });
        return {
          cohort: (await findCohort(tx, cohortId))!,
          assigned,
          alreadyAssigned: personIds.length - assigned,
        };
      });
    },

    /**
     * For the room that knows who is to renew, in its transaction, one at a time: a cohort of the day for each role. Who has an assignment
     * of the period already keeps it.
     */
    async assignRenewals(
      tx: Executor,
      certification: Certification,
      renewals: readonly Renewal[],
      day: string,
    ): Promise<{ cohortIds: string[]; assigned: number }> {
      const name = `续期 ${day}`;
      const cohorts = new Map<Role, string>();
      for (const role of new Set(renewals.map((renewal) => renewal.role))) {
        const cohort = { certificationId: certification.id, name, role };
        cohorts.set(
          role,
          (await findCohortOfService(tx, cohort)) ??
            (await insertCohort(tx, {
              ...cohort,
              divisionCode: certification.divisionCode,
              organizationId: null,
              // Each of them has a day of their own.
              dueOn: null,
              createdBy: null,
              createdAt: clock.now(),
            })),
        );
      }
      const assigned = await insertAssignments(
        tx,
        certification.id,
        renewals.map(({ role, ...renewal }) => ({ ...renewal, cohortId: cohorts.get(role)! })),
        clock.now(),
      );
      return { cohortIds: [...cohorts.values()], assigned };
    },

    /** Those whose holders are assigned anew on their own. */
    listRenewed: async (): Promise<Certification[]> => listRenewedCertifications(db),

    async findCohort(viewer: Viewer, id: string): Promise<Cohort | undefined> {
      const cohort = await findCohort(db, id);
      if (cohort === undefined) return undefined;
      const place =
        cohort.divisionCode !== null
          ? await regions.findDivision(cohort.divisionCode)
          : await regions.findOrganization(cohort.organizationId!);
      return place !== undefined && may(viewer, 'cohort.assign', place) ? cohort : undefined;
    },

    countAssignments: async (cohortId: string): Promise<number> => countAssignments(db, cohortId),

    listOwnAssignments: async (viewer: Viewer): Promise<Assignment[]> =>
      isSelf(viewer, viewer.personId) ? listAssignmentsOf(db, viewer.personId) : [],

    /** The viewer's own; undefined for another's and for none, alike. */
    async findOwnAssignment(viewer: Viewer, id: string): Promise<Assignment | undefined> {
      const assignment = pinned.get(id) ?? (await findAssignment(db, id));
      if (assignment !== undefined && assignment.courseVersionId !== null && !pinned.has(id)) {
        if (pinned.size > MOST_PINNED) pinned.clear();
        pinned.set(assignment.id, assignment);
      }
      return assignment !== undefined && isSelf(viewer, assignment.personId) ? assignment : undefined;
    },

    /** For rooms above, which ask whose it is. */
    findAssignment: async (executor: Executor, id: string): Promise<Assignment | undefined> =>
      findAssignment(executor, id),

    /** For rooms above, which have asked whose it is. */
    getAssignment: async (
      executor: Executor,
      id: string,
      options: { lock?: boolean } = {},
    ): Promise<Assignment> => {
      const assignment = await findAssignment(executor, id, options);
      if (assignment === undefined) throw new NotFound('The assignment');
      return assignment;
    },

    /** The version that the learner is on, or would begin with. */
    async courseOf(executor: Executor, assignment: Assignment): Promise<CourseVersion> {
      if (assignment.courseVersionId !== null)
        return (await courses.listVersions(executor, [assignment.courseVersionId]))[0]!;
      const [certification] = await listCertifications(executor, [assignment.certificationId]);
      const current = await courses.findCurrent(executor, courseSlugIn(certification!, assignment.period));
      if (current === undefined) throw new NotFound('The course');
      return current;
    },

    pinCourse: async (tx: Executor, assignmentId: string, courseVersionId: string): Promise<void> =>
      pinCourseVersion(tx, assignmentId, courseVersionId),
  };
}
