import type { Text } from '../courses/manifest.ts';

const title = (zh: string, en: string): Text => ({ 'zh-CN': zh, en });

/** What each action of the journal is called, for people. */
export const actionTitles: Readonly<Record<string, Text>> = {
  'attempt.grade': title('评定考试成绩', 'Graded an attempt'),
  'attempt.start': title('开始考试', 'Started an attempt'),
  'certificate.issue': title('颁发证书', 'Issued a certificate'),
  'certificate.revoke': title('撤销证书', 'Revoked a certificate'),
  'certification.plan': title('设立证书项目', 'Planned a certification'),
  'cohort.assign': title('分配培训人员', 'Assigned a cohort'),
  'coverage.rebuild': title('复核覆盖数据', 'Counted coverage anew'),
  'division.add': title('增加行政区划', 'Added a division'),
  'indicator.define': title('设立指标', 'Defined an indicator'),
  'indicator.import': title('导入指标数据', 'Imported values of an indicator'),
  'journal.read': title('查阅审计日志', 'Read the journal'),
  'organization.merge': title('合并单位', 'Merged an organization'),
  'organization.rename': title('更改单位名称', 'Renamed an organization'),
  'roster.apply': title('写入人员名册', 'Applied a roster'),
  'roster.cancel': title('取消名册导入', 'Cancelled the import of a roster'),
  'roster.decide': title('确认名册人员', 'Decided whom a row of a roster is about'),
  'roster.request': title('提交人员名册', 'Uploaded a roster'),
  'snapshot.freeze': title('冻结快照', 'Froze a snapshot'),
  'snapshot.object': title('退回快照', 'Returned a snapshot'),
  'snapshot.request': title('申请快照', 'Asked for a snapshot'),
  'snapshot.sign': title('签署快照', 'Signed a snapshot'),
  'table.export': title('导出数据表', 'Exported a table'),
  'target.set': title('设定目标', 'Set a target'),
};
