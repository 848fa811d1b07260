import { unpack } from './archive.ts';
import { openOneRoster } from './oneroster.ts';
import type { Roster } from './roster.ts';
import { UnreadableFile } from './said.ts';
import type { Upload } from './upload.ts';
import { isWorkbook, openWorkbookRoster } from './workbook.ts';

/** Opens an upload, whatever it is in: a workbook, or files of OneRoster. @throws UnreadableFile */
export async function openRoster(files: readonly Upload[]): Promise<Roster> {
  let workbook: Upload | undefined;
  for (const file of files) if (await isWorkbook(file)) workbook ??= file;
  if (workbook === undefined) return openOneRoster(await unpack(files));
  if (files.length > 1)
    throw new UnreadableFile(
      `${workbook.name}: a workbook is imported by itself, one at a time.`,
      `${workbook.name}：工作簿须单独导入，一次一个。`,
    );
  return openWorkbookRoster(workbook);
}
