import { appendFile, cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { makeCourseService } from '../../src/courses/course.service.ts';
import { makeTestDatabase, type TestDatabase } from '../support/database.ts';

const SLUG = 'core-gatekeeper';

describe('a course that lies as the last start took it in', () => {
  let root: string;
  let file: string;
  let database: TestDatabase;
  /** What of its contents was put into the store, one after another: nothing is where it is not read. */
  let kept: string[];
  let stored: Set<string>;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'xinqiao-taken-'));
    file = join(root, 'stamps.json');
    await cp(inject('coreCourses'), root, { recursive: true });
    database = await makeTestDatabase();
    stored = new Set();
  });
  afterAll(async () => {
    await database.drop();
    await rm(root, { recursive: true, force: true });
  });
  beforeEach(() => {
    kept = [];
  });

  const sync = async ({ judge = 'judge', of = database } = {}) => {
    const [result] = await makeCourseService({
      db: of.db,
      clock: systemClock,
      coursesFolder: root,
      h5p: {
        async keep({ hash }) {
          kept.push(hash);
          stored.add(hash);
        },
        holds: async (hashes) => hashes.length > 0 && hashes.every((hash) => stored.has(hash)),
      },
      stamps: { file, judge },
    }).sync();
    expect(result!.slug).toBe(SLUG);
    return { outcome: result!.outcome, isRead: kept.length > 0 };
  };

  it('is not read again', async () => {
    expect(await sync()).toEqual({ outcome: 'synced', isRead: true });
    kept = [];
    expect(await sync()).toEqual({ outcome: 'unchanged', isRead: false });
  });

  it('is, when one of its files has changed, even in a place that no learner sees', async () => {
    await appendFile(join(root, SLUG, 'course.yaml'), '\n# 校对过\n');
    expect(await sync()).toEqual({ outcome: 'unchanged', isRead: true });
    kept = [];
    expect(await sync()).toEqual({ outcome: 'unchanged', isRead: false });
  });

  it('is, when a hotline has, or what judges it', async () => {
    const hotlines = join(root, 'hotlines.yaml');
    await appendFile(hotlines, '\n# 核对过\n');
    expect((await sync()).isRead).toBe(true);
    kept = [];
    expect((await sync()).isRead).toBe(false);
    expect((await sync({ judge: 'another' })).isRead).toBe(true);
    kept = [];
    expect((await sync({ judge: 'another' })).isRead).toBe(false);
    expect((await sync()).isRead).toBe(true);
  });

  it('is, when the store lacks one of its contents, or the database it', async () => {
    await sync();
    const [lost] = stored;
    stored.delete(lost!);
    kept = [];
    expect((await sync()).isRead).toBe(true);
    expect(stored.has(lost!)).toBe(true);
    const other = await makeTestDatabase();
    kept = [];
    expect(await sync({ of: other })).toEqual({ outcome: 'synced', isRead: true });
    await other.drop();
    // What is served has become another one, from elsewhere.
    await database.pool.query(`update course_versions set digest = 'another' where slug = $1`, [SLUG]);
    kept = [];
    expect((await sync()).isRead).toBe(true);
  });

  it('is, when it was refused, each time', async () => {
    const course = join(root, SLUG, 'course.yaml');
    const text = await readFile(course, 'utf8');
    await writeFile(course, text.replace(/^slug: .*$/m, 'slug: another'));
    expect((await sync()).outcome).toBe('refused');
    expect((await sync()).outcome).toBe('refused');
    await writeFile(course, text);
    expect((await sync()).outcome).not.toBe('refused');
  });

  it('is, when what was kept of it can’t be read, or the folder has no end', async () => {
    await sync();
    kept = [];
    expect((await sync()).isRead).toBe(false);
    await writeFile(file, '{"core-gatekeeper": {"source": 1}}');
    expect((await sync()).isRead).toBe(true);
    await symlink('.', join(root, SLUG, 'again'));
    kept = [];
    expect((await sync()).isRead).toBe(true);
    kept = [];
    expect((await sync()).isRead).toBe(true);
  });
});
