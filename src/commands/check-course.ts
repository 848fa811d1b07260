import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { projectFolder } from '../config.ts';
import { percentOf } from '../courses/converse.ts';
import { readCourseFolder } from '../courses/folder.ts';
import { CLASS_HOUR_MINUTES } from '../courses/hours.ts';

/*
 * npm run course:check [-- <slug or folder> …]: says everything that an author must mend, in one pass; without a name, of every
 * course. Needs no database.
 */

const coursesFolder = join(projectFolder, 'courses');
const named = process.argv.slice(2);
const folders =
  named.length > 0
    ? named.map((name) => (name.includes('/') ? resolve(name) : join(coursesFolder, name)))
    : (await readdir(coursesFolder, { withFileTypes: true }))
        .filter((entry) => entry.isDirectory() && !['libraries', 'template'].includes(entry.name))
        .map((entry) => join(coursesFolder, entry.name));

for (const folder of folders) {
  const read = await readCourseFolder(folder, join(coursesFolder, 'libraries'));
  if ('problems' in read) {
    process.exitCode = 1;
    console.log(`${basename(folder)}: ${read.problems.length} to mend`);
    for (const problem of read.problems) console.log(`  ${problem.where}: ${problem.what}`);
    continue;
  }
  const { manifest, items, contents, scenarios, ways, supportedMinutes, packages, warnings } = read.course;
  for (const each of packages) await each.close();
  const supported = (supportedMinutes / CLASS_HOUR_MINUTES).toFixed(1);
  console.log(
    `${manifest.slug} ${manifest.version}: in order. ${Object.keys(contents).length + Object.keys(scenarios).length} activities, ${items.length} items; declares ${manifest.classHours} class hours where the content supports ${supported}.`,
  );
  for (const warning of warnings) console.log(`  to look at: ${warning.where} ${warning.what}`);
  for (const [key, way] of Object.entries(ways)) {
    const { turns, endings, passMark } = scenarios[key]!;
    const worst = percentOf(way.least, way.most);
    console.log(
      `  ${key}: ${turns.length} turns, ${endings.length} endings, ${way.ways} ways of ${way.shortest} to ${way.longest} moves, ${Math.floor(way.minutes)} minutes; best ${way.most} points (passes), worst ${worst} % (fails), pass mark ${passMark} %.`,
    );
    console.log(`    best way: ${way.bestWay.map(({ turn, choice }) => `${turn} ${choice}`).join(', ')}`);
  }
}
