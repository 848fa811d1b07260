import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readCourseFolder } from '../../src/courses/folder.ts';
import { allCourses } from '../support/service.ts';

const slugs = (await readdir(allCourses, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory() && !['libraries', 'template'].includes(entry.name))
  .map(({ name }) => name);

/* Of a package from elsewhere it is only told, since its own host may have put up with it; ours are as their types want them. */
it.each(slugs)(
  'the contents of %s have nothing that the semantics of their types do not allow',
  async (slug) => {
    const read = await readCourseFolder(join(allCourses, slug), join(allCourses, 'libraries'));
    if (!('course' in read)) throw new Error(JSON.stringify(read.problems));
    const warnings = read.course.packages.flatMap((each) => each.warnings);
    for (const each of read.course.packages) await each.close();
    expect(warnings).toEqual([]);
  },
);
