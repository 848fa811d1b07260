/** Why a workbook is refused; stable, so that a caller may say it in its own words. */
export type Unreadable =
  /** Neither a zip nor an old Excel file. */
  | 'NOT_A_ZIP'
  /** What Excel wrote before 2007 (.xls), or WPS as .et. */
  | 'OLD_FORMAT'
  /** .xlsb: a zip, but no XML in it. */
  | 'BINARY_WORKBOOK'
  /** A password is asked for. */
  | 'ENCRYPTED'
  /** A zip of something else. */
  | 'NO_WORKBOOK'
  | 'DAMAGED'
  /** An XML part with a document type: no program writes one, and entities are made in it. */
  | 'DOCTYPE'
  | 'MACROS'
  /** Values come from other workbooks or from a database: what is stored may not be what they are now. */
  | 'EXTERNAL_LINKS'
  /** It unpacks to more, or to more files, than is read. */
  | 'TOO_LARGE'
  | 'TOO_MANY_STRINGS'
  /** A path leads out of the zip. */
  | 'OUTSIDE_PATH'
  | 'NO_SUCH_SHEET';

/** A workbook that can't or may not be read; refused whole, even when that shows in the middle of it. */
export class UnreadableSheet extends Error {
  override name = 'UnreadableSheet';
  readonly reason: Unreadable;
  constructor(reason: Unreadable, message: string) {
    super(message);
    this.reason = reason;
  }
}
