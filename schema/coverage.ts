import { addDays, addMonths } from '../src/clock.ts';
import { Conflict, InvalidInput, NotFound, NotSignedIn } from '../src/errors.ts';
import { gapOf, rateOf, type Coverage as Numbers } from '../src/coverage/coverage.ts';
import { peopleToTarget } from '../src/coverage/target.ts';
import type { UnitCoverage } from '../src/coverage/coverage.service.ts';
import { builder, connectionOf, pageComplexity, pageSize, type PageArgs } from './builder.ts';
import { signedIn, type Context } from './context.ts';
import { localId } from './ids.ts';
import {
  Certification,
  Coverage,
  Organization,
  Person,
  RoleCoverage,
  RoleEnum,
  UncoveredPerson,
} from './refs.ts';
import { Unit, unitAfter, unitCursor, unitOf } from './region.ts';

const MOST_POINTS = 60;

type Told = Numbers & { readonly target: number; readonly hidden: boolean };
/** null where the number must not be told. */
const told =
  <T>(tell: (numbers: Told) => T) =>
  (numbers: Told): T | null =>
    numbers.hidden ? null : tell(numbers);

/** The numbers, whoever they are about. */
export const CoverageNumbers = builder.interfaceRef<Told>('CoverageNumbers').implement({
  description:
    'How many are covered of how many, and how that stands to the target. Who may see numbers and not people is told none of fewer than five, nor one from which such a number would follow: those are null.',
  fields: (t) => ({
    covered: t.int({
      nullable: true,
      description: 'The numerator, in people.',
      resolve: told(({ covered }) => covered),
    }),
    total: t.int({
      nullable: true,
      description: 'The denominator, in people.',
      resolve: told(({ total }) => total),
    }),
    gap: t.int({
      nullable: true,
      description: 'People to go until everybody is covered.',
      resolve: told(gapOf),
    }),
    rate: t.float({
      nullable: true,
      description: '0 to 1; null also where nobody holds the role.',
      resolve: told((numbers) => rateOf(numbers) ?? null),
    }),
    target: t.exposeFloat('target', {
      description:
        'The share that is to be covered on this day: the highest that the jurisdictions above have set; 1 where none has.',
    }),
    toTarget: t.int({
      nullable: true,
      description: 'People to go until the target is reached.',
      resolve: told((numbers) => peopleToTarget(numbers, numbers.target)),
    }),
    hidden: t.exposeBoolean('hidden', { description: 'Whether the numbers are not told.' }),
  }),
});

RoleCoverage.implement({
  description: 'Coverage of one role by itself. A person with two roles counts once in each.',
  interfaces: [CoverageNumbers],
  fields: (t) => ({ role: t.expose('role', { type: RoleEnum, description: 'Which role.' }) }),
});

UncoveredPerson.implement({
  description: 'Somebody who holds one of the roles and no certificate that is valid on the day.',
  fields: (t) => ({
    person: t.field({
      type: Person,
      description: 'Who.',
      resolve: async ({ personId }, _args, context) => (await context.load.person.load(personId))!,
    }),
    organization: t.field({
      type: Organization,
      description: 'Where the role is held; the first of several.',
      resolve: async ({ organizationId }, _args, context) =>
        (await context.load.organization.load(organizationId))!,
    }),
    roles: t.field({
      type: [RoleEnum],
      description: 'Which of the roles are held there.',
      resolve: ({ roles }) => [...roles],
    }),
  }),
});

const TrendStep = builder.enumType('TrendStep', {
  description: 'From one point of a trend to the next.',
  values: { DAY: {}, WEEK: {}, MONTH: {} } as const,
});

/** Numbers of all roles together, then of each by itself. */
const inColumns = <T>(tell: (numbers: Told) => T): ((coverage: UnitCoverage) => (T | null)[]) => {
  const each = told(tell);
  return (coverage) => [each(coverage), ...coverage.byRole.map(each)];
};
const columns = 'all roles together first, then each in the order of `roles`';

const CoverageRow = builder.objectRef<UnitCoverage>('CoverageRow').implement({
  description: `A unit as a row of a table: in each list ${columns}. For one role alone there are two alike.`,
  fields: (t) => ({
    unit: t.field({ type: Unit, description: 'Where.', resolve: ({ unit }) => unit }),
    covered: t.field({
      type: ['Int'],
      nullable: { list: false, items: true },
      description: 'People covered; null where it must not be told.',
      resolve: inColumns(({ covered }) => covered),
    }),
    total: t.field({
      type: ['Int'],
      nullable: { list: false, items: true },
      description: 'People who hold the roles; null where it must not be told.',
      resolve: inColumns(({ total }) => total),
    }),
    gap: t.field({
      type: ['Int'],
      nullable: { list: false, items: true },
      description: 'People to go until everybody is covered.',
      resolve: inColumns(gapOf),
    }),
    target: t.field({
      type: ['Float'],
      description: 'The shares that are to be covered on this day.',
      resolve: ({ target, byRole }) => [target, ...byRole.map((role) => role.target)],
    }),
    toTarget: t.field({
      type: ['Int'],
      nullable: { list: false, items: true },
      description: 'People to go until the target is reached.',
      resolve: inColumns((numbers) => peopleToTarget(numbers, numbers.target)),
    }),
  }),
});

Coverage.implement({
  description:
    'Coverage 覆盖率 of a certification, for roles, in a unit, on a day: distinct people who hold the role there that day and a certificate valid that day ÷ distinct people who hold the role there that day. An expired or revoked certificate covers nobody.',
  interfaces: [CoverageNumbers],
  fields: (t) => ({
    certification: t.field({
      type: Certification,
      description: 'Of what.',
      resolve: ({ certification }) => certification,
    }),
    unit: t.field({ type: Unit, description: 'Where.', resolve: ({ unit }) => unit }),
    roles: t.field({
      type: [RoleEnum],
      description: 'Of whom; a person with two of these roles counts once.',
      resolve: ({ roles }) => [...roles],
    }),
    day: t.expose('day', { type: 'Date', description: 'On which day, in China.' }),
    byRole: t.expose('byRole', {
      type: [RoleCoverage],
      complexity: { field: 1, multiplier: 5 },
      description: 'The same for each of the roles by itself.',
    }),
    children: t.connection({
      type: Coverage,
      description:
        'The units right below: divisions in code order, then the organizations that stand right here, in name order. None for an organization.',
      complexity: pageComplexity,
      resolve: async (coverage, args, context) => listChildren(coverage, args, context),
    }),
    table: t.connection({
      type: CoverageRow,
      description: `The same units as \`children\`, as rows of a table with a column for each role: for a map of colours, and a quarter of the bytes. In each list ${columns}.`,
      complexity: pageComplexity,
      resolve: async (coverage, args, context) => listChildren(coverage, args, context),
    }),
    trend: t.field({
      type: [Coverage],
      description: `The same unit on earlier days, oldest first, up to this one; at most ${MOST_POINTS} points.`,
      complexity: { field: 20, multiplier: 12 },
      args: {
        from: t.arg({ type: 'Date', required: true, description: 'The first day.' }),
        every: t.arg({ type: TrendStep, defaultValue: 'MONTH', required: true, description: 'The step.' }),
      },
      resolve: async (coverage, { from, every }, context) =>
        context.services.coverage.listTrend(coverage, daysBetween(from, coverage.day, every)),
    }),
    uncovered: t.connection({
      type: UncoveredPerson,
      nullable: true,
      description:
        'Who is not covered, school by school. null for a viewer who may see the numbers and not the people.',
      complexity: pageComplexity,
      resolve: async (coverage, args, context) => {
        const size = pageSize(args);
        const people = await context.services.coverage.listUncovered(signedIn(context), coverage, {
          after: args.after === null || args.after === undefined ? undefined : personAfter(args.after),
          limit: size + 1,
        });
        return people === undefined
          ? null
          : connectionOf(people, size, (each) => `${each.organizationId}-${each.personId}`);
      },
    }),
  }),
});

/** A page of the units right below. @throws InvalidInput */
async function listChildren(coverage: UnitCoverage, args: PageArgs, context: Context) {
  const size = pageSize(args);
  const children = await context.services.coverage.listChildren(coverage, {
    after: unitAfter(args.after),
    limit: size + 1,
  });
  return connectionOf(children, size, ({ unit }) => unitCursor(unit));
}

/** @throws InvalidInput for a first day after the last, and for more points than anybody would read. */
function daysBetween(from: string, until: string, every: 'DAY' | 'WEEK' | 'MONTH'): string[] {
  if (from > until) throw new InvalidInput('from', `${from} is after ${until}.`);
  const days: string[] = [];
  for (let step = 0; ; step += 1) {
    const day = every === 'MONTH' ? addMonths(from, step) : addDays(from, every === 'WEEK' ? step * 7 : step);
    if (day > until) return days;
    if (days.length === MOST_POINTS)
      throw new InvalidInput('from', `That is more than ${MOST_POINTS} points; take a longer step.`);
    days.push(day);
  }
}

/** Where a page of people ended. @throws InvalidInput */
function personAfter(cursor: string): { organizationId: string; personId: string } {
  const [, organizationId, personId] = /^(\d{1,18})-(\d{1,18})$/.exec(cursor) ?? [];
  if (organizationId === undefined || personId === undefined)
    throw new InvalidInput('after', 'This cursor is not one that people were listed with.');
  return { organizationId, personId };
}

builder.queryField('coverage', (t) =>
  t.field({
    type: Coverage,
    nullable: true,
    description:
      "Who is covered. null for a unit or certification that is not there or not the viewer's to see.",
    complexity: 10,
    args: {
      certificationId: t.arg.id({ required: true, description: 'Of what.' }),
      unitId: t.arg.id({ required: true, description: 'A Division (with all below it) or an Organization.' }),
      role: t.arg({ type: RoleEnum, description: 'Of whom; all roles of the certification when left out.' }),
      on: t.arg({ type: 'Date', description: 'Any past day, or today when left out.' }),
    },
    resolve: async (_root, { certificationId, unitId, role, on }, context) => {
      try {
        return await context.services.coverage.get(signedIn(context), {
          certificationId: localId(certificationId, 'Certification', 'certificationId'),
          unit: unitOf(unitId, 'unitId'),
          role: role ?? null,
          day: on ?? null,
        });
      } catch (error) {
        if (error instanceof NotFound) return null;
        throw error;
      }
    },
  }),
);

const SetCoverageTargetInput = builder.inputType('SetCoverageTargetInput', {
  description: 'Policy of a jurisdiction, from a day on.',
  fields: (t) => ({
    certificationId: t.id({ required: true, description: 'Of what.' }),
    divisionCode: t.string({ required: true, description: 'Whose policy it is; it holds there and below.' }),
    role: t.field({ type: RoleEnum, description: 'Of whom; of any of its roles when left out.' }),
    rate: t.float({ required: true, description: 'The share that is to be covered: above 0, at most 1.' }),
    startsOn: t.field({
      type: 'Date',
      required: true,
      description: 'From which day: today or later, since the past is never judged by a later policy.',
    }),
  }),
});
const SetCoverageTargetPayload = builder
  .objectRef<{ coverage: typeof Coverage.$inferType }>('SetCoverageTargetPayload')
  .implement({
    description: 'The target was set.',
    fields: (t) => ({
      coverage: t.field({
        type: Coverage,
        description: 'How the division stands today.',
        resolve: (payload) => payload.coverage,
      }),
    }),
  });

builder.mutationField('setCoverageTarget', (t) =>
  t.field({
    type: SetCoverageTargetPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Sets a target. Refused with TARGET_LOWERED where a jurisdiction above asks for more: a lower one may raise and never lower.',
    args: {
      input: t.arg({ type: SetCoverageTargetInput, required: true, description: 'What, where, from when.' }),
    },
    resolve: async (_root, { input }, context) => ({
      coverage: await context.services.coverage.setTarget(signedIn(context), {
        ...input,
        certificationId: localId(input.certificationId, 'Certification', 'input.certificationId'),
        role: input.role ?? null,
      }),
    }),
  }),
);
