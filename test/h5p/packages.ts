import { buffer } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { ZipFile } from 'yazl';

/* Packages as H5P editors of all kinds make them, in structures of our own; and the ways to spoil them. */

export type Files = Readonly<Record<string, string | Uint8Array | object>>;

/** @param modes of files that are no plain ones. */
export async function pack(files: Files, modes: Readonly<Record<string, number>> = {}): Promise<Buffer> {
  return packEntries(Object.entries(files), modes);
}

/** A path may be there twice. */
export async function packEntries(
  entries: readonly (readonly [string, string | Uint8Array | object])[],
  modes: Readonly<Record<string, number>> = {},
): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [path, value] of entries)
    zip.addBuffer(bytesOf(value), path, { mtime: new Date(0), mode: modes[path] ?? 0o100644 });
  zip.end();
  return buffer(zip.outputStream as Readable);
}

export function bytesOf(value: string | Uint8Array | object): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value);
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
}

/** The zip with one of its names written otherwise, which no honest program would. */
export function renamed(zip: Buffer, from: string, to: string): Buffer {
  if (Buffer.byteLength(from) !== Buffer.byteLength(to)) throw new Error('Names of one length only.');
  return Buffer.from(zip.toString('latin1').replaceAll(from, to), 'latin1');
}

/** Every entry said to be encrypted. */
export function encrypted(zip: Buffer): Buffer {
  const changed = Buffer.from(zip);
  for (const [signature, flags] of [
    ['PK\u0003\u0004', 6],
    ['PK\u0001\u0002', 8],
  ] as const)
    for (
      let at = changed.indexOf(signature, 0, 'latin1');
      at !== -1;
      at = changed.indexOf(signature, at + 4, 'latin1')
    )
      changed[at + flags]! |= 1;
  return changed;
}

interface LibraryOptions {
  readonly version?: readonly [number, number, number];
  readonly runnable?: 0 | 1;
  readonly needs?: readonly string[];
  readonly dynamic?: readonly string[];
  readonly editor?: readonly string[];
  readonly semantics?: unknown;
  readonly js?: string;
  readonly more?: object;
}

/** The files of a library; it shows `params.text`, says that it was completed, and attaches the parts that it finds. */
export function library(
  name: string,
  options: LibraryOptions = {},
): Record<string, string | Uint8Array | object> {
  const { version: [major, minor, patch] = [1, 0, 0], runnable = 1, semantics } = options;
  const folder = `${name}-${major}.${minor}`;
  return {
    [`${folder}/library.json`]: {
      title: name,
      machineName: name,
      majorVersion: major,
      minorVersion: minor,
      patchVersion: patch,
      runnable,
      coreApi: { majorVersion: 1, minorVersion: 19 },
      preloadedJs: [{ path: 'dist/code.js' }],
      preloadedCss: [{ path: 'dist/look.css' }],
      preloadedDependencies: (options.needs ?? []).map(reference),
      dynamicDependencies: (options.dynamic ?? []).map(reference),
      editorDependencies: (options.editor ?? []).map(reference),
      ...options.more,
    },
    [`${folder}/dist/code.js`]: options.js ?? codeOf(name.split('.')[1] ?? name),
    [`${folder}/dist/look.css`]: `.${name.replace('.', '-')} { padding: 1px; }`,
    ...(semantics === undefined ? {} : { [`${folder}/semantics.json`]: semantics as object }),
  };
}

function reference(text: string): object {
  const [machineName, version = '1.0'] = text.split(' ');
  const [majorVersion, minorVersion] = version.split('.').map(Number);
  return { machineName, majorVersion, minorVersion };
}

/** As content types are written: a constructor in the namespace H5P, with `attach`. */
function codeOf(name: string): string {
  return `window.H5P = window.H5P || {};
H5P.${name} = (function ($) {
  function Content(params, id) {
    H5P.EventDispatcher.call(this);
    var self = this;
    this.attach = function ($container) {
      $container.addClass('test-content');
      if (params.text) $container.append($('<p class="test-text"/>').text(params.text));
      if (params.picture && params.picture.path) $container.append($('<img alt="">').attr('src', H5P.getPath(params.picture.path, id)));
      (params.content || params.questions || []).forEach(function (part) {
        var $part = $('<div/>').appendTo($container);
        H5P.newRunnable(part.content || part, id, $part);
      });
      $('<button class="test-done"/>').text('done').appendTo($container).on('click', function () {
        self.triggerXAPICompleted(1, 1, true);
      });
    };
  }
  Content.prototype = Object.create(H5P.EventDispatcher.prototype);
  Content.prototype.constructor = Content;
  return Content;
})(H5P.jQuery);
`;
}

export function h5pJson(main: string, needs: readonly string[] = [], more: object = {}): object {
  return {
    title: 'A content',
    language: 'zh',
    mainLibrary: main.split(' ')[0],
    embedTypes: ['iframe'],
    license: 'U',
    preloadedDependencies: [main, ...needs].map(reference),
    ...more,
  };
}

export const TEXT_SEMANTICS = [
  { name: 'text', type: 'text', label: 'Text' },
  { name: 'picture', type: 'image', label: 'Picture', optional: true },
];

/** A content of one library that shows a text. */
export function textPackage(text = '你好', more: Files = {}): Record<string, string | Uint8Array | object> {
  return {
    'h5p.json': h5pJson('H5P.TestText'),
    'content/content.json': { text },
    ...library('H5P.TestText', { semantics: TEXT_SEMANTICS }),
    ...more,
  };
}

const COLUMN_SEMANTICS = [
  {
    name: 'content',
    type: 'list',
    min: 1,
    field: {
      name: 'content',
      type: 'group',
      fields: [
        {
          name: 'content',
          type: 'library',
          options: ['H5P.TestText 1.0', 'H5P.TestColumn 1.3'],
        },
        {
          name: 'useSeparator',
          type: 'select',
          options: [{ value: 'auto' }, { value: 'enabled' }],
          default: 'auto',
        },
      ],
    },
  },
];

/** Columns in columns, each part a content of its own. */
export function columnPackage(): Record<string, string | Uint8Array | object> {
  const part = (text: string): object => ({
    content: {
      library: 'H5P.TestText 1.0',
      params: { text },
      subContentId: text,
      metadata: { contentType: 'Text' },
    },
    useSeparator: 'auto',
  });
  const column = (...parts: object[]): object => ({
    content: { library: 'H5P.TestColumn 1.3', params: { content: parts }, subContentId: 'c', metadata: {} },
    useSeparator: 'auto',
  });
  return {
    // The inner library is left to the host, as an editor that asks it does.
    'h5p.json': h5pJson('H5P.TestColumn 1.3'),
    'content/content.json': {
      content: [part('first'), column(part('second'), column(part('third')))],
      leftByAnEditor: { a: 1 },
    },
    ...library('H5P.TestColumn', { version: [1, 3, 7], semantics: COLUMN_SEMANTICS }),
    ...library('H5P.TestText', { semantics: TEXT_SEMANTICS }),
  };
}

/** Questions, with everything written as loosely as editors do. */
export function questionPackage(): Record<string, string | Uint8Array | object> {
  const semantics = [
    {
      name: 'introPage',
      type: 'group',
      fields: [
        { name: 'showIntroPage', type: 'boolean' },
        { name: 'title', type: 'text', optional: true },
      ],
    },
    { name: 'passPercentage', type: 'number', min: 0, max: 100, default: 50 },
    { name: 'progressType', type: 'select', options: [{ value: 'dots' }, { value: 'textual' }] },
    {
      name: 'questions',
      type: 'list',
      min: 1,
      field: { name: 'question', type: 'library', options: ['H5P.TestText 1.0'] },
    },
    // A group of one field is stored as that field.
    { name: 'override', type: 'group', fields: [{ name: 'checkButton', type: 'boolean', optional: true }] },
    { name: 'tags', type: 'list', optional: true, field: { name: 'tag', type: 'text' } },
  ];
  return {
    'h5p.json': h5pJson('H5P.TestQuestions 2.1', ['H5P.TestText 1.0'], {
      extraTitle: 'x',
      authors: [],
      metaKeywords: null,
    }),
    'content/content.json': {
      introPage: [],
      passPercentage: '50',
      progressType: 'dots',
      questions: {
        0: { library: 'H5P.TestText 1.0', params: { text: 'one' } },
        2: { library: 'H5P.TestText 1.0', params: { text: 'two' } },
      },
      override: true,
    },
    ...library('H5P.TestQuestions', { version: [2, 1, 0], semantics, needs: ['H5P.TestText 1.0'] }),
    ...library('H5P.TestText', { semantics: TEXT_SEMANTICS }),
  };
}

/** A film and a picture, with the endings of a camera. */
export function mediaPackage(film: Uint8Array): Record<string, string | Uint8Array | object> {
  const semantics = [
    { name: 'video', type: 'video' },
    { name: 'picture', type: 'image', optional: true },
    { name: 'text', type: 'text', optional: true },
  ];
  return {
    'h5p.json': h5pJson('H5P.TestMedia'),
    'content/content.json': {
      video: [
        { path: 'videos/FILM.MP4', mime: 'video/mp4' },
        { path: 'https://example.org/film.mp4', mime: 'video/mp4' },
      ],
      picture: { path: 'images/图 1.PNG#tmp', mime: 'image/png', width: 1, height: 1 },
    },
    'content/videos/FILM.MP4': film,
    'content/images/图 1.PNG': PIXEL,
    ...library('H5P.TestMedia', { semantics }),
  };
}

export const PIXEL: Buffer = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);
