import { UnreadableSheet } from '../../sheets/unreadable.ts';
import { UnreadableFile } from './said.ts';

/** What a workbook or a zip is refused for, in both languages and with its file's name; other errors as they are. */
export function ofUnreadableSheet(file: string, error: unknown): unknown {
  if (!(error instanceof UnreadableSheet)) return error;
  return new UnreadableFile(
    `${file}: ${error.message}.`,
    `${file}：${REASONS[error.reason]}（${error.message}）。`,
  );
}

const REASONS: Readonly<Record<UnreadableSheet['reason'], string>> = {
  NOT_A_ZIP: '不是 .xlsx 工作簿',
  OLD_FORMAT: '是旧格式（.xls、.et），请另存为 .xlsx',
  BINARY_WORKBOOK: '是二进制工作簿（.xlsb），请另存为 .xlsx',
  ENCRYPTED: '设有密码，请取消密码后再导入',
  NO_WORKBOOK: '不是工作簿',
  DAMAGED: '文件已损坏',
  DOCTYPE: '含有不允许的内容',
  MACROS: '含有宏，请另存为不含宏的 .xlsx',
  EXTERNAL_LINKS: '引用了其他工作簿或数据库的数据，请断开链接后另存',
  TOO_LARGE: '解压后过大',
  TOO_MANY_STRINGS: '文字过多，请分成几个文件',
  OUTSIDE_PATH: '含有指向文件之外的路径',
  NO_SUCH_SHEET: '缺少工作表',
};
