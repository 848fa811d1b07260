import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/commands/sample/random.ts';
import { canonicalJson, compareUnits, freeze, rowsOf, type FrozenRow } from '../../src/coverage/snapshot.ts';
import { startService, TestClock, until, type TestService } from '../support/service.ts';

const gid = (type: string, id: string): string => Buffer.from(`${type}:${id}`).toString('base64');
const localOf = (id: string): string => Buffer.from(id, 'base64').toString().split(':')[1]!;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('canonical JSON', () => {
  it('is one text for one value, by RFC 8785', () => {
    expect(canonicalJson({ b: [1, 0.95, 1e21, -0], a: { y: null, x: '长沙\n"' } })).toBe(
      '{"a":{"x":"长沙\\n\\"","y":null},"b":[1,0.95,1e+21,0]}',
    );
    // By UTF-16 code units: U+1F600 is written with surrogates and comes before U+FB33.
    expect(canonicalJson({ '\u{fb33}': 1, '\u{1f600}': 2, '1': 3, '\r': 4, ö: 5, '€': 6 })).toBe(
      '{"\\r":4,"1":3,"ö":5,"€":6,"\u{1f600}":2,"\u{fb33}":1}',
    );
  });
});

describe('a frozen tree', () => {
  const row = (total: number): FrozenRow => ({ kind: 'coverage', role: null, covered: 0, total, target: 1 });
  const unit = (key: string, parent: string | undefined, total: number) => ({
    unit: key,
    parent,
    rows: [row(total)],
  });
  const shown = { hidden: false, rolesHidden: false };
  const whole = [
    unit('430000', undefined, 30),
    unit('430100', '430000', 30),
    unit('430121', '430100', 20),
    unit('-9', '430121', 9),
    unit('-10', '430121', 11),
    unit('430102', '430100', 10),
  ];

  it('has the digests of what is right below in each digest, in order', () => {
    expect(['-10', '430121', '-9', '430102'].toSorted(compareUnits)).toEqual([
      '430102',
      '430121',
      '-9',
      '-10',
    ]);
    const frozen = new Map(freeze(whole, shown).map((each) => [each.unit, each]));
    for (const each of frozen.values()) expect(each.digest).toBe(sha256(each.content));
    expect(frozen.get('430121')!.content).toBe(
      `{"covered":0,"kind":"coverage","role":null,"target":1,"total":20}\n` +
        `{"digest":"${frozen.get('-9')!.digest}","kind":"child","unit":"-9"}\n` +
        `{"digest":"${frozen.get('-10')!.digest}","kind":"child","unit":"-10"}\n`,
    );
  });

  it('has the same digest for a part by itself, and another when anything in it differs', () => {
    const part = freeze(
      [unit('430121', undefined, 20), unit('-10', '430121', 11), unit('-9', '430121', 9)],
      shown,
    );
    const frozen = freeze(whole, shown);
    const of = (key: string, units = frozen) => units.find((each) => each.unit === key)!.digest;
    expect(of('430121', part)).toBe(of('430121'));
    const changed = freeze(
      whole.map((each) => (each.unit === '-9' ? unit('-9', '430121', 8) : each)),
      shown,
    );
    for (const key of ['-9', '430121', '430100', '430000']) expect(of(key, changed)).not.toBe(of(key));
    for (const key of ['-10', '430102']) expect(of(key, changed)).toBe(of(key));
  });

  it('waits for nobody where nobody is', () => {
    const frozen = freeze([...whole, unit('430200', '430000', 0)], shown);
    expect(frozen.filter((each) => !each.signs).map((each) => each.unit)).toEqual(['430200']);
  });
});

const COVERAGE = `covered total gap rate target toTarget hidden byRole { role covered total target hidden }`;
const STAFFING = `total met short unknown rate target toTarget counties countiesWithResearcher required present peopleShort`;
const INDICATOR = `indicator { code } expected reported numerator denominator rate target reachesTarget oldestOn hidden`;
const LIVE = `query ($certificationId: ID!, $unitId: ID!, $on: Date) { coverage(certificationId: $certificationId, unitId: $unitId, on: $on) { ${COVERAGE} }
  staffing(unitId: $unitId, on: $on) { ${STAFFING} } indicators(unitId: $unitId, on: $on) { ${INDICATOR} } }`;
const PART = `query ($id: ID!, $unitId: ID) { node(id: $id) { ... on Snapshot { state digest day unitCount part(unitId: $unitId) { unit { __typename } name digest content signs
  coverage { ${COVERAGE} } staffing { ${STAFFING} students } indicators { code kind ${INDICATOR} } policy { measure divisionCode role rate startsOn indicator { code } }
  verdict { kind day digest remark by { name } missing { reason unit { ... on Organization { id } } } } objections { kind remark unit { ... on Organization { id } } } } } } }`;
const CHILDREN = `query ($id: ID!, $unitId: ID!, $waiting: Boolean!, $first: Int, $after: String) { node(id: $id) { ... on Snapshot { part(unitId: $unitId) {
  children(first: $first, after: $after, waiting: $waiting) { nodes { name digest unit { ... on Organization { id } ... on Division { id } } coverage { total } } pageInfo { hasNextPage endCursor } } } } } }`;
const TAKE = `mutation ($input: TakeSnapshotInput!) { takeSnapshot(input: $input) { __typename ... on TakeSnapshotPayload { snapshot { id state replaces { id } } } ... on Refusal { code message } ... on InvalidInput { path } } }`;
const SIGN = `mutation ($input: SignSnapshotInput!) { signSnapshot(input: $input) { __typename ... on SignSnapshotPayload { part { verdict { kind day remark digest by { name } missing { reason } } } } ... on Refusal { code message } ... on InvalidInput { path } } }`;
const OBJECT = `mutation ($input: ObjectToSnapshotInput!) { objectToSnapshot(input: $input) { __typename ... on ObjectToSnapshotPayload { part { verdict { kind remark } } } ... on Refusal { code message } ... on InvalidInput { path } } }`;

describe('snapshots through GraphQL', () => {
  let service: TestService;
  let certificationId: string;
  const DAY = '2027-03-04';
  const COUNTIES = ['430121', '430102', '430203'];
  const DIVISIONS = ['430000', '430100', '430200', ...COUNTIES];
  /** County → global ids of its schools. */
  const schools = new Map<string, string[]>();
  const division = (code: string): string => gid('Division', code);
  const query = async (sql: string, values: unknown[] = []) =>
    (await service.database.pool.query(sql, values)).rows as Record<string, string>[];
  const part = async (id: string, unitId: string | null, as = 'p') =>
    (await service.ask(`sample:staff:${as}`, PART, { id, unitId })).data.node?.part;
  const live = async (unitId: string, as = 'p', on: string | null = null) => {
    const { data } = await service.ask(`sample:staff:${as}`, LIVE, { certificationId, unitId, on });
    return {
      ...data,
      indicators: (data.indicators as { expected: number }[]).filter((each) => each.expected > 0),
    };
  };
  const take = async (unitId: string, as = 'p', more: object = {}) =>
    (await service.ask(`sample:staff:${as}`, TAKE, { input: { unitId, certificationId, ...more } })).data
      .takeSnapshot;
  const frozen = async (unitId: string, as = 'p', more: object = {}): Promise<string> => {
    const taken = await take(unitId, as, more);
    if (taken.snapshot === undefined) throw new Error(JSON.stringify(taken));
    const { id } = taken.snapshot as { id: string };
    await until(async () => {
      const { data } = await service.ask(`sample:staff:${as}`, PART, { id });
      return data.node.state === 'FROZEN' ? true : undefined;
    });
    return id;
  };
  const sign = async (snapshotId: string, unitId: string, as: string, more: object = {}) => {
    const digest = (await part(snapshotId, unitId, as))?.digest ?? 'x';
    return (await service.ask(`sample:staff:${as}`, SIGN, { input: { snapshotId, unitId, digest, ...more } }))
      .data.signSnapshot;
  };
  const object = async (snapshotId: string, unitId: string, as: string, reason = '数字不对') =>
    (await service.ask(`sample:staff:${as}`, OBJECT, { input: { snapshotId, unitId, reason } })).data
      .objectToSnapshot;
  /** All units of the province where anybody is, and the province itself. */
  const everywhere = (): string[] => [...DIVISIONS.map(division), ...[...schools.values()].flat()];

  const addPerson = async (name: string): Promise<string> =>
    (await query('insert into people (name, staff_number) values ($1, $1) returning id', [name]))[0]!['id']!;
  const addPost = async (
    person: string,
    school: string,
    role: string,
    from: string,
    to: string | null = null,
  ) =>
    query(
      `insert into posts (person_id, organization_id, role, workload, starts_on, ends_on) values ($1, $2, $3, 'full', $4, $5) on conflict do nothing`,
      [person, school, role, from, to],
    );
  const grant = async (name: string, role: string, unit: { code?: string; organization?: string }) => {
    await query(
      `insert into role_grants (person_id, role, division_code, organization_id, starts_on, reason) values ($1, $2, $3, $4, '2020-01-01', 'test')`,
      [await addPerson(name), role, unit.code ?? null, unit.organization ?? null],
    );
  };

  beforeAll(async () => {
    const clock = new TestClock(`${DAY}T04:00:00Z`);
    service = await startService({ clock });
    const random = new Random(21);
    for (const county of COUNTIES) {
      const ids: string[] = [];
      for (let at = 0; at < 4; at += 1) {
        const kind = at === 3 ? 'university' : random.pick(['primary', 'junior', 'bureau'] as const);
        const [row] = await query(
          `insert into organizations (source, source_id, name, kind, identifier, division_code, province_code, prefecture_code, county_code, student_count, student_count_on)
           select 's', $1, $1, $2, $1, code, province_code, prefecture_code, county_code, 9000, '2026-09-01' from divisions where code = $3 returning id`,
          [`${county}-${at}`, kind, county],
        );
        ids.push(gid('Organization', row!['id']!));
        await grant(`${county}-${at}`, 'coordinator', { organization: row!['id']! });
      }
      schools.set(county, ids);
      await grant(county, 'coordinator', { code: county });
    }
    await grant('p', 'coordinator', { code: '430000' });
    await grant('100', 'coordinator', { code: '430100' });
    await grant('200', 'coordinator', { code: '430200' });
    await grant('audit', 'auditor', { code: '430000' });
    await grant('elsewhere', 'coordinator', { code: '440000' });

    const [certification] = await query(
      `insert into certifications (code, title_zh, title_en, course_slug, roles, division_code, issuer_name, template, template_version, created_at)
       values ('c', 'x', 'x', 'x', '{class_teacher,mental_health_teacher}', '430000', 'x', 'standard', 1, now()) returning id`,
    );
    certificationId = gid('Certification', certification!['id']!);
    await query(
      `insert into course_versions (slug, version, digest, manifest, contents, is_current, synced_at) values ('x', '1', 'x', '{}', '{}', true, now())`,
    );
    await query(
      `insert into cohorts (certification_id, name, role, division_code, created_at) select id, 'x', 'class_teacher', '430000', now() from certifications where code = 'c'`,
    );
    const everySchool = [...schools.values()].flat().map(localOf);
    for (let at = 0; at < 130; at += 1) {
      const person = await addPerson(`t${at}`);
      for (let each = random.between(1, 2); each > 0; each -= 1)
        await addPost(
          person,
          // Some schools have few.
          random.chance(0.85) ? everySchool[random.between(0, 5)]! : random.pick(everySchool),
          random.pick([
            'class_teacher',
            'class_teacher',
            'mental_health_teacher',
            'subject_teacher',
          ] as const),
          `202${random.between(4, 6)}-0${random.between(1, 9)}-01`,
          random.chance(0.1) ? '2026-12-31' : null,
        );
      if (random.chance(0.6))
        await query(
          `with a as (insert into assignments (certification_id, person_id, cohort_id, period, created_at) select certification_id, $1, id, 1, now() from cohorts returning *)
           insert into certificates (number, verification_code, person_id, certification_id, assignment_id, period, claims, template, template_version, course_version_id,
             issued_at, valid_from, valid_until, pdf_digest, status_list, status_position)
           select $1::text, $1::text, a.person_id, a.certification_id, a.id, 1, '{}', 'standard', 1, v.id, now(), '2026-05-01', null, 'x', 1000, a.id from a, course_versions v where v.slug = 'x'`,
          [person],
        );
    }
    await addPost(await addPerson('r'), everySchool[0]!, 'county_researcher', '2026-01-01');
    await service.app.ledger.rebuild();
    for (const [measure, code, rate, on, of] of [
      ['coverage', '430000', 0.8, '2026-01-01', certification!['id']],
      ['coverage', '430000', 0.7, '2025-01-01', certification!['id']],
      ['coverage', '430121', 0.9, '2026-02-01', certification!['id']],
      ['coverage', '430121', 1, '2028-01-01', certification!['id']],
      ['staffing', '430100', 0.95, '2026-01-01', null],
      ['indicator', '430000', 0.6, '2026-01-01', '1'],
    ] as const)
      await query(
        `insert into coverage_targets (measure, division_code, rate, starts_on, certification_id, indicator_id, set_at) values ($1, $2, $3, $4, $5, $6, now())`,
        [measure, code, rate, on, measure === 'coverage' ? of : null, measure === 'indicator' ? of : null],
      );
    await query(`insert into indicators (division_code, code, title_zh, title_en, measure_zh, measure_en, kind, level, counts_people, created_at)
      values ('430121', 'visitors', 'x', 'x', 'x', 'x', 'count', 'organization', true, now())`);
    const values = async (code: string, divisionCode: string, csv: string) => {
      const [row] = await query('select id from indicators where code = $1', [code]);
      const { data } = await service.ask(
        'sample:staff:p',
        `mutation ($input: ImportIndicatorValuesInput!) { importIndicatorValues(input: $input) { __typename } }`,
        { input: { indicatorId: gid('Indicator', row!['id']!), divisionCode, source: 'x', csv } },
      );
      expect(data.importIndicatorValues.__typename).toBe('ImportIndicatorValuesPayload');
    };
    await values(
      'guidance-sites',
      '430000',
      'unit,day,numerator,denominator\n430121,2026-12-31,7,9\n430203,2026-06-30,1,4\n',
    );
    await values('visitors', '430121', 'unit,day,value\n430121-0,2026-12-31,3\n430121-1,2026-12-31,40\n');
  });
  afterAll(async () => service.stop());

  let province: string;

  it('hold what was told of every unit on the day, number by number', async () => {
    province = await frozen(division('430000'));
    const { data } = await service.ask('sample:staff:p', PART, { id: province });
    const [divisions] = await query(
      `select count(*)::int as n from divisions where province_code = '430000'`,
    );
    expect(data.node).toMatchObject({ day: DAY, unitCount: Number(divisions!['n']) + 12 });
    expect(data.node.digest).toBe(data.node.part.digest);
    let people = 0;
    for (const unitId of everywhere()) {
      const [held, now] = [await part(province, unitId), await live(unitId)];
      expect(held.coverage).toEqual(now.coverage);
      expect(held.staffing).toMatchObject(now.staffing);
      expect(held.indicators).toMatchObject(now.indicators);
      expect(held.indicators).toHaveLength(now.indicators.length);
      people += held.coverage.total;
    }
    expect(people).toBeGreaterThan(300);
    expect((await part(province, division('430121'))).policy).toEqual([
      {
        measure: 'COVERAGE',
        divisionCode: '430000',
        role: null,
        rate: 0.8,
        startsOn: '2026-01-01',
        indicator: null,
      },
      {
        measure: 'COVERAGE',
        divisionCode: '430121',
        role: null,
        rate: 0.9,
        startsOn: '2026-02-01',
        indicator: null,
      },
      {
        measure: 'STAFFING',
        divisionCode: '430100',
        role: null,
        rate: 0.95,
        startsOn: '2026-01-01',
        indicator: null,
      },
      {
        measure: 'INDICATOR',
        divisionCode: '430000',
        role: null,
        rate: 0.6,
        startsOn: '2026-01-01',
        indicator: { code: 'guidance-sites' },
      },
    ]);
  });

  it('have digests that anybody computes again from what is given, up to the top', async () => {
    const below = async (unitId: string) => {
      const { data } = await service.ask('sample:staff:p', CHILDREN, {
        id: province,
        unitId,
        waiting: false,
        first: 100,
      });
      return data.node.part.children.nodes as { digest: string; unit: { id: string } }[];
    };
    let checked = 0;
    const check = async (unitId: string): Promise<string> => {
      const held = await part(province, unitId);
      const children =
        localOf(unitId).length === 6 && unitId.startsWith(gid('Division', '').slice(0, 8))
          ? await below(unitId)
          : [];
      const lines = rowsOf(held.content).filter((row) => row.kind === 'child');
      expect(lines.map((line) => line.digest)).toEqual(children.map((child) => child.digest));
      for (const child of children.filter((each) => everywhere().includes(each.unit.id)))
        expect(await check(child.unit.id)).toBe(child.digest);
      // Each line is canonical, so that its value alone makes it.
      for (const line of (held.content as string).trimEnd().split('\n'))
        expect(canonicalJson(JSON.parse(line))).toBe(line);
      expect(sha256(held.content)).toBe(held.digest);
      checked += 1;
      return held.digest;
    };
    await check(division('430000'));
    expect(checked).toBe(18);
    // What is told field by field is what stands in the lines.
    const held = await part(province, division('430100'));
    const rows = rowsOf(held.content);
    expect(rows.find((row) => row.kind === 'coverage' && row.role === null)).toMatchObject({
      covered: held.coverage.covered,
      total: held.coverage.total,
      target: held.coverage.target,
    });
    // A county’s own snapshot has the digest that it has in the province’s.
    const own = await frozen(division('430203'), '430203');
    expect((await part(own, null, '430203')).digest).toBe((await part(province, division('430203'))).digest);
  });

  it('tell who may not see people what coverage tells them, and no digest that could be tried', async () => {
    let hidden = 0;
    for (const unitId of everywhere()) {
      const [held, now] = [await part(province, unitId, 'audit'), await live(unitId, 'audit')];
      expect(held.coverage).toEqual(now.coverage);
      expect(held.staffing).toMatchObject({ ...now.staffing, present: null, peopleShort: null });
      expect(held.indicators).toMatchObject(now.indicators);
      expect(held.content).toBeNull();
      if (held.coverage.hidden === true) hidden += 1;
      for (const each of (held.indicators as { code: string; numerator: null }[]).filter(
        ({ code }) => code === 'visitors',
      ))
        expect(each.numerator).toBeNull();
    }
    expect(hidden).toBeGreaterThan(2);
    // The salt makes the digest tell nothing, and is told with the content only.
    const [unit] = rowsOf((await part(province, schools.get('430121')![0]!)).content);
    expect(unit).toMatchObject({ kind: 'unit', salt: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  it('are as they were whatever comes later', async () => {
    const before = await Promise.all(everywhere().map(async (unitId) => part(province, unitId)));
    const [school] = schools.get('430121')!;
    // A post that began long ago and is told late, a revocation, a student count, a value, a target, a name.
    await addPost(await addPerson('late'), localOf(school!), 'class_teacher', '2025-01-01');
    await query(
      `update certificates set revoked_on = '2026-06-01', revoked_at = now(), revocation_reason = 'x' where id = (select min(id) from certificates)`,
    );
    await query(`update organizations set name = name || '改', student_count = 50000`);
    await query(
      `update coverage_targets set rate = 1 where measure = 'coverage' and division_code = '430000'`,
    );
    await query(
      `insert into indicator_values (import_id, indicator_id, unit, day, numerator, denominator) select import_id, indicator_id, unit, day, 9, 9 from indicator_values where unit = 430121`,
    );
    await service.app.ledger.rebuild();
    expect((await live(school!)).coverage.total).toBe(before[6].coverage.total + 1);
    expect(await Promise.all(everywhere().map(async (unitId) => part(province, unitId)))).toEqual(before);
    // It is known of a past day anew, and otherwise.
    const again = await frozen(division('430121'), '430121', { on: '2027-03-03' });
    expect((await part(again, null, '430121')).coverage).toEqual(
      (await live(division('430121'), '430121', '2027-03-03')).coverage,
    );
  });

  it('are kept by the database itself', async () => {
    const id = localOf(province);
    for (const statement of [
      `update snapshot_units set content = 'x' where snapshot_id = ${id}`,
      `delete from snapshot_units where snapshot_id = ${id}`,
      'truncate snapshot_units cascade',
      `insert into snapshot_units select snapshot_id, 999999, parent, content, digest, signs, hidden, roles_hidden from snapshot_units where snapshot_id = ${id} limit 1`,
      `update snapshots set digest = 'x' where id = ${id}`,
      `update snapshots set state = 'queued' where id = ${id}`,
      `delete from snapshots where id = ${id}`,
      'update snapshot_verdicts set digest = 1',
      'delete from snapshot_verdicts',
    ])
      await expect(query(statement)).rejects.toThrow(/What is frozen is never/);
  });

  it('are signed level by level, each once, by the unit’s own coordinator', async () => {
    const [first, second, third, fourth] = schools.get('430121') as [string, string, string, string];
    const county = division('430121');
    // Not from above, nor by who may only look.
    expect(await sign(province, first, '430121')).toMatchObject({ __typename: 'NotAllowed' });
    expect(await sign(province, county, 'p')).toMatchObject({ __typename: 'NotAllowed' });
    expect(await sign(province, county, 'audit')).toMatchObject({ __typename: 'NotAllowed' });
    expect(await sign(province, county, '430121')).toMatchObject({
      code: 'NOT_ALL_SIGNED',
      message: expect.stringMatching(/^[34] /),
    });
    expect(await sign(province, first, '430121-0', { digest: 'x' })).toMatchObject({
      code: 'DIGEST_DIFFERS',
    });
    expect(await sign(province, first, '430121-0', { remark: ' 属实 ' })).toMatchObject({
      part: {
        verdict: {
          kind: 'SIGNED',
          day: DAY,
          remark: '属实',
          by: { name: '430121-0' },
          missing: [],
          digest: (await part(province, first)).digest,
        },
      },
    });
    expect(await sign(province, first, '430121-0')).toMatchObject({ code: 'ALREADY_SIGNED' });
    expect(await object(province, first, '430121-0')).toMatchObject({ code: 'ALREADY_SIGNED' });
    const waiting = async (unitId: string) =>
      (await service.ask('sample:staff:p', CHILDREN, { id: province, unitId, waiting: true, first: 100 }))
        .data.node.part.children.nodes as { unit: { id: string } }[];
    const left = (await waiting(county)).map((each) => each.unit.id);
    expect(left).toEqual([second, third, fourth].filter((id) => left.includes(id)));
    expect(left.length).toBeGreaterThan(0);
    const missing = left.map((unitId) => ({ unitId, reason: '停课' }));
    expect(
      await sign(province, county, '430121', { missing: [...missing, { unitId: first, reason: 'x' }] }),
    ).toMatchObject({ path: 'input.missing' });
    expect(
      await sign(province, county, '430121', { missing: missing.map((each) => ({ ...each, reason: ' ' })) }),
    ).toMatchObject({ path: 'input.missing' });
    expect(await sign(province, county, '430121', { missing: missing.slice(1) })).toMatchObject({
      code: 'NOT_ALL_SIGNED',
    });
    expect(await sign(province, county, '430121', { missing })).toMatchObject({
      part: { verdict: { kind: 'SIGNED', missing: missing.map(() => ({ reason: '停课' })) } },
    });
    expect((await waiting(division('430100'))).map((each) => each.unit.id)).toEqual([division('430102')]);
    // An empty county keeps nobody waiting.
    expect((await part(province, division('430104'))).signs).toBe(false);
    // Who may not see people is not told who signed.
    expect((await part(province, county, 'audit')).verdict).toMatchObject({ kind: 'SIGNED', by: null });
  });

  it('are returned by a unit with a reason, and then nobody above signs until another takes the place', async () => {
    const [school, ...others] = schools.get('430102') as [string, ...string[]];
    const [county, prefecture] = [division('430102'), division('430100')];
    expect(await object(province, school, '430102')).toMatchObject({ __typename: 'NotAllowed' });
    expect(await object(province, school, '430102-0', ' ')).toMatchObject({ path: 'input.reason' });
    expect(await take(division('430000'), 'p')).toMatchObject({ code: 'SNAPSHOT_STANDS' });
    expect(await object(province, school, '430102-0')).toMatchObject({
      part: { verdict: { kind: 'OBJECTED', remark: '数字不对' } },
    });
    expect(await sign(province, school, '430102-0')).toMatchObject({ code: 'OBJECTED' });
    const missing = others.map((unitId) => ({ unitId, reason: '停课' }));
    expect(await sign(province, county, '430102', { missing })).toMatchObject({ code: 'OBJECTED' });
    expect(
      await sign(province, prefecture, '100', { missing: [{ unitId: county, reason: 'x' }] }),
    ).toMatchObject({ code: 'OBJECTED' });
    expect((await part(province, division('430000'))).objections).toMatchObject([
      { kind: 'OBJECTED', unit: { id: school } },
    ]);
    expect((await part(province, division('430200'))).objections).toEqual([]);
    // Beside it others go on.
    expect(await sign(province, schools.get('430203')![0]!, '430203-0')).toMatchObject({
      __typename: 'SignSnapshotPayload',
    });

    const [kept] = schools.get('430203')!;
    const unchanged = await part(province, kept!);
    const replaced = province;
    const taken = await take(division('430000'), 'p');
    expect(taken).toMatchObject({ snapshot: { state: 'QUEUED', replaces: { id: replaced } } });
    province = taken.snapshot.id as string;
    expect(await take(division('430000'), 'p')).toMatchObject({ code: 'SNAPSHOT_STANDS' });
    await until(async () => (await part(province, null)) ?? undefined);
    expect(await sign(replaced, schools.get('430203')![1]!, '430203-1')).toMatchObject({ code: 'REPLACED' });
    expect((await part(province, division('430000'))).objections).toEqual([]);
    // Of a unit that differs (its name did) everything is signed anew.
    const now = await part(province, kept!);
    expect(now.digest).not.toBe(unchanged.digest);
    expect(now.verdict).toBeNull();

    // All the way up.
    for (const code of COUNTIES) {
      const signing: [string, string][] = [];
      for (const [at, id] of schools.get(code)!.entries())
        if ((await part(province, id)).signs === true) signing.push([id, `${code}-${at}`]);
      for (const [id, as] of signing)
        expect(await sign(province, id, as)).toMatchObject({ __typename: 'SignSnapshotPayload' });
      expect(await sign(province, division(code), code)).toMatchObject({ __typename: 'SignSnapshotPayload' });
    }
    expect(await sign(province, division('430000'), 'p')).toMatchObject({ code: 'NOT_ALL_SIGNED' });
    for (const [code, as] of [
      ['430100', '100'],
      ['430200', '200'],
      ['430000', 'p'],
    ] as const)
      expect(await sign(province, division(code), as)).toMatchObject({ __typename: 'SignSnapshotPayload' });
    expect((await part(province, null)).verdict).toMatchObject({ kind: 'SIGNED', by: { name: 'p' } });
  });

  it('take over a signature under the same digest, and its unit may yet object', async () => {
    // The county’s own, of the same day: what its schools signed in the province’s is signed here.
    const [county, code] = [division('430102'), '430102'];
    const own = await frozen(county, code);
    expect((await part(own, null, code)).digest).toBe((await part(province, county)).digest);
    expect((await part(own, null, code)).verdict).toMatchObject({ kind: 'SIGNED' });
    expect(await sign(own, county, code)).toMatchObject({ code: 'ALREADY_SIGNED' });
    const { data } = await service.ask(`sample:staff:${code}`, CHILDREN, {
      id: own,
      unitId: county,
      waiting: true,
    });
    expect(data.node.part.children.nodes).toEqual([]);
    expect(await object(own, county, code)).toMatchObject({ part: { verdict: { kind: 'OBJECTED' } } });
    expect((await part(province, county)).verdict).toMatchObject({ kind: 'SIGNED' });
  });

  it('are listed for the units in them, page by page', async () => {
    const list = `query ($unitId: ID!, $first: Int, $after: String) { snapshots(unitId: $unitId, first: $first, after: $after) { nodes { id day replacedBy { id } unit { __typename } } pageInfo { hasNextPage endCursor } } }`;
    const [school] = schools.get('430102')!;
    const first = (await service.ask('sample:staff:430102-0', list, { unitId: school, first: 2 })).data
      .snapshots;
    expect(first.nodes).toHaveLength(2);
    expect(first.pageInfo.hasNextPage).toBe(true);
    const next = (
      await service.ask('sample:staff:430102-0', list, {
        unitId: school,
        first: 2,
        after: first.pageInfo.endCursor,
      })
    ).data.snapshots;
    expect(next.nodes).toMatchObject([{ replacedBy: { id: province } }]);
    expect((await service.ask('sample:staff:elsewhere', list, { unitId: school })).data.snapshots).toBeNull();
    const pages: string[] = [];
    let after: string | null = null;
    for (;;) {
      const answer = (
        await service.ask('sample:staff:p', CHILDREN, {
          id: province,
          unitId: division('430102'),
          waiting: false,
          first: 3,
          after,
        })
      ).data.node.part.children as {
        nodes: { unit: { id: string } }[];
        pageInfo: { hasNextPage: boolean; endCursor: string };
      };
      pages.push(...answer.nodes.map((node) => node.unit.id));
      after = answer.pageInfo.endCursor;
      if (!answer.pageInfo.hasNextPage) break;
    }
    expect(pages).toEqual(schools.get('430102'));
  });

  it('tell a school of its own part, and a stranger of nothing', async () => {
    const [school] = schools.get('430102')!;
    expect((await part(province, school!, '430102-0')).content).toContain('"kind":"coverage"');
    for (const unitId of [null, division('430102'), schools.get('430102')![1]!])
      expect(await part(province, unitId, '430102-0')).toBeNull();
    const ask = async (as: string, id: string) =>
      JSON.stringify(await service.ask(`sample:staff:${as}`, PART, { id }));
    expect(await ask('elsewhere', province)).toBe(await ask('elsewhere', gid('Snapshot', '999999')));
    // One that is queued, or of another part of the tree, is not theirs either.
    const other = await frozen(division('430203'), '430203', { on: '2027-01-01' });
    expect(await ask('430102-0', other)).toBe(await ask('430102-0', gid('Snapshot', '999999')));
    const [theirs, nobodys] = [
      await sign(other, school!, '430102-0'),
      await sign(gid('Snapshot', '999999'), school!, '430102-0'),
    ];
    expect(theirs).toMatchObject({ __typename: 'NotFound' });
    expect(theirs).toEqual(nobodys);
    // A unit that is not theirs in one that is.
    const beside = await sign(province, schools.get('430203')![0]!, '430102-0');
    expect(beside).toEqual(await sign(province, gid('Organization', '999999'), '430102-0'));
    expect(beside).toMatchObject({ __typename: 'NotFound' });
    expect(await take(division('430102'), 'audit')).toMatchObject({ __typename: 'NotFound' });
    expect(await take(division('430102'), '430102', { on: '2099-01-01' })).toMatchObject({
      path: 'input.on',
    });
    expect(
      await take(division('430102'), '430102', { certificationId: gid('Certification', '999999') }),
    ).toMatchObject({ __typename: 'NotFound' });
  });

  it('are taken once and signed once by two who do it at once', async () => {
    const [school] = schools.get('430102')!;
    const on = '2026-11-11';
    const both = await Promise.all([1, 2].map(async () => take(school!, '430102-0', { on })));
    expect(both.map((each) => each.__typename as string).toSorted()).toEqual([
      'Conflict',
      'TakeSnapshotPayload',
    ]);
    const { id } = both.find((each) => each.snapshot !== undefined)!.snapshot as { id: string };
    await until(async () => (await part(id, null, '430102-0')) ?? undefined);
    const signed = await Promise.all([1, 2].map(async () => sign(id, school!, '430102-0')));
    expect(signed.map((each) => each.__typename as string).toSorted()).toEqual([
      'Conflict',
      'SignSnapshotPayload',
    ]);
    // A job that comes twice changes nothing.
    const before = await part(id, null, '430102-0');
    await service.app.services.snapshots.freeze(localOf(id));
    expect(await part(id, null, '430102-0')).toEqual(before);
  });

  it('can be of one school, which hides what coverage hides', async () => {
    const few: string[] = [];
    for (const [code, ids] of schools)
      for (const [at, id] of ids.entries()) {
        const now = await live(id, 'audit', '2026-10-01');
        if (now.coverage.hidden !== true) continue;
        few.push(id);
        const own = await frozen(id, `${code}-${at}`, { on: '2026-10-01' });
        expect((await part(own, null, 'audit')).coverage).toEqual(now.coverage);
      }
    expect(few.length).toBeGreaterThan(0);
  });
});
