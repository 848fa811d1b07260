/** Roles that a post may have: 班主任, 任课教师, 少先队辅导员, 高校辅导员, 研究生导师, 心理健康教育教师, 校长, 心理教研员, 热线工作人员 (in this order). */
export const roles = [
  'class_teacher',
  'subject_teacher',
  'young_pioneers_leader',
  'college_counselor',
  'graduate_tutor',
  'mental_health_teacher',
  'principal',
  'county_researcher',
  'hotline_staff',
] as const;
export type Role = (typeof roles)[number];
