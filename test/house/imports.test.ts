import { describe, expect, it } from 'vitest';
import { readSource } from './source.ts';

/*
 * Which way imports point (src/README.md draws it): main → commands → app → doors → services → lower rooms → ground. A reader of a
 * room then needs to know only the rooms below it, and no change can run in a circle.
 */

/** From the ground up: a room may use what stands before it. */
const ORDER = [
  'ground',
  'network',
  'sheets',
  'db',
  'journal',
  'regions',
  'people',
  'access',
  'h5p',
  'courses',
  'programmes',
  'learning',
  'assessment',
  'titles',
  'certification',
  'coverage',
  'lti',
  'audit',
  'schema',
  'http',
  'app',
  'commands',
  'main',
] as const;
/** What the browser runs knows the service only through the contract, and a migration must never change its meaning with the code. */
const ALONE = ['web', 'migrations'];
const GROUND = ['config', 'errors', 'clock', 'log', 'origin', 'in-parallel', 'random'];

function roomOf(path: string): string {
  const [top, next = ''] = path.split('/');
  if (top !== 'src') return top!;
  const file = /^([\w-]+)\.(ts|mjs)$/.exec(next)?.[1];
  if (file === undefined) return next;
  if (file === 'start') return 'main';
  return GROUND.includes(file) ? 'ground' : file;
}

const files = readSource(['src', 'schema', 'migrations']);

describe('the import law', () => {
  it('has read the whole house, and found the imports that it judges', () => {
    expect(files.length).toBeGreaterThan(120);
    expect(files.reduce((sum, file) => sum + file.imports.length, 0)).toBeGreaterThan(400);
    // Each spelling of an import is found.
    const importsOf = (path: string) =>
      files.find((file) => file.path === path)!.imports.map((each) => each.to);
    expect(importsOf('src/start.mjs')).toEqual(['src/main.ts']);
    expect(importsOf('src/app.ts')).toContain('schema/context.ts');
    expect(importsOf('schema/schema.ts')).toContain('schema/people.ts');
  });

  it('knows every room', () => {
    const rooms = new Set(files.map((file) => roomOf(file.path)));
    expect([...rooms].toSorted()).toEqual([...ORDER, ...ALONE].toSorted());
  });

  it('lets no room import from above', () => {
    const wrong = files.flatMap((file) => {
      const from = roomOf(file.path);
      return file.imports
        .filter(({ to }) => {
          const target = roomOf(to);
          if (target === from) return false;
          if (ALONE.includes(from) || ALONE.includes(target)) return true;
          return ORDER.indexOf(target as 'ground') > ORDER.indexOf(from as 'ground');
        })
        .map(({ to }) => `${file.path} → ${to}`);
    });
    expect(wrong).toEqual([]);
  });

  it('lets ground stand on nothing of ours', () => {
    const ground = files.filter((file) => roomOf(file.path) === 'ground');
    expect(ground.map((file) => file.path).toSorted()).toEqual(
      GROUND.map((name) => `src/${name}.ts`).toSorted(),
    );
    expect(ground.flatMap((file) => file.imports)).toEqual([]);
  });

  it('has no circles', () => {
    const next = new Map(
      files.map((file) => [file.path, file.imports.filter((each) => !each.typeOnly).map((each) => each.to)]),
    );
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) {
        circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
        return;
      }
      if (done.has(path)) return;
      for (const to of next.get(path) ?? []) visit(to, [...trail, path]);
      done.add(path);
    };
    for (const path of next.keys()) visit(path, []);
    expect(circles).toEqual([]);
  });

  it('keeps a repository to its own room: others ask the service', () => {
    // Types are no access: they are gone before the code runs.
    const wrong = files.flatMap((file) =>
      file.imports
        .filter(
          ({ to, typeOnly }) =>
            to.endsWith('.repository.ts') &&
            !typeOnly &&
            roomOf(to) !== roomOf(file.path) &&
            // The journal is written in every change's own transaction.
            roomOf(to) !== 'journal',
        )
        .map(({ to }) => `${file.path} → ${to}`),
    );
    expect(wrong).toEqual([]);
  });

  it('keeps the command that uploads a roster to the contract: it may stand on another machine than the service', () => {
    const its = (path: string): boolean => /^src\/commands\/(import-roster\.ts$|roster\/)/.test(path);
    const from = files.filter((file) => its(file.path)).flatMap((file) => file.imports.map(({ to }) => to));
    expect(from.length).toBeGreaterThan(4);
    expect(from.filter((to) => !its(to) && to !== 'src/config.ts')).toEqual([]);
  });

  it('lets only config.ts read the environment', () => {
    expect(files.filter((file) => /process\.env/.test(file.text)).map((file) => file.path)).toEqual([
      'src/config.ts',
    ]);
  });
});
