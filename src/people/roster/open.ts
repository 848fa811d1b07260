import { unpack, type NamedFile } from './archive.ts';
import { openOneRoster } from './oneroster.ts';
import type { Roster } from './roster.ts';
import { UnreadableFile } from './said.ts';
import { isWorkbook, openWorkbookRoster } from './workbook.ts';

/** Opens an upload, whatever it is in: a workbook, or files of OneRoster. @throws UnreadableFile */
export async function openRoster(files: readonly NamedFile[]): Promise<Roster> {
  const workbook = files.find(isWorkbook);
  if (workbook === undefined) return openOneRoster(await unpack(files));
  if (files.length > 1)
    throw new UnreadableFile(
      `${workbook.name}: a workbook is imported by itself, one at a time.`,
      `${workbook.name}：工作簿须单独导入，一次一个。`,
    );
  return openWorkbookRoster(workbook);
}
