/* The looks that cells are written in. */

export type Format = 'text' | 'number' | 'percent' | 'date';
export type Language = 'zh-CN' | 'en';

const FORMATS: readonly Format[] = ['number', 'text', 'percent', 'date'];
/** Numbers of formats: General and @ are built in. */
const NUMBER_FORMATS: Record<Format, number> = { number: 0, text: 49, percent: 164, date: 165 };

/** The style of a title, and those of cells by their format, as cells refer to them. */
export const TITLE_STYLE = 2 * FORMATS.length;

export function styleOf(format: Format, marked: boolean): number {
  return FORMATS.indexOf(format) + (marked ? FORMATS.length : 0);
}

export function stylesXml(language: Language): string {
  const font = language === 'zh-CN' ? '<name val="等线"/><charset val="134"/>' : '<name val="Calibri"/>';
  const cells = (fill: number): string =>
    FORMATS.map(
      (format) =>
        `<xf numFmtId="${NUMBER_FORMATS[format]}" fontId="0" fillId="${fill}" borderId="0" xfId="0" applyNumberFormat="1" applyFill="1"/>`,
    ).join('');
  const fill = (color: string): string =>
    `<fill><patternFill patternType="solid"><fgColor rgb="${color}"/><bgColor indexed="64"/></patternFill></fill>`;
  return (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">' +
    '<numFmts count="2"><numFmt numFmtId="164" formatCode="0.0%"/><numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd"/></numFmts>' +
    `<fonts count="2"><font><sz val="11"/>${font}</font><font><b/><sz val="11"/>${font}</font></fonts>` +
    `<fills count="4"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>${fill('FFE7EEF7')}${fill('FFFFC7CE')}</fills>` +
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>' +
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>' +
    `<cellXfs count="${TITLE_STYLE + 1}">${cells(0)}${cells(3)}<xf numFmtId="49" fontId="1" fillId="2" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1" applyFill="1" applyAlignment="1"><alignment vertical="center" wrapText="1"/></xf></cellXfs>` +
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
  );
}
