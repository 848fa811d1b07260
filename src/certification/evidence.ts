/** What a certificate says was checked. The hours are the course's own, bounded by what its content supports. */
export const EVIDENCE = {
  'zh-CN': '完成全部课程活动，并通过由服务端组卷、计时与评分的考试',
  en: 'All course activities completed; exam drawn, timed and graded by the server passed',
} as const;
