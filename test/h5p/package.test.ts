import { mkdtemp, readFile, rm, symlink, writeFile, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectFolder } from '../../src/config.ts';
import { CORE_API } from '../../src/h5p/library.ts';
import { packageLimits } from '../../src/h5p/limits.ts';
import { readFolder, readPackedFile, type H5pPackage, type ReadPackage } from '../../src/h5p/package.ts';
import { folderShelf } from '../../src/h5p/read-library.ts';
import {
  bytesOf,
  columnPackage,
  encrypted,
  h5pJson,
  library,
  mediaPackage,
  pack,
  packEntries,
  PIXEL,
  questionPackage,
  renamed,
  textPackage,
  TEXT_SEMANTICS,
  type Files,
} from './packages.ts';

const BOM = '\uFEFF';

describe('an H5P package', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'xinqiao-h5p-'));
  });
  afterAll(async () => rm(root, { recursive: true, force: true }));

  const options = {
    shelf: folderShelf(join(projectFolder, 'courses/libraries')),
    limits: { ...packageLimits(16), files: 100 },
  };
  const readBytes = async (bytes: Uint8Array): Promise<ReadPackage> => {
    const file = join(root, 'package.h5p');
    await writeFile(file, bytes);
    return readPackedFile(file, options);
  };
  const told = (read: ReadPackage): string[] =>
    'problems' in read ? read.problems.map(({ where, what }) => `${where} ${what}`) : [];
  const good = async (files: Files): Promise<H5pPackage> => {
    const read = await readBytes(await pack(files));
    expect(told(read)).toEqual([]);
    if ('problems' in read) throw new Error('refused');
    await read.package.close();
    return read.package;
  };

  describe('made by whatever editor', () => {
    it('is taken with its parts in parts, and the player is told of libraries that it leaves to the host', async () => {
      const read = await good(columnPackage());
      expect(read.warnings).toEqual([]);
      expect([...read.libraries.keys()].toSorted()).toEqual(['H5P.TestColumn-1.3', 'H5P.TestText-1.0']);
      const played = JSON.parse(read.played.toString()) as {
        preloadedDependencies: { machineName: string }[];
      };
      expect(played.preloadedDependencies.map((each) => each.machineName)).toEqual([
        'H5P.TestColumn',
        'H5P.TestText',
      ]);
    });

    it('is taken with numbers as text, empty lists for groups, lists with gaps, and groups of one field', async () => {
      expect((await good(questionPackage())).warnings).toEqual([]);
    });

    it('is taken with media, in capitals, in Chinese, and marked by the editor; what lies elsewhere is told', async () => {
      const read = await good(mediaPackage(Buffer.alloc(100_000, 7)));
      expect(read.warnings).toEqual([
        { where: 'content/content.json.video.1', what: expect.stringContaining('lies elsewhere') as string },
      ]);
      expect(Object.keys(read.files)).toContain('content/videos/FILM.MP4');
    });

    it('is taken with a library without semantics, whose parts are known by their look', async () => {
      const read = await good({
        'h5p.json': h5pJson('H5P.TestOld 0.9'),
        'content/content.json': {
          pages: [{ inside: { library: 'H5P.TestText 1.0', params: { text: 'x' } } }],
        },
        ...library('H5P.TestOld', { version: [0, 9, 1] }),
        ...library('H5P.TestText', { semantics: TEXT_SEMANTICS }),
      });
      expect([...read.libraries.keys()]).toEqual(['H5P.TestOld-0.9', 'H5P.TestText-1.0']);
    });

    it('is taken with byte-order marks, version numbers as text, and a library’s folder named without its version', async () => {
      const files = textPackage();
      const folders = Object.fromEntries(
        Object.entries(files).map(([path, value]) => [
          path.replace('H5P.TestText-1.0/', 'H5P.TestText/'),
          path.endsWith('.json')
            ? BOM +
              bytesOf(value)
                .toString()
                .replaceAll(/("(?:major|minor|patch)Version":)(\d+)/g, '$1"$2"')
            : value,
        ]),
      );
      expect((await good(folders)).main).toBe('H5P.TestText-1.0');
    });

    it('is taken with what systems and version control leave behind, which is left out, as are files that H5P does not know', async () => {
      const plain = await good(textPackage());
      const read = await good({
        ...textPackage(),
        '__MACOSX/content/._content.json': 'x',
        '.gitignore': 'x',
        'H5P.TestText-1.0/LICENSE': 'MIT',
        'H5P.TestText-1.0/.eslintrc': '{}',
        'H5P.TestText-1.0/src/code.ts': 'x',
      });
      expect(read.hash).toBe(plain.hash);
      expect(read.warnings.map(({ where }) => where)).toEqual(['H5P.TestText-1.0/src/code.ts']);
    });

    it('is taken where an editor wrote values that other hosts mend, with a warning for each', async () => {
      const read = await good({
        'h5p.json': h5pJson('H5P.TestLoose'),
        'content/content.json': {
          count: 700,
          kind: 'other',
          picture: { path: 'images/gone.png' },
          part: { library: 'H5P.TestText 1.0', params: {} },
        },
        ...library('H5P.TestLoose', {
          semantics: [
            { name: 'count', type: 'number', max: 100 },
            { name: 'kind', type: 'select', options: [{ value: 'one' }] },
            { name: 'title', type: 'text' },
            { name: 'picture', type: 'image' },
            { name: 'part', type: 'library', options: ['H5P.Other 1.0'] },
          ],
        }),
        ...library('H5P.TestText', { semantics: TEXT_SEMANTICS }),
      });
      expect(read.warnings.map(({ where }) => where.replace('content/content.json.', ''))).toEqual([
        'count',
        'kind',
        'title',
        'picture',
        'part.library',
        'part.params.text',
      ]);
    });

    it('is taken with a harmless drawing', async () => {
      const read = await good({
        ...textPackage(),
        'content/images/a.svg':
          '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><style>.a{fill:red}</style><a xlink:href="https://example.org"><path class="a" d="M0 0"/></a><use href="#b"/></svg>',
      });
      expect(read.warnings).toEqual([]);
    });

    it('takes libraries that it leaves out from those that are here', async () => {
      const read = await good({
        'h5p.json': h5pJson('H5P.XinqiaoLesson 1.0'),
        'content/content.json': { pages: [] },
      });
      expect([...read.libraries.keys()]).toEqual(['H5P.XinqiaoLesson-1.0', 'H5P.XinqiaoBase-1.0']);
    });

    it('is the same content packed or not, and another with any byte that differs', async () => {
      const files = textPackage();
      const folder = join(root, 'unpacked');
      for (const [path, value] of Object.entries(files)) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), bytesOf(value));
      }
      const unpacked = await readFolder(folder, options);
      const { hash } = await good(files);
      expect('package' in unpacked && unpacked.package.hash).toBe(hash);
      expect((await good(textPackage('您好'))).hash).not.toBe(hash);
      expect((await good({ ...files, 'H5P.TestText-1.0/dist/look.css': 'p{}' })).hash).not.toBe(hash);
    });
  });

  const svg = (inside: string): Files => ({
    ...textPackage(),
    'content/images/bad.svg': `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">${inside}</svg>`,
  });
  const without = (path: string): Files =>
    Object.fromEntries(Object.entries(textPackage()).filter(([each]) => each !== path));
  const libraryJson = (more: object): Files => textPackage('x', library('H5P.TestText', { more }));

  it.each<[string, Files, RegExp]>([
    [
      'a page',
      textPackage('x', { 'content/page.html': '<p>' }),
      /^content\/page\.html is of a kind that is never taken/,
    ],
    [
      'a page in a library',
      textPackage('x', { 'H5P.TestText-1.0/INDEX.HTM': '<p>' }),
      /INDEX\.HTM is of a kind/,
    ],
    [
      'a script for a server',
      textPackage('x', { 'content/images/x.PHP': '<?php' }),
      /x\.PHP is of a kind that is never/,
    ],
    [
      'one behind a picture’s ending',
      textPackage('x', { 'content/images/x.php.png': PIXEL }),
      /x\.php\.png is of a kind/,
    ],
    [
      'a program',
      textPackage('x', { 'H5P.TestText-1.0/setup.exe': 'MZ' }),
      /setup\.exe is of a kind that is never taken/,
    ],
    [
      'a script outside of libraries',
      textPackage('x', { 'content/x.js': '1' }),
      /^content\/x\.js may stand in a library/,
    ],
    [
      'a file that nobody knows',
      textPackage('x', { 'content/x.blob': '1' }),
      /^content\/x\.blob is of a kind that H5P does not/,
    ],
    ['a drawing with a script', svg('<script>alert(1)</script>'), /bad\.svg is refused: it holds <script>/],
    [
      'a drawing with a script by a prefix',
      svg('<x:script xmlns:x="http://www.w3.org/2000/svg"/>'),
      /it holds <script>/,
    ],
    ['a drawing with an event handler', svg('<path onload="x()"/>'), /it has the event handler onload/],
    ['a drawing with a page in it', svg('<foreignObject><p/></foreignObject>'), /it holds <foreignobject>/],
    [
      'a drawing with a script for an address',
      svg('<a xlink:href="java&#10;script:x()"/>'),
      /it has a javascript: address/,
    ],
    [
      'a drawing that becomes one',
      svg('<a><animate attributeName="href" to="javascript:x()"/></a>'),
      /it changes href|javascript: address/,
    ],
    [
      'a drawing from elsewhere',
      svg('<image href="https://example.org/x.png"/>'),
      /it takes image from elsewhere/,
    ],
    [
      'a drawing with entities',
      { ...textPackage(), 'content/a.svg': '<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>' },
      /it declares entities/,
    ],
    ['a drawing that is none', { ...textPackage(), 'content/a.svg': '<svg><g></svg>' }, /it is not XML/],
    ['no h5p.json', without('h5p.json'), /^h5p\.json is not there\.$/],
    [
      'all of it in a folder',
      { 'lesson/h5p.json': '{}', 'lesson/content/content.json': '{}' },
      /h5p\.json is not there, but lesson\/h5p\.json is: pack what lies in/,
    ],
    ['no content', without('content/content.json'), /^content\/content\.json is not there\.$/],
    [
      'content that is no JSON',
      textPackage('x', { 'content/content.json': '{' }),
      /^content\/content\.json is not JSON/,
    ],
    [
      'JSON that nests without end',
      textPackage('x', { 'content/content.json': '['.repeat(100_000) }),
      /nests deeper than 100 levels/,
    ],
    [
      'JSON without end',
      textPackage('x', { 'content/content.json': `{"a":"${'x'.repeat(9 * 1024 * 1024)}"}` }),
      /content\.json is larger than 8\.0 MB/,
    ],
    [
      'a library that is missing',
      textPackage('x', { 'h5p.json': h5pJson('H5P.TestText', ['H5P.Nowhere 1.2']) }),
      /^h5p\.json → H5P\.Nowhere-1\.2\/library\.json is not there\.$/,
    ],
    [
      'a library that a library needs, and is missing',
      textPackage('x', library('H5P.TestText', { needs: ['H5P.Gone 3.4'] })),
      /^H5P\.TestText-1\.0 → H5P\.Gone-3\.4\/library\.json is not there/,
    ],
    [
      'a part whose library is missing',
      {
        ...columnPackage(),
        'content/content.json': { content: [{ content: { library: 'H5P.Gone 1.0', params: {} } }] },
      },
      /^content\/content\.json\.content\.0\.content → H5P\.Gone-1\.0\/library\.json is not there/,
    ],
    [
      'a library in another version than is needed',
      textPackage('x', { 'h5p.json': h5pJson('H5P.TestText 1.4') }),
      /H5P\.TestText-1\.4\/library\.json is not there; of H5P\.TestText there is 1\.0/,
    ],
    [
      'libraries that need each other',
      textPackage('x', {
        ...library('H5P.TestText', { needs: ['H5P.TestA 1.0'] }),
        ...library('H5P.TestA', { needs: ['H5P.TestB 1.0'] }),
        ...library('H5P.TestB', { needs: ['H5P.TestA 1.0'] }),
      }),
      /needs itself before itself: H5P\.TestA-1\.0 → H5P\.TestB-1\.0 → H5P\.TestA-1\.0/,
    ],
    [
      'a newer core than the player’s',
      libraryJson({ coreApi: { majorVersion: 1, minorVersion: 99 } }),
      /asks for H5P core 1\.99, and the player has 1\.28/,
    ],
    [
      'a library that is not called like its folder',
      libraryJson({ machineName: 'H5P.Other' }),
      /calls itself H5P\.Other-1\.0: the folder and the library must agree/,
    ],
    ['a library without a version', libraryJson({ patchVersion: undefined }), /library\.json patchVersion /],
    [
      'a library that leads outside by its name',
      libraryJson({ machineName: '../x' }),
      /library\.json machineName a machine name/,
    ],
    [
      'a library whose script is not there',
      libraryJson({ preloadedJs: [{ path: 'dist/gone.js' }] }),
      /preloadedJs names dist\/gone\.js, which is not in the library/,
    ],
    [
      'a library whose script lies outside',
      libraryJson({ preloadedJs: [{ path: '../content/x.js' }] }),
      /preloadedJs names \.\.\/content\/x\.js, which/,
    ],
    [
      'a folder of a library without one',
      { ...textPackage(), 'H5P.Empty-1.0/x.js': '1' },
      /^H5P\.Empty-1\.0\/library\.json is not there/,
    ],
    [
      'a library twice',
      {
        ...textPackage(),
        ...Object.fromEntries(
          Object.entries(library('H5P.TestText')).map(([path, value]) => [path.replace('-1.0', ''), value]),
        ),
      },
      /is H5P\.TestText-1\.0, which is in the package twice/,
    ],
    [
      'a main library that can’t be played',
      textPackage('x', library('H5P.TestText', { runnable: 0 })),
      /which is no content type \(runnable is 0\)/,
    ],
    [
      'a main library that it does not name',
      textPackage('x', { 'h5p.json': { ...h5pJson('H5P.TestText'), mainLibrary: 'H5P.Other' } }),
      /names a mainLibrary that is not among/,
    ],
    [
      'text where a list is expected',
      { ...columnPackage(), 'content/content.json': { content: 'x' } },
      /content\.json\.content is text where the library expects a list/,
    ],
    [
      'a part that names no library',
      {
        ...columnPackage(),
        'content/content.json': { content: [{ content: { library: 'x', params: {} } }] },
      },
      /names no library/,
    ],
    [
      'semantics that are none',
      textPackage('x', { 'H5P.TestText-1.0/semantics.json': '{' }),
      /semantics\.json is not JSON/,
    ],
    [
      'more files than are taken',
      textPackage(
        'x',
        Object.fromEntries(Array.from({ length: 101 }, (_each, index) => [`content/${index}.txt`, 'x'])),
      ),
      /can't be taken: it holds more than 100 files/,
    ],
    [
      'a path without end',
      textPackage('x', { [`content/${'a'.repeat(201)}.txt`]: 'x' }),
      /has a path that is too long/,
    ],
    [
      'a path too deep',
      textPackage('x', { [`content/${'a/'.repeat(20)}x.txt`]: 'x' }),
      /has a path that is too long or lies too deep/,
    ],
    [
      'two names that are one on many systems',
      textPackage('x', { 'content/A.txt': '1', 'content/a.txt': '2' }),
      /is in it twice/,
    ],
  ])('with %s is refused, with where and what', async (_name, files, expected) => {
    expect(told(await readBytes(await pack(files)))).toContainEqual(expect.stringMatching(expected));
  });

  it('that is no good in many places is told all of them at once', async () => {
    const found = told(
      await readBytes(
        await pack({
          ...textPackage(
            'x',
            library('H5P.TestText', {
              needs: ['H5P.Gone 1.0'],
              more: { coreApi: { majorVersion: 2, minorVersion: 0 } },
            }),
          ),
          'content/page.html': 'x',
          'content/content.json': '[',
          'content/run.exe': 'x',
        }),
      ),
    );
    expect(found.length).toBeGreaterThanOrEqual(4);
  });

  it.each<[string, () => Promise<Buffer>, RegExp]>([
    ['is no zip', async () => Buffer.from('hello'), /^package is not an H5P package: it is no zip/],
    ['is empty', async () => Buffer.alloc(0), /it is no zip/],
    [
      'was cut off',
      async () => (await pack(textPackage())).subarray(0, -60),
      /can't be taken: it is damaged/,
    ],
    [
      'was damaged on its way',
      async () => {
        const zip = await pack(
          textPackage('x', {
            'content/a.txt': Buffer.from(Array.from({ length: 500 }, (_each, index) => (index * 7919) % 251)),
          }),
        );
        zip[zip.indexOf('content/a.txt', 0, 'latin1') + 40]! ^= 0xff;
        return zip;
      },
      /content\/a\.txt is damaged/,
    ],
    [
      'is encrypted',
      async () => encrypted(await pack(textPackage())),
      /is encrypted; save it without a password/,
    ],
    [
      'leads outside',
      async () =>
        renamed(
          await pack(textPackage('x', { 'content/aaa.txt': 'x' })),
          'content/aaa.txt',
          '../../../aa.txt',
        ),
      /a path in it leads outside \(\.\.\/\.\.\/\.\.\/aa\.txt\)/,
    ],
    [
      'leads outside as Windows writes it',
      async () =>
        renamed(
          await pack(textPackage('x', { 'content/aaa.txt': 'x' })),
          'content/aaa.txt',
          '..\\..\\..\\aa.txt',
        ),
      /a path in it leads outside/,
    ],
    [
      'names a file by an absolute path',
      async () =>
        renamed(
          await pack(textPackage('x', { 'content/aaa.txt': 'x' })),
          'content/aaa.txt',
          '/etc/cron.d/aaa',
        ),
      /a path in it leads outside/,
    ],
    [
      'names a file on a drive',
      async () =>
        renamed(
          await pack(textPackage('x', { 'content/aaa.txt': 'x' })),
          'content/aaa.txt',
          'C:/windows/aaaa',
        ),
      /a path in it leads outside/,
    ],
    [
      'holds a link to a file of ours',
      async () =>
        pack(textPackage('x', { 'content/images/a.png': '/etc/passwd' }), {
          'content/images/a.png': 0o120777,
        }),
      /holds a link to another file \(content\/images\/a\.png\)/,
    ],
    [
      'has a file twice',
      async () => packEntries([...Object.entries(textPackage()), ['content/content.json', '{}']]),
      /content\/content\.json is in it twice/,
    ],
    [
      'unpacks to far more than it is',
      async () => pack(textPackage('x', { 'content/a.txt': Buffer.alloc(12 * 1024 * 1024) })),
      /unpacks to more than 200 times its size/,
    ],
    [
      'holds more media than are taken',
      async () =>
        pack(
          textPackage('x', {
            'content/a.mp4': Buffer.alloc(9 * 1024 * 1024),
            'content/b.mp4': Buffer.alloc(9 * 1024 * 1024),
          }),
        ),
      /can't be taken: it unpacks to more than 16777216 bytes/,
    ],
    [
      'says of a file that it is smaller than it is',
      async () => {
        const zip = await pack(textPackage('x', { 'content/a.txt': 'a'.repeat(5_000) }));
        const directory = zip.lastIndexOf('content/a.txt', undefined, 'latin1') - 46;
        zip.writeUInt32LE(10, directory + 24);
        return zip;
      },
      /content\/a\.txt is damaged/,
    ],
  ])('that %s is refused', async (_name, make, expected) => {
    expect(told(await readBytes(await make()))).toContainEqual(expect.stringMatching(expected));
  });

  it('may ask for the core that the player brings: the one with themes', async () => {
    expect(CORE_API).toEqual({ majorVersion: 1, minorVersion: 28 });
    const styles = createRequire(import.meta.url).resolve('h5p-standalone/dist/styles/h5p.css');
    expect(await readFile(styles, 'utf8')).toContain('h5p-theme-');
  });

  it('in a folder is refused with a link in it', async () => {
    const folder = join(root, 'linked');
    await mkdir(join(folder, 'content'), { recursive: true });
    await writeFile(join(folder, 'h5p.json'), JSON.stringify(h5pJson('H5P.XinqiaoLesson 1.0')));
    await writeFile(join(folder, 'content/content.json'), '{}');
    await symlink('/etc/passwd', join(folder, 'content/a.txt'));
    expect(told(await readFolder(folder, { ...options, name: 'content/lesson' }))).toEqual([
      'content/lesson/content/a.txt is a link or no file at all, which is not followed.',
    ]);
  });
});
