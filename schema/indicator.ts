import { Conflict, InvalidInput, NotFound, NotSignedIn, RowsRefused } from '../src/errors.ts';
import {
  indicatorKinds,
  indicatorLevels,
  indicatorRate,
  type Indicator as IndicatorFacts,
  type IndicatorSum,
} from '../src/coverage/indicator.ts';
import { MOST_ROWS } from '../src/coverage/indicator-rows.ts';
import type { Imported } from '../src/coverage/indicator.service.ts';
import { builder, connectionOf, languageArg, pageComplexity, pageSize } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { TextInput } from './programme.ts';
import { Division, Indicator, IndicatorValue, Person, UnitIndicator } from './refs.ts';
import { Unit, unitAfter, unitCursor, unitOf } from './region.ts';

export const IndicatorKindEnum = builder.enumType('IndicatorKind', {
  description: 'COUNT: how many. YES_NO: whether a unit has it. SHARE: so many of so many.',
  values: Object.fromEntries(indicatorKinds.map((kind) => [kind.toUpperCase(), { value: kind }])) as {
    [K in (typeof indicatorKinds)[number] as Uppercase<K>]: { value: K };
  },
});
const LevelEnum = builder.enumType('IndicatorLevel', {
  description: 'Which units report an indicator; those above add it up.',
  values: Object.fromEntries(indicatorLevels.map((level) => [level.toUpperCase(), { value: level }])) as {
    [K in (typeof indicatorLevels)[number] as Uppercase<K>]: { value: K };
  },
});

builder.node(Indicator, {
  name: 'Indicator',
  description:
    'A number that is counted elsewhere and imported here, e.g. family-education guidance sites. What is counted is open to whoever is signed in; the numbers are not.',
  id: { resolve: (indicator) => indicator.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.indicators.find(id)) ?? null),
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'countsPeople' in value,
  fields: (t) => ({
    code: t.exposeString('code', { description: 'Its code, unique in its division.' }),
    title: t.string({
      args: { language: t.arg(languageArg) },
      description: 'What it is.',
      resolve: (indicator, { language }) => indicator.title[language],
    }),
    measure: t.string({
      args: { language: t.arg(languageArg) },
      description: 'What is counted, as it is written after a number.',
      resolve: (indicator, { language }) => indicator.measure[language],
    }),
    kind: t.expose('kind', { type: IndicatorKindEnum, description: 'What its values are.' }),
    level: t.expose('level', { type: LevelEnum, description: 'Who reports it.' }),
    countsPeople: t.exposeBoolean('countsPeople', {
      description: 'Whether it counts people; then it is told to those only who may see people.',
    }),
    division: t.field({
      type: Division,
      nullable: true,
      description: 'Who defined it; it is asked there and below. null: the nation.',
      resolve: async ({ divisionCode }, _args, context) =>
        divisionCode === null ? null : (await context.load.division.load(divisionCode))!,
    }),
  }),
});

type Told = IndicatorSum & {
  readonly indicator: Pick<IndicatorFacts, 'kind'>;
  readonly target: number | null;
  readonly hidden: boolean;
};
/** null where the number must not be told. */
const told =
  <T>(tell: (numbers: Told) => T | null) =>
  (numbers: Told): T | null =>
    numbers.hidden ? null : tell(numbers);

/** The numbers, as they are now or as they were frozen. */
export const IndicatorNumbers = builder.interfaceRef<Told>('IndicatorNumbers').implement({
  description:
    'What the units that report an indicator say, each by its latest value up to the day, added up. An indicator of people is null for a viewer who may not see people.',
  fields: (t) => ({
    expected: t.exposeInt('expected', {
      description: 'Units that are to report it; 0 below the level that reports it.',
    }),
    reported: t.exposeInt('reported', { description: 'Of these, who have.' }),
    notReported: t.int({
      description: 'Of these, who have not.',
      resolve: ({ expected, reported }) => expected - reported,
    }),
    numerator: t.int({
      nullable: true,
      description:
        'The sum of a count; units that say yes; the numerators of a share. null where nobody reported.',
      resolve: told(({ numerator, reported }) => (reported === 0 ? null : numerator)),
    }),
    denominator: t.int({
      nullable: true,
      description:
        'Of a share, the denominators that were reported; of yes or no, the units that are to report: who has not, has not said yes. null for a count.',
      resolve: told(({ indicator, denominator, expected, reported }) =>
        indicator.kind === 'yes_no'
          ? expected
          : indicator.kind === 'share' && reported > 0
            ? denominator
            : null,
      ),
    }),
    rate: t.float({
      nullable: true,
      description: '0 to 1; null for a count, and where there is nothing to take a share of.',
      resolve: told((numbers) => indicatorRate(numbers.indicator.kind, numbers) ?? null),
    }),
    target: t.exposeFloat('target', {
      nullable: true,
      description:
        'The share that is to be reached on this day: the highest that the jurisdictions above have set; null where none has.',
    }),
    reachesTarget: t.boolean({
      nullable: true,
      description: 'Whether the rate is at least the target; null where there is no target or no rate.',
      resolve: told((numbers) => {
        const rate = indicatorRate(numbers.indicator.kind, numbers);
        return rate === undefined || numbers.target === null ? null : rate >= numbers.target;
      }),
    }),
    oldestOn: t.expose('oldestOn', {
      type: 'Date',
      nullable: true,
      description: 'The day of the oldest value among them.',
    }),
    hidden: t.exposeBoolean('hidden', { description: 'Whether the numbers are not told.' }),
  }),
});

IndicatorValue.implement({
  description: 'A value as it was imported. None is ever changed or removed.',
  fields: (t) => ({
    since: t.expose('since', {
      type: 'Date',
      nullable: true,
      description: 'The first day of the period that ends on the day; null: as it stood on the day.',
    }),
    day: t.expose('day', { type: 'Date', description: 'Of which day.' }),
    numerator: t.exposeInt('numerator', { description: 'The count; 1 for yes, 0 for no; or the numerator.' }),
    denominator: t.int({
      nullable: true,
      description: 'Only of a share.',
      resolve: ({ kind, denominator }) => (kind === 'share' ? denominator : null),
    }),
    source: t.exposeString('source', { description: 'Who says so.' }),
    importedBy: t.field({
      type: Person,
      nullable: true,
      description: 'Who imported it; null for a viewer who may not see people.',
      resolve: async ({ importedBy, veiled }, _args, context) =>
        importedBy === null || veiled ? null : ((await context.load.named.load(importedBy)) ?? null),
    }),
    importedAt: t.expose('importedAt', { type: 'DateTime', description: 'When it was imported.' }),
    holds: t.exposeBoolean('holds', { description: 'Whether no later import said otherwise for this day.' }),
  }),
});

UnitIndicator.implement({
  description: 'An indicator in a unit on a day.',
  interfaces: [IndicatorNumbers],
  fields: (t) => ({
    indicator: t.field({ type: Indicator, description: 'Which.', resolve: ({ indicator }) => indicator }),
    unit: t.field({ type: Unit, description: 'Where.', resolve: ({ unit }) => unit }),
    day: t.expose('day', { type: 'Date', description: 'On which day, in China.' }),
    children: t.connection({
      type: UnitIndicator,
      description:
        'The units right below: divisions in code order, then the organizations that stand right here, in name order.',
      complexity: pageComplexity,
      resolve: async (parent, args, context) => {
        const size = pageSize(args);
        const children = await context.services.indicators.listChildren(parent, {
          after: unitAfter(args.after),
          limit: size + 1,
        });
        return connectionOf(children, size, ({ unit }) => unitCursor(unit));
      },
    }),
    values: t.connection({
      type: IndicatorValue,
      description:
        'What this unit itself ever reported, latest day first, superseded values among them. Empty for units above.',
      complexity: pageComplexity,
      resolve: async (parent, args, context) => {
        const size = pageSize(args);
        const values = await context.services.indicators.listValues(parent, {
          after: valueAfter(args.after),
          limit: size + 1,
        });
        const { kind } = parent.indicator;
        return connectionOf(
          values.map((value) => ({ ...value, kind, veiled: parent.veiled })),
          size,
          ({ day, id }) => `${day}.${id}`,
        );
      },
    }),
  }),
});

/** @throws InvalidInput */
function valueAfter(cursor: string | null | undefined): { day: string; id: string } | undefined {
  if (cursor === null || cursor === undefined) return undefined;
  const [, day, id] = /^(\d{4}-\d{2}-\d{2})\.(\d{1,18})$/.exec(cursor) ?? [];
  if (day === undefined || id === undefined || Number.isNaN(Date.parse(day)))
    throw new InvalidInput('after', 'This cursor is not one of this list.');
  return { day, id };
}

builder.queryField('indicators', (t) =>
  t.field({
    type: [UnitIndicator],
    nullable: true,
    description:
      "Every indicator that is asked of a unit: the nation's, and those defined there or above. null for a unit that is not there or not the viewer's to see.",
    complexity: { field: 20, multiplier: 5 },
    args: {
      unitId: t.arg.id({ required: true, description: 'A Division (with all below it) or an Organization.' }),
      on: t.arg({ type: 'Date', description: 'Any past day, or today when left out.' }),
    },
    resolve: async (_root, { unitId, on }, context) => {
      try {
        return await context.services.indicators.list(signedIn(context), {
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

const DefineIndicatorInput = builder.inputType('DefineIndicatorInput', {
  description: 'A number that units of a division are to report.',
  fields: (t) => ({
    divisionCode: t.string({ required: true, description: 'Who asks for it; it is asked there and below.' }),
    code: t.string({ required: true, description: 'From 2 to 50 of a to z, 0 to 9 and -, a letter first.' }),
    title: t.field({ type: TextInput, required: true, description: 'What it is.' }),
    measure: t.field({
      type: TextInput,
      required: true,
      description: 'What is counted, as it is written after a number.',
    }),
    kind: t.field({ type: IndicatorKindEnum, required: true, description: 'What its values are.' }),
    level: t.field({ type: LevelEnum, required: true, description: 'Who reports it.' }),
    countsPeople: t.boolean({
      defaultValue: false,
      required: true,
      description: 'Whether it counts people; then it is told to those only who may see people.',
    }),
  }),
});
const DefineIndicatorPayload = builder
  .objectRef<{ indicator: IndicatorFacts }>('DefineIndicatorPayload')
  .implement({
    description: 'The indicator was defined.',
    fields: (t) => ({
      indicator: t.field({
        type: Indicator,
        description: 'As it is asked from now on.',
        resolve: (payload) => payload.indicator,
      }),
    }),
  });

builder.mutationField('defineIndicator', (t) =>
  t.field({
    type: DefineIndicatorPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description: 'Defines an indicator. CODE_TAKEN where one of this code is asked there already.',
    args: { input: t.arg({ type: DefineIndicatorInput, required: true, description: 'What and of whom.' }) },
    resolve: async (_root, { input }, context) => ({
      indicator: await context.services.indicators.define(signedIn(context), {
        ...input,
        title: { 'zh-CN': input.title.zhCN, en: input.title.en },
        measure: { 'zh-CN': input.measure.zhCN, en: input.measure.en },
      }),
    }),
  }),
);

const ImportIndicatorValuesInput = builder.inputType('ImportIndicatorValuesInput', {
  description: 'Values of one indicator, and where they come from.',
  fields: (t) => ({
    indicatorId: t.id({ required: true, description: 'Of what.' }),
    divisionCode: t.string({
      required: true,
      description: 'The division whose values these are; a row outside it is faulty.',
    }),
    source: t.string({ required: true, description: 'Who says so, for a person.' }),
    csv: t.string({
      required: true,
      description: `CSV text with a header, at most ${MOST_ROWS} rows: \`unit\` (a division's code, or an organization's identifier), \`day\`, and \`value\` (a number; or yes, no, 是, 否), for a share \`numerator\` and \`denominator\`; \`since\` for a period.`,
    }),
  }),
});
const ImportIndicatorValuesPayload = builder.objectRef<Imported>('ImportIndicatorValuesPayload').implement({
  description: 'All of the rows were taken in.',
  fields: (t) => ({
    indicator: t.field({ type: Indicator, description: 'Of what.', resolve: ({ indicator }) => indicator }),
    rowsRead: t.exposeInt('rowsRead', { description: 'Rows of the table.' }),
    added: t.exposeInt('added', { description: 'Values for a unit and day that had none.' }),
    superseded: t.exposeInt('superseded', {
      description: 'Values that took the place of another, which is kept.',
    }),
    unchanged: t.exposeInt('unchanged', { description: 'Rows that say what was known.' }),
  }),
});

builder.mutationField('importIndicatorValues', (t) =>
  t.field({
    type: ImportIndicatorValuesPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, RowsRefused] },
    description:
      'Takes in values: all or none, with every faulty place told. The same again changes nothing; another value for a unit and day takes the place of the one before.',
    args: {
      input: t.arg({ type: ImportIndicatorValuesInput, required: true, description: 'What and whose.' }),
    },
    resolve: async (_root, { input }, context) =>
      context.services.indicators.importValues(signedIn(context), {
        ...input,
        indicatorId: localId(input.indicatorId, 'Indicator', 'input.indicatorId'),
      }),
  }),
);

const SetIndicatorTargetInput = builder.inputType('SetIndicatorTargetInput', {
  description: 'Policy of a jurisdiction, from a day on.',
  fields: (t) => ({
    indicatorId: t.id({ required: true, description: 'Of what; not of a count.' }),
    divisionCode: t.string({ required: true, description: 'Whose policy it is; it holds there and below.' }),
    rate: t.float({ required: true, description: 'The share that is to be reached: above 0, at most 1.' }),
    startsOn: t.field({
      type: 'Date',
      required: true,
      description: 'From which day: today or later, since the past is never judged by a later policy.',
    }),
  }),
});
const SetIndicatorTargetPayload = builder
  .objectRef<{ standing: typeof UnitIndicator.$inferType }>('SetIndicatorTargetPayload')
  .implement({
    description: 'The target was set.',
    fields: (t) => ({
      standing: t.field({
        type: UnitIndicator,
        description: 'How the division stands today.',
        resolve: (payload) => payload.standing,
      }),
    }),
  });

builder.mutationField('setIndicatorTarget', (t) =>
  t.field({
    type: SetIndicatorTargetPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Sets a target for an indicator, by the same law as `setCoverageTarget`: TARGET_LOWERED where a jurisdiction above asks for more.',
    args: {
      input: t.arg({ type: SetIndicatorTargetInput, required: true, description: 'What, where, from when.' }),
    },
    resolve: async (_root, { input }, context) => ({
      standing: await context.services.indicators.setTarget(signedIn(context), {
        ...input,
        indicatorId: localId(input.indicatorId, 'Indicator', 'input.indicatorId'),
      }),
    }),
  }),
);
