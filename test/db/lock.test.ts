import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectFolder } from '../../src/config.ts';
import { actingAs } from '../../src/db/acting.ts';
import { LOGIN_ROLE, roleOf, VIEWER_ROLE } from '../../src/db/apply-lock.ts';
import { makeDatabase, makePool, type Database } from '../../src/db/database.ts';
import { LOCK, PARTS } from '../../src/db/lock.ts';
import { recordStatements, type StatementCall } from '../../src/learning/statement.repository.ts';
import { forViewer } from '../../src/people/acting.ts';
import type { Viewer } from '../../src/people/permission.ts';
import {
  assignTeachers,
  finishActivities,
  sitExam,
  startService,
  SUBMIT,
  until,
  type TestService,
} from '../support/service.ts';

const shape = readFileSync(join(projectFolder, 'migrations/shape.txt'), 'utf8');
const tables = [...shape.matchAll(/^table (\w+)/gm)].map((match) => match[1]!);

describe('the second lock', () => {
  let service: TestService;
  /** As the service is connected, without any service between. */
  let db: Database;
  let owner: string;

  beforeAll(async () => {
    service = await startService();
    const { learners } = await assignTeachers(service, ['t1', 't2']);
    const [learner] = learners;
    await finishActivities(service, learner!);
    const attempt = await sitExam(service, learner!, { right: true });
    await service.ask(learner!.key, SUBMIT, { id: attempt });
    await until(async () => {
      const { rows } = await service.database.pool.query('select 1 from certificates');
      return rows.length === 1 ? true : undefined;
    });
    const { rows } = await service.database.pool.query(
      `select person_id from person_sources where source_id = 't1'`,
    );
    owner = rows[0].person_id as string;
    db = makeDatabase(makePool(service.database.serviceUrl, { name: 'lock', size: 2, role: VIEWER_ROLE }));
  });
  afterAll(async () => {
    await db.destroy();
    await service.stop();
  });

  const count = async (table: string): Promise<number> =>
    (await sql<{ n: number }>`select count(*)::int as n from ${sql.id(table)}`.execute(db)).rows[0]!.n;
  const coordinatorOf = (code: string): Viewer => ({
    personId: '999999999',
    grants: [{ role: 'coordinator', scope: { kind: 'division', code } }],
  });
  const locked = Object.entries(LOCK).filter(
    ([, lock]) => lock.viewer !== undefined && lock.sees !== undefined,
  );

  it('says of every table who may do what with it', () => {
    expect(Object.keys(LOCK).toSorted()).toEqual(tables.toSorted());
  });

  it('holds for a connection that is no owner, no superuser, and can’t pass by policies', async () => {
    const { rows } = await service.database.pool.query<{ rolname: string }>(
      `select rolname from pg_roles where rolname = any($1) and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolinherit)`,
      [[LOGIN_ROLE, VIEWER_ROLE, ...PARTS.map(roleOf)]],
    );
    expect(rows).toEqual([]);
    const { rows: owned } = await service.database.pool.query(
      `select 1 from pg_class c join pg_roles r on r.oid = c.relowner where r.rolname like 'xinqiao%'`,
    );
    expect(owned).toEqual([]);
    const who = await sql<{
      now: string;
      login: string;
    }>`select current_user as now, session_user as login`.execute(db);
    expect(who.rows).toEqual([{ now: VIEWER_ROLE, login: LOGIN_ROLE }]);
  });

  it('shows nobody nothing, whatever is asked for', async () => {
    const open = [
      'certifications',
      'indicators',
      'indicator_imports',
      'indicator_values',
      'coverage_targets',
      'h5p_libraries',
    ];
    for (const [table, lock] of locked) {
      if (open.includes(table) || !lock.viewer!.includes('r')) continue;
      expect([table, await count(table)]).toEqual([table, 0]);
    }
    // There is something to be seen.
    for (const table of [
      'people',
      'posts',
      'assignments',
      'certificates',
      'credit_records',
      'attempts',
      'responses',
      'simulation_runs',
      'simulation_moves',
    ])
      expect((await service.database.pool.query(`select 1 from ${table}`)).rowCount).toBeGreaterThan(0);
  });

  it('shows what is one’s own, and a coordinator what is below', async () => {
    const self: Viewer = { personId: owner, grants: [] };
    await forViewer(self, async () => {
      expect(await count('people')).toBe(1);
      expect(await count('certificates')).toBe(1);
      expect(await count('certificate_documents')).toBe(1);
      expect(await count('assignments')).toBe(1);
      expect(await count('responses')).toBeGreaterThan(0);
      expect(await count('simulation_moves')).toBeGreaterThan(0);
      expect(await count('roster_imports')).toBe(0);
    });
    await forViewer(coordinatorOf('430121'), async () => {
      expect(await count('people')).toBe(2);
      expect(await count('certificates')).toBe(1);
      expect(await count('assignments')).toBe(2);
      // Answers and grades are the learner's.
      expect(await count('attempts')).toBe(0);
      expect(await count('responses')).toBe(0);
      expect(await count('simulation_runs')).toBe(0);
      expect(await count('simulation_moves')).toBe(0);
    });
    await forViewer(coordinatorOf('430000'), async () => expect(await count('certificates')).toBe(1));
    await forViewer(coordinatorOf('430102'), async () => {
      expect(await count('people')).toBe(0);
      expect(await count('certificates')).toBe(0);
      expect(await count('roster_imports')).toBe(0);
    });
  });

  it('gives what a learner said of themselves to nobody who works for an employer', async () => {
    await service.database.pool.query(
      `insert into efficacy_answers (assignment_id, wave, scale_key, scale_version, answers, given_at)
       select id, 'before', 's', 1, '{1,2,3,4}', now() from assignments`,
    );
    const seen = async (): Promise<number> => count('efficacy_answers');
    const roles = ['operator', 'coordinator', 'issuer', 'hr_verifier', 'author', 'auditor'] as const;
    const everything: Viewer = {
      personId: '999999999',
      grants: roles.map((role) => ({ role, scope: { kind: 'nation' } })),
    };
    expect(await forViewer(everything, seen)).toBe(0);
    expect(await forViewer({ personId: owner, grants: everything.grants }, seen)).toBe(1);
    // A token of the person that is not for their own things.
    const narrowed = { tokenId: '1', permissions: ['coverage.read'] as const };
    expect(await forViewer({ personId: owner, grants: [], narrowed }, seen)).toBe(0);
    for (const part of ['gate', 'roster', 'issuer'] as const)
      await expect(actingAs(part, seen)).rejects.toThrow('permission denied');
    await expect(
      actingAs('counter', async () => sql`update efficacy_answers set answers = null`.execute(db)),
    ).rejects.toThrow('permission denied');
    expect(await actingAs('counter', seen)).toBe(2);
  });

  it('lets no viewer write a grade, a certificate, a grant or the past', async () => {
    const self: Viewer = { personId: owner, grants: [{ role: 'coordinator', scope: { kind: 'nation' } }] };
    for (const statement of [
      sql`update attempts set percent = 100, passed = true`,
      sql`update responses set points = 1`,
      sql`insert into attempts (assignment_id, number, seed, drawn, started_at, deadline, submitted_at, passed) select id, 9, '', '[]', now(), now(), now(), true from assignments`,
      sql`update simulation_runs set passed = true`,
      sql`insert into simulation_moves (run_id, number, turn_key, choice_key, points, trust, distress, risk, taken, at) select id, 99, '', '', 3, 0, 0, 0, '{}', now() from simulation_runs`,
      sql`update certificates set valid_until = '2099-01-01'`,
      sql`insert into certificate_documents (certificate_id, pdf) values (1, '')`,
      sql`update people set name = 'x'`,
      sql`update posts set ends_on = null`,
      sql`delete from statements`,
      sql`insert into statements (assignment_id, id, activity_key, verb, statement, stored_at) select id, gen_random_uuid(), 'x', 'x', '{}', now() from assignments`,
      sql`update journal_entries set actor = 'x'`,
      sql`delete from journal_entries`,
      sql`truncate journal_entries`,
      sql`select * from erasures`,
      sql`update people set identity_hash = null`,
      sql`select * from sessions`,
      sql`select * from coverage_totals`,
      sql`create table mine (a int)`,
      sql`alter table people disable row level security`,
      sql`drop policy viewer_reads on people`,
    ])
      await expect(forViewer(self, async () => statement.execute(db))).rejects.toThrow(
        /permission denied|must be owner/,
      );
    await expect(
      forViewer({ ...self, grants: [] }, async () =>
        sql`insert into cohorts (certification_id, name, role, division_code, created_at) select id, 'x', 'class_teacher', '430121', now() from certifications`.execute(
          db,
        ),
      ),
    ).rejects.toThrow('row-level security');
  });

  it('no part of the service changes the journal, and each has only its own tables', async () => {
    for (const part of PARTS)
      for (const statement of [sql`update journal_entries set actor = 'x'`, sql`delete from journal_entries`])
        await expect(actingAs(part, async () => statement.execute(db))).rejects.toThrow('permission denied');
    await expect(actingAs('gate', async () => sql`select * from responses`.execute(db))).rejects.toThrow(
      'permission denied',
    );
    await expect(actingAs('counter', async () => sql`select * from sessions`.execute(db))).rejects.toThrow(
      'permission denied',
    );
    await expect(
      actingAs('roster', async () => sql`update certificates set period = 9`.execute(db)),
    ).rejects.toThrow('permission denied');
    expect(await actingAs('counter', async () => count('people'))).toBeGreaterThan(2);
  });

  it('takes statements for several learners at once, and for nobody whose assignment it is not', async () => {
    const { rows } = await service.database.pool.query<{ id: string; person_id: string }>(
      'select id, person_id from assignments order by id',
    );
    const call = (assignment: number, person: number): StatementCall => ({
      assignmentId: rows[assignment]!.id,
      personId: rows[person]!.person_id,
      activityKey: 'signs-lesson',
      statements: [],
      judging: {
        completing: [],
        parts: new Map<string, string>(),
        enoughParts: undefined,
        enoughSeconds: undefined,
      },
      sent: 1,
      at: new Date(),
      day: '2030-01-01',
    });
    const given = { forwards: true, limits: { perMinute: 1_000, perDay: 1_000, bytesPerDay: 10_000_000 } };
    const taken = await actingAs('recorder', async () =>
      recordStatements(db, [call(0, 0), call(1, 0)], given),
    );
    expect([...taken.keys()]).toEqual([rows[0]!.id]);
  });

  it('forgets whom a connection was used for, after a statement, a transaction, and one that failed', async () => {
    const nation: Viewer = { personId: '1', grants: [{ role: 'coordinator', scope: { kind: 'nation' } }] };
    const seen = async (): Promise<number> => count('people');
    for (let turn = 0; turn < 4; turn += 1) {
      expect(await forViewer(nation, seen)).toBeGreaterThan(2);
      expect(await seen()).toBe(0);
      expect(await actingAs('counter', seen)).toBeGreaterThan(2);
      expect(await seen()).toBe(0);
      await expect(
        actingAs('keeper', async () =>
          db.transaction().execute(async (tx) => {
            await sql`select 1 from people`.execute(tx);
            await sql`select 1 / 0`.execute(tx);
          }),
        ),
      ).rejects.toThrow('division by zero');
      expect(await seen()).toBe(0);
      await expect(actingAs('keeper', async () => sql`select 1 / 0`.execute(db))).rejects.toThrow(
        'division by zero',
      );
      expect(await seen()).toBe(0);
    }
  });

  it('keeps viewers apart who ask at the same moment', async () => {
    const self: Viewer = { personId: owner, grants: [] };
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, index) =>
        index % 3 === 0
          ? count('people')
          : index % 3 === 1
            ? forViewer(self, async () => count('people'))
            : forViewer(coordinatorOf('430102'), async () => count('certificates')),
      ),
    );
    expect(answers).toEqual(Array.from({ length: 40 }, (_, index) => (index % 3 === 1 ? 1 : 0)));
  });
});
