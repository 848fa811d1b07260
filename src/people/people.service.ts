import { chinaDay, type Clock } from '../clock.ts';
import { inParts } from '../db/acting.ts';
import type { Database, Executor } from '../db/database.ts';
import type { Unit } from '../regions/division.ts';
import { isSelf, may, type Viewer } from './permission.ts';
import type { Person, Post } from './person.ts';
import {
  findPerson,
  insertPeople,
  listHolders,
  listPeople,
  listPeopleByStaffNumber,
  listPostsOn,
  type NewPerson,
} from './person.repository.ts';
import type { RegionService } from '../regions/region.service.ts';
import type { Role } from './role.ts';

export type PeopleService = ReturnType<typeof makePeopleService>;

export function makePeopleService({
  db,
  clock,
  regions,
}: {
  db: Database;
  clock: Clock;
  regions: RegionService;
}) {
  const service = {
    /** Oneself, or somebody who holds a post today where the viewer may read people; undefined for all others, alike. */
    async find(viewer: Viewer, id: string): Promise<Person | undefined> {
      const person = await findPerson(db, id);
      if (person === undefined || isSelf(viewer, id)) return person;
      const posts = await listPostsOn(db, [id], chinaDay(clock.now()));
      const places = await regions.listOrganizations(posts.map((post) => post.organizationId));
      return places.some((place) => may(viewer, 'people.read', place)) ? person : undefined;
    },

    /** For rooms above, which have asked whether the viewer may. */
    listByIds: async (ids: readonly string[]): Promise<Person[]> => listPeople(db, ids),
    /** Who stands in something that the viewer may see, wherever they work. */
    listNamed: async (ids: readonly string[]): Promise<Person[]> => listPeople(db, ids),
    /** The id of the one person of this number; undefined where there is none, or are several. */
    async findByStaffNumber(staffNumber: string): Promise<string | undefined> {
      const ids = await listPeopleByStaffNumber(db, staffNumber, 2);
      return ids.length === 1 ? ids[0] : undefined;
    },
    /** Everybody of this number, at whatever employer; the first hundred. */
    listByStaffNumber: async (staffNumber: string): Promise<string[]> =>
      listPeopleByStaffNumber(db, staffNumber, 100),
    listOwnPosts: async (viewer: Viewer): Promise<Post[]> =>
      isSelf(viewer, viewer.personId) ? listPostsOn(db, [viewer.personId], chinaDay(clock.now())) : [],
    listPostsToday: async (personIds: readonly string[]): Promise<Post[]> =>
      listPostsOn(db, personIds, chinaDay(clock.now())),
    listHolders: async (unit: Unit, role: Role, day: string): Promise<string[]> =>
      listHolders(db, unit, role, day),
    /** In the transaction of a room above. Source id → person's id. */
    addPeople: async (
      tx: Executor,
      source: string,
      people: readonly NewPerson[],
    ): Promise<Map<string, string>> => insertPeople(tx, source, people),
  };
  return inParts({ listNamed: 'gate' }, service);
}
