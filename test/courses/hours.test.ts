import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectFolder } from '../../src/config.ts';
import { readCourseFolder } from '../../src/courses/folder.ts';
import { CLASS_HOUR_MINUTES, measureContent, supportedMinutes } from '../../src/courses/hours.ts';
import type { Manifest } from '../../src/courses/manifest.ts';

const text = '字'.repeat(10);

describe('what there is to study in a content', () => {
  it.each([
    ['characters to read, not the interface’s', { title: text, l10n: { next: text } }, [10, 0, 0]],
    ['Chinese characters alone', { a: 'Read this 12 times', b: '读，这。个！', c: ['𠮷', '〇'] }, [5, 0, 0]],
    [
      'questions by the piece, their words not once more',
      { intro: text, questions: [{ stem: text }, { stem: text }] },
      [10, 2, 0],
    ],
    [
      'cards by the piece where they are sorted into levels',
      { levels: [text], cards: [{ text }, { text }, { text }] },
      [10, 0, 3],
    ],
    ['cards that are only read, as text', { cards: [{ text }, { text }] }, [20, 0, 0]],
    [
      'of a sound its transcript, and not how long it is',
      {
        type: 'audio',
        audio: { title: '铃', file: [{ path: 'audios/a.mp3', mime: 'audio/mpeg' }], transcript: text },
      },
      [11, 0, 0],
    ],
    ['what lies deep', { pages: [{ parts: [{ text }, { inner: { questions: [1, 2, 3] } }] }] }, [10, 3, 0]],
    ['nothing', null, [0, 0, 0]],
    [
      'nothing in numbers, truths and lists that are none',
      { a: 1, b: true, questions: 'x', cards: 7 },
      [0, 0, 0],
    ],
  ] as const)('is %s', (_what, parameters, [characters, questions, cards]) => {
    expect(measureContent(parameters)).toEqual({ characters, questions, cards });
  });
});

describe('supported minutes', () => {
  const manifest = (...counts: number[]): Manifest =>
    ({
      exam: { blueprint: counts.map((count) => ({ competency: 'x', count })), vignettes: [] },
    }) as unknown as Manifest;

  it('are reading, questions, cards and one drawing of the exam', () => {
    expect(supportedMinutes(manifest(), [])).toBe(0);
    expect(supportedMinutes(manifest(5, 5), [])).toBe(10);
    const withCases = {
      exam: { ...manifest(4).exam, vignettes: [{ competency: 'x', count: 2, questions: 3 }] },
    };
    expect(supportedMinutes(withCases as unknown as Manifest, [])).toBe(10);
    expect(supportedMinutes(manifest(), [{ characters: 300, questions: 0, cards: 0 }])).toBe(1);
    expect(supportedMinutes(manifest(), [{ characters: 0, questions: 7, cards: 6 }])).toBe(8);
    const both = [
      { characters: 3_000, questions: 4, cards: 0 },
      { characters: 600, questions: 0, cards: 12 },
    ];
    expect(supportedMinutes(manifest(10), both)).toBeCloseTo(10 + 4 + 2 + 2 + 10);
    expect(supportedMinutes(manifest(10), [], [4, 3.5])).toBe(17.5);
  });

  it('of our course are enough for the hours it declares, and not for one more', async () => {
    const read = await readCourseFolder(
      join(projectFolder, 'courses/core-gatekeeper'),
      join(projectFolder, 'courses/libraries'),
    );
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));
    const { supportedMinutes: minutes, manifest } = read.course;
    expect(Math.floor(minutes / CLASS_HOUR_MINUTES)).toBe(manifest.classHours);
  });
});
