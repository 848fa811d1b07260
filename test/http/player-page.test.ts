import { describe, expect, it } from 'vitest';
import { readPlayerFiles } from '../../src/http/player-files.ts';
import { findNeeds, playerPage } from '../../src/http/player-page.ts';

const needs = (...names: string[]) => ({
  preloadedDependencies: names.map((machineName) => ({ machineName, majorVersion: 1, minorVersion: '0' })),
});
const content = (files: Record<string, unknown>) => async (path: string) =>
  path in files
    ? Buffer.from(typeof files[path] === 'string' ? files[path] : JSON.stringify(files[path]))
    : undefined;

describe('what a content needs', () => {
  it('is found through its libraries, each once, even in a circle', async () => {
    const found = await findNeeds(
      content({
        'h5p.json': needs('A', 'B'),
        'A-1.0/library.json': { ...needs('B'), preloadedJs: [{ path: 'a.js' }] },
        'B-1.0/library.json': {
          ...needs('A'),
          preloadedJs: [{ path: 'b.js' }],
          preloadedCss: [{ path: 'b.css' }],
        },
      }),
    );
    expect(found).toEqual({
      data: ['h5p.json', 'content/content.json', 'A-1.0/library.json', 'B-1.0/library.json'],
      styles: ['B-1.0/b.css'],
      scripts: ['B-1.0/b.js', 'A-1.0/a.js'],
      missing: [],
    });
  });

  it('names the libraries that are missing or can’t be read, at any depth', async () => {
    const found = await findNeeds(
      content({
        'h5p.json': needs('A'),
        'A-1.0/library.json': needs('Gone', 'Broken'),
        'Broken-1.0/library.json': '{',
      }),
    );
    expect(found.missing).toEqual(['Gone-1.0', 'Broken-1.0']);
    expect((await findNeeds(content({}))).missing).toEqual(['h5p.json']);
  });

  it('is asked for at once by the page, whatever a file is called', async () => {
    const files = await readPlayerFiles('/player-files');
    const page = playerPage({
      files,
      base: '/contents/x',
      needs: { data: [], styles: [], scripts: ['A-1.0/"><script>.js'], missing: [] },
      language: 'zh-CN',
      parentOrigin: 'https://xinqiao.example',
    });
    expect(page).toContain(`href="${files.path}/h5p/frame.bundle.js"`);
    expect(page).not.toContain('"><script>.js');
    expect(page).not.toContain('{{');
  });
});
