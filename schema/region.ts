import { resolveGlobalID } from './ids.ts';
import { InvalidInput } from '../src/errors.ts';
import type { Division as DivisionFacts } from '../src/regions/division.ts';
import {
  organizationKinds,
  type Organization as OrganizationFacts,
  type OrganizationChange as OrganizationChangeFacts,
} from '../src/regions/organization.ts';
import type { BelowCursor } from '../src/regions/region.service.ts';
import { builder, connectionOf, pageComplexity, pageSize } from './builder.ts';
import { Division, Organization } from './refs.ts';

const LevelEnum = builder.enumType('DivisionLevel', {
  description: 'Level of an administrative division.',
  values: {
    PROVINCE: { value: 'province' },
    PREFECTURE: { value: 'prefecture' },
    COUNTY: { value: 'county' },
  } as const,
});
const ChangeKindEnum = builder.enumType('OrganizationChangeKind', {
  description: 'What became of an organization.',
  values: {
    RENAMED: { value: 'renamed', description: '`before` and `after` are names.' },
    MOVED: { value: 'moved', description: '`before` and `after` are division codes.' },
    CLOSED: { value: 'closed', description: 'It is no more.' },
    REOPENED: { value: 'reopened', description: 'It is there again.' },
    MERGED: { value: 'merged', description: '`into` goes on in its place.' },
  } as const,
});
const OrganizationChange = builder.objectRef<OrganizationChangeFacts>('OrganizationChange').implement({
  description: 'What became of an organization, from a day on. Never changed afterwards.',
  fields: (t) => ({
    kind: t.expose('kind', { type: ChangeKindEnum, description: 'What.' }),
    changedOn: t.expose('changedOn', {
      type: 'Date',
      description:
        'The first day of how it is afterwards; for an import that found it so, the day of the import.',
    }),
    before: t.exposeString('before', { nullable: true, description: 'How it was; see the kind.' }),
    after: t.string({
      nullable: true,
      description: 'How it was from then on; see the kind.',
      resolve: ({ kind, after }) => (kind === 'merged' ? null : after),
    }),
    into: t.field({
      type: Organization,
      nullable: true,
      description: 'For MERGED: the one that took it over that day.',
      resolve: async ({ kind, after }, _args, context) =>
        kind === 'merged' ? ((await context.load.organization.load(after!)) ?? null) : null,
    }),
  }),
});

const KindEnum = builder.enumType('OrganizationKind', {
  description:
    'Kind of school. BUREAU is an education bureau itself; UNSPECIFIED, a roster that does not say.',
  values: Object.fromEntries(organizationKinds.map((kind) => [kind.toUpperCase(), { value: kind }])) as {
    [K in (typeof organizationKinds)[number] as Uppercase<K>]: { value: K };
  },
});

/** A unit is a division with all below it, or one organization. */
export const Unit = builder.unionType('Unit', {
  types: [Division, Organization],
  description: 'A part of the tree that has people: a division with all below it, or one organization.',
  resolveType: (unit) => ('level' in unit ? Division : Organization),
});

builder.node(Division, {
  name: 'Division',
  description: 'An administrative division (province, prefecture, county) by its GB/T 2260 code. Public.',
  id: { resolve: (division) => division.code },
  loadOne: async (code, context) => (await context.load.division.load(code)) ?? null,
  isTypeOf: (value) =>
    typeof value === 'object' && value !== null && 'level' in value && 'parentCode' in value,
  fields: (t) => ({
    code: t.exposeString('code', { description: 'Administrative division code 行政区划代码, six digits.' }),
    name: t.exposeString('name', { description: 'Its Chinese name.' }),
    level: t.expose('level', { type: LevelEnum, description: 'Its level in the tree.' }),
    parent: t.field({
      type: Division,
      nullable: true,
      description: 'The division above; null for a province.',
      resolve: async (division, _args, context) =>
        division.parentCode === null
          ? null
          : ((await context.load.division.load(division.parentCode)) ?? null),
    }),
    children: t.field({
      type: [Division],
      description: 'The divisions right below, in code order.',
      resolve: async (division, _args, context) => context.services.regions.listChildDivisions(division.code),
    }),
    organizations: t.connection({
      type: Organization,
      description: 'Organizations that stand directly in this division, in name order.',
      complexity: pageComplexity,
      resolve: async (division, args, context) => {
        const size = pageSize(args);
        const rows = await context.services.regions.listOrganizationsOf(division.code, {
          after: args.after === null || args.after === undefined ? undefined : placeAfter(args.after),
          limit: size + 1,
        });
        return connectionOf(rows, size, (row) => Buffer.from(`${row.id} ${row.name}`).toString('base64url'));
      },
    }),
  }),
});

builder.node(Organization, {
  name: 'Organization',
  description: 'A school, a university or an education bureau. Public: names of schools are no secret.',
  id: { resolve: (organization) => organization.id },
  loadOne: async (id, context) =>
    /^\d{1,18}$/.test(id) ? ((await context.load.organization.load(id)) ?? null) : null,
  isTypeOf: (value) =>
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    'divisionCode' in value &&
    'studentCount' in value,
  fields: (t) => ({
    name: t.exposeString('name', {
      description: 'As it is called today; earlier names are among `changes`.',
    }),
    kind: t.expose('kind', { type: KindEnum, description: 'What kind of school it is.' }),
    division: t.field({
      type: Division,
      description: 'The division it stands in.',
      resolve: async (organization, _args, context) =>
        (await context.load.division.load(organization.divisionCode))!,
    }),
    studentCount: t.exposeInt('studentCount', {
      nullable: true,
      description: 'Students, as of `studentCountOn`; null where the roster does not say.',
    }),
    studentCountOn: t.expose('studentCountOn', {
      type: 'Date',
      nullable: true,
      description: 'The day of the count.',
    }),
    closedOn: t.expose('closedOn', {
      type: 'Date',
      nullable: true,
      description: 'Its last day; null while it is open. A closed one is no longer listed in its division.',
    }),
    mergedInto: t.field({
      type: Organization,
      nullable: true,
      description: 'The one that goes on in its place today; after a chain of mergers, the last.',
      resolve: async ({ mergedIntoId }, _args, context) =>
        mergedIntoId === null ? null : ((await context.load.organization.load(mergedIntoId)) ?? null),
    }),
    changes: t.field({
      type: [OrganizationChange],
      description: 'What became of it, in the order of the days.',
      resolve: async ({ id }, _args, context) => (await context.load.organizationChanges.load(id)) ?? [],
    }),
  }),
});

builder.queryField('division', (t) =>
  t.field({
    type: Division,
    nullable: true,
    description: 'A division by its GB/T 2260 code.',
    args: { code: t.arg.string({ required: true, description: 'Six digits.' }) },
    resolve: async (_root, { code }, context) => (await context.load.division.load(code)) ?? null,
  }),
);

/** Where a page of organizations ended. @throws InvalidInput */
function placeAfter(cursor: string): { name: string; id: string } {
  const [, id, name] = /^(\d{1,18}) (.*)$/s.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (id === undefined || name === undefined)
    throw new InvalidInput('after', 'This cursor is not one that organizations were listed with.');
  return { id, name };
}

/** Names a unit in a page of units; `unitAfter` reads it. */
export function unitCursor(unit: DivisionFacts | OrganizationFacts): string {
  return Buffer.from('level' in unit ? unit.code : `${unit.id} ${unit.name}`).toString('base64url');
}

/** Where a page of units ended. @throws InvalidInput */
export function unitAfter(cursor: string | null | undefined): BelowCursor | undefined {
  if (cursor === null || cursor === undefined) return undefined;
  const text = Buffer.from(cursor, 'base64url').toString();
  if (/^\d{6}$/.test(text)) return { level: 'division', code: text };
  const [, id, name] = /^(\d{1,18}) (.*)$/s.exec(text) ?? [];
  if (id === undefined || name === undefined)
    throw new InvalidInput('after', 'This cursor is not one that units were listed with.');
  return { id, name };
}

/** A unit from its global id. @throws InvalidInput for an id of something else. */
export function unitOf(
  id: string,
  path: string,
): { kind: 'division'; code: string } | { kind: 'organization'; id: string } {
  const { typename, id: local } = resolveGlobalID(id, ['Division', 'Organization'], path);
  return typename === 'Division' ? { kind: 'division', code: local } : { kind: 'organization', id: local };
}
