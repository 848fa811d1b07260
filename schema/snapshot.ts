import { Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn } from '../src/errors.ts';
import { unitOfKey, type Coverage } from '../src/coverage/coverage.ts';
import type { SeenUnit } from '../src/coverage/snapshot.service.ts';
import type { FrozenPolicy, FrozenRow } from '../src/coverage/snapshot.ts';
import type { Role } from '../src/people/role.ts';
import type { Division as DivisionFacts } from '../src/regions/division.ts';
import type { Organization as OrganizationFacts } from '../src/regions/organization.ts';
import { builder, connectionOf, pageComplexity, pageSize } from './builder.ts';
import { signedIn, type Context } from './context.ts';
import { CoverageNumbers } from './coverage.ts';
import { localId } from './ids.ts';
import { IndicatorKindEnum, IndicatorNumbers } from './indicator.ts';
import {
  Certification,
  Indicator,
  Person,
  RoleCoverage,
  RoleEnum,
  Snapshot,
  SnapshotUnit,
  SnapshotVerdict,
} from './refs.ts';
import { Unit, unitOf } from './region.ts';
import { StaffingNumbers } from './staffing.ts';

const unitFor = async (key: string, context: Context): Promise<DivisionFacts | OrganizationFacts> => {
  const unit = unitOfKey(key);
  const found =
    unit.kind === 'division'
      ? await context.load.division.load(unit.code)
      : await context.load.organization.load(unit.id);
  return found!;
};

const StateEnum = builder.enumType('SnapshotState', {
  description: 'QUEUED until the worker has frozen it.',
  values: { QUEUED: { value: 'queued' }, FROZEN: { value: 'frozen' } } as const,
});

builder.node(Snapshot, {
  name: 'Snapshot',
  description:
    'What was known of a unit and all below it on a day, how it was judged, and a digest. Once frozen it never changes: later posts, revocations and targets leave it alone. Visible to who may see the coverage of its unit, or of one in it.',
  id: { resolve: (snapshot) => snapshot.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.snapshots.find(context.viewer, id)) ?? null),
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'frozenAt' in value,
  fields: (t) => ({
    state: t.expose('state', { type: StateEnum, description: 'Ask again while it is QUEUED.' }),
    unit: t.field({
      type: Unit,
      description: 'Of what; all below it is in it.',
      resolve: async ({ unit }, _args, context) => unitFor(unit, context),
    }),
    certification: t.field({
      type: Certification,
      description: 'Whose coverage.',
      resolve: async ({ certificationId }, _args, context) =>
        (await context.load.certification.load(certificationId))!,
    }),
    day: t.expose('day', { type: 'Date', description: 'Of which day, in China.' }),
    requestedAt: t.expose('requestedAt', { type: 'DateTime', description: 'When it was asked for.' }),
    frozenAt: t.expose('frozenAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The moment as of which it is known; null while QUEUED.',
    }),
    digest: t.exposeString('digest', {
      nullable: true,
      description: 'SHA-256 of the whole, in hexadecimal: the digest of its unit. null while QUEUED.',
    }),
    unitCount: t.exposeInt('units', {
      nullable: true,
      description: 'How many units it holds; null while QUEUED.',
    }),
    replaces: t.field({
      type: Snapshot,
      nullable: true,
      description: 'The one whose place it took, since somebody had objected to it.',
      resolve: async ({ replaces }, _args, context) =>
        replaces === null
          ? null
          : ((await context.services.snapshots.find(signedIn(context), replaces)) ?? null),
    }),
    replacedBy: t.field({
      type: Snapshot,
      nullable: true,
      description: 'The one that took its place; nobody signs this one any more.',
      resolve: async ({ replacedBy }, _args, context) =>
        replacedBy === null
          ? null
          : ((await context.services.snapshots.find(signedIn(context), replacedBy)) ?? null),
    }),
    part: t.field({
      type: SnapshotUnit,
      nullable: true,
      description:
        'What it holds of a unit. null while QUEUED, and for a unit that is not in it or not the viewer’s to see.',
      complexity: 5,
      args: { unitId: t.arg.id({ description: 'Its own unit when left out.' }) },
      resolve: async (snapshot, { unitId }, context) =>
        (await context.services.snapshots.findUnit(
          signedIn(context),
          snapshot.id,
          unitId === null || unitId === undefined ? unitOfKey(snapshot.unit) : unitOf(unitId, 'unitId'),
        )) ?? null,
    }),
  }),
});

interface FrozenCoverage extends Coverage {
  readonly target: number;
  readonly hidden: boolean;
  readonly byRole: readonly (Coverage & {
    readonly role: Role;
    readonly target: number;
    readonly hidden: boolean;
  })[];
}

type RowOf<K extends FrozenRow['kind']> = Extract<FrozenRow, { kind: K }>;
function rowsOfKind<K extends FrozenRow['kind']>(unit: SeenUnit, kind: K): RowOf<K>[] {
  return unit.rows.filter((row): row is RowOf<K> => row.kind === kind);
}

const SnapshotCoverage = builder.objectRef<FrozenCoverage>('SnapshotCoverage').implement({
  description: 'Coverage as it was frozen.',
  interfaces: [CoverageNumbers],
  fields: (t) => ({
    byRole: t.field({
      type: [RoleCoverage],
      complexity: { field: 1, multiplier: 5 },
      description: 'The same for each of the roles by itself.',
      resolve: ({ byRole }) => [...byRole],
    }),
  }),
});

const SnapshotStaffing = builder
  .objectRef<RowOf<'staffing'> & { readonly peopleHidden: boolean }>('SnapshotStaffing')
  .implement({
    description: 'Staffing as it was frozen.',
    interfaces: [StaffingNumbers],
    fields: (t) => ({
      students: t.exposeInt('students', {
        nullable: true,
        description: 'The student count that an organization was judged by; null for divisions.',
      }),
      studentsOn: t.expose('studentsOn', {
        type: 'Date',
        nullable: true,
        description: 'The day of that count.',
      }),
    }),
  });

const SnapshotIndicator = builder
  .objectRef<
    Omit<RowOf<'indicator'>, 'indicator'> & {
      readonly indicator: { readonly kind: RowOf<'indicator'>['indicatorKind'] };
      readonly indicatorId: string;
      readonly hidden: boolean;
    }
  >('SnapshotIndicator')
  .implement({
    description: 'An indicator as it was frozen.',
    interfaces: [IndicatorNumbers],
    fields: (t) => ({
      indicator: t.field({
        type: Indicator,
        description: 'Which, as it is defined.',
        resolve: async ({ indicatorId }, _args, context) =>
          (await context.services.indicators.find(indicatorId))!,
      }),
      code: t.exposeString('code', { description: 'Its code.' }),
      kind: t.expose('indicatorKind', { type: IndicatorKindEnum, description: 'What its values are.' }),
    }),
  });

const MeasureEnum = builder.enumType('Measure', {
  description: 'Of what a target is.',
  values: {
    COVERAGE: { value: 'coverage' },
    STAFFING: { value: 'staffing' },
    INDICATOR: { value: 'indicator' },
  } as const,
});
const SnapshotPolicy = builder.objectRef<FrozenPolicy>('SnapshotPolicy').implement({
  description: 'A target that held for the unit on the day.',
  fields: (t) => ({
    measure: t.expose('measure', { type: MeasureEnum, description: 'Of what.' }),
    indicator: t.field({
      type: Indicator,
      nullable: true,
      description: 'Of which indicator.',
      resolve: async ({ indicator }, _args, context) =>
        indicator === null ? null : (await context.services.indicators.find(indicator))!,
    }),
    divisionCode: t.exposeString('division', { description: 'Who had set it.' }),
    role: t.expose('role', { type: RoleEnum, nullable: true, description: 'Of whom; null: of any role.' }),
    rate: t.exposeFloat('rate', { description: 'The share that was to be reached.' }),
    startsOn: t.expose('startsOn', { type: 'Date', description: 'Since when.' }),
  }),
});

const VerdictEnum = builder.enumType('SnapshotVerdictKind', {
  description: 'What a unit said of its part.',
  values: { SIGNED: { value: 'signed' }, OBJECTED: { value: 'objected' } } as const,
});
const MissingUnit = builder
  .objectRef<{ readonly unit: string; readonly reason: string }>('SnapshotMissingUnit')
  .implement({
    description: 'A unit that had not signed when the one above did.',
    fields: (t) => ({
      unit: t.field({
        type: Unit,
        description: 'Which.',
        resolve: async ({ unit }, _args, context) => unitFor(unit, context),
      }),
      reason: t.exposeString('reason', { description: 'Why not, as the one above says.' }),
    }),
  });

SnapshotVerdict.implement({
  description: 'What a unit said of its part, once. A signature is of a digest.',
  fields: (t) => ({
    kind: t.expose('verdict', { type: VerdictEnum, description: 'Signed, or returned with a reason.' }),
    unit: t.field({
      type: Unit,
      description: 'Whose it is.',
      resolve: async ({ unit }, _args, context) => unitFor(unit, context),
    }),
    digest: t.exposeString('digest', { description: 'Of what was signed or objected to.' }),
    day: t.expose('givenOn', { type: 'Date', description: 'On which day, in China.' }),
    at: t.expose('givenAt', { type: 'DateTime', description: 'When.' }),
    by: t.field({
      type: Person,
      nullable: true,
      description: 'By whom; null for a viewer who may not see people.',
      resolve: async ({ givenBy, veiled }, _args, context) =>
        veiled ? null : ((await context.load.named.load(givenBy)) ?? null),
    }),
    remark: t.exposeString('remark', {
      nullable: true,
      description: 'A remark beside a signature; the reason of an objection.',
    }),
    missing: t.field({
      type: [MissingUnit],
      description: 'Units right below that had not signed, each with the reason.',
      resolve: ({ missing }) => [...missing],
    }),
  }),
});

SnapshotUnit.implement({
  description: 'What a snapshot holds of one unit, and what the unit said of it.',
  fields: (t) => ({
    unit: t.field({
      type: Unit,
      description: 'Which; as it is today.',
      resolve: async ({ unit }, _args, context) => unitFor(unit, context),
    }),
    name: t.string({
      description: 'As it was called when the snapshot was frozen.',
      resolve: (unit) => rowsOfKind(unit, 'unit')[0]!.name,
    }),
    digest: t.exposeString('digest', {
      description:
        'SHA-256 of `content` in UTF-8, in hexadecimal. The same in every snapshot that tells the same of the unit, however much else is in it.',
    }),
    content: t.string({
      nullable: true,
      description:
        'What is digested: lines of canonical JSON (RFC 8785), each ended by a line feed; the digests of the units right below are among them. null for a viewer who may not see people.',
      resolve: ({ content, veiled }) => (veiled ? null : content),
    }),
    coverage: t.field({
      type: SnapshotCoverage,
      description: 'Who was covered.',
      resolve: (unit) => {
        const rows = rowsOfKind(unit, 'coverage');
        const [hidden, rolesHidden] = [unit.veiled && unit.hidden, unit.veiled && unit.rolesHidden];
        return {
          ...rows.find((row) => row.role === null)!,
          hidden,
          byRole: rows.flatMap((row) =>
            row.role === null ? [] : [{ ...row, role: row.role, hidden: rolesHidden }],
          ),
        };
      },
    }),
    staffing: t.field({
      type: SnapshotStaffing,
      description: 'Who had the staff that is asked.',
      resolve: (unit) => ({ ...rowsOfKind(unit, 'staffing')[0]!, peopleHidden: unit.veiled }),
    }),
    indicators: t.field({
      type: [SnapshotIndicator],
      description: 'The indicators that are reported there or below.',
      complexity: { field: 1, multiplier: 5 },
      resolve: (unit) =>
        rowsOfKind(unit, 'indicator').map((row) => ({
          ...row,
          indicator: { kind: row.indicatorKind },
          indicatorId: row.indicator,
          hidden: unit.veiled && row.countsPeople,
        })),
    }),
    policy: t.field({
      type: [SnapshotPolicy],
      description: 'The targets that held for a division on the day; an organization has its division’s.',
      complexity: { field: 1, multiplier: 5 },
      resolve: (unit) => rowsOfKind(unit, 'policy'),
    }),
    signs: t.exposeBoolean('signs', {
      description: 'Whether there is anybody to sign for: the unit above waits for it.',
    }),
    verdict: t.field({
      type: SnapshotVerdict,
      nullable: true,
      description:
        'What the unit said of it; also where it signed the same digest in another snapshot. null: nothing yet.',
      resolve: ({ verdict, veiled }) => (verdict === null ? null : { ...verdict, veiled }),
    }),
    objections: t.field({
      type: [SnapshotVerdict],
      description:
        'Objections of the unit and of those however deep below: while there are any, it is not signed.',
      complexity: 5,
      resolve: async (unit, _args, context) =>
        (await context.services.snapshots.listObjections(unit)).map((each) => ({
          ...each,
          veiled: unit.veiled,
        })),
    }),
    children: t.connection({
      type: SnapshotUnit,
      description: 'The units right below: divisions in code order, then organizations.',
      complexity: pageComplexity,
      args: {
        waiting: t.arg.boolean({
          defaultValue: false,
          required: true,
          description: 'Only those that have yet to sign or object.',
        }),
      },
      resolve: async (unit, args, context) => {
        const size = pageSize(args);
        const after = args.after ?? undefined;
        if (after !== undefined && !/^-?\d{1,18}$/.test(after))
          throw new InvalidInput('after', 'This cursor is not one of this list.');
        const children = await context.services.snapshots.listBelow(unit, {
          after,
          limit: size + 1,
          waiting: args.waiting,
        });
        return connectionOf(children, size, (child) => child.unit);
      },
    }),
  }),
});

builder.queryField('snapshots', (t) =>
  t.connection({
    type: Snapshot,
    nullable: true,
    description:
      "The snapshots that hold a unit, newest first. null for a unit that is not there or not the viewer's to see.",
    complexity: pageComplexity,
    args: {
      unitId: t.arg.id({ required: true, description: 'A Division (with all below it) or an Organization.' }),
    },
    resolve: async (_root, args, context) => {
      const size = pageSize(args);
      const after = args.after ?? undefined;
      if (after !== undefined && !/^\d{1,18}$/.test(after))
        throw new InvalidInput('after', 'This cursor is not one of this list.');
      try {
        const rows = await context.services.snapshots.list(signedIn(context), unitOf(args.unitId, 'unitId'), {
          after,
          limit: size + 1,
        });
        return connectionOf(rows, size, (row) => row.id);
      } catch (error) {
        if (error instanceof NotFound) return null;
        throw error;
      }
    },
  }),
);

const TakeSnapshotInput = builder.inputType('TakeSnapshotInput', {
  description: 'Of what a snapshot is to be taken.',
  fields: (t) => ({
    unitId: t.id({ required: true, description: 'A Division (with all below it) or an Organization.' }),
    certificationId: t.id({ required: true, description: 'Whose coverage.' }),
    on: t.field({ type: 'Date', description: 'Any past day, or today when left out.' }),
  }),
});
const TakeSnapshotPayload = builder
  .objectRef<{ snapshot: typeof Snapshot.$inferType }>('TakeSnapshotPayload')
  .implement({
    description: 'The snapshot was asked for.',
    fields: (t) => ({
      snapshot: t.field({
        type: Snapshot,
        description: 'QUEUED; ask `node(id:)` until it is FROZEN.',
        resolve: (payload) => payload.snapshot,
      }),
    }),
  });

builder.mutationField('takeSnapshot', (t) =>
  t.field({
    type: TakeSnapshotPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Freezes a unit and all below it: coverage by role, staffing, indicators, the policy they are judged by. SNAPSHOT_STANDS where there is one of this unit, certification and day; another takes its place only when somebody in it has objected.',
    args: { input: t.arg({ type: TakeSnapshotInput, required: true, description: 'Of what.' }) },
    resolve: async (_root, { input }, context) => ({
      snapshot: await context.services.snapshots.request(signedIn(context), {
        unit: unitOf(input.unitId, 'input.unitId'),
        certificationId: localId(input.certificationId, 'Certification', 'input.certificationId'),
        day: input.on ?? null,
      }),
    }),
  }),
);

const MissingUnitInput = builder.inputType('SnapshotMissingUnitInput', {
  description: 'A unit right below that has not signed.',
  fields: (t) => ({
    unitId: t.id({ required: true, description: 'Which.' }),
    reason: t.string({ required: true, description: 'Why not.' }),
  }),
});
const SignSnapshotInput = builder.inputType('SignSnapshotInput', {
  description: 'A signature under what a snapshot holds of a unit.',
  fields: (t) => ({
    snapshotId: t.id({ required: true, description: 'Which snapshot.' }),
    unitId: t.id({ required: true, description: 'For which unit: one’s own.' }),
    digest: t.string({ required: true, description: 'The digest of the unit’s part: what is signed.' }),
    remark: t.string({ description: 'Whatever is to be said beside it.' }),
    missing: t.field({
      type: [MissingUnitInput],
      description: 'Every unit right below that has yet to sign, with the reason.',
    }),
  }),
});
const SignSnapshotPayload = builder
  .objectRef<{ part: typeof SnapshotUnit.$inferType }>('SignSnapshotPayload')
  .implement({
    description: 'It was signed.',
    fields: (t) => ({
      part: t.field({
        type: SnapshotUnit,
        description: 'The unit’s part, with its verdict.',
        resolve: (payload) => payload.part,
      }),
    }),
  });

builder.mutationField('signSnapshot', (t) =>
  t.field({
    type: SignSnapshotPayload,
    errors: { types: [NotSignedIn, NotFound, NotAllowed, InvalidInput, Conflict] },
    description:
      'Signs for one’s own unit: a school first, then its county, prefecture, province. Refused with NOT_ALL_SIGNED while units right below have neither signed nor are listed as missing, OBJECTED while the unit or one however deep below objects, DIGEST_DIFFERS, ALREADY_SIGNED, NOT_FROZEN, REPLACED; NOT_ALLOWED for who works for a unit above.',
    args: { input: t.arg({ type: SignSnapshotInput, required: true, description: 'What and for whom.' }) },
    resolve: async (_root, { input }, context) => ({
      part: await context.services.snapshots.sign(signedIn(context), {
        snapshotId: localId(input.snapshotId, 'Snapshot', 'input.snapshotId'),
        unit: unitOf(input.unitId, 'input.unitId'),
        digest: input.digest,
        remark: input.remark ?? null,
        missing: (input.missing ?? []).map((each) => ({
          unit: unitOf(each.unitId, 'input.missing'),
          reason: each.reason,
        })),
      }),
    }),
  }),
);

const ObjectToSnapshotInput = builder.inputType('ObjectToSnapshotInput', {
  description: 'A part of a snapshot that is returned.',
  fields: (t) => ({
    snapshotId: t.id({ required: true, description: 'Which snapshot.' }),
    unitId: t.id({ required: true, description: 'For which unit: one’s own.' }),
    reason: t.string({ required: true, description: 'What is wrong with it.' }),
  }),
});
const ObjectToSnapshotPayload = builder
  .objectRef<{ part: typeof SnapshotUnit.$inferType }>('ObjectToSnapshotPayload')
  .implement({
    description: 'It was returned.',
    fields: (t) => ({
      part: t.field({
        type: SnapshotUnit,
        description: 'The unit’s part, with its verdict.',
        resolve: (payload) => payload.part,
      }),
    }),
  });

builder.mutationField('objectToSnapshot', (t) =>
  t.field({
    type: ObjectToSnapshotPayload,
    errors: { types: [NotSignedIn, NotFound, NotAllowed, InvalidInput, Conflict] },
    description:
      'Returns one’s own unit’s part instead of signing it. No unit above signs then, until another snapshot takes the place of this one.',
    args: { input: t.arg({ type: ObjectToSnapshotInput, required: true, description: 'What and why.' }) },
    resolve: async (_root, { input }, context) => ({
      part: await context.services.snapshots.object(signedIn(context), {
        snapshotId: localId(input.snapshotId, 'Snapshot', 'input.snapshotId'),
        unit: unitOf(input.unitId, 'input.unitId'),
        reason: input.reason,
      }),
    }),
  }),
);
