import { roleTitles } from '../../certification/role-titles.ts';
import type { Text } from '../../courses/notation.ts';
import type { Role } from '../../people/role.ts';
import type { Language } from '../../sheets/styles.ts';
import type { Column } from './plan.ts';

/* What an export says in words: values of enums, titles of columns. A value or a field that is not here is told as the contract calls it. */

export const WORDS = {
  'zh-CN': { yes: '是', no: '否', separator: '、' },
  en: { yes: 'Yes', no: 'No', separator: ', ' },
} as const;

const word = (zh: string, en: string): Text => ({ 'zh-CN': zh, en });

const STATES = {
  ASSIGNED: word('已分配', 'Assigned'),
  LEARNING: word('学习中', 'Learning'),
  EXAM_OPEN: word('可考试', 'Exam open'),
  HOURS_OPEN: word('学时未满', 'Hours missing'),
  PASSED: word('已通过', 'Passed'),
  CERTIFIED: word('已发证', 'Certified'),
  VALID: word('有效', 'Valid'),
  EXPIRED: word('已过期', 'Expired'),
  REVOKED: word('已撤销', 'Revoked'),
};

/** By the enum's name and its value. */
const ENUMS: Readonly<Record<string, Readonly<Record<string, Text>>>> = {
  Role: Object.fromEntries(
    Object.entries(roleTitles).map(([role, title]) => [role.toUpperCase() as Uppercase<Role>, title]),
  ),
  Workload: { FULL: word('专职', 'Full-time'), PART: word('兼职', 'Part-time') },
  DivisionLevel: {
    PROVINCE: word('省级', 'Province'),
    PREFECTURE: word('市级', 'Prefecture'),
    COUNTY: word('县级', 'County'),
  },
  OrganizationKind: {
    BUREAU: word('教育行政部门', 'Education bureau'),
    KINDERGARTEN: word('幼儿园', 'Kindergarten'),
    PRIMARY: word('小学', 'Primary school'),
    JUNIOR: word('初级中学', 'Junior secondary school'),
    SENIOR: word('高级中学', 'Senior secondary school'),
    NINE_YEAR: word('九年一贯制学校', 'Nine-year school'),
    TWELVE_YEAR: word('十二年一贯制学校', 'Twelve-year school'),
    VOCATIONAL: word('中等职业学校', 'Vocational school'),
    SPECIAL: word('特殊教育学校', 'Special-education school'),
    UNIVERSITY: word('高等学校', 'University'),
    UNSPECIFIED: word('未注明', 'Unspecified'),
  },
  OrganizationChangeKind: {
    RENAMED: word('更名', 'Renamed'),
    MOVED: word('变更区划', 'Moved'),
    CLOSED: word('撤销', 'Closed'),
    REOPENED: word('恢复', 'Reopened'),
    MERGED: word('并入', 'Merged'),
  },
  AssignmentState: STATES,
  CertificateState: STATES,
  TimeFlagKind: {
    TOO_FAST: word('完成过快', 'Too fast'),
    MACHINE_REGULAR: word('节奏过于整齐', 'Too even'),
    SHARED_DEVICE: word('多人共用设备', 'Shared device'),
    PARALLEL_DEVICES: word('两台设备同时学习', 'Two devices at once'),
  },
  TimeFlagState: {
    OPEN: word('待核实', 'Open'),
    DISMISSED: word('没有问题', 'Dismissed'),
    UPHELD: word('情况属实', 'Upheld'),
  },
  TimePace: {
    RUNNING: word('计时中', 'Running'),
    HIDDEN: word('页面在后台', 'Hidden'),
    IDLE: word('无人操作', 'Idle'),
    ELSEWHERE: word('另一页面在计时', 'Elsewhere'),
    FULL: word('已计满', 'Full'),
  },
  AttemptState: { OPEN: word('进行中', 'Open'), GRADED: word('已评分', 'Graded') },
  ItemKind: {
    SINGLE: word('单选', 'Single choice'),
    MULTIPLE: word('多选', 'Multiple choice'),
    TRUE_FALSE: word('判断', 'True or false'),
  },
  ItemFaultCode: {
    TOO_EASY: word('过易', 'Too easy'),
    TOO_HARD: word('过难', 'Too hard'),
    NEGATIVE_DISCRIMINATION: word('区分度为负', 'Discriminates the wrong way'),
    WEAK_DISCRIMINATION: word('区分度低', 'Hardly discriminates'),
    DISTRACTOR_UNUSED: word('干扰项无人选', 'A distractor that nobody takes'),
    DISTRACTOR_BEATS_KEY: word('高分者更多选干扰项', 'High scorers prefer a distractor'),
  },
  ProgressState: {
    NOT_STARTED: word('未开始', 'Not started'),
    STARTED: word('进行中', 'Started'),
    COMPLETED: word('已完成', 'Completed'),
  },
  CertificatePath: {
    EARNED: word('经考试取得', 'Earned'),
    MANUAL: word('人工认定', 'By hand'),
    IMPORTED: word('旧证登记', 'From an old certificate'),
  },
  IssueRequestState: {
    WAITING: word('待审核', 'Waiting'),
    APPROVED: word('已批准', 'Approved'),
    DECLINED: word('未批准', 'Declined'),
  },
  Permission: {
    SELF: word('本人', 'Oneself'),
    GRANT_GIVE: word('授予权限', 'Give roles'),
    GRANT_READ: word('查看权限', 'See roles'),
    DIVISION_ADD: word('增加行政区划', 'Add divisions'),
    ROSTER_IMPORT: word('导入名册', 'Import rosters'),
    PEOPLE_READ: word('查看人员', 'See people'),
    PEOPLE_ERASE: word('删除个人信息', 'Erase personal data'),
    CERTIFICATION_PLAN: word('设立证书项目', 'Plan certifications'),
    COHORT_ASSIGN: word('分配培训人员', 'Assign cohorts'),
    TIME_JUDGE: word('核实学时异常', 'Judge what looks odd in time'),
    COVERAGE_READ: word('查看覆盖率', 'See coverage'),
    TARGET_SET: word('设定目标', 'Set targets'),
    INDICATOR_DEFINE: word('设立指标', 'Define indicators'),
    INDICATOR_IMPORT: word('导入指标数据', 'Import indicators'),
    SNAPSHOT_TAKE: word('申请快照', 'Take snapshots'),
    SNAPSHOT_SIGN: word('签署快照', 'Sign snapshots'),
    CERTIFICATE_READ: word('查看证书', 'See certificates'),
    CERTIFICATE_ISSUE: word('补发与认定证书', 'Issue what was not earned here'),
    CERTIFICATE_REVOKE: word('撤销证书', 'Revoke certificates'),
    CREDIT_READ: word('查看学时记录', 'Read credit records'),
    JOURNAL_READ: word('查阅审计日志', 'Read the journal'),
    ACCESS_REVOKE: word('撤销访问令牌', 'Revoke access tokens'),
    ITEM_ANALYZE: word('查看试题分析', 'See how exam items do'),
  },
  ContactKind: { EMAIL: word('电子邮箱', 'E-mail'), MOBILE: word('手机号', 'Mobile') },
  ContactToldBy: { PERSON: word('本人', 'The person'), ROSTER: word('名册', 'A roster') },
  ErasureGround: {
    CONSENT_WITHDRAWN: word('撤回同意', 'Consent withdrawn'),
    OTHER_LAW: word('法律另有规定', 'Another law'),
    PURPOSE_ACHIEVED: word('目的已实现', 'Purpose achieved'),
    TERM_ENDED: word('保存期限届满', 'Term ended'),
    UNLAWFUL: word('处理违法', 'Unlawful'),
  },
  ErasureState: {
    DONE: word('已完成', 'Done'),
    QUEUED: word('等待中', 'Waiting'),
    REFUSED: word('未执行', 'Refused'),
  },
  ErasureBlocked: {
    DOUBT_OPEN: word('名册中有待确认的行', 'A row of a roster waits'),
    GRANT_OPEN: word('仍有权限', 'A grant is open'),
    POST_OPEN: word('仍在岗', 'A post is open'),
  },
  ErasureFate: {
    KEPT: word('保留', 'Kept'),
    REMOVED: word('删除', 'Removed'),
    STRIPPED: word('去除身份', 'Stripped'),
  },
  SessionWay: {
    LTI: word('学习平台', 'Learning platform'),
    OIDC: word('单位账号', 'Organization’s account'),
    SAMPLE: word('示例', 'Sample'),
  },
  GrantRole: {
    OPERATOR: word('运维管理员', 'Operator'),
    COORDINATOR: word('培训管理员', 'Coordinator'),
    ISSUER: word('发证管理员', 'Issuer'),
    HR_VERIFIER: word('人事核验员', 'HR verifier'),
    AUTHOR: word('课程作者', 'Author'),
    AUDITOR: word('审计员', 'Auditor'),
  },
  GrantState: {
    PLANNED: word('未开始', 'Planned'),
    HOLDING: word('生效中', 'Holding'),
    ENDED: word('已结束', 'Ended'),
  },
  CreditRecordKind: { EARNED: word('取得', 'Earned'), WITHDRAWN: word('撤回', 'Withdrawn') },
  IndicatorKind: {
    COUNT: word('数量', 'Count'),
    YES_NO: word('是否', 'Yes or no'),
    SHARE: word('占比', 'Share'),
  },
  IndicatorLevel: {
    ORGANIZATION: word('单位', 'Organization'),
    COUNTY: word('县级', 'County'),
    PREFECTURE: word('市级', 'Prefecture'),
    PROVINCE: word('省级', 'Province'),
  },
  StaffingStanding: {
    MET: word('已配齐', 'Met'),
    SHORT: word('未配齐', 'Short'),
    UNKNOWN: word('无法判断', 'Unknown'),
  },
  SnapshotState: { QUEUED: word('处理中', 'Queued'), FROZEN: word('已冻结', 'Frozen') },
  SnapshotVerdictKind: { SIGNED: word('已签署', 'Signed'), OBJECTED: word('已退回', 'Returned') },
  Measure: {
    COVERAGE: word('覆盖', 'Coverage'),
    STAFFING: word('配备', 'Staffing'),
    INDICATOR: word('指标', 'Indicator'),
  },
  RosterDoubtKind: {
    NAMESAKE: word('同名', 'Namesake'),
    IDENTITY_CHANGED: word('证件号码变化', 'Identity number changed'),
    IDENTITY_OF_ANOTHER: word('证件号码属于他人', 'Identity number of another'),
  },
  RosterDoubtState: {
    OPEN: word('待处理', 'Open'),
    DECIDED: word('已处理', 'Decided'),
    SETTLED: word('已自动消除', 'Settled'),
  },
  RosterImportPhase: {
    READING: word('读取', 'Reading'),
    MATCHING: word('比对', 'Matching'),
    WRITING: word('写入', 'Writing'),
    COUNTING: word('统计', 'Counting'),
  },
  RosterImportState: {
    QUEUED: word('处理中', 'Queued'),
    CHECKED: word('已试算', 'Checked'),
    APPLIED: word('已导入', 'Applied'),
    REFUSED: word('已拒绝', 'Refused'),
    CANCELLED: word('已取消', 'Cancelled'),
  },
};

export function enumLabel(enumName: string, value: string, language: Language): string {
  return ENUMS[enumName]?.[value]?.[language] ?? value;
}

/** By the end of a column's path: two keys come before one. */
const TITLES: Readonly<Record<string, Text>> = {
  'person.name': word('姓名', 'Name'),
  'organization.name': word('单位', 'Organization'),
  'organization.kind': word('单位类型', 'Kind of organization'),
  'unit.name': word('地区或单位', 'Unit'),
  'unit.code': word('行政区划代码', 'Division code'),
  'unit.kind': word('单位类型', 'Kind of organization'),
  'unit.level': word('级别', 'Level'),
  'division.name': word('行政区划', 'Division'),
  'division.code': word('行政区划代码', 'Division code'),
  'actor.name': word('操作人', 'Who'),
  'actor.reference': word('操作人标识', 'Who, as a reference'),
  'subject.reference': word('操作对象', 'On what'),
  'origin.requestId': word('请求编号', 'Request'),
  'origin.address': word('网络地址', 'Network address'),
  'seal.position': word('封存序号', 'Position in the chain'),
  'seal.hash': word('封存摘要', 'Hash in the chain'),
  'seal.sealedAt': word('封存时间', 'Sealed at'),
  'certification.title': word('证书名称', 'Certification'),
  'certification.code': word('证书代号', 'Certification code'),
  // Parts of longer titles.
  unit: word('地区或单位', 'Unit'),
  person: word('人员', 'Person'),
  organization: word('单位', 'Organization'),
  division: word('行政区划', 'Division'),
  certification: word('证书', 'Certification'),
  byRole: word('分岗位', 'By role'),
  trend: word('趋势', 'Trend'),
  posts: word('任职', 'Post'),
  changes: word('变更', 'Change'),
  parent: word('上级', 'Parent'),
  children: word('下级', 'Child'),

  id: word('标识', 'Id'),
  name: word('名称', 'Name'),
  code: word('代码', 'Code'),
  title: word('标题', 'Title'),
  kind: word('类型', 'Kind'),
  level: word('级别', 'Level'),
  state: word('状态', 'State'),
  day: word('日期', 'Day'),
  role: word('岗位', 'Role'),
  roles: word('岗位', 'Roles'),
  workload: word('专职或兼职', 'Workload'),
  startsOn: word('开始日期', 'First day'),
  endsOn: word('结束日期', 'Last day'),
  staffNumber: word('工号', 'Staff number'),
  total: word('应培训人数', 'To be trained'),
  covered: word('已覆盖人数', 'Covered'),
  gap: word('缺口', 'Gap'),
  rate: word('覆盖率', 'Coverage'),
  target: word('目标', 'Target'),
  toTarget: word('距目标人数', 'To target'),
  hidden: word('数字不公开', 'Not told'),
  studentCount: word('学生人数', 'Students'),
  studentCountOn: word('学生人数统计日期', 'Students counted on'),
  closedOn: word('撤销日期', 'Closed on'),
  changedOn: word('变更日期', 'Changed on'),
  before: word('变更前', 'Before'),
  after: word('变更后', 'After'),
  validityMonths: word('有效期（月）', 'Valid for (months)'),
  issuerName: word('发证单位', 'Issuer'),
  dueOn: word('截止日期', 'Due on'),
  number: word('编号', 'Number'),
  holderName: word('持证人', 'Holder'),
  issuedOn: word('发证日期', 'Issued on'),
  validUntil: word('有效期至', 'Valid until'),
  revokedOn: word('撤销日期', 'Revoked on'),
  revocationReason: word('撤销原因', 'Reason of revocation'),
  classHours: word('学时', 'Class hours'),
  path: word('取得方式', 'Way'),
  certificatePath: word('证书取得方式', 'Way of the certificate'),
  evidence: word('依据', 'Evidence'),
  evidenceGrade: word('证据等级', 'Evidence grade'),
  minimumHoursShare: word('发证所需学时比例', 'Share of hours needed'),
  classHourMinutes: word('每学时分钟数', 'Minutes of a class hour'),
  raisedAt: word('发现时间', 'Raised at'),
  note: word('核实说明', 'Note'),
  completedOn: word('培训完成日期', 'Completed on'),
  oldNumber: word('原证书编号', 'Old number'),
  issuingBody: word('原发证机关', 'Issuing body'),
  remark: word('审核意见', 'Remark'),
  requestedAt: word('申请时间', 'Requested at'),
  grantedAt: word('授予时间', 'Granted at'),
  endedAt: word('决定结束时间', 'Ending decided at'),
  endReason: word('结束原因', 'Reason of the end'),
  revokedAt: word('即时终止时间', 'Ended at once at'),
  personName: word('姓名', 'Name'),
  organizationName: word('单位', 'Organization'),
  countyCode: word('县级行政区划代码', 'County code'),
  certificateNumber: word('证书编号', 'Certificate number'),
  certificationCode: word('证书代号', 'Certification code'),
  certificationTitle: word('证书名称', 'Certification'),
  earnedOn: word('取得日期', 'Earned on'),
  recordedAt: word('登记时间', 'Recorded at'),
  dryRun: word('仅试算', 'Dry run'),
  rowsRead: word('读取行数', 'Rows read'),
  rowsIgnored: word('略过行数', 'Rows ignored'),
  rowsRefused: word('拒绝行数', 'Rows refused'),
  organizationsAdded: word('新增单位', 'Organizations added'),
  organizationsChanged: word('变更单位', 'Organizations changed'),
  peopleAdded: word('新增人员', 'People added'),
  peopleChanged: word('变更人员', 'People changed'),
  peopleMissing: word('名单中缺少的人员', 'People missing'),
  postsAdded: word('新增任职', 'Posts added'),
  postsChanged: word('变更任职', 'Posts changed'),
  postsEnded: word('结束任职', 'Posts ended'),
  slug: word('课程代号', 'Course'),
  version: word('版本', 'Version'),
  summary: word('简介', 'Summary'),
  assignmentCount: word('分配人数', 'Assigned'),
  percent: word('得分', 'Score'),
  passed: word('是否通过', 'Passed'),
  startedAt: word('开始时间', 'Started at'),
  submittedAt: word('提交时间', 'Submitted at'),
  completedAt: word('完成时间', 'Completed at'),
  file: word('文件', 'File'),
  line: word('行号', 'Line'),
  column: word('列', 'Column'),
  value: word('原值', 'Value'),
  reason: word('原因', 'Reason'),
  source: word('来源', 'Source'),
  sourcedId: word('来源标识', 'Sourced id'),
  identityLast4: word('证件号码后四位', 'Last four of the identity number'),
  at: word('时间', 'At'),
  actionTitle: word('操作', 'Action'),
  action: word('操作代码', 'Action code'),
  detail: word('详情', 'Detail'),
  createdAt: word('创建时间', 'Created at'),
  finishedAt: word('完成时间', 'Finished at'),
  decidedAt: word('处理时间', 'Decided at'),
  competency: word('能力点', 'Competency'),
  answers: word('作答数', 'Answers'),
  exposure: word('曝光率', 'Exposure'),
  facility: word('难度（得分率）', 'Facility'),
  'discrimination.value': word('区分度', 'Discrimination'),
};

/**
 * The titles of columns: those that were asked for by path, else from the words above, else the path. Where two would be called alike the way to
 * them is told as well.
 */
export function titlesOf(
  columns: readonly Column[],
  asked: Readonly<Record<string, string>>,
  language: Language,
): string[] {
  const own = (key: string): string | undefined =>
    Object.hasOwn(TITLES, key) ? TITLES[key]![language] : undefined;
  const short = columns.map(({ path }) => own(path.slice(-2).join('.')) ?? own(path.at(-1)!));
  const long = columns.map(({ path }) => path.map((key) => own(key) ?? key).join(' / '));
  const isTwice = (titles: readonly (string | undefined)[], at: number): boolean =>
    titles.filter((each) => each === titles[at]).length > 1;
  return columns.map(({ path }, at) => {
    const key = path.join('.');
    if (Object.hasOwn(asked, key)) return asked[key]!;
    if (short[at] !== undefined && !isTwice(short, at)) return short[at];
    return short[at] !== undefined && !isTwice(long, at) ? long[at]! : key;
  });
}
