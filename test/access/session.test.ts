import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService, TestClock, until, type TestService } from '../support/service.ts';

const END = `mutation ($id: ID!) { endSession(input: { sessionId: $id }) { __typename ... on Refusal { code } } }`;
const END_OTHERS = `mutation { endOtherSessions { ... on EndOtherSessionsPayload { ended } } }`;
const SESSIONS = '{ viewer { sessions { id way issuer createdAt lastUsedAt expiresAt current } } }';

describe('sessions', () => {
  let service: TestService;
  let clock: TestClock;
  beforeAll(async () => {
    clock = new TestClock('2030-03-04T00:00:00Z');
    service = await startService({ clock });
  });
  afterAll(async () => service.stop());

  const signIn = async (key: string): Promise<string> =>
    (
      await service.ask(
        null,
        `mutation ($key: String!) { signInSample(input: { key: $key }) { ... on SignInSamplePayload { token } } }`,
        { key },
      )
    ).data.signInSample.token as string;
  const list = async (token: string) =>
    (await service.ask(token, SESSIONS)).data.viewer?.sessions as
      { id: string; current: boolean; lastUsedAt: string; way: string }[] | undefined;
  const isOver = async (token: string): Promise<boolean> => (await list(token)) === undefined;

  it('are known by 256 bits, of which only a hash is kept', async () => {
    const token = await signIn('hr');
    expect(token).toMatch(/^xqs_[\w-]{43}$/);
    const { rows } = await service.database.pool.query(`select s::text as row from sessions s`);
    expect(JSON.stringify(rows)).not.toContain(token.slice(4));
    await service.ask(token, 'mutation { signOut }');
    expect(await isOver(token)).toBe(true);
  });

  it('say how they came and which one is asking', async () => {
    const [one, two] = [await signIn('hr'), await signIn('hr')];
    const sessions = (await list(one))!;
    expect(sessions).toHaveLength(2);
    expect(sessions.filter((session) => session.current)).toHaveLength(1);
    expect(sessions[0]).toMatchObject({
      way: 'SAMPLE',
      issuer: null,
      createdAt: '2030-03-04T00:00:00.000Z',
      expiresAt: '2030-03-04T12:00:00.000Z',
    });
    const mine = (await list(two))!.find((session) => session.current)!;
    expect(mine.id).not.toBe(sessions.find((session) => session.current)!.id);
    await service.ask(one, END_OTHERS);
    await service.ask(one, 'mutation { signOut }');
  });

  it('can be ended one by one, or all others at once, each person’s own alone', async () => {
    const [one, two, three, others] = [
      await signIn('hr'),
      await signIn('hr'),
      await signIn('hr'),
      await signIn('issuer'),
    ];
    const second = (await list(two))!.find((session) => session.current)!.id;
    expect((await service.ask(others, END, { id: second })).data.endSession.code).toBe('NOT_FOUND');
    expect((await service.ask(one, END, { id: second })).data.endSession.__typename).toBe(
      'EndSessionPayload',
    );
    expect(await isOver(two)).toBe(true);
    expect((await service.ask(one, END, { id: second })).data.endSession.code).toBe('NOT_FOUND');
    expect((await service.ask(one, END_OTHERS)).data.endOtherSessions).toEqual({ ended: 1 });
    expect(await isOver(three)).toBe(true);
    expect(await isOver(one)).toBe(false);
    expect(await isOver(others)).toBe(false);
  });

  it('end when nothing is asked for two hours, and after twelve at the latest', async () => {
    const [left, used] = [await signIn('coordinator'), await signIn('coordinator')];
    const expectUse = async () =>
      until(async () =>
        (await list(used))!.find((session) => session.current)!.lastUsedAt === clock.now().toISOString()
          ? true
          : undefined,
      );
    clock.move(119);
    await expectUse();
    clock.move(1);
    expect(await isOver(left)).toBe(true);
    expect(await isOver(used)).toBe(false);
    for (let hours = 2; hours < 12; hours++) {
      await expectUse();
      clock.move(hours === 11 ? 59 : 60);
    }
    expect(await isOver(used)).toBe(false);
    clock.move(1);
    expect(await isOver(used)).toBe(true);
  });

  it('of a way that is closed are over: sample sign-ins do not outlive the samples', async () => {
    const token = await signIn('hr');
    expect(await isOver(token)).toBe(false);
    await service.database.pool.query(`update sessions set way = 'oidc', issuer = 'https://gone.example'`);
    expect(await isOver(token)).toBe(true);
  });
});
