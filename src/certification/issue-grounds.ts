import { chinaDay } from '../clock.ts';
import type { PeopleService } from '../people/people.service.ts';
import { may, type Viewer } from '../people/permission.ts';
import type { Person } from '../people/person.ts';
import type { Certification } from '../programmes/certification.ts';
import { covers } from '../regions/division.ts';
import type { Organization } from '../regions/organization.ts';
import type { RegionService } from '../regions/region.service.ts';
import { evidenceOf, recordedFrom, type AskedRow, type IssueRequest } from './issue-request.ts';
import type { Grounds } from './issuing.service.ts';

/* What a certificate that was not earned here is issued on: somebody's post within an issuer's reach, and what a row says. */

export type Post = NonNullable<Grounds['post']>;

export type PlacesOf = (viewer: Viewer, personIds: readonly string[]) => Promise<Map<string, Post[]>>;

/** Where people work today as far as the viewer may issue there, by person. */
export function makePlacesOf({
  people,
  regions,
}: {
  people: PeopleService;
  regions: RegionService;
}): PlacesOf {
  return async (viewer, personIds) => {
    const posts = await people.listPostsToday(personIds);
    const organizations = new Map<string, Organization>();
    for (const each of await regions.listOrganizations([
      ...new Set(posts.map((post) => post.organizationId)),
    ]))
      organizations.set(each.id, each);
    const found = new Map<string, Post[]>();
    for (const post of posts) {
      const organization = organizations.get(post.organizationId);
      if (organization === undefined || !may(viewer, 'certificate.issue', organization)) continue;
      found.set(post.personId, [...(found.get(post.personId) ?? []), { role: post.role, organization }]);
    }
    return found;
  };
}

/** The post that a certification is for, in a division if one is named. */
export function postFor(
  posts: readonly Post[] | undefined,
  certification: Certification,
  divisionCode: string = certification.divisionCode,
): Post | undefined {
  return posts?.find(
    ({ role, organization }) =>
      certification.roles.includes(role) &&
      [certification.divisionCode, divisionCode].every((code) =>
        covers({ kind: 'division', code }, organization!),
      ),
  );
}

/** @param facts of whom it is about, as they are today. */
export function groundsOf(
  row: AskedRow,
  facts: {
    person: Person;
    certification: Certification;
    post: Post;
    period: number;
    requestId: string;
    path: IssueRequest['path'];
  },
  issuedAt: Date,
): Grounds {
  return {
    ...facts,
    assignmentId: null,
    course: undefined,
    classHours: row.classHours,
    percent: null,
    evidence: evidenceOf(row, facts.certification.issuerName),
    // Recognized by people, on what this service has not seen.
    evidenceGrade: 'C',
    completedOn: row.completedOn,
    recordedFrom: recordedFrom(row),
    // It counts from the day it is recognized: the coverage of past days stays what it was.
    validFrom: chinaDay(issuedAt),
    validUntil: row.validUntil,
    issuedAt,
  };
}
