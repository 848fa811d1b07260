import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import type { z } from 'zod';
import { checkBank } from './check-bank.ts';
import { checkContent, checkReading, checkWords, textsOf, textsOfParameters } from './check-content.ts';
import { readPack } from './check-pack.ts';
import { checkScenario } from './check-scenario.ts';
import { packageLimits, USUAL_PACKAGE_MEGABYTES, type PackageLimits } from '../h5p/limits.ts';
import type { LibraryShelf } from '../h5p/library.ts';
import { readFolder, readPackedFile, type H5pPackage } from '../h5p/package.ts';
import type { Problem } from '../h5p/problem.ts';
import { folderShelf } from '../h5p/read-library.ts';
import { listActivities, type Contents, type CourseVersion } from './course.ts';
import {
  CLASS_HOUR_MINUTES,
  countableMinutes,
  measureContent,
  supportedMinutes,
  type ContentMeasure,
} from './hours.ts';
import { checkBlueprint, checkWrittenItem, duplicates } from './check-item.ts';
import type { Guessing } from './guesser.ts';
import { dialled, readHotlines } from './hotline.ts';
import { itemFileSchema, questionsOf, type Item } from './item.ts';
import { languages, type Language } from './language.ts';
import { manifestSchema, type Manifest } from './manifest.ts';
import { readingLevel, type ReadingLevel } from './reading-level.ts';
import { judgeReview } from './review.ts';
import { scaleSchema, type Scale } from './scale.ts';
import { scenarioSchema, type Scenario } from './scenario.ts';
import { findTaught, passagesOf, readThrough, type Passage } from './taught.ts';
import { inLanguages } from './translation.ts';
import type { Ways } from './walk-scenario.ts';

export interface CourseFolder {
  readonly manifest: Manifest;
  readonly items: readonly Item[];
  readonly contents: Contents;
  readonly scenarios: CourseVersion['scenarios'];
  /** Key of a simulation's activity → what can happen in it. */
  readonly ways: Readonly<Record<string, Ways>>;
  readonly scale: CourseVersion['scale'];
  readonly pack: CourseVersion['pack'];
  readonly guessing: Guessing;
  /** How somebody does who has right what is taught in the contents, and guesses the rest. */
  readonly learning: Guessing;
  /** Of its Chinese texts, those of the exam and the conversations included. */
  readonly reading: ReadingLevel;
  /** To be closed when it has been stored, or is not wanted. */
  readonly packages: readonly H5pPackage[];
  /** What stands in nobody's way, and an author should look at. */
  readonly warnings: readonly Problem[];
  /** Over everything a learner could notice; a version with another digest is another version. */
  readonly digest: string;
  readonly supportedMinutes: number;
}

/**
 * Reads and checks a course folder whole. Every problem is found in one pass, so that an author mends them together.
 * @param librariesFolder where H5P libraries lie, one folder `MachineName-major.minor` each.
 */
export async function readCourseFolder(
  folder: string,
  librariesFolder: string,
  limits: PackageLimits = packageLimits(USUAL_PACKAGE_MEGABYTES),
): Promise<{ course: CourseFolder } | { problems: Problem[]; warnings: Problem[] }> {
  const problems: Problem[] = [];
  const manifest = await readYaml(folder, 'course.yaml', manifestSchema, problems);
  if (manifest === undefined) return { problems, warnings: [] };
  const name = folder.split('/').at(-1);
  if (manifest.slug !== name)
    problems.push({
      where: 'course.yaml slug',
      what: `is "${manifest.slug}" in a folder named "${name}"; they must agree.`,
    });
  duplicates(
    manifest.modules.map((module) => module.key),
    'course.yaml modules',
    problems,
  );
  duplicates(
    listActivities(manifest).map((activity) => activity.key),
    'course.yaml activities',
    problems,
  );

  const warnings: Problem[] = [];
  /** A file whose texts are in the languages of the course. */
  const readTexts = async <T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> => {
    const written = await readYaml(folder, file, schema, problems);
    if (written === undefined) return undefined;
    checkTexts(file, { 'zh-CN': textsOf(written, 'zh-CN'), en: textsOf(written, 'en') });
    return inLanguages(written, file, manifest.languages, findings);
  };
  const findings = { problems, warnings };
  const reviewed = judgeReview(manifest.review, manifest.version);
  if (reviewed !== undefined) problems.push({ where: 'course.yaml review', what: reviewed });
  const hotlines = await readHotlines(join(folder, '../hotlines.yaml'), false).catch((error: unknown) => {
    problems.push({ where: '../hotlines.yaml', what: `can't be read: ${(error as Error).message}.` });
    return [];
  });
  const numbers = new Set(hotlines.map(({ number }) => dialled(number)));
  const read: string[] = [];
  /** What is looked at in every text. */
  const checkTexts = (file: string, texts: Readonly<Record<Language, readonly string[]>>): void => {
    read.push(...texts['zh-CN']);
    checkReading(texts['zh-CN'], file, findings);
    for (const language of languages) checkWords(texts[language], file, findings);
  };
  const items: Item[] = [];
  const files = new Map<string, string>();
  const vignetteKeys: string[] = [];
  for (const file of manifest.exam.items) {
    for (const written of (await readTexts(file, itemFileSchema)) ?? []) {
      checkWrittenItem(written, file, manifest, problems);
      if (written.kind === 'vignette') vignetteKeys.push(written.key);
      for (const item of questionsOf(written)) {
        items.push(item);
        files.set(item.key, file);
      }
    }
  }
  duplicates([...items.map((item) => item.key), ...vignetteKeys], 'items', problems);
  checkBlueprint(manifest.exam, items, problems);
  const guessing = checkBank(manifest.exam, items, (item) => files.get(item.key)!, findings);

  const contents: Record<string, Contents[string]> = {};
  const packages = new Map<string, H5pPackage>();
  const shelf = folderShelf(librariesFolder, (_folder, findings) => problems.push(...findings.problems));
  const measures: ContentMeasure[] = [];
  const passages: Passage[] = [];
  const scenarios: Record<string, Scenario> = {};
  const ways: Record<string, Ways> = {};
  for (const activity of listActivities(manifest)) {
    if (activity.kind === 'simulation') {
      if (activity.mode === 'practice' && activity.resit !== undefined)
        problems.push({
          where: `course.yaml ${activity.key} resit`,
          what: 'is for a graded conversation; practice is free.',
        });
      const scenario = await readTexts(activity.scenario, scenarioSchema);
      if (scenario === undefined) continue;
      scenarios[activity.key] = scenario;
      const checked = checkScenario(
        scenario,
        manifest.competencies.map((competency) => competency.key),
      );
      for (const { place, what } of checked.faults)
        problems.push({ where: `${activity.scenario} ${place}`, what });
      if (checked.ways !== undefined) ways[activity.key] = checked.ways;
      continue;
    }
    const hashes: Partial<Record<Language, string>> = {};
    for (const language of languages) {
      const path = activity.content[language];
      const wanted = manifest.languages.includes(language);
      const where = `course.yaml ${activity.key} content`;
      if (path !== undefined && !wanted)
        warnings.push({
          where,
          what: `has ${language}; it is not played as long as course.yaml languages does not name it.`,
        });
      if (path === undefined && wanted)
        problems.push({ where, what: `has no ${language}, which course.yaml languages names.` });
      if (path === undefined || !wanted) continue;
      const content = await readContent(folder, path, { shelf, limits }, problems);
      if (content === undefined) continue;
      hashes[language] = content.hash;
      // Two activities may share one.
      if (packages.has(content.hash)) await content.close();
      else packages.set(content.hash, content);
      if (language === 'zh-CN') {
        measures.push(measureContent(content.parameters));
        passages.push(...passagesOf(activity.key, content.parameters));
      }
      checkContent(
        content.parameters,
        `${path}/content/content.json`,
        {
          hotlines: numbers,
          files: new Set(Object.keys(content.files).map((file) => file.replace(/^content\//, ''))),
        },
        findings,
      );
      const texts = textsOfParameters(content.parameters);
      checkTexts(path, { 'zh-CN': language === 'zh-CN' ? texts : [], en: language === 'en' ? texts : [] });
    }
    contents[activity.key] = hashes as Contents[string];
  }
  duplicates(
    Object.values(scenarios).map((scenario) => scenario.key),
    'scenarios',
    problems,
  );
  const scale = manifest.scale === undefined ? undefined : await readTexts(manifest.scale, scaleSchema);
  if (scale !== undefined) checkScale(scale, manifest, problems);

  const taught = findTaught(items, passages);
  for (const { key, use } of items) {
    const { isTaught, activityKey } = taught.get(key)!;
    // What is only practised may be new.
    if (use === 'exam' && !isTaught)
      warnings.push({
        where: `${files.get(key)} ${key}`,
        what: `asks for what no content says in its words${activityKey === undefined ? '' : `; nearest is ${activityKey}`}. Is it taught?`,
      });
  }

  const pack = readPack(await readPackFolder(join(folder, 'pack')), manifest, findings);

  const minutes = supportedMinutes(
    manifest,
    measures,
    Object.values(ways).map((each) => each.minutes),
  );
  if (problems.length === 0 && manifest.classHours * CLASS_HOUR_MINUTES > minutes) {
    problems.push({
      where: 'course.yaml classHours',
      what: `declares ${manifest.classHours} class hours (${manifest.classHours * CLASS_HOUR_MINUTES} minutes) where the content supports ${Math.floor(minutes)} minutes.`,
    });
  } else if (problems.length === 0 && manifest.classHours * CLASS_HOUR_MINUTES > countableMinutes(manifest)) {
    problems.push({
      where: 'course.yaml classHours',
      what: `declares ${manifest.classHours} class hours (${manifest.classHours * CLASS_HOUR_MINUTES} minutes) where the time ledger counts ${Math.floor(countableMinutes(manifest))} at the most: expect more minutes of activities that take them.`,
    });
  }
  if (problems.length > 0) {
    for (const each of packages.values()) await each.close();
    return { problems, warnings };
  }
  const digest = createHash('sha256')
    .update(JSON.stringify([manifest, items, contents, scenarios, scale ?? null, pack]))
    .digest('hex');
  return {
    course: {
      manifest,
      items,
      contents,
      scenarios,
      ways,
      scale: scale ?? null,
      pack,
      guessing,
      learning: readThrough(manifest.exam, items, taught),
      reading: readingLevel(read),
      packages: [...packages.values()],
      warnings: [...warnings, ...[...packages.values()].flatMap((each) => each.warnings)],
      digest,
      supportedMinutes: minutes,
    },
  };
}

async function readPackFolder(folder: string): Promise<Map<string, string>> {
  const names = existsSync(folder) ? (await readdir(folder)).toSorted() : [];
  const texts = new Map<string, string>();
  for (const name of names) texts.set(name, await readFile(join(folder, name), 'utf8'));
  return texts;
}

async function readYaml<T>(
  folder: string,
  file: string,
  schema: z.ZodType<T>,
  problems: Problem[],
): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, file), 'utf8');
  } catch {
    problems.push({ where: file, what: "is not there or can't be read." });
    return undefined;
  }
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    problems.push({
      where: file,
      what: error instanceof YAMLParseError ? error.message.split('\n')[0]! : String(error),
    });
    return undefined;
  }
  return checked(value, schema, file, problems);
}

function checked<T>(value: unknown, schema: z.ZodType<T>, where: string, problems: Problem[]): T | undefined {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues)
    problems.push({ where: `${where} ${issue.path.join('.')}`.trim(), what: issue.message });
  return undefined;
}

function checkScale(scale: Scale, manifest: Manifest, problems: Problem[]): void {
  const where = `${manifest.scale} items`;
  duplicates(
    scale.items.map((item) => item.key),
    where,
    problems,
  );
  for (const item of scale.items)
    if (!manifest.competencies.some((competency) => competency.key === item.competency))
      problems.push({
        where: `${where} ${item.key}`,
        what: `has the competency "${item.competency}", which course.yaml does not list.`,
      });
}

/** A content's folder, or the `.h5p` that an editor exported. */
async function readContent(
  folder: string,
  path: string,
  options: { shelf: LibraryShelf; limits: PackageLimits },
  problems: Problem[],
): Promise<H5pPackage | undefined> {
  const packed = path.toLowerCase().endsWith('.h5p');
  if (packed && !existsSync(join(folder, path))) {
    problems.push({ where: path, what: 'is not there.' });
    return undefined;
  }
  const read = await (packed ? readPackedFile : readFolder)(join(folder, path), { ...options, name: path });
  if ('package' in read) return read.package;
  problems.push(...read.problems);
  return undefined;
}
