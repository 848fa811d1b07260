/** What one cell holds. Excel calls a workbook with more damaged. */
const MAX_TEXT = 32_767;

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** A text for an element or an attribute. What XML can't carry is written as `_x000B_`, and what looks like that as `_x005F_x000B_`. */
export function escape(text: string): string {
  if (!/[&<>"_\p{Cc}\p{Cs}\ufffe\uffff]/u.test(text)) return text;
  return text
    .replaceAll(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_')
    .replaceAll(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, (character) =>
      /[\t\n\u007f-\u009f]/.test(character)
        ? character
        : `_x${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}_`,
    )
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character]!);
}

/** A text as long as a cell can hold. */
export function fitting(text: string): string {
  return text.length <= MAX_TEXT ? text : `${cut(text, MAX_TEXT - 1)}…`;
}

/** The first so many characters, and no half one. */
export function cut(text: string, length: number): string {
  return text.slice(0, length).replace(/[\ud800-\udbff]$/, '');
}
