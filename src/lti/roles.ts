/** Roles of a context, by their short names in lower case (LTI 1.3, appendix A.2.3). */
export const contextRoles = [
  'administrator',
  'content_developer',
  'instructor',
  'learner',
  'mentor',
  'manager',
  'member',
  'officer',
] as const;
export type ContextRole = (typeof contextRoles)[number];

const NAMES: Readonly<Record<string, ContextRole>> = {
  administrator: 'administrator',
  contentdeveloper: 'content_developer',
  instructor: 'instructor',
  // Beside the vocabulary: what platforms write for the same.
  faculty: 'instructor',
  learner: 'learner',
  student: 'learner',
  mentor: 'mentor',
  manager: 'manager',
  member: 'member',
  officer: 'officer',
};

/**
 * The roles that somebody has in the context. Launches bring full names (`…/lis/v2/membership#Learner`, with a sub-role
 * `…/membership/Instructor#TeachingAssistant`, of which the part before # counts), memberships of some platforms short ones. Roles in the
 * institution or the system say nothing about the course.
 */
export function contextRolesOf(roles: readonly unknown[]): ContextRole[] {
  const found = roles.flatMap((role) => {
    if (typeof role !== 'string' || role.length > 300) return [];
    const name =
      /^https?:\/\/purl\.imsglobal\.org\/vocab\/lis\/v2\/membership\/(\w+)#\w+$/.exec(role)?.[1] ??
      /^https?:\/\/purl\.imsglobal\.org\/vocab\/lis\/v2\/membership#(\w+)$/.exec(role)?.[1] ??
      /^urn:lti:role:ims\/lis\/(\w+)(?:\/\w+)?$/.exec(role)?.[1] ??
      /^\w+$/.exec(role)?.[0];
    return NAMES[name?.toLowerCase() ?? ''] ?? [];
  });
  return [...new Set(found)].toSorted();
}
