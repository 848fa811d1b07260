import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { addDays, chinaDay, systemClock } from '../clock.ts';
import { projectFolder } from '../config.ts';
import { percentOf } from '../courses/converse.ts';
import { readCourseFolder, type CourseFolder } from '../courses/folder.ts';
import { HOTLINE_MONTHS, readHotlines } from '../courses/hotline.ts';
import { CLASS_HOUR_MINUTES } from '../courses/hours.ts';
import { describeReview } from '../courses/review.ts';

/*
 * npm run course:check [-- <slug or folder> …]: says everything that an author must mend, in one pass, and what they should look at; without a
 * name, one line of every course, and what must be mended. Ends with 1 if anything must. Needs no database.
 */

const coursesFolder = join(projectFolder, 'courses');
const named = process.argv.slice(2);
const folders =
  named.length > 0
    ? named.map((name) => (name.includes('/') ? resolve(name) : join(coursesFolder, name)))
    : (await readdir(coursesFolder, { withFileTypes: true }))
        .filter((entry) => entry.isDirectory() && !['libraries', 'template'].includes(entry.name))
        .map((entry) => join(coursesFolder, entry.name))
        .toSorted();

for (const folder of folders) {
  const read = await readCourseFolder(folder, join(coursesFolder, 'libraries'));
  if ('problems' in read) {
    process.exitCode = 1;
    console.log(`${basename(folder)}: ${read.problems.length} to mend`);
    for (const problem of read.problems) console.log(`  ${problem.where}: ${problem.what}`);
    if (named.length > 0) tellWarnings(read.warnings);
    continue;
  }
  for (const each of read.course.packages) await each.close();
  console.log(summaryOf(read.course));
  if (named.length > 0) tellDetails(read.course);
}
await tellHotlines();

function summaryOf({
  manifest,
  items,
  contents,
  scenarios,
  warnings,
  reading,
  guessing,
  learning,
  supportedMinutes,
}: CourseFolder): string {
  const activities = Object.keys(contents).length + Object.keys(scenarios).length;
  return [
    `${manifest.slug} ${manifest.version}: in order`,
    `${activities} activities, ${items.length} items`,
    `${manifest.classHours} of ${(supportedMinutes / CLASS_HOUR_MINUTES).toFixed(1)} class hours`,
    `${reading.perSentence.toFixed(0)} characters a sentence`,
    `who guesses has ${guessing.expectedPercent.toFixed(0)} % and passes ${oneIn(guessing.passChance)}`,
    `who has what is taught has ${learning.expectedPercent.toFixed(0)} % and passes ${(learning.passChance * 100).toFixed(0)} times in 100`,
    manifest.languages.join(' and '),
    manifest.review.state,
    `${warnings.length} to look at.`,
  ].join('; ');
}

function tellDetails({ manifest, scenarios, ways, pack, warnings }: CourseFolder): void {
  tellWarnings(warnings);
  console.log(`  ${describeReview(manifest.review).en}.`);
  if (pack.length > 0) console.log(`  pack: ${pack.map(({ key }) => key).join(', ')}`);
  for (const [key, way] of Object.entries(ways)) {
    const { turns, endings, passMark } = scenarios[key]!;
    const worst = percentOf(way.least, way.most);
    console.log(
      `  ${key}: ${turns.length} turns, ${endings.length} endings, ${way.ways} ways of ${way.shortest} to ${way.longest} moves, ${Math.floor(way.minutes)} minutes; best ${way.most} points (passes), worst ${worst} % (fails), pass mark ${passMark} %.`,
    );
    for (const [name, moves] of [
      ['best', way.bestWay],
      ['worst', way.worstWay],
    ] as const)
      console.log(`    ${name} way: ${moves.map(({ turn, choice }) => `${turn} ${choice}`).join(', ')}`);
  }
}

function tellWarnings(warnings: CourseFolder['warnings']): void {
  for (const { where, what } of warnings) console.log(`  look at ${where}: ${what}`);
}

function oneIn(chance: number): string {
  return chance === 0 ? 'never' : `once in ${Math.round(1 / chance).toLocaleString('en')}`;
}

/** Numbers that nobody has checked for long are for whoever publishes to check, whatever course they stand in. */
async function tellHotlines(): Promise<void> {
  const oldest = addDays(chinaDay(systemClock.now()), -Math.round(HOTLINE_MONTHS * 30.4));
  for (const { number, checkedOn } of await readHotlines(join(coursesFolder, 'hotlines.yaml'), false).catch(
    () => [],
  ))
    if (checkedOn < oldest)
      console.log(
        `look at hotlines.yaml: ${number} was checked on ${checkedOn}, more than ${HOTLINE_MONTHS} months ago.`,
      );
}
