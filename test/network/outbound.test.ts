import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeOutbound, OutboundError, type Outbound } from '../../src/network/outbound.ts';

/** A platform as a stranger may run it: it answers by path. */
describe('the way out', () => {
  let server: Server;
  let port: number;
  let asked: { path: string; authorization: string | undefined; host: string | undefined }[] = [];
  const open: Outbound[] = [];

  const answers: Readonly<Record<string, (response: ServerResponse) => void>> = {
    '/json': (response) => response.setHeader('content-type', 'application/json').end('{"keys":[]}'),
    '/jwks': (response) =>
      response.setHeader('content-type', 'application/jwk-set+json; charset=utf-8').end('{"keys":[]}'),
    '/html': (response) => response.setHeader('content-type', 'text/html').end('<p>'),
    '/error': (response) => response.writeHead(503, { 'content-type': 'text/html' }).end('down'),
    '/never': () => undefined,
    '/slow': (response) => {
      response.setHeader('content-type', 'application/json').write('{');
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    },
    '/endless': (response) => {
      const piece = Buffer.alloc(64 * 1024);
      const more = (): void => {
        while (!response.destroyed && response.write(piece));
      };
      response.on('drain', more);
      more();
    },
    '/announces': (response) => response.writeHead(200, { 'content-length': '50000000' }).flushHeaders(),
    '/bomb': (response) =>
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        .end(gzipSync(Buffer.alloc(20_000_000))),
    '/headers': (response) => response.setHeader('x-filler', 'x'.repeat(40_000)).end(),
    '/away': (response) => response.writeHead(302, { location: '/json' }).end(),
    '/inwards': (response) =>
      response.writeHead(302, { location: `http://internal.example:${port}/json` }).end(),
    '/by-number': (response) => response.writeHead(302, { location: `http://2130706433:${port}/json` }).end(),
    '/to-file': (response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    '/elsewhere': (response) =>
      response.writeHead(302, { location: `http://other.example:${port}/json` }).end(),
    '/round': (response) => response.writeHead(302, { location: '/round' }).end(),
  };

  beforeAll(async () => {
    server = createServer((request, response) => {
      const { authorization, host } = request.headers;
      asked.push({ path: request.url!, authorization, host });
      const answer = answers[request.url!];
      if (answer === undefined) response.writeHead(404).end();
      else answer(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(async () => {
    await Promise.all(open.map(async (outbound) => outbound.close()));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  /** Answers with the next of a name's addresses each time it is asked; the last one stays. */
  const names = (table: Record<string, string[]>): LookupFunction =>
    ((host: string, options: { all?: boolean }, done: (...said: unknown[]) => void) => {
      const its = table[host];
      const address = its === undefined ? undefined : its.length > 1 ? its.shift()! : its[0]!;
      if (address === undefined) done(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }));
      else {
        const all = address.split(',').map((each) => ({ address: each, family: each.includes(':') ? 6 : 4 }));
        if (options.all === true) done(null, all);
        else done(null, all[0]!.address, all[0]!.family);
      }
    }) as LookupFunction;

  const make = (
    allow: readonly string[],
    table: Record<string, string[]> = {},
    more: { ports?: number[]; allowHttp?: boolean } = {},
  ): Outbound => {
    const outbound = makeOutbound(
      { allow, ports: more.ports ?? [port, 443], allowHttp: more.allowHttp ?? true },
      { lookup: names(table) },
    );
    open.push(outbound);
    return outbound;
  };
  const codeOf = async (work: Promise<unknown> | (() => unknown)): Promise<string> => {
    try {
      await (typeof work === 'function' ? work() : work);
      return 'answered';
    } catch (error) {
      if (error instanceof OutboundError) return error.code;
      throw error;
    }
  };

  it.each([
    'http://127.0.0.1:PORT/json',
    'http://2130706433:PORT/json',
    'http://0x7f000001:PORT/json',
    'http://0177.0.0.1:PORT/json',
    'http://127.1:PORT/json',
    'http://0:PORT/json',
    'http://[::1]:PORT/json',
    'http://[::]:PORT/json',
    'http://[::ffff:127.0.0.1]:PORT/json',
    'http://[::127.0.0.1]:PORT/json',
    'http://[64:ff9b::7f00:1]:PORT/json',
    'http://[64:ff9b:1::7f00:1]:PORT/json',
    'http://[2002:7f00:1::]:PORT/json',
    'http://[fd00::1]:PORT/json',
    'http://[fe80::1]:PORT/json',
    'http://[ff02::1]:PORT/json',
    'http://10.0.0.1:PORT/json',
    'http://172.16.0.1:PORT/json',
    'http://192.168.0.1:PORT/json',
    'http://169.254.169.254:PORT/json',
    'http://100.64.0.1:PORT/json',
    'http://224.0.0.1:PORT/json',
    'http://255.255.255.255:PORT/json',
    'http://198.18.0.1:PORT/json',
    'http://localhost:PORT/json',
    'http://LOCALHOST.:PORT/json',
    'http://a.localhost:PORT/json',
    'http://１２７.0.0.1:PORT/json',
  ])('does not ask %s', async (pattern) => {
    asked = [];
    const outbound = make([], { localhost: ['127.0.0.1'] });
    const url = pattern.replace('PORT', String(port));
    expect(await codeOf(outbound.fetch(url))).toBe('ADDRESS_REFUSED');
    expect(await codeOf(() => outbound.check(url))).toBe('ADDRESS_REFUSED');
    expect(asked).toEqual([]);
  });

  it.each([
    '127.0.0.1',
    '::1',
    '10.1.2.3',
    '::ffff:192.168.1.1',
    '93.184.216.34,127.0.0.1',
    '169.254.169.254',
  ])('does not ask a name that resolves to %s', async (address) => {
    asked = [];
    const outbound = make([], { 'lms.example': [address] });
    // Its text is in order.
    expect(outbound.check(`http://lms.example:${port}/json`).hostname).toBe('lms.example');
    expect(await codeOf(outbound.fetch(`http://lms.example:${port}/json`))).toBe('ADDRESS_REFUSED');
    expect(asked).toEqual([]);
  });

  it('judges the address at each connection: a name that was good before does not help', async () => {
    asked = [];
    const outbound = make(['127.0.0.1'], { 'rebinding.example': ['127.0.0.1', '127.0.0.2'] });
    const url = `http://rebinding.example:${port}/json`;
    expect((await outbound.fetch(url)).status).toBe(200);
    expect(await codeOf(outbound.fetch(url))).toBe('ADDRESS_REFUSED');
    expect(asked).toHaveLength(1);
  });

  it('asks hosts and networks of ours where it is told to', async () => {
    const table = { 'lms.school.example': ['127.0.0.1'] };
    for (const allow of ['lms.school.example', '.school.example', '127.0.0.0/8', '127.0.0.1']) {
      const outbound = make([allow], table);
      const answer = await outbound.fetch(`http://lms.school.example:${port}/json`);
      expect(answer.json()).toEqual({ keys: [] });
    }
    expect(
      await codeOf(make(['school.example'], table).fetch(`http://lms.school.example:${port}/json`)),
    ).toBe('ADDRESS_REFUSED');
    // Its own connection may be plain and on any port: it is the operator's word.
    const strict = make(['127.0.0.1'], {}, { ports: [443], allowHttp: false });
    expect((await strict.fetch(`http://127.0.0.1:${port}/json`)).status).toBe(200);
  });

  it('asks only https, on known ports, without credentials in the URL', async () => {
    const outbound = make([], { 'lms.example': ['93.184.216.34'] }, { ports: [443, 8443], allowHttp: false });
    for (const url of [
      'http://lms.example/',
      'ftp://lms.example/',
      'file:///etc/passwd',
      'data:text/plain,x',
      'https://lms.example:22/',
      'https://user:secret@lms.example/',
      'not a url',
      '',
    ])
      expect({ url, code: await codeOf(outbound.fetch(url)) }).toEqual({ url, code: 'URL_REFUSED' });
    expect(outbound.check('https://lms.example:8443/x').port).toBe('8443');
  });

  const ours = (): Outbound =>
    make(['a.example', 'other.example'], {
      'a.example': ['127.0.0.1'],
      'other.example': ['127.0.0.1'],
      'internal.example': ['127.0.0.1'],
    });

  it('follows no redirect unasked, at most three when asked, and judges each', async () => {
    const outbound = ours();
    const at = (path: string): string => `http://a.example:${port}${path}`;
    expect(await codeOf(outbound.fetch(at('/away')))).toBe('REDIRECT_REFUSED');
    expect((await outbound.fetch(at('/away'), { redirects: 1 })).url).toBe(at('/json'));
    expect(await codeOf(outbound.fetch(at('/inwards'), { redirects: 3 }))).toBe('ADDRESS_REFUSED');
    expect(await codeOf(outbound.fetch(at('/by-number'), { redirects: 3 }))).toBe('ADDRESS_REFUSED');
    expect(await codeOf(outbound.fetch(at('/to-file'), { redirects: 3 }))).toBe('URL_REFUSED');
    asked = [];
    expect(await codeOf(outbound.fetch(at('/round'), { redirects: 99 }))).toBe('REDIRECT_REFUSED');
    expect(asked).toHaveLength(4);
    expect(await codeOf(outbound.fetch(at('/away'), { method: 'POST', body: '{}', redirects: 3 }))).toBe(
      'REDIRECT_REFUSED',
    );
  });

  it('tells another origin no secret that was meant for the first', async () => {
    asked = [];
    await ours().fetch(`http://a.example:${port}/elsewhere`, {
      redirects: 1,
      headers: { authorization: 'Bearer secret' },
    });
    expect(asked.map(({ path, authorization }) => ({ path, authorization }))).toEqual([
      { path: '/elsewhere', authorization: 'Bearer secret' },
      { path: '/json', authorization: undefined },
    ]);
  });

  it('takes so much time and so many bytes, and no more', async () => {
    const outbound = ours();
    const ask = async (path: string, more = {}) =>
      codeOf(outbound.fetch(`http://a.example:${port}${path}`, { timeoutMs: 5_000, ...more }));
    expect(await ask('/never', { timeoutMs: 200 })).toBe('TIMED_OUT');
    expect(await ask('/slow', { timeoutMs: 200 })).toBe('TIMED_OUT');
    expect(await ask('/endless')).toBe('TOO_LARGE');
    expect(await ask('/announces')).toBe('TOO_LARGE');
    expect(await ask('/bomb', { maxBytes: 100_000 })).toBe('TOO_LARGE');
    expect(await ask('/headers')).toBe('UNREACHABLE');
    expect(await codeOf(outbound.fetch('http://nobody.example/', { timeoutMs: 5_000 }))).toMatch(
      /URL_REFUSED|UNREACHABLE/,
    );
  });

  it('takes what it asked for by its type', async () => {
    const outbound = ours();
    const ask = async (path: string) =>
      outbound.fetch(`http://a.example:${port}${path}`, { types: ['application/json'] });
    expect((await ask('/json')).json()).toEqual({ keys: [] });
    expect((await ask('/jwks')).json()).toEqual({ keys: [] });
    expect(await codeOf(ask('/html'))).toBe('TYPE_REFUSED');
    // An error is an answer, whatever its page is made of.
    expect((await ask('/error')).status).toBe(503);
  });
});
