import type { Readable } from 'node:stream';
import { writeWorkbook, type ColumnToWrite } from '../../sheets/write.ts';
import type { OrganizationKind } from '../../regions/organization.ts';
import type { Role } from '../role.ts';

/*
 * The workbook that bureaus fill in: a sheet of organizations and one of staff, a row for each post. One list of columns for writing the
 * template and for reading what comes back, whose titles may be those of other forms that are in use.
 */

export interface TemplateColumn {
  readonly title: string;
  /** What other forms call it. */
  readonly alsoCalled: readonly string[];
  /** A sheet without it is none of these. */
  readonly isRequired?: boolean;
  readonly note: string;
  readonly example: string;
  readonly width: number;
  readonly choices?: readonly string[];
}

/** What the form calls kinds of organizations, the template's own words first. */
const KINDS: Readonly<Record<OrganizationKind, readonly string[]>> = {
  kindergarten: ['幼儿园'],
  primary: ['小学', '完全小学', '教学点'],
  junior: ['初级中学', '初中'],
  senior: ['高级中学', '高中', '普通高中', '完全中学'],
  nine_year: ['九年一贯制学校', '九年一贯制'],
  twelve_year: ['十二年一贯制学校', '十二年一贯制'],
  vocational: ['中等职业学校', '中职', '职业高中', '职业中学', '中专', '中等专业学校', '技工学校'],
  special: ['特殊教育学校', '特教学校', '特殊教育'],
  university: [
    '高等学校',
    '高校',
    '大学',
    '学院',
    '普通高等学校',
    '本科院校',
    '高职',
    '高职院校',
    '高等职业学校',
    '专科院校',
  ],
  bureau: ['教育行政部门', '教育局', '教体局', '教育体育局', '教育厅', '教育委员会'],
  unspecified: ['其他'],
};
const ROLES: Readonly<Record<Role, readonly string[]>> = {
  class_teacher: ['班主任'],
  subject_teacher: ['任课教师', '科任教师', '学科教师', '教师'],
  young_pioneers_leader: ['少先队辅导员', '大队辅导员', '中队辅导员', '少先队大队辅导员', '少先队中队辅导员'],
  college_counselor: ['高校辅导员', '辅导员', '学生辅导员'],
  graduate_tutor: ['研究生导师', '导师', '硕士生导师', '博士生导师'],
  mental_health_teacher: [
    '心理健康教育教师',
    '心理教师',
    '心理健康教师',
    '心理老师',
    '心理辅导教师',
    '心理咨询师',
  ],
  principal: ['校长', '园长', '院长'],
  county_researcher: ['心理健康教育教研员', '心理教研员', '教研员'],
  hotline_staff: ['心理援助热线工作人员', '热线工作人员', '热线接线员'],
};
const WORKLOADS = { full: ['专职', '全职'], part: ['兼职'] } as const;

const first = (words: Readonly<Record<string, readonly string[]>>): string[] =>
  Object.values(words).map(([word]) => word!);

const CODE: TemplateColumn = {
  title: '学校标识码',
  alsoCalled: ['学校代码', '学校编码', '单位代码', '单位编码', '单位编号', '机构代码', '所在学校标识码'],
  isRequired: true,
  note: '教育部学校（机构）标识码；没有的，用本地统一的单位编号。以后每次导入须保持不变。',
  example: '2143012101',
  width: 14,
};

export const ORGANIZATION_COLUMNS = {
  code: CODE,
  name: {
    title: '学校名称',
    alsoCalled: ['单位名称', '机构名称', '学校全称'],
    isRequired: true,
    note: '与公章一致的全称。',
    example: '星沙实验小学',
    width: 28,
  },
  kind: {
    title: '办学类型',
    alsoCalled: ['学校类型', '单位类型', '学校类别', '办学层次'],
    note: '从下拉列表中选择。',
    example: '小学',
    width: 16,
    choices: first(KINDS),
  },
  division: {
    title: '行政区划代码',
    alsoCalled: ['区划代码', '所在行政区划代码', '所在地代码'],
    note: '学校所在县（市、区）的六位代码；空着表示导入时所选的地区。',
    example: '430121',
    width: 14,
  },
  parent: {
    title: '上级单位代码',
    alsoCalled: ['主管部门代码', '上级单位标识码'],
    note: '可空。须是本表中另一行的学校标识码。',
    example: '',
    width: 14,
  },
  students: {
    title: '在校学生数',
    alsoCalled: ['学生数', '学生人数', '在校生数'],
    note: '用于核定心理健康教育教师配备；高校必填。',
    example: '1200',
    width: 12,
  },
  studentsOn: {
    title: '学生数统计日期',
    alsoCalled: ['统计日期', '统计时间'],
    note: '年-月-日。',
    example: '2026-09-01',
    width: 16,
  },
} as const satisfies Record<string, TemplateColumn>;

export const STAFF_COLUMNS = {
  ref: {
    title: '人员编号',
    alsoCalled: ['个人标识码', '教职工编号', '教师编号', '教育ID', '个人编码'],
    isRequired: true,
    note: '在本地区内不重复、以后不变的编号，如全国教师管理信息系统的个人标识码。一人多岗时每个岗位一行，编号相同。',
    example: 'G430121000001',
    width: 16,
  },
  name: {
    title: '姓名',
    alsoCalled: ['教师姓名', '教职工姓名', '人员姓名'],
    isRequired: true,
    note: '与身份证件一致。',
    example: '王小明',
    width: 12,
  },
  identity: {
    title: '身份证件号',
    alsoCalled: ['身份证号', '身份证号码', '证件号码', '身份证件号码', '居民身份证号', '公民身份号码'],
    note: '可空。只用于识别同一人，系统不保存原号。',
    example: '',
    width: 22,
  },
  staffNumber: {
    title: '工号',
    alsoCalled: ['职工号', '教工号', '教职工号'],
    note: '可空。单位内部使用的编号。',
    example: '0001',
    width: 12,
  },
  code: CODE,
  role: {
    title: '岗位',
    alsoCalled: ['岗位类型', '任职岗位', '岗位名称', '担任岗位', '职务', '角色'],
    isRequired: true,
    note: '从下拉列表中选择；一人多岗的，每个岗位填一行。',
    example: '班主任',
    width: 20,
    choices: first(ROLES),
  },
  workload: {
    title: '专兼职',
    alsoCalled: ['专职/兼职', '专职兼职', '专职或兼职', '任职方式'],
    note: '空着表示专职。',
    example: '专职',
    width: 10,
    choices: first(WORKLOADS),
  },
  startsOn: {
    title: '任职开始日期',
    alsoCalled: ['任职日期', '开始日期', '任职时间', '任职开始时间', '起始日期'],
    note: '年-月-日；不知道的可空，按导入之日计。',
    example: '2025-09-01',
    width: 16,
  },
  endsOn: {
    title: '任职结束日期',
    alsoCalled: ['离任日期', '结束日期', '任职结束时间', '终止日期'],
    note: '年-月-日，含当日；仍在岗的空着。',
    example: '',
    width: 16,
  },
  email: {
    title: '电子邮箱',
    alsoCalled: ['邮箱', '电子邮件', '邮箱地址', 'E-mail', 'Email'],
    note: '可空。只用于给本人发送提醒，加密保存；本人改过的以本人为准。',
    example: '',
    width: 24,
  },
  mobile: {
    title: '手机号',
    alsoCalled: ['手机', '手机号码', '移动电话', '联系电话', '联系方式'],
    note: '可空。只用于给本人发送提醒，加密保存；本人改过的以本人为准。',
    example: '',
    width: 16,
  },
} as const satisfies Record<string, TemplateColumn>;

export const ORGANIZATION_SHEET = '学校';
export const STAFF_SHEET = '教职工';

export function kindOf(word: string): OrganizationKind | undefined {
  return find(KINDS, word);
}

/** Also of a word that tells the workload with the role, such as 兼职心理教师. */
export function roleOf(word: string): { role: Role; workload?: 'full' | 'part' } | undefined {
  const role = find(ROLES, word);
  if (role !== undefined) return { role };
  const [, told, rest] = /^(专职|兼职)(.+)$/.exec(word) ?? [];
  const plainRole = rest === undefined ? undefined : find(ROLES, rest);
  return plainRole === undefined ? undefined : { role: plainRole, workload: workloadOf(told!)! };
}

export function workloadOf(word: string): 'full' | 'part' | undefined {
  return find(WORKLOADS, word);
}

export const kindWords: readonly string[] = first(KINDS);
export const roleWords: readonly string[] = first(ROLES);

function find<K extends string>(words: Readonly<Record<K, readonly string[]>>, word: string): K | undefined {
  return (Object.keys(words) as K[]).find((key) => words[key].includes(word));
}

/** A title as it is compared: without spaces, line breaks, stars, and what stands in brackets. */
export function plainTitle(title: string): string {
  return title
    .normalize('NFKC')
    .replaceAll(/\(.*?\)|\[.*?\]|【.*?】|[\s*:：]/g, '')
    .trim();
}

const INSTRUCTIONS = [
  '一行标题之下，每行填一条；不要合并单元格，不要改动标题。标题旁的批注说明怎样填写。',
  '“学校”表：每所学校（单位）一行。已经导入过且没有变化的学校可以不再填写。',
  '“教职工”表：每个岗位一行。同一人有几个岗位，就填几行，人员编号和姓名相同。',
  '调动：在原学校的行里填任职结束日期，并为新学校另填一行。已填过的岗位再次出现，不会重复。',
  '代码、编号、身份证件号须为文本（本模板已设好）。以数值保存的 18 位号码末几位会丢失，将被退回。',
  '日期写作 2026-09-01；2026/9/1、2026年9月1日、20260901 也能识别。',
  '先“试导入”：系统会告知将新增、变更、结束多少，退回哪些行及原因，此时不写入任何数据。',
  '被退回的行可以下载成表格，出错的单元格标红并注明原因；改好后另行导入即可。',
  '不要填写学生的任何信息。',
];

/** The empty workbook, in Chinese. */
export function writeTemplate(): Readable {
  const columns = (all: Readonly<Record<string, TemplateColumn>>): ColumnToWrite[] =>
    Object.values(all).map(({ title, note, example, width, choices, isRequired }) => ({
      title,
      width,
      format: 'text',
      note: `${isRequired === true ? '必填。' : ''}${note}`,
      ...(example === '' ? {} : { example }),
      ...(choices === undefined ? {} : { choices }),
    }));
  return writeWorkbook({
    language: 'zh-CN',
    title: '心桥教职工花名册导入模板',
    creator: '心桥',
    sheets: [
      {
        name: ORGANIZATION_SHEET,
        columns: columns(ORGANIZATION_COLUMNS),
        rows: [],
        freezeHeader: true,
      },
      { name: STAFF_SHEET, columns: columns(STAFF_COLUMNS), rows: [], freezeHeader: true },
      {
        name: '填写说明',
        columns: [{ title: '填写说明', width: 100, format: 'text' }],
        rows: INSTRUCTIONS.map((line, index) => [`${index + 1}. ${line}`]),
      },
    ],
  });
}
