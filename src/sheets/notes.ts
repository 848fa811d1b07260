import { escape, fitting } from './escape.ts';
import { lettersOf } from './sheet-names.ts';

/** A comment on a cell, by 0-based row and column. */
export interface Note {
  readonly row: number;
  readonly column: number;
  readonly text: string;
}

/** Excel counts shapes in blocks of so many for each sheet. */
const BLOCK = 1024;

/** The comments of a sheet, in the order of their cells. */
export function* commentsXml(notes: readonly Note[], author: string): Generator<string> {
  yield `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<comments xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><authors><author>${escape(author)}</author></authors><commentList>`;
  for (const { row, column, text } of notes)
    yield `<comment ref="${lettersOf(column)}${row + 1}" authorId="0"><text><r><rPr><sz val="9"/></rPr><t xml:space="preserve">${escape(fitting(text))}</t></r></text></comment>`;
  yield '</commentList></comments>';
}

/** How many blocks of shapes the notes of a sheet take. */
export function blocksOf(notes: readonly Note[]): number {
  return Math.floor((notes.length + BLOCK) / BLOCK);
}

/** The boxes of the comments, without which Excel does not show them: VML, which it still reads. `block` is the first of the sheet's own. */
export function* drawingVml(notes: readonly Note[], block: number): Generator<string> {
  const blocks = Array.from({ length: blocksOf(notes) }, (_, at) => block + at).join(',');
  yield `<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:x="urn:schemas-microsoft-com:office:excel"><o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="${blocks}"/></o:shapelayout><v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>`;
  for (const [at, { row, column, text }] of notes.entries()) {
    const height = Math.min(14, 3 + text.split('\n').length + Math.floor(text.length / 16));
    const anchor = [column + 1, 15, row, 2, column + 4, 15, row + height, 4].join(', ');
    yield `<v:shape id="_x0000_s${block * BLOCK + at + 1}" type="#_x0000_t202" style="position:absolute;margin-left:80pt;margin-top:5pt;width:180pt;height:60pt;z-index:${at + 1};visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/><v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox><x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:Anchor>${anchor}</x:Anchor><x:AutoFill>False</x:AutoFill><x:Row>${row}</x:Row><x:Column>${column}</x:Column></x:ClientData></v:shape>`;
  }
  yield '</xml>';
}
