import { sql } from 'kysely';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDays, chinaDay } from '../../src/clock.ts';
import { Random } from '../../src/commands/sample/random.ts';
import { countCoverage, readKept } from '../../src/coverage/coverage.repository.ts';
import { listRoleSets } from '../../src/coverage/ledger.repository.ts';
import { makeCoverageLedger, type CoverageLedger } from '../../src/coverage/ledger.service.ts';
import { makeDatabase, makePool, type Database } from '../../src/db/database.ts';
import { Conflict, InvalidInput } from '../../src/errors.ts';
import { silentLog } from '../../src/log.ts';
import type { Viewer } from '../../src/people/permission.ts';
import {
  makeReorganizationService,
  type ReorganizationService,
} from '../../src/people/reorganization.service.ts';
import type { Role } from '../../src/people/role.ts';
import type { RosterImport } from '../../src/people/roster/import.repository.ts';
import { fileOf } from '../../src/people/roster/upload.ts';
import { makeSeals } from '../../src/people/sealing.ts';
import { makeRosterService, type RosterService } from '../../src/people/roster/import.service.ts';
import { makeRegionService } from '../../src/regions/region.service.ts';
import { makeTestDatabase, type TestDatabase } from '../support/database.ts';
import { randomRoster } from '../support/random-roster.ts';
import { TestClock } from '../support/service.ts';

/*
 * Whatever happens to posts and certificates, in whatever order and however much of it at once, by rosters that are imported and by
 * schools that are merged and renamed too: the kept numbers are those that anybody would count from the posts and certificates
 * themselves, for today and for any day.
 */

const FIRST = '2026-01-01';
const DAYS = 400;
const ROLES: Role[] = ['class_teacher', 'young_pioneers_leader', 'college_counselor'];
const DIVISIONS = [
  ['430000', 'province', null, '430000', null, null],
  ['430100', 'prefecture', '430000', '430000', '430100', null],
  ['430121', 'county', '430100', '430000', '430100', '430121'],
  ['430102', 'county', '430100', '430000', '430100', '430102'],
  ['430300', 'prefecture', '430000', '430000', '430300', null],
  ['430302', 'county', '430300', '430000', '430300', '430302'],
] as const;
const COUNTIES = ['430121', '430102', '430302'];
const SOURCE = 'division:430000';
/** Two schools in a county, one in another, a university right in a prefecture. */
const PLACES = ['430121', '430121', '430102', '430302', '430100'];

interface Facts {
  readonly posts: { person: string; role: Role; units: string[]; from: string; until: string | null }[];
  readonly certificates: {
    person: string;
    certification: string;
    from: string;
    until: string | null;
    revoked: string | null;
  }[];
}

describe('the kept numbers of coverage', () => {
  let database: TestDatabase;
  let ledger: CoverageLedger;
  let roster: RosterService;
  let reorganizations: ReorganizationService;
  let pool: Pool;
  let db: Database;
  let viewer: Viewer;
  const clock = new TestClock(`${FIRST}T04:00:00Z`);
  const people: string[] = [];
  /** Those that go on; and all that there ever were. */
  let organizations: string[] = [];
  let everyOrganization: string[] = [];
  const certifications: { id: string; roles: Role[] }[] = [];

  beforeAll(async () => {
    database = await makeTestDatabase();
    // An import, those who wait for it, and what it tells of itself: each needs a connection.
    pool = makePool(database.url, { name: 'test', size: 12 });
    db = makeDatabase(pool);
    ledger = makeCoverageLedger({ db, clock, log: silentLog });
    const regions = makeRegionService({ db, clock });
    roster = makeRosterService({
      db,
      pool,
      clock,
      identityKey: Buffer.alloc(32),
      seals: makeSeals([{ id: '1', key: Buffer.alloc(32) }], Buffer.alloc(32)),
      regions,
      holdings: ledger,
    });
    reorganizations = makeReorganizationService({ db, clock, regions, holdings: ledger });
    for (const row of DIVISIONS)
      await pool.query(
        'insert into divisions (code, name, level, parent_code, province_code, prefecture_code, county_code) values ($1, $1, $2, $3, $4, $5, $6)',
        [...row],
      );
    for (const [index, code] of PLACES.entries())
      organizations.push(
        await insert(
          'organizations (source, source_id, name, kind, division_code, province_code, prefecture_code, county_code)',
          `select '${SOURCE}', 'o${index}', '校${index}', 'primary', code, province_code, prefecture_code, county_code from divisions where code = '${code}'`,
        ),
      );
    everyOrganization = [...organizations];
    for (let each = 0; each < 30; each += 1) {
      const id = await insert('people (name)', `values ('王p${each}')`);
      people.push(id);
      await pool.query('insert into person_sources (source, source_id, person_id) values ($1, $2, $3)', [
        SOURCE,
        `p${each}`,
        id,
      ]);
    }
    viewer = {
      personId: people[0]!,
      grants: [{ role: 'coordinator', scope: { kind: 'division', code: '430000' } }],
    };
    for (const [index, roles] of [ROLES.slice(0, 2), ROLES].entries()) {
      const id = await insert(
        'certifications (code, title_zh, title_en, course_slug, roles, division_code, issuer_name, template, template_version, created_at)',
        `values ('c${index}', 'x', 'x', 'x', array['${roles.join("','")}'], '430000', 'x', 'standard', 1, now())`,
      );
      certifications.push({ id, roles });
      await insert(
        'cohorts (certification_id, name, role, division_code, created_at)',
        `values (${id}, 'x', '${roles[0]}', '430000', now())`,
      );
    }
    await insert(
      'course_versions (slug, version, digest, manifest, contents, is_current, synced_at)',
      `values ('x', '1', 'x', '{}', '{}', true, now())`,
    );
    // One set before anything happened, one in the middle of it.
    await ledger.addRoleSet(certifications[0]!.roles);
  });
  afterAll(async () => {
    await db.destroy();
    await database.drop();
  });

  const insert = async (into: string, rows: string): Promise<string> =>
    (await pool.query(`insert into ${into} ${rows} returning id`)).rows[0].id as string;

  const day = (random: Random): string => addDays(FIRST, random.between(0, DAYS));

  /** One thing that happens to one person, as the rooms do it. */
  const happen = async (random: Random, what: 'anything' | 'certificates' = 'anything'): Promise<void> => {
    const person = random.pick(people);
    const kind = what === 'anything' ? random.between(0, 5) : random.between(3, 5);
    await db.transaction().execute(async (tx) =>
      ledger.around(tx, [person], async () => {
        const open = await tx
          .selectFrom('posts')
          .select(['id', 'starts_on', 'workload'])
          .where('person_id', '=', person)
          .where('ends_on', 'is', null)
          .execute();
        if (kind <= 1 || (what === 'anything' && open.length === 0)) {
          const startsOn = day(random);
          const post = {
            personId: person,
            organizationId: random.pick(organizations),
            role: random.pick(ROLES),
            workload: 'full' as const,
            startsOn,
            endsOn: random.between(0, 2) === 0 ? addDays(startsOn, random.between(0, 200)) : null,
          };
          const twice = await tx
            .selectFrom('posts')
            .select('id')
            .where('person_id', '=', person)
            .where('organization_id', '=', post.organizationId)
            .where('role', '=', post.role)
            .where('starts_on', '=', startsOn)
            .execute();
          if (twice.length === 0)
            await tx
              .insertInto('posts')
              .values({
                person_id: post.personId,
                organization_id: post.organizationId,
                role: post.role,
                workload: post.workload,
                starts_on: post.startsOn,
                ends_on: post.endsOn,
              })
              .execute();
        } else if (kind === 2) {
          const post = random.pick(open);
          await tx
            .updateTable('posts')
            .set({ ends_on: addDays(post.starts_on, random.between(0, 300)) })
            .where('id', '=', post.id)
            .execute();
        } else if (kind <= 4) {
          const certification = random.pick(certifications);
          const from = day(random);
          await sql`
            with assignment as (
              insert into assignments (certification_id, person_id, cohort_id, period, created_at)
              select ${certification.id}::bigint, ${person}::bigint, min(id), (select count(*) + 1 from assignments where person_id = ${person}::bigint), now() from cohorts returning id, period
            )
            insert into certificates (number, verification_code, person_id, certification_id, assignment_id, period, claims, template, template_version, course_version_id, issued_at, valid_from, valid_until, pdf_digest, status_list, status_position)
            select gen_random_uuid(), gen_random_uuid(), ${person}::bigint, ${certification.id}::bigint, a.id, a.period, '{}', 'standard', 1, (select id from course_versions), now(),
              ${from}::date, ${random.between(0, 3) === 0 ? null : addDays(from, random.between(0, 150))}::date, 'x', 1000, a.id from assignment a`.execute(
            tx,
          );
        } else {
          await sql`
            update certificates set revoked_at = now(), revoked_on = ${day(random)}::date, revocation_reason = 'x'
            where id = (select min(id) from certificates where person_id = ${person}::bigint and revoked_on is null)`.execute(
            tx,
          );
        }
      }),
    );
  };

  /** A school that is from now on counted in another county. */
  const move = async (random: Random): Promise<void> => {
    const organization = random.pick(organizations);
    const { rows } = await pool.query('select distinct person_id from posts where organization_id = $1', [
      organization,
    ]);
    await db.transaction().execute(async (tx) =>
      ledger.around(
        tx,
        rows.map((row) => row.person_id as string),
        async () =>
          sql`update organizations o set (division_code, province_code, prefecture_code, county_code) = (d.code, d.province_code, d.prefecture_code, d.county_code)
            from divisions d where o.id = ${organization}::bigint and d.code = ${random.pick(COUNTIES)}`.execute(
            tx,
          ),
      ),
    );
  };

  /** Who and what has come to be known, or is no more. */
  const look = async (): Promise<void> => {
    const known = await pool.query('select id, closed_on from organizations order by id');
    everyOrganization = known.rows.map((row) => row.id as string);
    organizations = known.rows.filter((row) => row.closed_on === null).map((row) => row.id as string);
    const all = await pool.query('select id from people order by id');
    people.splice(0, people.length, ...all.rows.map((row) => row.id as string));
  };

  const seen = new Map<string, number>();
  const note = (what: string, times = 1): void => void seen.set(what, (seen.get(what) ?? 0) + times);

  let ids = 0;
  const makeFiles = async (random: Random, { moves }: { moves: boolean }) => {
    const known = await pool.query('select source_id, name, division_code from organizations order by id');
    const names = await pool.query(
      'select source_id, name from person_sources join people on people.id = person_id order by person_id',
    );
    return randomRoster(
      random,
      {
        organizations: known.rows.map((row) => ({
          sourceId: row.source_id,
          name: row.name,
          code: row.division_code,
        })),
        people: new Map(names.rows.map((row) => [row.source_id as string, row.name as string])),
        roles: ROLES,
        divisions: COUNTIES,
        nameOf: (sourceId) => `王${sourceId}`,
        day: () => day(random),
      },
      {
        mode: random.pick(['bulk', 'delta', null]),
        moves,
        newIds: () => `n${(ids += 1)}`,
      },
    );
  };
  type Files = Awaited<ReturnType<typeof makeFiles>>;

  const request = async (
    files: Files,
    more: { dryRun?: boolean; mostEnded?: number; endMissing?: boolean | null },
  ) =>
    (
      await roster.request(viewer, {
        divisionCode: '430000',
        source: null,
        files: files.map(fileOf),
        mostEnded: 1,
        ...more,
      })
    ).id;
  /** As the worker does it. */
  const apply = async (id: string): Promise<RosterImport> => {
    await roster.apply(id);
    const done = (await roster.find(viewer, id))!;
    note(done.state);
    return done;
  };
  const changesOf = (done: RosterImport) => ({
    organizationsAdded: done.organizationsAdded,
    organizationsChanged: done.organizationsChanged,
    peopleAdded: done.peopleAdded,
    peopleChanged: done.peopleChanged,
    peopleMissing: done.peopleMissing,
    postsAdded: done.postsAdded,
    postsChanged: done.postsChanged,
    postsEnded: done.postsEnded,
  });

  /** A roster that comes in by itself: it may move schools too, and what a dry run of it told comes true. */
  const importAlone = async (random: Random): Promise<void> => {
    const files = await makeFiles(random, { moves: true });
    const more = { endMissing: random.pick([true, false, null]) };
    const told = await apply(await request(files, { ...more, dryRun: true }));
    const done = await apply(await request(files, more));
    expect({ state: told.state, ...changesOf(told) }).toEqual({ state: 'checked', ...changesOf(done) });
    expect(done.state).toBe('applied');
    for (const [what, times] of Object.entries(changesOf(done))) note(what, times);
    note('rowsRefused', done.rowsRefused);
    const again = await apply(await request(files, more));
    expect(Object.values(changesOf(again)).every((times) => times === 0)).toBe(true);
  };

  /** A roster that comes in while other things happen; it may be stopped, or end too much. */
  const importAmong = async (random: Random): Promise<void> => {
    const id = await request(await makeFiles(random, { moves: false }), {
      endMissing: random.pick([true, null]),
      mostEnded: random.pick([1, 0]),
    });
    if (random.chance(0.3)) await roster.cancel(viewer, id);
    await apply(id);
  };

  /** A school is called otherwise, or merged into another, today or some days ago. */
  const reorganize = async (random: Random): Promise<void> => {
    const [one, other] = [random.pick(organizations), random.pick(organizations)];
    const on = addDays(chinaDay(clock.now()), -random.between(0, 3) * random.between(0, 5));
    try {
      if (random.chance(0.4) || one === other || organizations.length < 4) {
        ids += 1;
        await reorganizations.rename(viewer, { organizationId: one, name: `新名${ids}`, on });
        note('renamed');
      } else {
        await reorganizations.merge(viewer, { organizationIds: [one], intoId: other, on });
        note('merged');
      }
    } catch (error) {
      // A later change is known, another has closed it, or an import is at it.
      if (!(error instanceof InvalidInput || error instanceof Conflict)) throw error;
      note('not reorganized');
    }
  };

  const readFacts = async (): Promise<Facts> => {
    const posts = await pool.query(
      `select person_id, role, o.id, county_code, prefecture_code, province_code, starts_on, ends_on from posts p join organizations o on o.id = p.organization_id`,
    );
    const certificates = await pool.query(
      'select person_id, certification_id, valid_from, valid_until, revoked_on from certificates',
    );
    return {
      posts: posts.rows.map((row) => ({
        person: row.person_id,
        role: row.role,
        units: [`-${row.id}`, row.county_code, row.prefecture_code, row.province_code],
        from: row.starts_on,
        until: row.ends_on,
      })),
      certificates: certificates.rows.map((row) => ({
        person: row.person_id,
        certification: row.certification_id,
        from: row.valid_from,
        until: row.valid_until,
        revoked: row.revoked_on,
      })),
    };
  };

  /** By the definition in coverage.ts, person by person. */
  const count = (facts: Facts, unit: string, roles: readonly string[], certification: string, on: string) => {
    const holders = new Set(
      facts.posts
        .filter(
          (post) =>
            post.units.includes(unit) &&
            roles.includes(post.role) &&
            post.from <= on &&
            (post.until === null || post.until >= on),
        )
        .map((post) => post.person),
    );
    const covered = [...holders].filter((person) =>
      facts.certificates.some(
        (each) =>
          each.person === person &&
          each.certification === certification &&
          each.from <= on &&
          (each.until === null || each.until >= on) &&
          (each.revoked === null || each.revoked > on),
      ),
    );
    return { total: holders.size, covered: covered.length };
  };

  const compare = async (random: Random): Promise<number> => {
    const facts = await readFacts();
    const sets = await listRoleSets(db);
    const units = [...DIVISIONS.map(([code]) => code as string), ...everyOrganization.map((id) => `-${id}`)];
    let compared = 0;
    for (const certification of certifications) {
      for (const on of [
        clock.now().toISOString().slice(0, 10),
        day(random),
        day(random),
        addDays(FIRST, DAYS * 2),
      ]) {
        const mine = sets.filter((set) => set.roles.every((role) => certification.roles.includes(role)));
        const counted = mine.filter(
          (set) => set.roles.length === 1 || set.roles.length === certification.roles.length,
        );
        const asked = {
          certificationId: certification.id,
          roleSets: counted.map((set) => set.id),
          units,
        };
        const kept = (await readKept(db, asked, on)) ?? (await countCoverage(db, asked, on));
        for (const unit of units)
          for (const set of counted) {
            const found = kept.get(unit)?.get(set.id) ?? { total: 0, covered: 0 };
            expect({ on, unit, roles: set.roles, ...found }).toEqual({
              on,
              unit,
              roles: set.roles,
              ...count(facts, unit, set.roles, certification.id, on),
            });
            compared += found.total > 0 ? 1 : 0;
          }
      }
    }
    return compared;
  };

  it.each([1, 2, 3])('are right on any day after anything that happened (seed %i)', async (seed) => {
    const random = new Random(seed);
    let compared = 0;
    for (let round = 0; round < 6; round += 1) {
      // Several at once, also to the same person.
      for (let turn = 0; turn < 6; turn += 1)
        await Promise.all(Array.from({ length: 4 }, async () => happen(random)));
      await Promise.all([importAmong(random), happen(random), happen(random), ledger.fold()]);
      await look();
      if (round % 3 === 1) await move(random);
      await importAlone(random);
      await look();
      // Posts change by rosters and mergers alone, which wait for each other; certificates at any time.
      await Promise.all([
        reorganize(random),
        happen(random, 'certificates'),
        happen(random, 'certificates'),
        ...(random.chance(0.3) ? [importAmong(random)] : []),
      ]);
      await look();
      await reorganize(random);
      await look();
      if (round === 4 && seed === 1) await ledger.addRoleSet(certifications[1]!.roles);
      // Before a fold and after it, on the old day and on the next.
      compared += await compare(random);
      if (round % 2 === 0) {
        await ledger.fold();
        compared += await compare(random);
      }
      clock.move(60 * 24 * random.between(1, 20));
      if (round % 2 === 1) await ledger.advance();
    }
    expect(await ledger.advance()).toBe(clock.now().toISOString().slice(0, 10));
    compared += await compare(random);
    expect(compared).toBeGreaterThan(1000);
  });

  it('have seen each kind of change', () => {
    const kinds = ['applied', 'checked', 'refused', 'cancelled', 'renamed', 'merged', 'not reorganized'];
    const changes = ['organizationsAdded', 'organizationsChanged', 'peopleAdded', 'peopleChanged'];
    const posts = ['peopleMissing', 'postsAdded', 'postsChanged', 'postsEnded', 'rowsRefused'];
    expect([...kinds, ...changes, ...posts].filter((what) => (seen.get(what) ?? 0) === 0)).toEqual([]);
  });

  it('agree with counting everything anew', async () => {
    expect(await ledger.rebuild()).toBe(0);
    await compare(new Random(9));
    // And it would be told if they did not.
    await pool.query(
      'update coverage_totals set people = people + 1 where certification_id = 0 and unit = 430000',
    );
    expect(await ledger.rebuild()).toBeGreaterThan(0);
    await compare(new Random(10));
    const { rows } = await pool.query(
      `select detail from journal_entries where action = 'coverage.rebuild' order by id`,
    );
    expect(rows.map((row) => row.detail.differences > 0)).toEqual([false, true]);
  });
});
