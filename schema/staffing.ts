import { Conflict, InvalidInput, NotFound, NotSignedIn } from '../src/errors.ts';
import type { Researchers, Staffing as Numbers } from '../src/coverage/staffing.ts';
import { peopleToTarget } from '../src/coverage/target.ts';
import { builder, connectionOf, pageComplexity, pageSize } from './builder.ts';
import { signedIn } from './context.ts';
import { Organization, OrganizationStaffing, Staffing } from './refs.ts';
import { Unit, unitAfter, unitCursor, unitOf } from './region.ts';

const StandingEnum = builder.enumType('StaffingStanding', {
  description:
    'Whether an organization has the mental-health teachers that are asked of it. UNKNOWN: a university whose students were never counted, or an organization of unspecified kind.',
  values: { MET: { value: 'met' }, SHORT: { value: 'short' }, UNKNOWN: { value: 'unknown' } } as const,
});

type Told = Numbers & Researchers & { readonly target: number; readonly peopleHidden: boolean };

/** The numbers, as they are now or as they were frozen. */
export const StaffingNumbers = builder.interfaceRef<Told>('StaffingNumbers').implement({
  description:
    'How many organizations have their mental-health teachers 心理健康教育教师: a school one, full- or part-time; a university max(2, ceil(students / 4000)), full-time. Kindergartens and bureaus are not asked. Numbers of people are null for a viewer who may not see people.',
  fields: (t) => ({
    total: t.exposeInt('organizations', {
      description: 'Organizations open on the day, and asked for staff; the denominator.',
    }),
    met: t.exposeInt('met', { description: 'Have what is asked; the numerator.' }),
    short: t.exposeInt('short', { description: 'Have not.' }),
    unknown: t.exposeInt('unknown', {
      description: 'Where it can not be told what is asked; it counts as not met.',
    }),
    rate: t.float({
      nullable: true,
      description: '0 to 1; null where no organization is asked.',
      resolve: ({ met, organizations }) => (organizations === 0 ? null : met / organizations),
    }),
    target: t.exposeFloat('target', {
      description:
        'The share of organizations that is to have its staff on this day: the highest that the jurisdictions above have set; 1 where none has.',
    }),
    toTarget: t.int({
      description: 'Organizations to go until the target is reached.',
      resolve: ({ met, organizations, target }) =>
        peopleToTarget({ covered: met, total: organizations }, target),
    }),
    counties: t.exposeInt('counties', {
      description: 'Counties in the unit, each of which is to have research staff for psychology 心理教研员.',
    }),
    countiesWithResearcher: t.exposeInt('countiesWithResearcher', {
      description: 'Of these, where somebody holds the role.',
    }),
    required: t.int({
      nullable: true,
      description: 'People asked for, where it can be told.',
      resolve: ({ required, peopleHidden }) => (peopleHidden ? null : required),
    }),
    present: t.int({
      nullable: true,
      description: 'People who are there; full-time ones at universities.',
      resolve: ({ present, peopleHidden }) => (peopleHidden ? null : present),
    }),
    peopleShort: t.int({
      nullable: true,
      description:
        'People to be found yet, added up over organizations: what one has too many does not help another.',
      resolve: ({ peopleShort, peopleHidden }) => (peopleHidden ? null : peopleShort),
    }),
  }),
});

OrganizationStaffing.implement({
  description: 'How one organization stands.',
  fields: (t) => ({
    organization: t.field({
      type: Organization,
      description: 'Which.',
      resolve: async ({ organizationId }, _args, context) =>
        (await context.load.organization.load(organizationId))!,
    }),
    standing: t.expose('standing', { type: StandingEnum, description: 'Whether it has its staff.' }),
    required: t.exposeInt('required', {
      nullable: true,
      description: 'People asked for; null where it can not be told.',
    }),
    present: t.int({
      nullable: true,
      description: 'People who are there; null for a viewer who may not see people.',
      resolve: ({ present, peopleHidden }) => (peopleHidden ? null : present),
    }),
    peopleShort: t.int({
      nullable: true,
      description: 'People to be found yet; null for a viewer who may not see people.',
      resolve: ({ peopleShort, peopleHidden }) => (peopleHidden ? null : peopleShort),
    }),
    students: t.exposeInt('students', {
      nullable: true,
      description:
        'The count it was judged by: the last up to the day, or the first after it. null where there is none.',
    }),
    studentsOn: t.expose('studentsOn', {
      type: 'Date',
      nullable: true,
      description: 'The day of that count.',
    }),
  }),
});

Staffing.implement({
  description: 'Staffing 配备 of a unit on a day, judged beside training (item 14 of the action plan).',
  interfaces: [StaffingNumbers],
  fields: (t) => ({
    unit: t.field({ type: Unit, description: 'Where.', resolve: ({ unit }) => unit }),
    day: t.expose('day', { type: 'Date', description: 'On which day, in China.' }),
    children: t.connection({
      type: Staffing,
      description:
        'The units right below: divisions in code order, then the organizations that stand right here, in name order.',
      complexity: pageComplexity,
      resolve: async (staffing, args, context) => {
        const size = pageSize(args);
        const children = await context.services.staffing.listChildren(staffing, {
          after: unitAfter(args.after),
          limit: size + 1,
        });
        return connectionOf(children, size, ({ unit }) => unitCursor(unit));
      },
    }),
    organizations: t.connection({
      type: OrganizationStaffing,
      description: 'Those of the unit, however deep below, that stand so; short of staff by default.',
      complexity: pageComplexity,
      args: {
        standing: t.arg({
          type: StandingEnum,
          defaultValue: 'short' as const,
          required: true,
          description: 'Which ones.',
        }),
      },
      resolve: async (staffing, args, context) => {
        const size = pageSize(args);
        const after = args.after ?? undefined;
        if (after !== undefined && !/^\d{1,18}$/.test(after))
          throw new InvalidInput('after', 'This cursor is not one of this list.');
        const rows = await context.services.staffing.listOrganizations(staffing, args.standing, {
          after,
          limit: size + 1,
        });
        return connectionOf(rows, size, (row) => row.organizationId);
      },
    }),
  }),
});

builder.queryField('staffing', (t) =>
  t.field({
    type: Staffing,
    nullable: true,
    description:
      "Who has the staff that is asked. null for a unit that is not there or not the viewer's to see.",
    complexity: 10,
    args: {
      unitId: t.arg.id({ required: true, description: 'A Division (with all below it) or an Organization.' }),
      on: t.arg({ type: 'Date', description: 'Any past day, or today when left out.' }),
    },
    resolve: async (_root, { unitId, on }, context) => {
      try {
        return await context.services.staffing.get(signedIn(context), {
          unit: unitOf(unitId, 'unitId'),
          day: on ?? null,
        });
      } catch (error) {
        if (error instanceof NotFound) return null;
        throw error;
      }
    },
  }),
);

const SetStaffingTargetInput = builder.inputType('SetStaffingTargetInput', {
  description: 'Policy of a jurisdiction, from a day on.',
  fields: (t) => ({
    divisionCode: t.string({ required: true, description: 'Whose policy it is; it holds there and below.' }),
    rate: t.float({
      required: true,
      description: 'The share of organizations that is to have its staff: above 0, at most 1.',
    }),
    startsOn: t.field({
      type: 'Date',
      required: true,
      description: 'From which day: today or later, since the past is never judged by a later policy.',
    }),
  }),
});
const SetStaffingTargetPayload = builder
  .objectRef<{ staffing: typeof Staffing.$inferType }>('SetStaffingTargetPayload')
  .implement({
    description: 'The target was set.',
    fields: (t) => ({
      staffing: t.field({
        type: Staffing,
        description: 'How the division stands today.',
        resolve: (payload) => payload.staffing,
      }),
    }),
  });

builder.mutationField('setStaffingTarget', (t) =>
  t.field({
    type: SetStaffingTargetPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Sets a target for staffing, by the same law as `setCoverageTarget`: TARGET_LOWERED where a jurisdiction above asks for more.',
    args: {
      input: t.arg({ type: SetStaffingTargetInput, required: true, description: 'What, where, from when.' }),
    },
    resolve: async (_root, { input }, context) => ({
      staffing: await context.services.staffing.setTarget(signedIn(context), input),
    }),
  }),
);
