import type { ExportedRow } from './personal-data.ts';

/** What the parts of an export are called for people. Each part that there is has a line. */
export const partTitles: Readonly<Record<string, readonly [zh: string, en: string]>> = {
  person: ['本人', 'Who you are'],
  certificate_log: ['证书在公开日志中的记录', 'Your certificates in the public log'],
  verification_counts: ['证书被核验的次数', 'How often your certificates were verified'],
  sources: ['花名册中的编号', 'What rosters call you'],
  contacts: ['联系方式', 'How you are reached'],
  posts: ['岗位', 'Posts'],
  roster_doubts: ['曾待确认的花名册行', 'Rows of rosters that waited for a decision'],
  roster_refusals: ['被退回的花名册行', 'Rows of rosters that were refused'],
  roster_doubts_decided: ['由您确认的花名册行', 'Rows of rosters that you decided'],
  roster_imports_requested: ['由您提交的花名册', 'Rosters that you imported'],
  erasures: ['删除申请', 'Requests to erase'],
  journal: ['操作记录', 'What was done by you and to you'],
  sessions: ['登录', 'Sessions'],
  access_tokens: ['访问令牌', 'Access tokens'],
  access_tokens_revoked: ['由您撤销的访问令牌', 'Access tokens you revoked'],
  grants: ['权限', 'What is granted to you'],
  grants_given: ['由您授予的权限', 'What you granted'],
  grants_ended: ['由您终止的权限', 'Grants you ended'],
  issue_requests: ['补发与认定申请', 'Requests for certificates not earned here'],
  issue_requests_made: ['由您提出的补发与认定申请', 'Such requests you made'],
  issue_requests_decided: ['由您决定的补发与认定申请', 'Such requests you decided'],
  platform_accounts: ['教学平台账号', 'Accounts on learning platforms'],
  platform_launches: ['从教学平台打开的课程', 'What you opened from learning platforms'],
  platform_grades: ['发给教学平台的成绩', 'What learning platforms were told of you'],
  platform_memberships: ['您在教学平台上的课程', 'Courses on learning platforms that you are in'],
  package_attempts: ['您同意告知结果的课程包页面', 'Pages of course packages that are told your results'],
  platform_rosters_asked: ['由您读取的平台课程成员', 'Courses on platforms whose members you asked for'],
  platform_accounts_decided: ['由您核对的平台账号', 'Accounts on platforms that you decided'],
  platforms_registered: ['由您登记或停用的平台', 'Platforms you registered or ended'],
  platforms_invited: ['由您邀请登记的平台', 'Platforms you invited'],
  sample_sign_ins: ['示例登录', 'Sample sign-ins'],
  assignments: ['学习任务', 'Assignments'],
  h5p_contents_uploaded: ['上传的 H5P 内容', 'Uploaded H5P contents'],
  certifications_planned: ['由您设立的培训认证', 'Certifications that you planned'],
  cohorts_assigned: ['由您指派的班次', 'Cohorts that you assigned'],
  progress: ['学习进度', 'Progress'],
  statements: ['学习行为记录', 'Statements of the player'],
  time: ['计入的学习时间', 'Time that counts'],
  time_stretches: ['每一段学习时间的记录', 'Each stretch of time'],
  time_flags: ['学时记录中的疑问', 'Questions about your hours'],
  time_flags_judged: ['由您核实的学时疑问', 'Questions about hours that you judged'],
  statements_to_forward: ['待转发的学习行为记录', 'Statements to be forwarded'],
  saved_states: ['播放器保存的状态', 'Where you stopped'],
  attempts: ['考试', 'Attempts'],
  responses: ['作答', 'Responses'],
  efficacy_answers: ['信心自评', 'How sure you felt'],
  conversations: ['模拟对话', 'Simulated conversations'],
  conversation_moves: ['模拟对话中的选择', 'Choices in simulated conversations'],
  accommodations: ['考试便利', 'Accommodations in exams'],
  accommodations_given: ['由您给予的考试便利', 'Accommodations that you gave'],
  accommodations_revoked: ['由您撤销的考试便利', 'Accommodations that you revoked'],
  certificates: ['证书', 'Certificates'],
  certificates_revoked: ['由您撤销的证书', 'Certificates that you revoked'],
  credit_records: ['学时记录', 'Credit records'],
  targets_set: ['由您设定的目标', 'Targets that you set'],
  indicators_defined: ['由您设立的指标', 'Indicators that you defined'],
  indicator_imports: ['由您导入的指标数值', 'Numbers that you imported'],
  snapshots_requested: ['由您生成的快照', 'Snapshots that you took'],
  snapshot_verdicts: ['由您签署的快照', 'Snapshots that you signed or objected to'],
};

const STYLE =
  'body{font:16px/1.6 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem}table{border-collapse:collapse;margin:0 0 2rem;display:block;overflow-x:auto}th,td{border:1px solid #ccc;padding:.3rem .6rem;text-align:left;vertical-align:top}td{white-space:pre-wrap;overflow-wrap:anywhere;min-width:6rem}';

/** The page of an export, for reading: Chinese first, English beside it. Its rows come as they are read. */
export async function* drawPage(
  parts: readonly { readonly name: string; readonly rows: AsyncIterable<ExportedRow> }[],
  exportedAt: Date,
): AsyncGenerator<string> {
  yield `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>我的数据 / My data</title><style>${STYLE}</style>
<h1>我的数据 <span lang="en">/ My data</span></h1>
<p>心桥保存的关于您的全部信息，截至 ${exportedAt.toISOString()}。同样的内容在 data.json 中，供程序读取；证书在 certificates 文件夹中。没有内容的部分未列出。</p>
<p lang="en">All that Xinqiao holds about you, as of ${exportedAt.toISOString()}. data.json says the same to programs; certificates are in the folder of that name. Parts with nothing in them are left out.</p>\n`;
  for (const { name, rows } of parts) {
    let columns: readonly string[] | undefined;
    for await (const row of rows) {
      if (columns === undefined) {
        columns = Object.keys(row);
        const [zh, en] = partTitles[name] ?? [name, name];
        yield `<h2>${escape(zh)} <span lang="en">/ ${escape(en)}</span></h2>\n<table><tr>${columns.map((column) => `<th>${escape(column)}</th>`).join('')}</tr>\n`;
      }
      yield `<tr>${columns.map((column) => `<td>${escape(textOf(row[column]))}</td>`).join('')}</tr>\n`;
    }
    if (columns !== undefined) yield '</table>\n';
  }
  yield '</html>\n';
}

/** The same for programs. */
export async function* drawJson(
  parts: readonly { readonly name: string; readonly rows: AsyncIterable<ExportedRow> }[],
  exportedAt: Date,
): AsyncGenerator<string> {
  yield `{"format":"xinqiao-personal-data/1","exportedAt":${JSON.stringify(exportedAt)}`;
  for (const { name, rows } of parts) {
    let isFirst = true;
    yield `,\n${JSON.stringify(name)}:[`;
    for await (const row of rows) {
      yield `${isFirst ? '' : ','}\n${JSON.stringify(row)}`;
      isFirst = false;
    }
    yield ']';
  }
  yield '}\n';
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
