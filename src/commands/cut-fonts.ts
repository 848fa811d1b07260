import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { create, type Font } from 'fontkit';
import { cutFont, openTrueType } from '../certification/truetype.ts';
import { projectFolder } from '../config.ts';

/*
 * Makes certificates/fonts: letters that Noto Sans SC lacks, cut from fonts too large to depend on. See the README there.
 * node src/commands/cut-fonts.ts <folder>, in which the packages noto-sans-jp, noto-sans-hk and noto-sans lie unpacked.
 */

const SOURCES = [
  { name: 'jp', family: 'NotoSansJP', wanted: /\p{Script=Han}/u },
  { name: 'hk', family: 'NotoSansHK', wanted: /\p{Script=Han}/u },
  { name: 'latin', family: 'NotoSans', wanted: /\p{Script=Latin}/u },
] as const;
const WEIGHTS = { 400: '400Regular', 700: '700Bold' } as const;

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('Usage: node src/commands/cut-fonts.ts <folder of unpacked fonts>');
  process.exit(2);
}
const target = join(projectFolder, 'certificates/fonts');
await mkdir(target, { recursive: true });
const { resolve } = createRequire(import.meta.url);
for (const [weight, style] of Object.entries(WEIGHTS)) {
  const main = create(
    await readFile(resolve(`@expo-google-fonts/noto-sans-sc/${style}/NotoSansSC_${style}.ttf`)),
  ) as Font;
  const there = new Set(main.characterSet);
  for (const { name, family, wanted } of SOURCES) {
    const bytes = await readFile(join(folder, name, 'package', style, `${family}_${style}.ttf`));
    const font = create(bytes) as Font;
    const characters = font.characterSet
      .filter((each) => !there.has(each) && wanted.test(String.fromCodePoint(each)))
      .sort((a, b) => a - b);
    for (const each of characters) there.add(each);
    const letters = [...new Set(characters.map((each) => font.glyphForCodePoint(each).id))];
    const source = openTrueType(bytes);
    const whole = (tag: string): Buffer => {
      const { offset, length } = source.tables.get(tag)!;
      return Buffer.from(bytes.subarray(offset, offset + length));
    };
    // Version 3: no names of letters.
    const post = whole('post').subarray(0, 32);
    post.writeUInt32BE(0x0003_0000, 0);
    const cut = cutFont(source, letters, {
      cmap: characterMap(
        characters.map((each) => [each, letters.indexOf(font.glyphForCodePoint(each).id) + 1] as const),
      ),
      name: whole('name'),
      'OS/2': whole('OS/2'),
      post,
    });
    const file = join(target, `rare-${name}-${weight}.ttf`);
    await writeFile(file, cut);
    console.log(`${file}: ${characters.length} characters, ${Math.round(cut.length / 1000)} kB`);
  }
}

/** A `cmap` of format 12 (OpenType 1.9.1), one group for each character. */
function characterMap(pairs: readonly (readonly [character: number, letter: number])[]): Buffer {
  const map = Buffer.alloc(12 + 16 + 12 * pairs.length);
  map.writeUInt16BE(1, 2);
  map.writeUInt16BE(3, 4);
  map.writeUInt16BE(10, 6);
  map.writeUInt32BE(12, 8);
  map.writeUInt16BE(12, 12);
  map.writeUInt32BE(16 + 12 * pairs.length, 16);
  map.writeUInt32BE(pairs.length, 24);
  for (const [index, [character, letter]] of pairs.entries()) {
    map.writeUInt32BE(character, 28 + 12 * index);
    map.writeUInt32BE(character, 32 + 12 * index);
    map.writeUInt32BE(letter, 36 + 12 * index);
  }
  return map;
}
