import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { create, type Font } from 'fontkit';
import { projectFolder } from '../config.ts';
import { Refusal } from '../errors.ts';
import { openTrueType, type TrueType } from './truetype.ts';

export type FontName = 'regular' | 'bold';

/** A character that no font has: the certificate is not drawn, since a blank in a name would be worse. */
export class MissingGlyph extends Refusal {
  readonly code = 'MISSING_GLYPH';
  readonly character: string;
  /** The claim that holds it, e.g. `holderName`; `text` for the template's own words. */
  readonly field: string;
  constructor(character: string, field: string, text: string) {
    const codePoint = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    super(`No font has the character "${character}" (U+${codePoint}) of ${field} "${text}".`);
    this.character = character;
    this.field = field;
  }
}

/** Names a font within a document: the form of its letters, and its place in the list. */
export type FontKey = `${FontName}-${number}`;

/** Letters that one font draws. */
export interface Run {
  readonly key: FontKey;
  readonly font: Font;
  readonly text: string;
}

/**
 * Where each letter form is looked for, first to last, all under the SIL Open Font License 1.1: Noto Sans SC from npm, then letters that
 * it lacks, cut from Noto Sans HK, JP and Noto Sans (`certificates/fonts`, README there). They are opened when a text needs them.
 */
const files: Readonly<Record<FontName, readonly string[]>> = {
  regular: [
    '@expo-google-fonts/noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf',
    'certificates/fonts/rare-jp-400.ttf',
    'certificates/fonts/rare-hk-400.ttf',
    'certificates/fonts/rare-latin-400.ttf',
  ],
  bold: [
    '@expo-google-fonts/noto-sans-sc/700Bold/NotoSansSC_700Bold.ttf',
    'certificates/fonts/rare-jp-700.ttf',
    'certificates/fonts/rare-hk-700.ttf',
    'certificates/fonts/rare-latin-700.ttf',
  ],
};

interface Opened {
  readonly font: Font;
  readonly outlines: TrueType;
}

const { resolve } = createRequire(import.meta.url);
const opened = new Map<FontKey, Opened>();

/** A font, parsed once in the life of the process: parsing costs far more than drawing with it. */
function openedOf(key: FontKey): Opened {
  const before = opened.get(key);
  if (before !== undefined) return before;
  const [name, index] = key.split('-') as [FontName, string];
  const file = files[name][Number(index)]!;
  const bytes = readFileSync(file.startsWith('@') ? resolve(file) : join(projectFolder, file));
  const both = { font: create(bytes) as Font, outlines: openTrueType(bytes) };
  opened.set(key, both);
  return both;
}

export const fontOf = (key: FontKey): Font => openedOf(key).font;
export const outlinesOf = (key: FontKey): TrueType => openedOf(key).outlines;
export const isFontKey = (key: string): key is FontKey => /^(?:regular|bold)-\d$/.test(key);

/**
 * A font keeps with each glyph the character that first asked for it, which is what is copied out of the PDF; and characters may
 * share one (· and •). Called before each document, so that none takes its characters from those drawn before.
 */
export function forgetCharacters(): void {
  for (const { font } of opened.values()) {
    // The package has no other way to it.
    // oxlint-disable-next-line no-underscore-dangle
    (font as unknown as { _glyphs: object })._glyphs = {};
  }
}

/**
 * Cuts a text where the font has to change.
 * @throws MissingGlyph for the first character that no font of the name has; `field` is who is told to hold it.
 */
export function runsOf(name: FontName, text: string, field = 'text'): Run[] {
  const runs: { key: FontKey; font: Font; text: string }[] = [];
  for (const character of text) {
    const codePoint = character.codePointAt(0)!;
    const index = whereIs(name, codePoint);
    if (index === -1) throw new MissingGlyph(character, field, text);
    const key: FontKey = `${name}-${index}`;
    const last = runs.at(-1);
    if (last?.key === key) last.text += character;
    else runs.push({ key, font: fontOf(key), text: character });
  }
  return runs;
}

const found: Readonly<Record<FontName, Map<number, number>>> = { regular: new Map(), bold: new Map() };

/** The first file that has a character; -1: none. */
function whereIs(name: FontName, codePoint: number): number {
  const before = found[name].get(codePoint);
  if (before !== undefined) return before;
  const index = files[name].findIndex((_file, at) => fontOf(`${name}-${at}`).hasGlyphForCodePoint(codePoint));
  found[name].set(codePoint, index);
  return index;
}
