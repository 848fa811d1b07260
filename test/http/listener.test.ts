import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import Koa from 'koa';
import { afterEach, describe, expect, it } from 'vitest';
import { makeListener, type ListenerTimes } from '../../src/http/listener.ts';
import { networksOf } from '../../src/network/address.ts';
import { currentOrigin } from '../../src/origin.ts';
import { until } from '../support/service.ts';

const QUICK: ListenerTimes = { headersMs: 150, keepAliveMs: 300, idleMs: 2_000, patienceMs: 200, lookMs: 25 };

/* Real sockets against a listener as both origins have it, with shorter times. */
describe('a listener', () => {
  const open: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });

  const start = async ({
    total = 100,
    perAddress = 100,
    slowestUpload = 10_000,
    proxies = [] as string[],
    times = QUICK,
    answers = Promise.resolve(),
  } = {}) => {
    const listener = makeListener(
      { total, perAddress, slowestUpload },
      { proxies: networksOf(proxies), times },
    );
    const app = new Koa();
    app.silent = true;
    app.use(async (ctx) => {
      if (ctx.path === '/hasty') {
        // Answers before it has read the body, whose reader has stopped.
        ctx.req.pipe(new PassThrough({ highWaterMark: 1 }));
        await once(ctx.req, 'pause');
        ctx.body = 'enough';
        return;
      }
      let bytes = 0;
      for await (const chunk of ctx.req) bytes += (chunk as Buffer).length;
      ctx.body = { bytes, origin: currentOrigin() };
    });
    void answers.then(() => listener.answerBy(app));
    await new Promise<void>((resolve) => listener.server.listen(0, '127.0.0.1', resolve));
    open.push(async () => {
      listener.server.closeAllConnections();
      await new Promise((resolve) => listener.server.close(resolve));
    });
    return (listener.server.address() as AddressInfo).port;
  };

  interface Caller {
    readonly socket: Socket;
    readonly answer: () => string;
    readonly closed: Promise<void>;
  }
  const call = (port: number, text = ''): Caller => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString())).on('error', () => {});
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    if (text !== '') socket.write(text);
    return { socket, answer: () => answer, closed };
  };
  const GET = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  const post = (length: number): string => `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;

  it('tells whoever comes before the service can answer to come again, at once', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const port = await start({ answers: promise });
    const early = call(port, GET);
    await early.closed;
    expect(early.answer()).toMatch(/^HTTP\/1\.1 503 [^]*retry-after: 1\r\n[^]*"title":"STARTING"/i);
    expect(early.answer()).toMatch(/^x-request-id: [\w-]{36}\r$/im);
    resolve();
    const later = call(port, GET);
    await later.closed;
    expect(later.answer()).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('cuts off headers that never end, and goes on for others', async () => {
    const port = await start();
    const slow = Array.from({ length: 20 }, () => call(port, 'GET / HTTP/1.1\r\nHost: x\r\n'));
    const dripping = setInterval(() => {
      for (const [index, { socket }] of slow.entries()) socket.write(`X-${index}: 1\r\n`);
    }, 20);
    const other = call(port, GET);
    await other.closed;
    expect(other.answer()).toMatch(/^HTTP\/1\.1 200 /);
    await Promise.all(slow.map(async ({ closed }) => closed));
    clearInterval(dripping);
    for (const { answer } of slow)
      expect(answer()).toMatch(/^HTTP\/1\.1 408 [^]*x-request-id: [\w-]{36}[^]*"TOO_SLOW"/i);
  });

  it('cuts off a body that drips or stands still, and lets a slow one that comes on finish', async () => {
    const port = await start();
    const still = call(port, `${post(100_000)}{`);
    const dripping = call(port, post(100_000));
    const drip = setInterval(() => dripping.socket.write('x'), 20);
    // Twice the slowest rate; longer in all than a body that stands still may take.
    const village = call(port, post(20_000));
    let sent = 0;
    const flow = setInterval(() => {
      village.socket.write('x'.repeat(500));
      sent += 500;
      if (sent === 20_000) clearInterval(flow);
    }, 20);
    await Promise.all([still.closed, dripping.closed]);
    clearInterval(drip);
    for (const { answer } of [still, dripping]) expect(answer()).toMatch(/^HTTP\/1\.1 408 [^]*"TOO_SLOW"/);
    while (!village.answer().includes('"bytes"')) await sleep(20);
    expect(village.answer()).toContain('"bytes":20000');
    village.socket.destroy();
  });

  it.each([
    ['one header is too long', `GET / HTTP/1.1\r\nHost: x\r\nX-Filler: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['the address is too long', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    [
      'there are too many headers',
      `GET / HTTP/1.1\r\nHost: x\r\n${Array.from({ length: 150 }, (_each, at) => `X-${at}: 1\r\n`).join('')}\r\n`,
      431,
    ],
    ['it is no HTTP', 'hello\r\n\r\n', 400],
    ['its length is no number', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n', 400],
    [
      'it has two lengths',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
  ])('says what is wrong when %s', async (_what, text, status) => {
    const caller = call(await start(), text);
    await caller.closed;
    expect(caller.answer()).toMatch(
      new RegExp(`^HTTP/1.1 ${status} [^]*x-content-type-options: nosniff[^]*"status":${status}`, 'i'),
    );
    expect(caller.answer()).not.toMatch(/server:|powered/i);
  });

  it('has so many connections in all, and from one address, and says so to the next', async () => {
    for (const limits of [
      { total: 3, perAddress: 100 },
      { total: 100, perAddress: 3 },
    ]) {
      const port = await start({ ...limits, times: { ...QUICK, headersMs: 10_000 } });
      const kept = [call(port), call(port), call(port)];
      await Promise.all(
        kept.map(async ({ socket }) => new Promise((resolve) => socket.once('connect', resolve))),
      );
      const next = call(port, GET);
      await next.closed;
      expect(next.answer()).toMatch(/^HTTP\/1\.1 503 [^]*"TOO_MANY_CONNECTIONS"/);
      kept[0]!.socket.destroy();
      // The listener hears of it in its own time.
      await until(async () => {
        const later = call(port, GET);
        await later.closed;
        return later.answer().startsWith('HTTP/1.1 200 ') ? true : undefined;
      });
    }
  });

  it('counts no connections of a trusted proxy, behind which many stand', async () => {
    const port = await start({ perAddress: 1, proxies: ['127.0.0.1'] });
    const kept = [call(port), call(port)];
    const next = call(port, GET);
    await next.closed;
    expect(next.answer()).toMatch(/^HTTP\/1\.1 200 /);
    for (const { socket } of kept) socket.destroy();
  });

  it('reads away what is left of a body once it has answered, so that the next request has its turn', async () => {
    const body = 'x'.repeat(3_000_000);
    const caller = call(await start({ times: { ...QUICK, headersMs: 5_000, idleMs: 5_000 } }));
    caller.socket.write(post(body.length).replace('/ ', '/hasty ') + body + GET);
    await caller.closed;
    expect(caller.answer()).toContain('enough');
    expect(caller.answer().match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
  });

  it('ends a connection that is kept and not used', async () => {
    const caller = call(await start(), 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await caller.closed;
    expect(caller.answer()).toMatch(/^HTTP\/1\.1 200 /);
  });

  const told = async (port: number, headers: string) => {
    const caller = call(port, `GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`);
    await caller.closed;
    const { origin } = JSON.parse(/\{.*\}/.exec(caller.answer())![0]) as {
      origin: { requestId: string; address: string };
    };
    expect(caller.answer().toLowerCase()).toContain(`x-request-id: ${origin.requestId.toLowerCase()}`);
    return origin;
  };

  it('gives each request an id of its own, and believes nobody about where it comes from', async () => {
    const port = await start();
    const one = await told(port, 'X-Request-Id: made-up-id\r\nX-Forwarded-For: 203.0.113.9\r\n');
    const other = await told(port, '');
    expect(one.requestId).toMatch(/^[\da-f-]{36}$/);
    expect(one.requestId).not.toBe(other.requestId);
    expect(one.address).toBe('127.0.0.1');
  });

  it('believes a trusted proxy what is well-formed, and only the last word that it could know', async () => {
    const port = await start({ proxies: ['127.0.0.0/8', '10.0.0.0/8'] });
    expect(
      await told(
        port,
        'X-Request-Id: from-the-proxy-1\r\nX-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.1.1.1\r\n',
      ),
    ).toEqual({ requestId: 'from-the-proxy-1', address: '203.0.113.9' });
    for (const id of ['short', 'with space in it', 'x'.repeat(65), '<script>alert(1)</script>'])
      expect((await told(port, `X-Request-Id: ${id}\r\n`)).requestId).toMatch(/^[\da-f-]{36}$/);
    expect((await told(port, 'X-Forwarded-For: nonsense, 10.1.1.1\r\n')).address).toBe('10.1.1.1');
    expect((await told(port, 'X-Forwarded-For: [2001:db8::1]:443\r\n')).address).toBe('2001:db8::1');
    expect((await told(port, 'X-Forwarded-For: 203.0.113.9:5000\r\n')).address).toBe('203.0.113.9');
  });
});
