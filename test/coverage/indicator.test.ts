import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SAMPLE_COUNTY } from '../../src/commands/sample/county.ts';
import { readIndicatorRows } from '../../src/coverage/indicator-rows.ts';
import { importRoster, smallRoster, startService, TestClock, type TestService } from '../support/service.ts';

const gid = (type: string, id: string): string => Buffer.from(`${type}:${id}`).toString('base64');
const READ = `query ($unitId: ID!, $on: Date, $first: Int, $after: String) { indicators(unitId: $unitId, on: $on) {
  day indicator { id code title kind level measure(language: en) division { code } } expected reported notReported numerator denominator rate target reachesTarget oldestOn hidden
  children(first: 50) { nodes { unit { ... on Division { code } ... on Organization { name } } expected reported numerator denominator } }
  values(first: $first, after: $after) { nodes { since day numerator denominator source importedBy { name } holds } pageInfo { hasNextPage endCursor } } } }`;
const DEFINE = `mutation ($input: DefineIndicatorInput!) { defineIndicator(input: $input) { __typename
  ... on DefineIndicatorPayload { indicator { id code countsPeople } } ... on Refusal { code message } ... on InvalidInput { path } } }`;
const IMPORT = `mutation ($input: ImportIndicatorValuesInput!) { importIndicatorValues(input: $input) { __typename
  ... on ImportIndicatorValuesPayload { rowsRead added superseded unchanged } ... on RowsRefused { rows { line column value reason(language: en) zh: reason } }
  ... on Refusal { code message } ... on InvalidInput { path } } }`;
const TARGET = `mutation ($input: SetIndicatorTargetInput!) { setIndicatorTarget(input: $input) { __typename
  ... on SetIndicatorTargetPayload { standing { target reachesTarget } } ... on Refusal { code } ... on InvalidInput { path } } }`;
const STAFFING_TARGET = `mutation ($input: SetStaffingTargetInput!) { setStaffingTarget(input: $input) { __typename
  ... on SetStaffingTargetPayload { staffing { target toTarget } } ... on Refusal { code } ... on InvalidInput { path } } }`;

describe('rows of an indicator', () => {
  const read = (csv: string, kind: 'count' | 'yes_no' | 'share' = 'count') =>
    readIndicatorRows(csv, { kind }, '2026-06-01');

  it('are read by their header, with or without a period', () => {
    expect(read('﻿day,note,unit,value\r\n2026-01-01,"a, b",430121,7\r\n').values).toEqual([
      { line: 2, unit: '430121', since: null, day: '2026-01-01', numerator: 7, denominator: null },
    ]);
    expect(
      read('unit,since,day,numerator,denominator\n430121,2026-01-01,2026-03-31,3,4\n', 'share').values,
    ).toEqual([
      { line: 2, unit: '430121', since: '2026-01-01', day: '2026-03-31', numerator: 3, denominator: 4 },
    ]);
    expect(
      read('unit,day,value\na,2026-01-01,是\nb,2026-01-01,NO\n', 'yes_no').values.map((row) => row.numerator),
    ).toEqual([1, 0]);
  });

  it('are refused with line, column, value and reason, all at once', () => {
    const { refused } = read(
      'unit,day,value\n430121,2026-02-30,7\n430121,2026-06-02,-1\n,2026-01-01,1e3\n430121,2026-01-01,1\n430121,2026-01-01,2\n430121,1\n',
    );
    expect(refused.map(({ line, column, value }) => ({ line, column, value }))).toEqual([
      { line: 2, column: 'day', value: '2026-02-30' },
      { line: 3, column: 'day', value: '2026-06-02' },
      { line: 3, column: 'value', value: '-1' },
      { line: 4, column: 'value', value: '1e3' },
      { line: 4, column: 'unit', value: '' },
      { line: 6, column: 'unit', value: '430121' },
      { line: 7, column: null, value: null },
    ]);
    expect(
      read('unit,day,numerator,denominator\n430121,2026-01-01,5,4\n', 'share').refused.map(
        (row) => row.column,
      ),
    ).toEqual(['numerator']);
    expect(read('unit,day,value\n430121,2026-01-01,maybe\n', 'yes_no').refused).toHaveLength(1);
    expect(
      read('unit,since,day,value\n430121,2026-02-01,2026-01-01,1\n').refused.map((row) => row.column),
    ).toEqual(['since']);
  });

  it('are refused whole for what is no such table', () => {
    expect(read('').refused.map((row) => row.column)).toEqual(['unit', 'day', 'value']);
    expect(read('unit,day\n').refused).toEqual([
      {
        line: 1,
        column: 'value',
        value: null,
        reason: { 'zh-CN': '表头缺少此列。', en: 'The header lacks this column.' },
      },
    ]);
    expect(read('unit,day,value\n"430121').refused[0]!.reason.en).toMatch(/no CSV/);
    expect(read(`unit,day,value\n${'430121,2026-01-01,1\n'.repeat(5_001)}`).refused[0]!.reason.en).toMatch(
      /More than 5000/,
    );
  });
});

describe('indicators through GraphQL', () => {
  let service: TestService;
  const county = gid('Division', SAMPLE_COUNTY);
  const province = gid('Division', '430000');
  let sites: string;
  const query = async (sql: string, values: unknown[] = []) =>
    (await service.database.pool.query(sql, values)).rows as Record<string, string>[];
  const read = async (code: string, more: Record<string, unknown> = {}, as = 'coordinator') => {
    const { data, errors } = await service.ask(as, READ, { unitId: county, ...more });
    if (errors !== undefined) throw new Error(errors[0]!.message);
    return (data.indicators as { indicator: { code: string } }[]).find(
      (each) => each.indicator.code === code,
      // What a test reads of an answer is checked by what it expects of it.
      // oxlint-disable-next-line typescript/no-explicit-any
    ) as any;
  };
  const take = async (csv: string, more: Record<string, unknown> = {}, as: string | null = 'coordinator') =>
    (
      await service.ask(as, IMPORT, {
        input: { indicatorId: sites, divisionCode: SAMPLE_COUNTY, source: '县妇联', csv, ...more },
      })
    ).data.importIndicatorValues;
  const define = async (more: Record<string, unknown> = {}, as = 'coordinator') =>
    (
      await service.ask(as, DEFINE, {
        input: {
          divisionCode: SAMPLE_COUNTY,
          code: 'lectures',
          title: { zhCN: '讲座', en: 'Lectures' },
          measure: { zhCN: '场', en: 'lectures' },
          kind: 'COUNT',
          level: 'ORGANIZATION',
          ...more,
        },
      })
    ).data.defineIndicator;

  beforeAll(async () => {
    service = await startService({ clock: new TestClock('2027-03-04T04:00:00Z') });
    await importRoster(
      service,
      smallRoster([
        { id: 'p1', family: '王', given: '省' },
        { id: 'a1', family: '王', given: '审' },
      ]),
    );
    for (const [id, role, code] of [
      ['p1', 'coordinator', '430000'],
      ['a1', 'auditor', SAMPLE_COUNTY],
    ])
      await query(
        `insert into role_grants (person_id, role, division_code, starts_on, reason) select person_id, $2, $3, '2020-01-01', 'test' from person_sources where source_id = $1`,
        [id, role, code],
      );
    sites = (await read('guidance-sites')).indicator.id;
  });
  afterAll(async () => service.stop());

  it('knows those of the action plan, of which nothing is reported yet', async () => {
    expect(await read('guidance-sites')).toMatchObject({
      day: '2027-03-04',
      indicator: {
        title: '开展心理健康教育的家庭教育指导服务站点',
        kind: 'SHARE',
        level: 'COUNTY',
        measure: 'sites',
        division: null,
      },
      expected: 1,
      reported: 0,
      notReported: 1,
      numerator: null,
      denominator: null,
      rate: null,
      target: null,
      reachesTarget: null,
    });
  });

  it('takes values in, whole or not at all, and the same again changes nothing', async () => {
    const rows = 'unit,day,numerator,denominator\n430121,2026-06-30,6,12\n430121,2026-12-31,9,12\n';
    const faulty = await take(`${rows}430102,2026-12-31,1,2\n430121,2026-12-30,3,2\n430100,2026-01-01,1,1\n`);
    expect(faulty).toMatchObject({ __typename: 'RowsRefused', code: 'ROWS_REFUSED' });
    expect(faulty.rows[1].zh).toBe('大于分母 2。');
    for (const row of faulty.rows) delete row.zh;
    expect(faulty.rows).toEqual([
      { line: 4, column: 'unit', value: '430102', reason: 'No county in 430121 has this code.' },
      { line: 5, column: 'numerator', value: '3', reason: 'More than its denominator, 2.' },
      { line: 6, column: 'unit', value: '430100', reason: 'No county in 430121 has this code.' },
    ]);
    expect((await read('guidance-sites')).reported).toBe(0);
    expect(await take(rows)).toMatchObject({ rowsRead: 2, added: 2, superseded: 0, unchanged: 0 });
    const before = await query(
      'select (select count(*) from indicator_values) as v, (select count(*) from indicator_imports) as i, (select count(*) from journal_entries) as j',
    );
    expect(await take(rows)).toMatchObject({ rowsRead: 2, added: 0, superseded: 0, unchanged: 2 });
    expect(
      await query(
        'select (select count(*) from indicator_values) as v, (select count(*) from indicator_imports) as i, (select count(*) from journal_entries) as j',
      ),
    ).toEqual(before);
    expect(await read('guidance-sites')).toMatchObject({
      reported: 1,
      numerator: 9,
      denominator: 12,
      rate: 0.75,
      oldestOn: '2026-12-31',
    });
    expect(await read('guidance-sites', { on: '2026-12-30' })).toMatchObject({ numerator: 6, rate: 0.5 });
    expect(await read('guidance-sites', { on: '2026-06-29' })).toMatchObject({ reported: 0, rate: null });
  });

  it('lets a later value take the place of one, and keeps that', async () => {
    expect(
      await take('unit,day,numerator,denominator\n430121,2026-12-31,10,12\n', { source: '更正' }),
    ).toMatchObject({ added: 0, superseded: 1 });
    const { values, numerator } = await read('guidance-sites', { first: 2 });
    expect(numerator).toBe(10);
    expect(values.nodes).toEqual([
      {
        since: null,
        day: '2026-12-31',
        numerator: 10,
        denominator: 12,
        source: '更正',
        importedBy: { name: '林静' },
        holds: true,
      },
      expect.objectContaining({ numerator: 9, source: '县妇联', holds: false }),
    ]);
    const next = await read('guidance-sites', { first: 2, after: values.pageInfo.endCursor });
    expect(next.values.nodes).toEqual([expect.objectContaining({ day: '2026-06-30', holds: true })]);
    expect(next.values.pageInfo.hasNextPage).toBe(false);
  });

  it('adds up what is below, and tells who has not reported', async () => {
    await take(
      'unit,day,numerator,denominator\n430102,2026-12-31,2,8\n',
      { divisionCode: '430000' },
      'sample:staff:p1',
    );
    const whole = await read('guidance-sites', { unitId: province }, 'sample:staff:p1');
    expect(whole).toMatchObject({ reported: 2, numerator: 12, denominator: 20, rate: 0.6 });
    const counties = await query(
      `select count(*)::int as n from divisions where province_code = '430000' and level = 'county'`,
    );
    expect(whole.expected).toBe(counties[0]!['n']);
    expect(whole.notReported).toBe(whole.expected - 2);
    const [changsha] = (whole.children.nodes as { unit: { code: string } }[]).filter(
      (node) => node.unit.code === '430100',
    );
    expect(changsha).toMatchObject({ reported: 2, numerator: 12, denominator: 20 });
    // Yes and no: who has not reported has not said yes.
    const plan = await define(
      { divisionCode: '430000', code: 'has-plan', kind: 'YES_NO', level: 'COUNTY' },
      'sample:staff:p1',
    );
    const hasPlan = plan.indicator.id as string;
    expect(await read('has-plan')).toMatchObject({ numerator: null, denominator: 1, rate: 0 });
    await take('unit,day,value\n430121,2026-12-31,是\n', { indicatorId: hasPlan });
    expect(await read('has-plan', { unitId: province }, 'sample:staff:p1')).toMatchObject({
      numerator: 1,
      denominator: whole.expected,
      rate: 1 / whole.expected,
    });
  });

  it('are defined by a jurisdiction, asked there and below, and reported by schools too', async () => {
    const { indicator } = await define({ countsPeople: true });
    expect(indicator).toMatchObject({ code: 'lectures', countsPeople: true });
    expect(await define()).toMatchObject({ __typename: 'Conflict', code: 'CODE_TAKEN' });
    expect(await define({ code: 'guidance-sites' })).toMatchObject({ code: 'CODE_TAKEN' });
    expect(await define({ code: 'X' })).toMatchObject({ path: 'input.code' });
    expect(await define({ code: 'ab', title: { zhCN: ' ', en: 'x' } })).toMatchObject({
      path: 'input.title',
    });
    expect(await define({ divisionCode: '430000' })).toMatchObject({ __typename: 'NotFound' });
    expect(await read('lectures', { unitId: province }, 'sample:staff:p1')).toBeUndefined();
    const csv = 'unit,since,day,value\n4301210001,2026-09-01,2026-12-31,3\n';
    expect(await take(`${csv}4301219999,,2026-12-31,1\n`, { indicatorId: indicator.id })).toMatchObject({
      rows: [{ line: 3, column: 'unit' }],
    });
    expect(await take(csv, { indicatorId: indicator.id })).toMatchObject({ added: 1 });
    const found = await read('lectures');
    expect(found).toMatchObject({ expected: 3, reported: 1, numerator: 3, denominator: null, rate: null });
    expect(found.children.nodes).toContainEqual({
      unit: { name: '星沙实验小学' },
      expected: 1,
      reported: 1,
      numerator: 3,
      denominator: null,
    });
    // It counts people, and an auditor may not see people.
    const veiled = await read('lectures', {}, 'sample:staff:a1');
    expect(veiled).toMatchObject({ hidden: true, numerator: null, reported: 1 });
    expect(veiled.children.nodes.map((node: { numerator: null }) => node.numerator)).toEqual([
      null,
      null,
      null,
    ]);
    expect((await read('guidance-sites', {}, 'sample:staff:a1')).values.nodes[0]).toMatchObject({
      numerator: 10,
      importedBy: null,
    });
  });

  it('are nobody’s whose they are not', async () => {
    const mine = { unitId: county };
    const nobodys = { unitId: gid('Division', '430999') };
    expect((await service.ask('hr', READ, mine)).data.indicators).toBeNull();
    expect(await service.ask('hr', READ, mine)).toEqual(await service.ask('hr', READ, nobodys));
    expect(await take('unit,day,value\n', {}, 'hr')).toMatchObject({ __typename: 'NotFound' });
    expect(await take('unit,day,value\n', {}, null)).toMatchObject({ code: 'NOT_SIGNED_IN' });
    expect(await take('unit,day,value\n', { source: ' ' })).toMatchObject({ path: 'input.source' });
    const { errors } = await service.ask('coordinator', READ, { ...mine, on: '2099-01-01' });
    expect(errors?.[0]?.extensions?.code).toBe('INVALID_INPUT');
    // One that is defined elsewhere is as if it were not there.
    const { indicator } = await define({ divisionCode: '430000', code: 'theirs' }, 'sample:staff:p1');
    const [elsewhere] = await query(
      `insert into indicators (division_code, code, title_zh, title_en, measure_zh, measure_en, kind, level, counts_people, created_at)
       values ('430102', 'x1', 'x', 'x', 'x', 'x', 'share', 'county', false, now()) returning id`,
    );
    expect(await take('unit,day,value\n', { indicatorId: gid('Indicator', elsewhere!['id']!) })).toEqual(
      await take('unit,day,value\n', { indicatorId: gid('Indicator', '999999') }),
    );
    expect(await take('unit,day,value\n', { indicatorId: indicator.id })).toMatchObject({ added: 0 });
  });

  it('have targets by the same law as coverage, and so has staffing', async () => {
    const set = async (more: object, as = 'coordinator') =>
      (
        await service.ask(as, TARGET, {
          input: {
            indicatorId: sites,
            divisionCode: SAMPLE_COUNTY,
            rate: 0.6,
            startsOn: '2027-03-04',
            ...more,
          },
        })
      ).data.setIndicatorTarget;
    expect(await set({ divisionCode: '430000' }, 'sample:staff:p1')).toMatchObject({
      standing: { target: 0.6, reachesTarget: true },
    });
    expect(await set({ rate: 0.5 })).toMatchObject({ code: 'TARGET_LOWERED' });
    expect(await set({ rate: 0.9 })).toMatchObject({ standing: { target: 0.9, reachesTarget: false } });
    expect(await set({ startsOn: '2027-03-03' })).toMatchObject({ path: 'input.startsOn' });
    expect(await set({ indicatorId: (await read('lectures')).indicator.id })).toMatchObject({
      path: 'input.indicatorId',
    });
    expect(await set({}, 'hr')).toMatchObject({ __typename: 'NotFound' });
    expect(await read('guidance-sites', { on: '2027-03-03' })).toMatchObject({ target: null });
    // The others are not touched by it.
    expect((await read('has-plan')).target).toBeNull();

    const staff = async (more: object, as = 'coordinator') =>
      (
        await service.ask(as, STAFFING_TARGET, {
          input: { divisionCode: SAMPLE_COUNTY, rate: 0.95, startsOn: '2027-03-04', ...more },
        })
      ).data.setStaffingTarget;
    expect(await staff({ divisionCode: '430000', rate: 0.5 }, 'sample:staff:p1')).toMatchObject({
      staffing: { target: 0.5 },
    });
    expect(await staff({ rate: 0.4 })).toMatchObject({ code: 'TARGET_LOWERED' });
    // Two schools, neither has anybody.
    expect(await staff({ rate: 0.6 })).toMatchObject({ staffing: { target: 0.6, toTarget: 2 } });
    expect(await staff({ rate: 1.1 })).toMatchObject({ path: 'input.rate' });
    expect(await staff({}, 'hr')).toMatchObject({ __typename: 'NotFound' });
  });
});
