import { existsSync, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { parse } from 'yaml';
import { checkContent, checkReading, checkWords, textsOfParameters } from '../courses/check-content.ts';
import { listActivities } from '../courses/course.ts';
import { readCourseFolder } from '../courses/folder.ts';
import { dialled, readHotlines } from '../courses/hotline.ts';
import { languages, type Language } from '../courses/language.ts';
import { manifestSchema, type Manifest } from '../courses/manifest.ts';
import { packageLimits, USUAL_PACKAGE_MEGABYTES } from '../h5p/limits.ts';
import { readFolder, readPackedFile, type H5pPackage, type ReadPackage } from '../h5p/package.ts';
import type { Problem } from '../h5p/problem.ts';
import { folderShelf } from '../h5p/read-library.ts';

/* What an author looks at in a preview: a course's folder, or a single content. */

/** One content in one language. */
export interface Playable {
  readonly key: string;
  readonly language: Language;
  readonly title: string;
}

export interface Look {
  readonly title: string;
  /** Empty where nothing can be played. */
  readonly playable: readonly Playable[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

export interface Previewed {
  look(): Promise<Look>;
  /** A file that the player asks for: the content's own, or of its libraries as if they lay beside. */
  read(key: string, language: Language, path: string): Promise<Buffer | undefined>;
  /** Calls at each change of a file. @returns what stops it. */
  watch(changed: () => void): () => void;
  /** Something has changed: what was read is out of date. */
  forget(): void;
}

/** The manifest as far as it can be read: a course that is being written is seldom whole. */
async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    return manifestSchema.safeParse(parse(await readFile(join(folder, 'course.yaml'), 'utf8'))).data;
  } catch {
    return undefined;
  }
}

export function previewedCourse(folder: string, librariesFolder: string): Previewed {
  const pathOf = async (key: string, language: Language): Promise<string | undefined> => {
    const manifest = await readManifest(folder);
    const activity = manifest && listActivities(manifest).find((each) => each.key === key);
    return activity?.kind === 'h5p' ? activity.content[language] : undefined;
  };
  /** Path in the course → a content that came as a file. */
  const packed = new Map<string, Previewed>();
  return {
    async look() {
      const [manifest, read] = await Promise.all([
        readManifest(folder),
        readCourseFolder(folder, librariesFolder),
      ]);
      if ('course' in read) for (const each of read.course.packages) await each.close();
      return {
        title: manifest?.title['zh-CN'] ?? '',
        playable: (manifest === undefined ? [] : listActivities(manifest)).flatMap((activity) =>
          activity.kind === 'h5p'
            ? languages
                .filter((language) => activity.content[language] !== undefined)
                .map((language) => ({ key: activity.key, language, title: activity.title[language] }))
            : [],
        ),
        problems: 'problems' in read ? read.problems : [],
        warnings: 'course' in read ? read.course.warnings : read.warnings,
      };
    },
    async read(key, language, path) {
      const content = await pathOf(key, language);
      if (content === undefined) return undefined;
      if (content.toLowerCase().endsWith('.h5p')) {
        let its = packed.get(content);
        if (its === undefined)
          packed.set(content, (its = previewedContent(join(folder, content), dirname(librariesFolder))));
        return its.read(key, language, path);
      }
      // Only names of files below: what a content asks for is not trusted here either.
      if (path.split(/[/\\]/).some((part) => part === '' || part.startsWith('..'))) return undefined;
      for (const place of [join(folder, content), librariesFolder]) {
        const bytes = await readFile(join(place, path)).catch(() => undefined);
        if (bytes !== undefined) return bytes;
      }
      return undefined;
    },
    watch(changed) {
      const watchers = [folder, librariesFolder].map((each) => watch(each, { recursive: true }, changed));
      return () => {
        for (const each of watchers) each.close();
      };
    },
    forget() {
      for (const each of packed.values()) each.forget();
      packed.clear();
    },
  };
}

/**
 * A single content: the `.h5p` file that an editor exported, or a folder. It is played with the libraries that it was judged with, and one that
 * is refused is not played.
 */
export function previewedContent(path: string, coursesFolder: string): Previewed {
  const librariesFolder = join(coursesFolder, 'libraries');
  const isPacked = path.toLowerCase().endsWith('.h5p');
  const judge = async (): Promise<ReadPackage> => {
    if (!existsSync(path)) return { problems: [{ where: basename(path), what: 'is not there.' }] };
    return (isPacked ? readPackedFile : readFolder)(path, {
      shelf: folderShelf(librariesFolder),
      limits: packageLimits(USUAL_PACKAGE_MEGABYTES),
    });
  };
  let judged: Promise<ReadPackage> | undefined;
  const current = async (): Promise<ReadPackage> => (judged ??= judge());
  const languageOf = (its: H5pPackage): Language => (/^en\b/i.test(its.language) ? 'en' : 'zh-CN');
  return {
    async look() {
      const read = await current();
      if (!('package' in read))
        return { title: basename(path), playable: [], problems: read.problems, warnings: [] };
      const its = read.package;
      const language = languageOf(its);
      const found = { problems: [] as Problem[], warnings: [...its.warnings] };
      const numbers = await readHotlines(join(coursesFolder, 'hotlines.yaml'), false);
      const where = 'content/content.json';
      checkContent(
        its.parameters,
        where,
        {
          hotlines: new Set(numbers.map(({ number }) => dialled(number))),
          files: new Set(Object.keys(its.files).map((file) => file.replace(/^content\//, ''))),
        },
        found,
      );
      const texts = textsOfParameters(its.parameters);
      if (language === 'zh-CN') checkReading(texts, where, found);
      checkWords(texts, where, found);
      return { title: its.title, playable: [{ key: 'content', language, title: its.title }], ...found };
    },
    async read(_key, _language, asked) {
      const read = await current();
      if (!('package' in read)) return undefined;
      const its = read.package;
      if (asked === 'h5p.json') return its.played;
      const slash = asked.indexOf('/');
      const source = its.libraries.get(asked.slice(0, slash));
      const file = asked.slice(slash + 1);
      const bytes = Object.hasOwn(its.files, asked)
        ? its.open(asked)
        : source !== undefined && Object.hasOwn(source.library.files, file)
          ? source.open(file)
          : undefined;
      // It may have been written anew meanwhile; then everything is asked for once more.
      return bytes && buffer(bytes).catch(() => undefined);
    },
    watch(changed) {
      // A file that an editor writes anew is another file of the same name: only its folder tells.
      const watchers = [
        isPacked
          ? watch(dirname(path), (_event, name) => {
              if (name === null || name === basename(path)) changed();
            })
          : watch(path, { recursive: true }, changed),
        watch(librariesFolder, { recursive: true }, changed),
      ];
      return () => {
        for (const each of watchers) each.close();
      };
    },
    forget() {
      void judged?.then(async (read) => ('package' in read ? read.package.close() : undefined));
      judged = undefined;
    },
  };
}
