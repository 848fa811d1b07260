import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa, { type Middleware } from 'koa';
import { afterEach, describe, expect, it } from 'vitest';
import { contentHeaders, serviceHeaders } from '../../src/http/security.ts';

describe('the headers of an origin', () => {
  const open: Server[] = [];
  afterEach(() => {
    for (const server of open.splice(0)) server.close();
  });
  const headersOf = async (middleware: Middleware): Promise<Headers> => {
    const app = new Koa();
    app.use(middleware);
    app.use((ctx) => {
      ctx.body = 'x';
    });
    const server = app.listen(0, '127.0.0.1');
    open.push(server);
    await new Promise((resolve) => server.once('listening', resolve));
    return (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)).headers;
  };
  const secure = { publicUrl: 'https://xinqiao.example', contentUrl: 'https://content.example' };
  const plain = { publicUrl: 'http://127.0.0.1:8080', contentUrl: 'http://127.0.0.1:8081' };

  it.each([
    ['the service', serviceHeaders],
    ['the contents', contentHeaders],
  ])('keep %s on https where it is reached by it, and only there', async (_name, make) => {
    expect((await headersOf(make(secure))).get('strict-transport-security')).toBe('max-age=31536000');
    expect((await headersOf(make(plain))).get('strict-transport-security')).toBeNull();
  });

  it('let the service frame the contents, and nobody else', async () => {
    const service = (await headersOf(serviceHeaders(secure))).get('content-security-policy')!;
    const content = (await headersOf(contentHeaders(secure))).get('content-security-policy')!;
    expect(service).toContain('frame-src https://content.example blob:');
    expect(content).toContain('frame-ancestors https://xinqiao.example');
    expect(service).not.toContain('unsafe');
    expect(content).not.toMatch(/script-src[^;]*unsafe/);
  });
});
