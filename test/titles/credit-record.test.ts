import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Executor } from '../../src/db/database.ts';
import type { Grant, Viewer } from '../../src/people/permission.ts';
import type { Organization } from '../../src/regions/organization.ts';
import { divisionsOf, fromCursor, organizationsOf, toCursor } from '../../src/titles/credit-record.ts';
import { makeTitleService, type TitleService } from '../../src/titles/title.service.ts';
import { makeTestDatabase, type TestDatabase } from '../support/database.ts';
import { TestClock, until } from '../support/service.ts';

const hr = (...scopes: Grant['scope'][]): Viewer => ({
  personId: '1',
  grants: scopes.map((scope) => ({ role: 'hr_verifier', scope })),
});
const NATION = hr({ kind: 'nation' });

describe('a place in the feed', () => {
  it('is read back as it was given, up to the largest', () => {
    for (const position of [
      { transactionId: '1', id: '1' },
      { transactionId: '18446744073709551615', id: '9223372036854775807' },
    ])
      expect(fromCursor(toCursor(position))).toEqual(position);
  });

  it('is refused when it is none of ours', () => {
    const made = (text: string): string => Buffer.from(text).toString('base64url');
    for (const cursor of [
      '',
      'x',
      'a made-up one',
      made('1'),
      made('1.'),
      made('-1.2'),
      made('1.2.3'),
      made('1 or 1=1.2'),
      made('1\n.2'),
      // Beyond 64 bits: the database has no such numbers.
      made('18446744073709551616.1'),
      made('1.9223372036854775808'),
    ])
      expect(fromCursor(cursor)).toBeUndefined();
  });
});

describe('scopes of a reader', () => {
  it('are its divisions and organizations, or everything', () => {
    const scopes = [
      { kind: 'division', code: '430121' },
      { kind: 'organization', id: '7' },
      { kind: 'division', code: '430102' },
    ] as const;
    expect(divisionsOf(scopes)).toEqual(['430121', '430102']);
    expect(organizationsOf(scopes)).toEqual(['7']);
    expect(divisionsOf([])).toEqual([]);
    expect(divisionsOf([...scopes, { kind: 'nation' }])).toBeUndefined();
  });
});

describe('the feed of credit records', () => {
  let database: TestDatabase;
  let titles: TitleService;
  const schools: Organization[] = [];
  let personId: string;
  let made = 0;

  beforeAll(async () => {
    database = await makeTestDatabase();
    titles = makeTitleService({ db: database.db, clock: new TestClock('2030-03-04T04:00:00Z') });
    await database.pool.query(`
      insert into divisions (code, name, level, parent_code, province_code, prefecture_code, county_code) values
        ('430000', 'p', 'province', null, '430000', null, null), ('430100', 'c', 'prefecture', '430000', '430000', '430100', null),
        ('430121', 'a', 'county', '430100', '430000', '430100', '430121'), ('430102', 'b', 'county', '430100', '430000', '430100', '430102');
      insert into people (name, staff_number) values ('王明', 'S1');
      insert into course_versions (slug, version, digest, manifest, contents, is_current, synced_at) values ('x', '1', 'x', '{}', '{}', true, now());
      insert into certifications (code, title_zh, title_en, course_slug, roles, division_code, issuer_name, template, template_version, created_at)
        values ('gate', '守门人', 'Gate', 'x', array['class_teacher'], '430000', 'x', 'standard', 1, now());
      insert into cohorts (certification_id, name, role, division_code, created_at) select id, 'x', 'class_teacher', '430000', now() from certifications;`);
    personId = (await database.pool.query('select id from people')).rows[0].id;
    for (const code of ['430121', '430102']) {
      const { rows } = await database.pool.query(
        `insert into organizations (source, source_id, name, kind, division_code, province_code, prefecture_code, county_code)
         select 's', code, 'school ' || code, 'primary', code, province_code, prefecture_code, county_code from divisions where code = $1 returning id`,
        [code],
      );
      schools.push({
        id: rows[0].id,
        organizationId: rows[0].id,
        name: `school ${code}`,
        kind: 'primary',
        divisionCode: code,
        provinceCode: '430000',
        prefectureCode: '430100',
        countyCode: code,
        studentCount: null,
        studentCountOn: null,
        closedOn: null,
        mergedIntoId: null,
      });
    }
  });
  afterAll(async () => database.drop());
  beforeEach(async () => {
    await database.pool.query(
      'truncate certificates, certificate_documents, credit_records, assignments cascade',
    );
    made = 0;
  });

  /** A certificate, by hand; its number tells which it is. */
  const certificate = async (): Promise<string> => {
    made += 1;
    const { rows } = await database.pool.query(
      `with a as (insert into assignments (certification_id, person_id, cohort_id, period, created_at) select c.id, p.id, h.id, $1, now() from certifications c, people p, cohorts h returning *)
       insert into certificates (number, verification_code, person_id, certification_id, assignment_id, period, claims, template, template_version, course_version_id, issued_at, valid_from, pdf_digest, status_list, status_position)
       select 'N' || $1::int, 'V' || $1::int, a.person_id, a.certification_id, a.id, a.period, '{"holderName": "王小明"}', 'standard', 1, v.id, now(), '2030-03-04', 'x', 1000, a.id from a, course_versions v returning id`,
      [made],
    );
    return rows[0].id as string;
  };
  const earn = async (tx: Executor, certificateId: string, organization: Organization | undefined) => {
    await titles.recordEarned(tx, {
      certificateId,
      personId,
      classHours: 1.5,
      earnedOn: '2030-03-04',
      organization,
    });
  };
  const earned = async (organization: Organization | undefined): Promise<string> => {
    const id = await certificate();
    await database.db.transaction().execute(async (tx) => earn(tx, id, organization));
    return id;
  };
  const read = async (viewer = NATION, after?: string, limit = 100) =>
    titles.listFeed(viewer, { after, limit });
  /** Once everything that was begun before has ended, in the whole server: then it can be read. */
  const readAll = async (count: number, viewer = NATION) =>
    until(async () => {
      const records = await read(viewer);
      return records.length >= count ? records : undefined;
    });

  it('books what was earned and what was withdrawn, of the same size and at the same place, once', async () => {
    const id = await earned(schools[0]);
    // The holder moves on; what was earned stays where it was earned.
    for (let twice = 0; twice < 2; twice += 1)
      await database.db.transaction().execute(async (tx) => titles.recordWithdrawn(tx, id));
    const records = await readAll(2);
    const record = {
      certificateNumber: 'N1',
      certificatePath: 'earned',
      // One from before there were grades.
      evidenceGrade: null,
      personName: '王小明',
      staffNumber: 'S1',
      certificationCode: 'gate',
      certificationTitle: '守门人',
      organizationName: 'school 430121',
      countyCode: '430121',
      classHours: 1.5,
      earnedOn: '2030-03-04',
      recordedAt: new Date('2030-03-04T04:00:00Z'),
    };
    expect(records.map(({ id: _id, cursor: _cursor, ...rest }) => rest)).toEqual([
      { kind: 'earned', ...record },
      { kind: 'withdrawn', ...record },
    ]);
  });

  it('takes nothing back that was not earned, and books nothing twice', async () => {
    const id = await certificate();
    await database.db.transaction().execute(async (tx) => titles.recordWithdrawn(tx, id));
    await database.db.transaction().execute(async (tx) => earn(tx, id, schools[0]));
    await expect(database.db.transaction().execute(async (tx) => earn(tx, id, schools[0]))).rejects.toThrow(
      /unique/,
    );
    expect((await readAll(1)).map((record) => record.kind)).toEqual(['earned']);
  });

  it('shows each reader their own scope', async () => {
    await earned(schools[0]);
    await earned(schools[1]);
    await earned(undefined);
    await readAll(3);
    const seen = async (...scopes: Grant['scope'][]): Promise<string> =>
      (await read(hr(...scopes))).map((record) => record.certificateNumber).join(' ');
    expect(await seen({ kind: 'nation' })).toBe('N1 N2 N3');
    expect(await seen({ kind: 'division', code: '430000' })).toBe('N1 N2');
    expect(await seen({ kind: 'division', code: '430100' })).toBe('N1 N2');
    expect(await seen({ kind: 'division', code: '430121' })).toBe('N1');
    expect(await seen({ kind: 'organization', id: schools[1]!.id })).toBe('N2');
    expect(
      await seen({ kind: 'division', code: '430121' }, { kind: 'organization', id: schools[1]!.id }),
    ).toBe('N1 N2');
    expect(await seen({ kind: 'division', code: '440000' })).toBe('');
    const others: Viewer[] = [
      { personId: '1', grants: [] },
      { personId: '1', grants: [{ role: 'coordinator', scope: { kind: 'nation' } }] },
    ];
    for (const viewer of others) await expect(read(viewer)).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
    await expect(read(NATION, 'made up')).rejects.toMatchObject({ code: 'INVALID_INPUT', path: 'after' });
  });

  it('waits for a change that began earlier and is not yet done, so that no reader goes past it', async () => {
    const [slow, quick, undone] = [await certificate(), await certificate(), await certificate()];
    const slowOnes = Promise.withResolvers<void>();
    const wrote = Promise.withResolvers<void>();
    const writing = database.db.transaction().execute(async (tx) => {
      await earn(tx, slow, schools[0]);
      wrote.resolve();
      await slowOnes.promise;
    });
    await wrote.promise;
    await database.db.transaction().execute(async (tx) => earn(tx, quick, schools[0]));
    await expect(
      database.db.transaction().execute(async (tx) => {
        await earn(tx, undone, schools[0]);
        throw new Error('taken back');
      }),
    ).rejects.toThrow('taken back');
    expect(await read()).toEqual([]);
    slowOnes.resolve();
    await writing;
    expect((await readAll(2)).map((record) => record.certificateNumber)).toEqual(['N1', 'N2']);
  });

  it('gives a reader who goes on from their cursor each record once, whatever is written meanwhile', async () => {
    const ids: string[] = [];
    for (let each = 0; each < 40; each += 1) ids.push(await certificate());
    const writing = Promise.all(
      ids.map(async (id, index) => {
        // In no order, some of them long.
        await sleep((index * 37) % 120);
        await database.db.transaction().execute(async (tx) => {
          await earn(tx, id, schools[index % 2]);
          await sleep((index * 53) % 60);
        });
      }),
    );
    const seen: string[] = [];
    let after: string | undefined;
    await until(async () => {
      const page = await read(NATION, after, 7);
      seen.push(...page.map((record) => record.certificateNumber));
      after = page.at(-1)?.cursor ?? after;
      return seen.length >= ids.length ? true : undefined;
    });
    await writing;
    expect(await read(NATION, after)).toEqual([]);
    expect(new Set(seen).size).toBe(40);
    expect(seen).toHaveLength(40);
  });
});
