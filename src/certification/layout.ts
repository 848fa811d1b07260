import { Refusal } from '../errors.ts';
import { runsOf, type Run } from './fonts.ts';
import { namesIn, type BindingName, type Template } from './template.ts';

/* Where the letters of a text stand in its box. Nothing is drawn here. */

export type Element = Template['texts'][number];
/** The claims in words. undefined: there is nothing to say. */
export type Bindings = Readonly<Record<BindingName, string | undefined>>;

/** A text that its box can't hold at its smallest size: refused, never clipped. */
export class TextDoesNotFit extends Refusal {
  readonly code = 'TEXT_DOES_NOT_FIT';
  /** The claims in it, e.g. `holderName`. */
  readonly field: string;
  constructor(field: string, text: string) {
    super(`${field}: "${text}" does not fit its place on the certificate, even at the smallest size.`);
    this.field = field;
  }
}

/** A text that has its size, its lines, and letters for every character. */
export interface PlacedText {
  readonly element: Element;
  readonly size: number;
  readonly lines: readonly string[];
}

/** Which of an element's texts is set, with its values in it. undefined: none has all it says. @throws MissingGlyph */
export function choose(element: Element, bindings: Bindings): Chosen | undefined {
  const pattern = patternsOf(element).find(({ names }) =>
    names.every((name) => bindings[name as BindingName] !== undefined),
  );
  if (pattern === undefined) return undefined;
  const { names, pieces } = pattern;
  for (const name of names) runsOf(element.font, bindings[name as BindingName]!, name);
  // What is said and what is bound take turns.
  return {
    names,
    text: pieces.map((piece, at) => (at % 2 === 0 ? piece : bindings[piece as BindingName]!)).join(''),
  };
}

interface Pattern {
  readonly names: readonly string[];
  readonly pieces: readonly string[];
}

const patterns = new WeakMap<Element, readonly Pattern[]>();

function patternsOf(element: Element): readonly Pattern[] {
  let known = patterns.get(element);
  if (known === undefined) {
    known = element.text.map((text) => ({ names: namesIn(text), pieces: text.split(/\{([^{}]*)\}/) }));
    patterns.set(element, known);
  }
  return known;
}

/** A letter and its accent may be given as two characters, where the font has the one that they make. */
export function composed(bindings: Bindings): Bindings {
  return Object.fromEntries(
    Object.entries(bindings).map(([name, value]) => [
      name,
      value?.replaceAll(/\p{L}\p{M}+/gu, (letter) => letter.normalize('NFC')),
    ]),
  ) as Bindings;
}

export interface Chosen {
  /** What it binds. */
  readonly names: readonly string[];
  readonly text: string;
}

/** Many persons' words are the same: what an exam is evidence of, a day, a role. */
const placed = new WeakMap<Element, Map<string, PlacedText>>();
const MOST_PLACED = 200;

/** @throws MissingGlyph, TextDoesNotFit */
export function place(element: Element, { names, text }: Chosen): PlacedText {
  let known = placed.get(element);
  if (known === undefined) placed.set(element, (known = new Map()));
  const before = known.get(text);
  if (before !== undefined) return before;
  for (let size = element.size; size >= (element.minSize ?? element.size); size -= 0.5) {
    const lines = breakLines(element, text, size, element.width);
    if (!fits(element, size, lines)) continue;
    const found = { element, size, lines: balance(element, text, size, lines) };
    if (known.size >= MOST_PLACED) known.clear();
    known.set(text, found);
    return found;
  }
  throw new TextDoesNotFit(names.join(', ') || 'text', text);
}

function fits(element: Element, size: number, lines: readonly string[], width = element.width): boolean {
  // A hair of tolerance for floating point, far below what a printer can show.
  if (lines.length * size * element.lineHeight > element.height + 0.01) return false;
  return lines.every((line) => widthOf(element, line, size) <= width + 0.01);
}

/** Centred lines of about the same length, rather than a full one and a leftover. */
function balance(element: Element, text: string, size: number, lines: readonly string[]): readonly string[] {
  if (lines.length === 1 || element.align !== 'center') return lines;
  let balanced = lines;
  // The narrowest width, in steps of half a letter, that takes no line more: what a width has room for, a wider one has.
  let roomy = 0;
  let tight = Math.ceil((element.width - element.width / lines.length) / (size / 2));
  while (tight - roomy > 1) {
    const step = Math.floor((roomy + tight) / 2);
    const width = element.width - (step * size) / 2;
    const narrower = breakLines(element, text, size, width);
    if (narrower.length > lines.length || !fits(element, size, narrower, width)) tight = step;
    else {
      roomy = step;
      balanced = narrower;
    }
  }
  return balanced;
}

/**
 * Units that a line break leaves whole: a Latin word or number, or one character, with the opening marks before it and the
 * closing marks behind it, which may begin or end no line.
 */
const UNIT =
  /[“‘《「『（〈【〔([]*(?:[\p{Script=Latin}\p{Nd}][\p{Script=Latin}\p{Nd}\p{M}'’.,:/#=%–-]*|\S)[”’》」』）〉】〕)\]，。、；：？！…·,.;:?!%]*\s*|\s+/gu;

function breakLines(element: Element, text: string, size: number, width: number): string[] {
  // What fits as a whole need not be measured word by word.
  const whole = text.trimEnd();
  if (widthOf(element, whole, size) <= width + 0.01) return [whole];
  const units = text.match(UNIT) ?? [];
  const lines: string[] = [];
  for (let begin = 0; begin < units.length;) {
    const lineTo = (end: number): string => units.slice(begin, end).join('').trimEnd();
    const isRoomTo = (end: number): boolean => widthOf(element, lineTo(end), size) <= width + 0.01;
    // Words come again and lines do not: the sum of its words is about where a line ends, and what is laid out there says it exactly.
    let end = begin + 1;
    for (let sum = widthOf(element, units[begin]!, size); end < units.length; end += 1) {
      sum += widthOf(element, units[end]!, size);
      if (sum > width) break;
    }
    while (end > begin + 1 && !isRoomTo(end)) end -= 1;
    while (end < units.length && isRoomTo(end + 1)) end += 1;
    lines.push(lineTo(end));
    begin = end;
  }
  return lines;
}

/** Of a line, in points. */
export function widthOf(element: Element, text: string, size: number): number {
  return advanceOf(element, text) * size + trackingAt(element, size) * Math.max(0, [...text].length - 1);
}

/** A letter of a laid out text, lengths in ems. */
export interface Letter {
  /** Its number in the file of the font. */
  readonly id: number;
  /** As the font has it. */
  readonly width: number;
  /** To the next letter: kerning may bring it nearer. */
  readonly advance: number;
  readonly right: number;
  readonly up: number;
  readonly characters: readonly number[];
}

/** Laying a text out is what drawing costs. */
const laid = new Map<string, readonly Letter[]>();
const MOST_LAID = 20_000;

/** The letters of a piece of text in one font. */
export function layOut({ key, font, text }: Run, element: Pick<Element, 'lang'>): readonly Letter[] {
  const name = `${key} ${element.lang} ${text}`;
  const before = laid.get(name);
  if (before !== undefined) return before;
  let letters: readonly Letter[];
  const characters = [...text];
  // Chinese characters do not touch their neighbours, so what was found for each alone holds in a row of them.
  if (characters.length > 1 && /^\p{Script=Han}+$/u.test(text))
    letters = characters.flatMap((character) => layOut({ key, font, text: character }, element));
  else {
    const { glyphs, positions } = font.layout(text, featuresOf(element));
    letters = glyphs.map((glyph, index) => ({
      id: glyph.id,
      width: glyph.advanceWidth / font.unitsPerEm,
      advance: positions[index]!.xAdvance / font.unitsPerEm,
      right: positions[index]!.xOffset / font.unitsPerEm,
      up: positions[index]!.yOffset / font.unitsPerEm,
      // Letter by letter if it can be: the font remembers only the first character that a form was asked for.
      characters:
        glyphs.length === characters.length ? [characters[index]!.codePointAt(0)!] : [...glyph.codePoints],
    }));
  }
  if (laid.size >= MOST_LAID) laid.clear();
  laid.set(name, letters);
  return letters;
}

/** Of a text's letters, in ems. */
function advanceOf(element: Element, text: string): number {
  let sum = 0;
  for (const run of runsOf(element.font, text))
    for (const { advance } of layOut(run, element)) sum += advance;
  return sum;
}

export function trackingAt(element: Element, size: number): number {
  return (element.tracking * size) / element.size;
}

/** In English, quotation marks take their own width and not that of a Chinese character. */
export function featuresOf({ lang }: Pick<Element, 'lang'>): ('pwid' | 'kern')[] {
  return lang === 'en' ? ['pwid', 'kern'] : [];
}

/** How far a centred line looks off its middle, times its size: half of a Chinese punctuation mark is blank. */
export function blankAtEnds(line: string): number {
  return (/[，。、；：！？）》」』】]$/u.test(line) ? 0.25 : 0) - (/^[（《「『【]/u.test(line) ? 0.25 : 0);
}

/** A piece of a line in one font: its baseline begins at x, y. */
export interface PlacedRun {
  readonly key: Run['key'];
  readonly font: Run['font'];
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

/** The pieces of a placed text, in the middle of its box, from top to bottom. */
export function placeRuns({ element, size, lines }: PlacedText): PlacedRun[] {
  const tracking = trackingAt(element, size);
  const lineHeight = size * element.lineHeight;
  const top = element.y + (element.height - lines.length * lineHeight) / 2;
  return lines.flatMap((line, index) => {
    const spare = element.width - widthOf(element, line, size);
    let x =
      element.x + { left: 0, center: spare / 2 + blankAtEnds(line) * size, right: spare }[element.align];
    // A Chinese character's middle is 0.38 of its size above the baseline.
    const y = top + (index + 0.5) * lineHeight + 0.38 * size;
    return runsOf(element.font, line).map((run) => {
      const placed = { ...run, x, y };
      x += widthOf(element, run.text, size) + tracking;
      return placed;
    });
  });
}
