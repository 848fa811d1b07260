import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { create, type Font } from 'fontkit';
import { Refusal } from '../errors.ts';

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

/** Letters that one font draws. `key` names the font within a document. */
export interface Run {
  readonly key: string;
  readonly font: Font;
  readonly text: string;
}

/**
 * Where each letter form is looked for, first to last: Noto Sans SC (SIL Open Font License 1.1), from npm. A font with rarer
 * characters goes behind; it is opened only when a text needs it.
 */
const files: Readonly<Record<FontName, readonly string[]>> = {
  regular: ['@expo-google-fonts/noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf'],
  bold: ['@expo-google-fonts/noto-sans-sc/700Bold/NotoSansSC_700Bold.ttf'],
};

const { resolve } = createRequire(import.meta.url);
const parsed = new Map<string, Font>();

/** A font, parsed once in the life of the process: parsing costs far more than drawing with it. */
function fontIn(file: string): Font {
  const known = parsed.get(file);
  if (known !== undefined) return known;
  const font = create(readFileSync(resolve(file))) as Font;
  parsed.set(file, font);
  return font;
}

/**
 * A font keeps with each glyph the character that first asked for it, which is what is copied out of the PDF; and characters may
 * share one (· and •). Called before each document, so that none takes its characters from those drawn before.
 */
export function forgetCharacters(): void {
  for (const font of parsed.values()) {
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
  const runs: { key: string; font: Font; text: string }[] = [];
  for (const character of text) {
    const codePoint = character.codePointAt(0)!;
    const index = files[name].findIndex((file) => fontIn(file).hasGlyphForCodePoint(codePoint));
    if (index === -1) throw new MissingGlyph(character, field, text);
    const key = `${name}-${index}`;
    const last = runs.at(-1);
    if (last?.key === key) last.text += character;
    else runs.push({ key, font: fontIn(files[name][index]!), text: character });
  }
  return runs;
}
