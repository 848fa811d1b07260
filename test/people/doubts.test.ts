import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  assignTeachers,
  importEnd,
  importRoster,
  smallRoster,
  startService,
  type TestService,
} from '../support/service.ts';

const DOUBTS = `query ($open: Boolean!) { rosterDoubts(divisionCode: "430121", open: $open, first: 50) { nodes { id kind state name sourcedId identityLast4 line
  posts { organizationSourcedId role startsOn } candidates { personId identityLast4 person { name staffNumber } posts { organization { name } } } } } }`;
const DECIDE = `mutation ($input: DecideRosterDoubtInput!) { decideRosterDoubt(input: $input) { ... on DecideRosterDoubtPayload { rosterDoubt { state reason } rosterImport { id } }
  ... on Refusal { code message } } }`;

/** Numbers whose last character checks the others, of nobody. */
const [FIRST, SECOND, THIRD] = ['11010519491231002X', '440524188001010014', '110101199003070257'] as const;
let round = 0;

describe('a row of which can’t be told whom it is about', () => {
  let service: TestService;
  /** Ids and names of this test alone. */
  let id: (name: string) => string;
  let name: string;

  const doubts = async (open = true) => {
    const { data, errors } = await service.ask('coordinator', DOUBTS, { open });
    expect(errors).toBeUndefined();
    return data.rosterDoubts.nodes;
  };
  const decide = async (input: object) => {
    const { data, errors } = await service.ask('coordinator', DECIDE, { input });
    expect(errors).toBeUndefined();
    const { rosterImport, ...answer } = data.decideRosterDoubt;
    return rosterImport === undefined
      ? answer
      : { ...answer, ...(await importEnd(service, rosterImport.id)) };
  };
  /** Of the people of this test: what the source calls them, how their number ends, and their posts. */
  const known = async () =>
    (
      await service.database.pool.query(
        `select p.id, array_agg(distinct s.source_id order by s.source_id) as ids, p.identity_last4 as last4,
           array(select o.source_id || ' ' || h.starts_on || coalesce('–' || h.ends_on, '') from posts h join organizations o on o.id = h.organization_id where h.person_id = p.id order by 1) as posts
         from people p left join person_sources s on s.person_id = p.id where p.name = $1 group by p.id order by p.id`,
        [name],
      )
    ).rows.map(({ ids, last4, posts }) => [
      ids
        .filter(Boolean)
        .map((each: string) => each.slice(0, 1))
        .join(),
      last4,
      posts.join(),
    ]);
  const given = (ref: string, more: object = {}) => ({
    id: id(ref),
    family: '欧阳',
    given: `慧${round}`,
    ...more,
  });
  const send = async (people: object[], more: object = {}) =>
    importRoster(service, smallRoster(people as Parameters<typeof smallRoster>[0]), 'coordinator', more);

  beforeAll(async () => {
    service = await startService();
    await assignTeachers(service, ['t1']);
  });
  afterAll(async () => service.stop());
  beforeEach(async () => {
    await service.database.pool.query(`update people set identity_hash = null, identity_last4 = null`);
    await service.database.pool.query(`update roster_doubts set state = 'settled' where state = 'open'`);
    round += 1;
    const mine = round;
    id = (ref) => `${ref}-${mine}`;
    name = `欧阳慧${mine}`;
  });

  it('waits where a new id comes with the name of somebody there, and is never matched by name alone', async () => {
    await send([given('a')]);
    const came = await send([given('b'), { id: id('x'), family: '陌', given: `生${round}` }]);
    expect(came).toMatchObject({ state: 'APPLIED', rowsRefused: 1, peopleAdded: 1 });
    expect(came.refusals.nodes[0]).toMatchObject({
      line: 2,
      column: 'sourcedId',
      value: id('b'),
      reason: expect.stringContaining('waits for somebody to decide'),
    });
    const [doubt, ...others] = await doubts();
    expect(others).toEqual([]);
    expect(doubt).toMatchObject({
      kind: 'NAMESAKE',
      state: 'OPEN',
      name,
      sourcedId: id('b'),
      posts: [{ organizationSourcedId: 's1', role: 'CLASS_TEACHER', startsOn: '2024-09-01' }],
      candidates: [
        { person: { name, staffNumber: id('a') }, posts: [{ organization: { name: '星沙实验小学' } }] },
      ],
    });
    // The same file again: still one.
    await send([given('b')]);
    expect((await doubts()).length).toBe(1);
    const [again] = await doubts();
    expect(
      await decide({ rosterDoubtId: again.id, personId: again.candidates[0].personId, reason: ' ' }),
    ).toMatchObject({
      code: 'INVALID_INPUT',
    });
    expect(
      await decide({
        rosterDoubtId: again.id,
        personId: Buffer.from('Person:1').toString('base64'),
        reason: '?',
      }),
    ).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('none of the candidates') });

    expect(
      await decide({ rosterDoubtId: again.id, personId: again.candidates[0].personId, reason: '换了工号' }),
    ).toMatchObject({
      rosterDoubt: { state: 'DECIDED', reason: '换了工号' },
      state: 'APPLIED',
      peopleAdded: 0,
      postsAdded: 0,
    });
    expect(await known()).toEqual([['a,b', null, 's1 2024-09-01']]);
    expect(await decide({ rosterDoubtId: again.id, reason: 'x' })).toMatchObject({ code: 'DOUBT_DECIDED' });
    expect(await send([given('b')])).toMatchObject({ rowsRefused: 0, peopleChanged: 0, postsChanged: 0 });
  });

  it('is somebody new when that is decided, once', async () => {
    await send([given('a')]);
    await send([given('b', { starts: '2025-09-01' })]);
    const [doubt] = await doubts();
    await decide({ rosterDoubtId: doubt.id, reason: '两位老师同名' });
    const two = [
      ['a', null, 's1 2024-09-01'],
      ['b', null, 's1 2025-09-01'],
    ];
    expect(await known()).toEqual(two);
    expect(await send([given('a'), given('b', { starts: '2025-09-01' })])).toMatchObject({
      rowsRefused: 0,
      peopleAdded: 0,
      postsAdded: 0,
    });
    expect(await known()).toEqual(two);
  });

  it('is no doubt where both are in the file, or both have a number, or they are elsewhere', async () => {
    await send([given('a', { identity: FIRST })]);
    expect(await send([given('a', { identity: FIRST }), given('b')])).toMatchObject({
      rowsRefused: 0,
      peopleAdded: 1,
    });
    expect(await send([given('c', { identity: SECOND })])).toMatchObject({ rowsRefused: 1 });
    // b has none, so c may be b; a is certainly another.
    const [doubt] = await doubts();
    expect(
      doubt.candidates.map((each: { person: { staffNumber: string } }) => each.person.staffNumber),
    ).toEqual([id('b')]);
    expect(await send([given('d', { orgs: 's2' })])).toMatchObject({ rowsRefused: 0, peopleAdded: 1 });
  });

  it('keeps what is doubtful from being ended by a file that says that it lists everybody, and writes nothing in a dry run', async () => {
    await send([given('a'), given('k', { family: '留' })]);
    const dry = await send([given('b'), given('k', { family: '留' })], { dryRun: true, endMissing: true });
    expect(dry).toMatchObject({ state: 'CHECKED', rowsRefused: 1 });
    expect(await doubts()).toEqual([]);
    await send([given('b'), given('k', { family: '留' })], { endMissing: true, mostEnded: 1 });
    expect(await known()).toEqual([['a', null, 's1 2024-09-01']]);
    // The source takes its old id back: nothing is left to decide.
    await send([given('a'), given('b')]);
    expect(
      (await doubts(false)).filter((each: { sourcedId: string }) => each.sourcedId === id('b')),
    ).toMatchObject([{ state: 'SETTLED' }]);
  });

  it('corrects a number, or takes the id for somebody new, as decided', async () => {
    await send([given('a', { identity: FIRST })]);
    await send([given('a', { identity: SECOND })]);
    const [mended] = await doubts();
    expect(mended).toMatchObject({
      kind: 'IDENTITY_CHANGED',
      identityLast4: '0014',
      candidates: [{ identityLast4: '002X' }],
    });
    await decide({ rosterDoubtId: mended.id, personId: mended.candidates[0].personId, reason: '写错了' });
    expect(await known()).toEqual([['a', '0014', 's1 2024-09-01']]);

    await send([given('a', { identity: THIRD, starts: '2026-01-01' })]);
    const [reused] = await doubts();
    await decide({ rosterDoubtId: reused.id, reason: '工号给了新来的老师' });
    expect(await known()).toEqual([
      ['', '0014', 's1 2024-09-01'],
      ['a', '0257', 's1 2026-01-01'],
    ]);
    expect(await send([given('a', { identity: THIRD, starts: '2026-01-01' })])).toMatchObject({
      rowsRefused: 0,
      peopleAdded: 0,
      postsAdded: 0,
    });
  });

  it('goes to whom it is decided where id and number are of two', async () => {
    await send([given('a', { identity: FIRST }), given('b', { identity: SECOND })]);
    const file = [given('a', { identity: SECOND, orgs: 's2', starts: '2026-02-01' })];
    await send(file);
    const [doubt] = await doubts();
    expect(doubt).toMatchObject({ kind: 'IDENTITY_OF_ANOTHER', candidates: [{}, {}] });
    expect(await decide({ rosterDoubtId: doubt.id, reason: 'x' })).toMatchObject({ code: 'INVALID_INPUT' });
    const [byId] = doubt.candidates;
    await decide({ rosterDoubtId: doubt.id, personId: byId.personId, reason: '号码是别人的' });
    expect(await known()).toEqual([
      ['a', '002X', 's1 2024-09-01,s2 2026-02-01'],
      ['b', '0014', 's1 2024-09-01'],
    ]);
    // Decided once, understood from then on.
    expect(await send(file)).toMatchObject({ rowsRefused: 0, peopleChanged: 0, postsAdded: 0 });
  });

  it('is taken in as decided where one of its posts is at an organization that nobody knows', async () => {
    await send([given('a', { identity: FIRST })]);
    await send([
      given('a', {
        identity: SECOND,
        roles: 'class_teacher,class_teacher',
        orgs: 's1,nowhere',
        starts: '2024-09-01,2026-02-01',
      }),
    ]);
    const [doubt] = await doubts();
    expect(
      await decide({ rosterDoubtId: doubt.id, personId: doubt.candidates[0].personId, reason: '写错了' }),
    ).toMatchObject({ state: 'APPLIED', rowsRefused: 1 });
    expect(await known()).toEqual([['a', '0014', 's1 2024-09-01']]);
  });

  it('is whom the number is known of where that has come to be known meanwhile', async () => {
    await send([given('a')]);
    await send([given('b', { identity: FIRST })]);
    const [doubt] = await doubts();
    await send([{ ...given('c', { identity: FIRST, orgs: 's2' }) }], { source: '另一个系统' });
    expect(await decide({ rosterDoubtId: doubt.id, reason: '两位老师同名' })).toMatchObject({
      state: 'APPLIED',
      peopleAdded: 0,
      rowsRefused: 0,
    });
    expect((await known()).map(([ids, last4]) => [ids, last4])).toEqual([
      ['a', null],
      ['b,c', '002X'],
    ]);
  });

  it('keeps what only a second row of the same person tells, where that row is refused', async () => {
    await send([given('a')]);
    const second = given('b', { orgs: 's1,s2', roles: 'class_teacher,principal', starts: ',2025-09-01' });
    await send([second]);
    const [doubt] = await doubts();
    await decide({ rosterDoubtId: doubt.id, personId: doubt.candidates[0].personId, reason: '两个工号' });
    const both = [['a,b', null, 's1 2024-09-01,s2 2025-09-01']];
    expect(await known()).toEqual(both);
    expect(await send([given('a'), second])).toMatchObject({ rowsRefused: 1, postsEnded: 0 });
    expect(await known()).toEqual(both);
  });

  it('can not be decided and then not taken in', async () => {
    await send([given('a')]);
    await send([given('b')]);
    const [doubt] = await doubts();
    const client = await service.database.pool.connect();
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(hashtextextended('roster:division:430121', 0))`);
    const { data } = await service.ask('coordinator', DECIDE, {
      input: { rosterDoubtId: doubt.id, reason: '两位老师同名' },
    });
    const { id: importId } = data.decideRosterDoubt.rosterImport;
    await service.ask(
      'coordinator',
      `mutation ($id: ID!) { cancelRosterImport(input: { rosterImportId: $id }) { __typename } }`,
      { id: importId },
    );
    await client.query('rollback');
    client.release();
    expect(await importEnd(service, importId)).toMatchObject({ state: 'APPLIED', peopleAdded: 1 });
  });

  it('is decided once however many decide at the same moment', async () => {
    await send([given('a')]);
    await send([given('b')]);
    const [doubt] = await doubts();
    const answers = await Promise.all(
      Array.from({ length: 25 }, async () => decide({ rosterDoubtId: doubt.id, reason: '同时' })),
    );
    expect(answers.filter((answer) => answer.code === 'DOUBT_DECIDED').length).toBe(24);
  });

  it('keeps no identity number that stands in the reason', async () => {
    await send([given('a')]);
    await send([given('b')]);
    const [doubt] = await doubts();
    expect(await decide({ rosterDoubtId: doubt.id, reason: `身份证号 ${FIRST} 核对过` })).toMatchObject({
      rosterDoubt: { reason: '身份证号 **************002X 核对过' },
    });
    const { rows } = await service.database.pool.query(
      `select detail from journal_entries where action = 'roster.decide'`,
    );
    expect(JSON.stringify(rows)).not.toContain(FIRST);
  });
});
