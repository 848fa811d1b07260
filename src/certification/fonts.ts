import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { create, type Font } from 'fontkit';
import { Refusal } from '../errors.ts';

export type FontName = 'regular' | 'bold';

/** A character that no font has: the certificate is not drawn, since a blank in a name would be worse. */
export class MissingGlyph extends Refusal {
  readonly code = 'MISSING_GLYPH';
  constructor(character: string, text: string) {
    super(`No font has the character "${character}" (U+${character.codePointAt(0)!.toString(16).toUpperCase()}) of "${text}".`);
  }
}

/** Noto Sans SC (SIL Open Font License 1.1), from npm. More fonts for rarer characters go behind these. */
const files: Readonly<Record<FontName, string>> = {
  regular: '@expo-google-fonts/noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf',
  bold: '@expo-google-fonts/noto-sans-sc/700Bold/NotoSansSC_700Bold.ttf',
};

const parsed = new Map<FontName, Font>();

/** A font, parsed once in the life of the process: parsing costs far more than drawing with it. */
export function fontOf(name: FontName): Font {
  const known = parsed.get(name);
  if (known !== undefined) return known;
  const font = create(readFileSync(createRequire(import.meta.url).resolve(files[name]))) as Font;
  parsed.set(name, font);
  return font;
}

/** @throws MissingGlyph for the first character that the font lacks. */
export function requireGlyphs(name: FontName, text: string): void {
  const font = fontOf(name);
  for (const character of text) {
    if (!font.hasGlyphForCodePoint(character.codePointAt(0)!)) throw new MissingGlyph(character, text);
  }
}
