/** What a person is told, in both languages. */
export interface Said {
  readonly 'zh-CN': string;
  readonly en: string;
}

export function said(en: string, zh: string): Said {
  return { 'zh-CN': zh, en };
}

/** A file that is not what it says; it is refused whole, with this reason. */
export class UnreadableFile extends Error {
  override name = 'UnreadableFile';
  readonly said: Said;
  constructor(en: string, zh: string) {
    super(en);
    this.said = said(en, zh);
  }
}

/** The same reason, of a named file; once is enough. */
export function ofFile(file: string, error: UnreadableFile): UnreadableFile {
  return error.message.startsWith(file)
    ? error
    : new UnreadableFile(`${file}: ${error.said.en}.`, `${file}：${error.said['zh-CN']}。`);
}
