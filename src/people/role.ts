/** Roles that a post may have; `design.md` section 2 gives the Chinese terms. */
export const roles = [
  'class_teacher',
  'subject_teacher',
  'young_pioneers_leader',
  'college_counselor',
  'graduate_tutor',
  'mental_health_teacher',
  'principal',
] as const;
export type Role = (typeof roles)[number];
