import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  IMPORT,
  importRoster,
  smallRoster,
  startService,
  until,
  type TestService,
} from '../support/service.ts';

const MEGABYTE = 1024 * 1024;
const GIGABYTE = 1024 * MEGABYTE;
const BOUNDARY = 'here-it-ends';
/** The same piece again and again: the sender holds nothing. */
const ZEROS = Buffer.alloc(64 * 1024);

/** Multipart up to where the file's own bytes begin. */
const BEGINNING = [
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="operations"\r\n\r\n`,
  JSON.stringify({ query: IMPORT, variables: { input: { divisionCode: '430121', files: [null] } } }),
  `\r\n--${BOUNDARY}\r\nContent-Disposition: form-data; name="map"\r\n\r\n{"0":["variables.input.files.0"]}\r\n`,
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="0"; filename="users.csv"\r\n\r\n`,
].join('');

describe('an upload that goes wrong on its way', () => {
  let service: TestService;
  const defects: string[] = [];
  const keep = (...said: unknown[]): void => void defects.push(JSON.stringify(said));
  beforeAll(async () => {
    service = await startService({ log: { debug: () => {}, info: () => {}, warn: keep, error: keep } });
  });
  afterAll(async () => service.stop());

  const stored = async () =>
    (
      await service.database.pool.query(
        `select (select count(*)::int from roster_imports) as imports, (select count(*)::int from roster_import_files) as files,
          (select count(*)::int from graphile_worker.jobs where task_identifier = 'import-roster') as jobs`,
      )
    ).rows[0] as { imports: number; files: number; jobs: number };

  interface Upload {
    readonly socket: Socket;
    readonly closed: Promise<void>;
    answer(): string;
    /** @returns false once the connection takes nothing more. */
    send(bytes: Buffer | string): Promise<boolean>;
  }
  /** An upload of `length` bytes, or of nobody knows how many, up to where the file's own bytes begin. */
  const begin = async (length: number | undefined): Promise<Upload> => {
    const { hostname, port } = new URL(service.app.publicUrl);
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString())).on('error', () => {});
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const upload: Upload = {
      socket,
      closed,
      answer: () => answer,
      async send(bytes) {
        if (!socket.writable) return false;
        if (length === undefined) socket.write(`${bytes.length.toString(16)}\r\n`);
        const more = socket.write(bytes);
        if (length === undefined) socket.write('\r\n');
        if (!more) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
        return socket.writable;
      },
    };
    socket.write(
      [
        'POST /graphql HTTP/1.1',
        `Host: ${hostname}:${port}`,
        'Authorization: Bearer sample:coordinator',
        `Content-Type: multipart/form-data; boundary=${BOUNDARY}`,
        length === undefined ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`,
        '\r\n',
      ].join('\r\n'),
    );
    await upload.send(BEGINNING);
    return upload;
  };

  it.each([
    ['and its length told', 2 * MEGABYTE, 'destroy'],
    ['and its length not told', undefined, 'destroy'],
    ['by a polite goodbye', 2 * MEGABYTE, 'end'],
    ['by a polite goodbye, and its length not told', undefined, 'end'],
  ] as const)('leaves nothing when it is cut off halfway, %s', async (_name, length, how) => {
    const before = await stored();
    const upload = await begin(length);
    for (let sent = 0; sent < MEGABYTE; sent += ZEROS.length) await upload.send(ZEROS);
    await until(async () => (upload.socket.writableLength === 0 ? true : undefined));
    upload.socket[how]();
    await upload.closed;
    expect(upload.answer()).not.toContain(' 200 ');
    // The service goes on, and it has seen the end of the other by then.
    const files = smallRoster([{ id: 'u1', family: '王', given: '一' }]);
    expect(await importRoster(service, files)).toMatchObject({ state: 'APPLIED', rowsRefused: 0 });
    // The job is struck off a moment after it was done.
    await until(async () => ((await stored()).jobs === before.jobs ? true : undefined));
    expect(await stored()).toEqual({ ...before, imports: before.imports + 1 });
    // Callers who go away are no defects of ours.
    expect(defects).toEqual([]);
  });

  it.each([
    ['announces 2 GB', 2 * GIGABYTE, 16 * MEGABYTE],
    ['does not say how long it is', undefined, 65 * MEGABYTE + 16 * MEGABYTE],
  ])('is refused soon when it %s', async (_name, length, mostSent) => {
    const before = await stored();
    const memoryBefore = process.memoryUsage.rss();
    let memory = 0;
    const upload = await begin(length);
    let sent = 0;
    while (upload.answer() === '' && sent < 2 * GIGABYTE && (await upload.send(ZEROS))) {
      sent += ZEROS.length;
      memory = Math.max(memory, process.memoryUsage.rss() - memoryBefore);
      // The other side is in this process too.
      await setImmediate();
    }
    await until(async () => (upload.answer().includes('BODY_TOO_LARGE') ? true : undefined));
    expect(upload.answer()).toMatch(/^HTTP\/1\.1 413 [^]*\r\nConnection: close\r\n[^]*larger than 65 MB/i);
    expect(sent).toBeLessThan(mostSent);
    expect(memory).toBeLessThan(200 * MEGABYTE);
    upload.socket.destroy();
    expect(await stored()).toEqual(before);
  });

  it('is cut off when it goes on after it was refused', async () => {
    const before = await stored();
    const upload = await begin(undefined);
    const started = performance.now();
    while (await upload.send(ZEROS)) await setImmediate();
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(upload.answer()).toMatch(/^HTTP\/1\.1 413 /);
    expect(await stored()).toEqual(before);
    expect(defects).toEqual([]);
  });
});
