import { partKeys, type Item } from '../courses/item.ts';
import { InvalidInput } from '../errors.ts';

/*
 * An answer is a list of texts, by the item's kind: keys of options; keys of all elements in the order given; `pair=target` for each pair
 * that was matched; one number. An empty list takes an answer back.
 */

/**
 * The answer as it is kept.
 * @throws InvalidInput at `input.chosen` for what is no answer to this item.
 */
export function readAnswer(item: Item, chosen: readonly string[]): string[] {
  if (chosen.length === 0) return [];
  switch (item.kind) {
    case 'ordering':
      return readOrder(item.elements, chosen);
    case 'matching':
      return readMatches(item, chosen);
    case 'numeric':
      return readNumberText(chosen);
    case 'single':
    case 'multiple':
    case 'true_false': {
      const once = [...new Set(chosen)];
      const keys = partKeys(item);
      const unknown = once.find((key) => !keys.includes(key));
      if (unknown !== undefined) throw refusal(`"${shown(unknown)}" is not an option of this item.`);
      if (item.kind !== 'multiple' && once.length > 1) throw refusal('This item takes one option.');
      return once;
    }
  }
}

function readOrder(elements: readonly { readonly key: string }[], chosen: readonly string[]): string[] {
  const unknown = chosen.find((key) => !elements.some((element) => element.key === key));
  if (unknown !== undefined) throw refusal(`"${shown(unknown)}" is not an element of this item.`);
  if (chosen.length !== elements.length || new Set(chosen).size !== chosen.length)
    throw refusal(`Put all ${elements.length} elements into an order, each once.`);
  return [...chosen];
}

function readMatches(item: Extract<Item, { kind: 'matching' }>, chosen: readonly string[]): string[] {
  const matched = new Map<string, string>();
  for (const match of chosen) {
    const [pair, target, ...rest] = match.split('=');
    if (!item.pairs.some(({ key }) => key === pair) || target === undefined || rest.length > 0)
      throw refusal(`"${shown(match)}" is not of the form pair=target with a pair of this item.`);
    if (!item.targets.some(({ key }) => key === target))
      throw refusal(`"${shown(match)}" names a target that this item does not have.`);
    if (matched.has(pair!)) throw refusal(`"${pair!}" is matched twice.`);
    matched.set(pair!, target);
  }
  return [...matched].map(([pair, target]) => `${pair}=${target}`);
}

function readNumberText(chosen: readonly string[]): string[] {
  if (chosen.length > 1) throw refusal('This item takes one number.');
  const text = plain(chosen[0]!);
  if (text === '') return [];
  if (!/^[+-]?\d{1,15}(\.\d{1,15})?$/.test(text))
    throw refusal(
      `"${shown(chosen[0]!)}" is not a number: write digits, with a point for decimals, and no unit.`,
    );
  return [text];
}

/** Chinese keyboards write digits, point and sign in full width. */
function plain(text: string): string {
  return text
    .trim()
    .replace(/[\uFF10-\uFF19]/g, (digit) => String.fromCharCode(digit.charCodeAt(0) - 0xfee0))
    .replaceAll('．', '.')
    .replace(/[－−]/g, '-')
    .replaceAll('＋', '+');
}

const refusal = (message: string): InvalidInput => new InvalidInput('input.chosen', message);
const shown = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);
