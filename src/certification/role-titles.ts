import type { Text } from '../courses/notation.ts';
import type { Role } from '../people/role.ts';

/** Roles as a certificate names them. */
export const roleTitles: Readonly<Record<Role, Text>> = {
  class_teacher: { 'zh-CN': '班主任', en: 'Class teacher' },
  subject_teacher: { 'zh-CN': '任课教师', en: 'Subject teacher' },
  young_pioneers_leader: { 'zh-CN': '少先队辅导员', en: 'Young Pioneers leader' },
  college_counselor: { 'zh-CN': '高校辅导员', en: 'College counselor' },
  graduate_tutor: { 'zh-CN': '研究生导师', en: 'Graduate tutor' },
  mental_health_teacher: { 'zh-CN': '心理健康教育教师', en: 'Mental-health teacher' },
  principal: { 'zh-CN': '校长', en: 'Principal' },
  county_researcher: { 'zh-CN': '心理健康教育教研员', en: 'Mental-health education researcher' },
  hotline_staff: { 'zh-CN': '心理援助热线工作人员', en: 'Hotline staff' },
};
