import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  assignTeachers,
  finishActivities,
  sitExam,
  START,
  startService,
  SUBMIT,
  TestClock,
  type Learner,
  type TestService,
} from '../support/service.ts';

const GRANT = `mutation ($input: GrantAccommodationInput!) { grantAccommodation(input: $input) { __typename
  ... on GrantAccommodationPayload { accommodation { id reason extraTimePercent extraAttempts startsOn endsOn revokedAt person { name } grantedBy { name } certification { code } } }
  ... on Refusal { code message } ... on InvalidInput { path } } }`;
const REVOKE = `mutation ($id: ID!) { revokeAccommodation(input: { accommodationId: $id }) { __typename
  ... on RevokeAccommodationPayload { accommodation { revokedAt } } ... on Refusal { code } } }`;
const LIST = 'query ($id: ID!) { accommodations(personId: $id) { id reason } }';

describe('an accommodation', () => {
  let service: TestService;
  let clock: TestClock;
  let learners: Learner[];
  let certificationId: string;
  const people: string[] = [];
  beforeAll(async () => {
    clock = new TestClock('2030-03-04T04:00:00Z');
    service = await startService({ clock });
    ({ learners, certificationId } = await assignTeachers(service, ['t1', 't2', 't3']));
    for (const learner of learners) {
      await finishActivities(service, learner);
      const { data } = await service.ask(learner.key, '{ viewer { person { id } } }');
      people.push(data.viewer.person.id as string);
    }
  });
  afterAll(async () => service.stop());

  const grant = async (as: string | null, index: number, more: Record<string, unknown> = {}) =>
    (
      await service.ask(as, GRANT, {
        input: {
          personId: people[index],
          certificationId,
          extraTimePercent: 50,
          reason: '阅读较慢',
          ...more,
        },
      })
    ).data.grantAccommodation;
  const examOf = async (learner: Learner) =>
    (
      await service.ask(
        learner.key,
        'query ($id: ID!) { node(id: $id) { ... on Assignment { exam { minutes extraMinutes attemptsAllowed blockedBy { code } } } } }',
        { id: learner.assignmentId },
      )
    ).data.node.exam;

  it('is seen by the learner as more minutes and attempts, never with its reason', async () => {
    const [learner] = learners;
    const given = await grant('coordinator', 0, { extraAttempts: 1 });
    expect(given.accommodation).toMatchObject({
      reason: '阅读较慢',
      extraTimePercent: 50,
      extraAttempts: 1,
      startsOn: '2030-03-04',
      endsOn: null,
      revokedAt: null,
      person: { name: '王小明' },
    });
    expect(await examOf(learner!)).toEqual({
      minutes: 28,
      extraMinutes: 14,
      attemptsAllowed: 4,
      blockedBy: null,
    });
    for (const stranger of ['t1', 't2', 'hr', 'issuer', null]) {
      expect((await service.ask(stranger, LIST, { id: people[0] })).data.accommodations).toBeNull();
      expect(
        (
          await service.ask(stranger, 'query ($id: ID!) { node(id: $id) { id } }', {
            id: given.accommodation.id,
          })
        ).data.node,
      ).toBeNull();
    }
    expect((await service.ask('coordinator', LIST, { id: people[0] })).data.accommodations).toEqual([
      { id: given.accommodation.id, reason: '阅读较慢' },
    ]);
  });

  it('gives attempts that begin with it more time, and leaves an open one as it is', async () => {
    const [learner, other] = learners;
    const deadline = async (whose: Learner): Promise<string> =>
      (await service.ask(whose.key, START, { id: whose.assignmentId })).data.startAttempt.attempt
        .deadline as string;
    expect(await deadline(learner!)).toBe('2030-03-04T04:42:00.000Z');
    expect(await deadline(other!)).toBe('2030-03-04T04:28:00.000Z');
    await grant('coordinator', 1, { extraTimePercent: 200 });
    const { rows } = await service.database.pool.query('select deadline from attempts order by id');
    expect(rows.map(({ deadline: at }) => (at as Date).toISOString())).toEqual([
      '2030-03-04T04:42:00.000Z',
      '2030-03-04T04:28:00.000Z',
    ]);
  });

  it('gives more attempts, on its days', async () => {
    const learner = learners[2]!;
    await grant('coordinator', 2, {
      extraTimePercent: null,
      extraAttempts: 1,
      startsOn: '2030-03-08',
      endsOn: '2030-03-09',
    });
    for (let number = 1; number <= 3; number += 1) {
      await service.ask(learner.key, SUBMIT, { id: await sitExam(service, learner, { right: false }) });
      clock.move(24 * 60);
    }
    expect((await examOf(learner)).blockedBy.code).toBe('NO_ATTEMPTS_LEFT');
    clock.move(24 * 60);
    expect(await examOf(learner)).toMatchObject({ attemptsAllowed: 4, extraMinutes: 0, blockedBy: null });
    clock.move(48 * 60);
    expect((await examOf(learner)).blockedBy.code).toBe('NO_ATTEMPTS_LEFT');
  });

  it('is revoked once, for attempts that begin from then on', async () => {
    const [{ id }] = (await service.ask('coordinator', LIST, { id: people[0] })).data.accommodations;
    for (const stranger of ['t1', 't2', 'hr'])
      expect((await service.ask(stranger, REVOKE, { id })).data.revokeAccommodation.code).toBe('NOT_FOUND');
    const { data } = await service.ask('coordinator', REVOKE, { id });
    expect(data.revokeAccommodation.accommodation.revokedAt).toBe(clock.now().toISOString());
    expect((await service.ask('coordinator', REVOKE, { id })).data.revokeAccommodation.code).toBe(
      'ACCOMMODATION_REVOKED',
    );
    expect(await examOf(learners[0]!)).toMatchObject({ extraMinutes: 0, attemptsAllowed: 3 });
  });

  it.each([
    ['a time too short', { extraTimePercent: 5 }, 'input.extraTimePercent'],
    ['a time too long', { extraTimePercent: 201 }, 'input.extraTimePercent'],
    ['less time', { extraTimePercent: -50 }, 'input.extraTimePercent'],
    ['nothing', { extraTimePercent: 0 }, 'input.extraTimePercent'],
    ['too many attempts', { extraAttempts: 4 }, 'input.extraAttempts'],
    ['fewer attempts', { extraAttempts: -1 }, 'input.extraAttempts'],
    ['no reason', { reason: ' ' }, 'input.reason'],
    ['a story for a reason', { reason: '长'.repeat(201) }, 'input.reason'],
    ['a day that has passed', { startsOn: '2030-03-01' }, 'input.startsOn'],
    ['an end before its beginning', { startsOn: '2031-02-01', endsOn: '2031-01-31' }, 'input.endsOn'],
  ])('of %s is refused, and nothing is written', async (_what, more, path) => {
    const before = await service.database.pool.query('select count(*) from accommodations');
    expect(await grant('coordinator', 1, more)).toMatchObject({ code: 'INVALID_INPUT', path });
    expect((await service.database.pool.query('select count(*) from accommodations')).rows).toEqual(
      before.rows,
    );
  });

  it('is given where the person works, to others, by who may, in a certification of the place', async () => {
    for (const stranger of ['t1', 't2', 'hr', 'issuer'])
      expect((await grant(stranger, 1)).code).toBe('NOT_FOUND');
    expect((await grant(null, 1)).code).toBe('NOT_SIGNED_IN');
    const unknown = (type: string): string => Buffer.from(`${type}:999999`).toString('base64');
    expect((await grant('coordinator', 1, { personId: unknown('Person') })).code).toBe('NOT_FOUND');
    expect((await grant('coordinator', 1, { certificationId: unknown('Certification') })).code).toBe(
      'NOT_FOUND',
    );

    // A teacher who is a coordinator besides, and works in the county.
    await service.database.pool.query(
      `insert into role_grants (person_id, role, division_code, starts_on, reason)
       select person_id, 'coordinator', '430121', '2030-01-01', 'x' from person_sources where source_id = 't2'`,
    );
    expect((await grant('t2', 1)).code).toBe('NOT_ALLOWED');
    expect((await grant('t2', 0)).__typename).toBe('GrantAccommodationPayload');
  });

  it('stands in the journal without its reason', async () => {
    const { rows } = await service.database.pool.query(
      `select action, detail::text from journal_entries where action like 'accommodation.%' order by id`,
    );
    expect(rows.map(({ action }) => action as string)).toEqual([
      'accommodation.grant',
      'accommodation.grant',
      'accommodation.grant',
      'accommodation.revoke',
      'accommodation.grant',
    ]);
    for (const { detail } of rows) expect(detail).not.toContain('阅读');
  });
});
