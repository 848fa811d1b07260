import { readdir } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SAMPLE_COUNTY } from '../../src/commands/sample/county.ts';
import { readPlayerFiles } from '../../src/http/player-files.ts';
import { startService, type GraphqlAnswer, type TestService } from '../support/service.ts';
import {
  columnPackage,
  h5pJson,
  library,
  mediaPackage,
  pack,
  textPackage,
  TEXT_SEMANTICS,
  type Files,
} from './packages.ts';
import { addAuthor, uploadPackage } from './upload.ts';

const CONTENT = `query ($id: ID!) { node(id: $id) { ... on H5pContent { hash libraries { machineName version } upgrades { machineName version } upgradedFrom { id } } } }`;
const UPGRADE = `mutation ($id: ID!) { upgradeH5pContent(input: { h5pContentId: $id }) { __typename
  ... on UpgradeH5pContentPayload { h5pContent { id hash libraries { machineName version } upgradedFrom { id } } } ... on Refusal { code message } } }`;
const FILM = Buffer.from(Array.from({ length: 300_000 }, (_each, index) => (index * 31) % 251));

describe('an uploaded H5P package', () => {
  let service: TestService;
  let author: string;
  let farAuthor: string;
  beforeAll(async () => {
    service = await startService();
    author = await addAuthor(service, 'author');
    farAuthor = await addAuthor(service, 'far-author', '430102');
  });
  afterAll(async () => service.stop());

  const uploadBytes = async (bytes: Uint8Array, as: string | null = author): Promise<GraphqlAnswer> =>
    uploadPackage(service, as, bytes);
  const upload = async (files: Files, as?: string | null) =>
    (await uploadBytes(await pack(files), as)).data?.uploadH5p;
  const exported = async (path: string): Promise<Buffer> => {
    const answer = await service.fetch(path, author);
    expect(answer.status).toBe(200);
    return Buffer.from(await answer.arrayBuffer());
  };
  const stored = async (): Promise<number> =>
    (await service.database.pool.query('select id from h5p_contents')).rows.length;
  /** As it comes over the wire. */
  const raw = async (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<{ status: number; headers: Record<string, string | string[] | undefined>; body: Buffer }>(
      (resolve, reject) => {
        const request = get(`${service.app.contentUrl}${path}`, { headers, method }, (answer) => {
          buffer(answer).then(
            (body) => resolve({ status: answer.statusCode!, headers: answer.headers, body }),
            reject,
          );
        });
        request.on('error', reject);
      },
    );

  it('is taken in once, and told what it is', async () => {
    const files = textPackage('同一个');
    const first = await upload(files);
    expect(first).toMatchObject({
      __typename: 'UploadH5pPayload',
      added: true,
      h5pContent: {
        title: 'A content',
        mainLibrary: { machineName: 'H5P.TestText', version: '1.0.0' },
        warnings: [],
        uploadedBy: { name: 'author' },
      },
    });
    const again = await upload(files);
    expect(again).toMatchObject({ added: false, h5pContent: { id: first.h5pContent.id } });
    const { rows } = await service.database.pool.query(
      `select actor, detail from journal_entries where action = 'h5p.upload'`,
    );
    expect(rows).toEqual([expect.objectContaining({ detail: { hash: first.h5pContent.hash } })]);
  });

  it('is nobody’s who is no author there: refused, not found, not listed, not handed out', async () => {
    const { h5pContent } = await upload(textPackage('同一个'));
    const path = new URL(h5pContent.exportUrl as string).pathname;
    expect((await service.fetch(path)).status).toBe(401);
    for (const as of ['coordinator', 'hr', farAuthor]) {
      expect(await upload(textPackage('x'), as.includes(':') ? as : `sample:${as}`)).toMatchObject({
        code: 'NOT_FOUND',
      });
      expect((await service.ask(as, CONTENT, { id: h5pContent.id })).data.node).toBeNull();
      expect((await service.ask(as, UPGRADE, { id: h5pContent.id })).data.upgradeH5pContent).toMatchObject({
        code: 'NOT_FOUND',
      });
      expect((await service.fetch(path, as)).status).toBe(404);
      const { data } = await service.ask(
        as,
        `{ h5pContents(divisionCode: "${SAMPLE_COUNTY}") { nodes { id } } }`,
      );
      expect(data.h5pContents).toBeNull();
    }
    const { data } = await service.ask(
      author,
      `{ h5pContents(divisionCode: "${SAMPLE_COUNTY}") { nodes { id } } }`,
    );
    expect(data.h5pContents.nodes).toEqual([{ id: h5pContent.id }]);
  });

  it('that is no good is refused whole: with all that is wrong, and nothing of it kept', async () => {
    const before = await stored();
    const answer = await upload({ ...textPackage('bad'), 'content/page.html': 'x', 'content/run.exe': 'x' });
    expect(answer).toMatchObject({
      __typename: 'PackageRefused',
      code: 'PACKAGE_REFUSED',
      problems: [{ where: 'content/page.html' }, { where: 'content/run.exe' }],
    });
    expect((await uploadBytes(Buffer.from('no zip'))).data.uploadH5p).toMatchObject({
      code: 'PACKAGE_REFUSED',
    });
    expect((await uploadBytes(Buffer.alloc(0))).data.uploadH5p).toMatchObject({ code: 'INVALID_INPUT' });
    expect(await stored()).toBe(before);
  });

  it('shares its libraries with others, byte for byte', async () => {
    const one = await upload(columnPackage());
    const count = one.h5pContent.libraries.find(
      (each: { machineName: string }) => each.machineName === 'H5P.TestText',
    ).contentCount;
    expect(count).toBe(2);
    const { rows } = await service.database.pool.query(
      `select count(*)::int as count from h5p_libraries where machine_name = 'H5P.TestText'`,
    );
    expect(rows).toEqual([{ count: 1 }]);
  });

  it('that brings a known library with other bytes is refused by its name', async () => {
    const before = await stored();
    const files = textPackage('同一个', { 'H5P.TestText-1.0/dist/code.js': 'steal()' });
    expect(await upload(files)).toMatchObject({
      code: 'PACKAGE_REFUSED',
      problems: [
        {
          where: 'H5P.TestText-1.0/library.json',
          what: expect.stringContaining(
            'claims to be H5P.TestText 1.0.0, which is known here with other bytes',
          ) as string,
        },
      ],
    });
    expect(await stored()).toBe(before);
  });

  it('is played with the very libraries that it came with, newer ones beside them', async () => {
    const old = (await upload(textPackage('同一个'))).h5pContent;
    const minor = (
      await upload({
        'h5p.json': h5pJson('H5P.TestText 1.1'),
        'content/content.json': { text: 'minor' },
        ...library('H5P.TestText', { version: [1, 1, 0], semantics: TEXT_SEMANTICS, js: '/* 1.1 */' }),
      })
    ).h5pContent;
    const patch = (
      await upload(
        textPackage(
          'patch',
          library('H5P.TestText', { version: [1, 0, 3], semantics: TEXT_SEMANTICS, js: '/* 1.0.3 */' }),
        ),
      )
    ).h5pContent;
    const codeOf = async (hash: string, folder: string): Promise<string> =>
      (await raw(`/contents/${hash}/${folder}/dist/code.js`)).body.toString();
    expect(await codeOf(minor.hash, 'H5P.TestText-1.1')).toBe('/* 1.1 */');
    expect(await codeOf(patch.hash, 'H5P.TestText-1.0')).toBe('/* 1.0.3 */');
    expect(await codeOf(old.hash, 'H5P.TestText-1.0')).toContain('window.H5P');
    expect((await raw(`/contents/${old.hash}/H5P.TestText-1.1/dist/code.js`)).status).toBe(404);
    // Who brings none gets the newest patch of what was asked for.
    const without = (
      await upload({ 'h5p.json': h5pJson('H5P.TestText'), 'content/content.json': { text: 'without' } })
    ).h5pContent;
    expect(without.libraries).toMatchObject([{ version: '1.0.3' }]);
  });

  it('is upgraded to a newer patch only when it is asked for, as a content of its own', async () => {
    const before = (await upload(textPackage('同一个'))).h5pContent;
    const told = (await service.ask(author, CONTENT, { id: before.id })).data.node;
    expect(told).toMatchObject({
      libraries: [{ version: '1.0.0' }],
      upgrades: [{ machineName: 'H5P.TestText', version: '1.0.3' }],
      upgradedFrom: null,
    });
    const { h5pContent } = (await service.ask(author, UPGRADE, { id: before.id })).data.upgradeH5pContent;
    expect(h5pContent).toMatchObject({ libraries: [{ version: '1.0.3' }], upgradedFrom: { id: before.id } });
    expect(h5pContent.hash).not.toBe(before.hash);
    expect((await raw(`/contents/${h5pContent.hash}/H5P.TestText-1.0/dist/code.js`)).body.toString()).toBe(
      '/* 1.0.3 */',
    );
    expect((await raw(`/contents/${h5pContent.hash}/content/content.json`)).body.toString()).toContain(
      '同一个',
    );
    expect((await service.ask(author, CONTENT, { id: before.id })).data.node.hash).toBe(before.hash);
    expect((await service.ask(author, UPGRADE, { id: h5pContent.id })).data.upgradeH5pContent).toMatchObject({
      code: 'NO_UPGRADE',
    });
  });

  it('comes out as a package that is the same content when it comes in again', async () => {
    for (const files of [columnPackage(), mediaPackage(FILM)]) {
      const { h5pContent } = await upload(files);
      const bytes = await exported(new URL(h5pContent.exportUrl as string).pathname);
      expect((await uploadBytes(bytes)).data.uploadH5p).toMatchObject({
        added: false,
        h5pContent: { hash: h5pContent.hash },
      });
    }
  });

  it('of a course comes out too, with every library that another host needs', async () => {
    const { rows } = await service.database.pool.query(
      `select value ->> 'zh-CN' as hash from course_versions, jsonb_each(contents) limit 1`,
    );
    const bytes = await exported(`/h5p/${rows[0].hash as string}.h5p`);
    expect((await uploadBytes(bytes)).data.uploadH5p).toMatchObject({
      added: true,
      h5pContent: {
        hash: rows[0].hash,
        libraries: expect.arrayContaining([expect.objectContaining({ machineName: 'H5P.XinqiaoBase' })]),
      },
    });
    expect((await service.fetch(`/h5p/${rows[0].hash as string}.h5p`, 'coordinator')).status).toBe(404);
    // What was uploaded has a number of its own, which is judged.
    const { h5pContent } = await upload(textPackage('同一个'));
    expect((await service.fetch(`/h5p/${h5pContent.hash as string}.h5p`, farAuthor)).status).toBe(404);
  });

  it('comes over a slow line packed, in pieces, and once', async () => {
    const { hash } = (await upload(mediaPackage(FILM))).h5pContent;
    const film = `/contents/${hash}/content/videos/FILM.MP4`;
    const whole = await raw(film, { 'accept-encoding': 'br' });
    expect(whole.headers).toMatchObject({
      'content-type': 'video/mp4',
      'content-length': String(FILM.length),
      'accept-ranges': 'bytes',
      'cache-control': 'public, max-age=31536000, immutable',
    });
    expect(whole.headers['content-encoding']).toBeUndefined();
    expect(whole.body.equals(FILM)).toBe(true);
    for (const [range, start, end] of [
      ['bytes=100-199', 100, 200],
      ['bytes=299900-', 299_900, 300_000],
      ['bytes=-10', 299_990, 300_000],
      ['bytes=299990-999999', 299_990, 300_000],
    ] as const) {
      const part = await raw(film, { range });
      expect({ range, status: part.status, told: part.headers['content-range'] }).toEqual({
        range,
        status: 206,
        told: `bytes ${start}-${end - 1}/300000`,
      });
      expect(part.body.equals(FILM.subarray(start, end))).toBe(true);
    }
    expect(await raw(film, { range: 'bytes=300000-' })).toMatchObject({
      status: 416,
      headers: { 'content-range': 'bytes */300000' },
    });
    expect((await raw(film, { range: 'bytes=0-9', 'if-range': '"other"' })).status).toBe(200);
    const head = await raw(film, {}, 'HEAD');
    expect({ length: head.headers['content-length'], body: head.body.length }).toEqual({
      length: '300000',
      body: 0,
    });
    expect((await raw(film, { 'if-none-match': String(whole.headers['etag']) })).status).toBe(304);

    const code = `/contents/${hash}/H5P.TestMedia-1.0/dist/code.js`;
    const plain = await raw(code);
    for (const encoding of ['br', 'gzip']) {
      const packed = await raw(code, { 'accept-encoding': encoding });
      expect(packed.headers).toMatchObject({
        'content-encoding': encoding,
        vary: expect.stringContaining('Accept-Encoding') as string,
      });
      expect(packed.body.length).toBeLessThan(plain.body.length / 1.5);
      expect(packed.headers['etag']).not.toBe(plain.headers['etag']);
    }
    const { path } = await readPlayerFiles('/player-files');
    const player = await raw(`${path}/h5p/frame.bundle.js`, { 'accept-encoding': 'br' });
    expect(player.headers['content-encoding']).toBe('br');
  });

  it('has a drawing that runs nothing when it is opened by itself', async () => {
    const { hash } = (
      await upload(textPackage('drawing', { 'content/a.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>' }))
    ).h5pContent;
    const answer = await raw(`/contents/${hash}/content/a.svg`);
    expect(answer.headers).toMatchObject({
      'content-type': 'image/svg+xml',
      'content-security-policy': expect.stringContaining('sandbox') as string,
      'x-content-type-options': 'nosniff',
    });
  });

  it.each([
    '..%2f..%2fidentity.key',
    '..%5c..%5cidentity.key',
    'constructor',
    '__proto__/x',
    'H5P.TestText-1.0',
    '%',
    'content',
    '',
  ])('gives nothing for “%s”', async (path) => {
    const { hash } = (await upload(textPackage('同一个'))).h5pContent;
    expect((await raw(`/contents/${hash as string}/${path}`)).status).toBe(404);
  });

  it('leaves nothing of its coming behind', async () => {
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('xinqiao-upload-'))).toEqual([]);
  });
});
