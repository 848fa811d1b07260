import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { chinaDay } from '../../src/clock.ts';
import { sampleCertification, SAMPLE_COUNTY, sampleRosterFiles } from '../../src/commands/sample/county.ts';
import { openWorkbook } from '../../src/sheets/read.ts';
import { writeWorkbook } from '../../src/sheets/write.ts';
import type { ImportedRoster, StartedService } from '../support/started-service.ts';
import { IMPORT_STATE, until } from '../support/service.ts';
import { askWell, expectThat, type Step } from './step.ts';

/* The coordinator's part, by GraphQL and with a spreadsheet. */

export async function prepareCounty(
  run: StartedService,
  step: Step,
): Promise<{ certificationId: string; unitId: string; teachers: number }> {
  const checked = await step('Try the roster out', async () => {
    const zip = await zipped(await sampleRosterFiles());
    const done = await run.importRoster('coordinator', SAMPLE_COUNTY, [{ name: 'roster.zip', bytes: zip }], {
      dryRun: true,
    });
    expectThat(done.state === 'CHECKED' && done.rowsRefused === 0, JSON.stringify(done));
    const { division } = await askWell(
      run,
      'coordinator',
      `{ division(code: "${SAMPLE_COUNTY}") { organizations(first: 1) { nodes { name } } } }`,
    );
    expectThat(division.organizations.nodes.length === 0, 'the dry run wrote something');
    return [
      `would add ${done.peopleAdded} people and ${done.postsAdded} posts; nothing is written`,
      done,
    ] as const;
  });
  await step('Import it', async () => {
    // With the files it has already: nothing is uploaded again.
    const { repeatRosterImport } = await askWell(run, 'coordinator', REPEAT, { id: checked.id });
    const done = await endOf(run, repeatRosterImport.rosterImport.id as string);
    expectThat(
      done.state === 'APPLIED' &&
        done.postsAdded === checked.postsAdded &&
        done.peopleAdded === checked.peopleAdded,
      JSON.stringify([checked, done]),
    );
    return [
      `${done.organizationsAdded} organizations, ${done.peopleAdded} people, ${done.postsAdded} posts`,
      undefined,
    ] as const;
  });
  await step('Import the same again', async () => {
    const zip = await zipped(await sampleRosterFiles());
    const done = await run.importRoster('coordinator', SAMPLE_COUNTY, [{ name: 'roster.zip', bytes: zip }]);
    expectThat(
      done.peopleAdded + done.postsAdded + done.organizationsAdded + done.rowsRefused === 0,
      JSON.stringify(done),
    );
    return ['nothing changes', undefined] as const;
  });
  await mendWorkbook(run, step);
  const certificationId = await step('Plan the certification', async () => {
    const { planCertification } = await askWell(run, 'coordinator', PLAN, {
      input: {
        code: sampleCertification.code,
        title: { zhCN: sampleCertification.title['zh-CN'], en: sampleCertification.title.en },
        courseSlug: sampleCertification.courseSlug,
        roles: ['CLASS_TEACHER'],
        validityMonths: sampleCertification.validityMonths,
        divisionCode: SAMPLE_COUNTY,
        issuerName: sampleCertification.issuerName,
        // The journey is faster than any teacher.
        minimumHoursShare: 0,
      },
    });
    return [
      planCertification.certification.title as string,
      planCertification.certification.id as string,
    ] as const;
  });
  return step('Assign the class teachers', async () => {
    const { division } = await askWell(run, null, `{ division(code: "${SAMPLE_COUNTY}") { id name } }`);
    const variables = { input: { certificationId, unitId: division.id as string, role: 'CLASS_TEACHER' } };
    const first = (await askWell(run, 'coordinator', ASSIGN, variables)).assignCohort;
    const again = (await askWell(run, 'coordinator', ASSIGN, variables)).assignCohort;
    expectThat(first.assigned > 500 && again.assigned === 0, JSON.stringify([first, again]));
    return [
      `${first.assigned} in ${division.name}; done again, nobody twice`,
      { certificationId, unitId: division.id as string, teachers: first.assigned as number },
    ] as const;
  });
}

/** A new school fills the template in, one row wrong; the refused row is downloaded, mended and sent back. */
async function mendWorkbook(run: StartedService, step: Step): Promise<void> {
  const titles = await step('Fill the template in', async () => {
    const template = await readSheet(await bytesOf(run, '/roster-template.xlsx'), '教职工');
    expectThat(template.length === 1, 'the template has rows');
    return [template[0]!.join('、'), template[0]!] as const;
  });
  const send = async (sheets: Record<string, readonly (readonly string[])[]>): Promise<ImportedRoster> =>
    run.importRoster('coordinator', SAMPLE_COUNTY, [
      {
        name: '新学校.xlsx',
        bytes: await buffer(
          writeWorkbook({
            language: 'zh-CN',
            sheets: Object.entries(sheets).map(([name, [header, ...rows]]) => ({
              name,
              columns: header!.map((title) => ({ title, format: 'text' })),
              rows,
            })),
          }),
        ),
      },
    ]);
  const row = (ref: string, name: string, role: string): string[] =>
    titles.map(
      (title) =>
        ({ 人员编号: ref, 姓名: name, 学校标识码: 'NEW-1', 岗位: role, 任职开始日期: '2026年9月1日' })[
          title
        ] ?? '',
    );
  await step('A workbook with a mistake', async () => {
    const done = await send({
      学校: [
        ['学校标识码', '学校名称', '办学类型'],
        ['NEW-1', '新桥小学', '小学'],
      ],
      教职工: [titles, row('N1', '周新', '任课教师'), row('N2', '吴桥', '门房')],
    });
    expectThat(done.peopleAdded === 1 && done.rowsRefused === 1, JSON.stringify(done));
    const [header, refused] = await readSheet(
      await bytesOf(run, new URL(done.refusalsUrl!).pathname, 'coordinator'),
      '教职工',
    );
    const reason = refused?.at(-1) ?? '';
    expectThat(header !== undefined && reason.includes('“门房”不是岗位'), JSON.stringify([header, refused]));
    const mended = await send({
      教职工: [header, refused!.with(header.indexOf('岗位'), '任课教师')],
    });
    expectThat(mended.peopleAdded === 1 && mended.rowsRefused === 0, JSON.stringify(mended));
    return [`${reason.split('（')[0]}; mended in the downloaded workbook and taken`, undefined] as const;
  });
}

async function bytesOf(run: StartedService, path: string, as?: string): Promise<Buffer> {
  const response = await run.fetch(path, as);
  expectThat(response.ok, `${path} answers ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

async function readSheet(bytes: Buffer, name: string): Promise<string[][]> {
  const workbook = await openWorkbook({
    size: bytes.length,
    read: async (start, end) => bytes.subarray(start, end),
  });
  const rows: string[][] = [];
  for await (const batch of workbook.rows(name))
    for (const row of batch) rows.push(Array.from(row.cells, (cell) => cell?.text ?? ''));
  workbook.close();
  return rows;
}

async function endOf(run: StartedService, id: string): Promise<ImportedRoster> {
  return until(async () => {
    const { node } = await askWell(run, 'coordinator', IMPORT_STATE, { id });
    return node.state === 'QUEUED' ? undefined : (node as ImportedRoster);
  });
}

async function zipped(files: readonly { name: string; bytes: Buffer }[]): Promise<Buffer> {
  const zip = new ZipFile();
  for (const file of files) zip.addBuffer(file.bytes, file.name);
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The staff number of somebody whose one post, today, is that of a class teacher. */
export async function aClassTeacher(): Promise<string> {
  const users = (await sampleRosterFiles()).find((file) => file.name === 'users.csv')!;
  const [head, ...rows] = users.bytes.toString('utf8').split(/\r?\n/);
  const columns = head!.split(',');
  const at = (name: string): number => columns.indexOf(name);
  const today = chinaDay(new Date());
  const row = rows
    .map((line) => line.split(','))
    .find(
      (cells) =>
        cells.length === columns.length &&
        cells[at('metadata.postRoles')] === 'class_teacher' &&
        cells[at('metadata.postEnds')] === '' &&
        (cells[at('metadata.postStarts')] ?? '') <= today,
    );
  expectThat(row !== undefined, 'the sample has no class teacher');
  return row[at('metadata.staffNumber')]!;
}

const PLAN = `mutation ($input: PlanCertificationInput!) { planCertification(input: $input) {
  ... on PlanCertificationPayload { certification { id title } } ... on Refusal { code message } } }`;
const ASSIGN = `mutation ($input: AssignCohortInput!) { assignCohort(input: $input) {
  ... on AssignCohortPayload { assigned alreadyAssigned } ... on Refusal { code message } } }`;
const REPEAT = `mutation ($id: ID!) { repeatRosterImport(input: { rosterImportId: $id }) {
  ... on RepeatRosterImportPayload { rosterImport { id } } ... on Refusal { code message } } }`;
