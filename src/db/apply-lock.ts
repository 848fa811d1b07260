import { createHash } from 'node:crypto';
import type pg from 'pg';
import { FUNCTIONS, LOCK, PARTS, type TableLock } from './lock.ts';

const PREFIX = 'xinqiao_';
/** What a connection of the service is unless it says otherwise. */
export const VIEWER_ROLE = `${PREFIX}viewer`;
/** May become each of the others and has no right of its own: for a service that does not sign in as the owner of its tables. */
export const LOGIN_ROLE = `${PREFIX}app`;
const ROLES = [VIEWER_ROLE, ...PARTS.map(roleOf)];
const APPLY_LOCK = 0x78_71_6c_6b; // 'xqlk'

export function roleOf(part: string): string {
  return `${PREFIX}${part}`;
}

/**
 * Brings roles, rights and policies to what `lock.ts` says, in one transaction, when it has changed since. Safe to run from several
 * processes at once. @param pool of the owner of the tables. @throws the database's error, which names a role that
 * is missing and can't be made.
 */
export async function applyLock(pool: pg.Pool): Promise<boolean> {
  const statements = statementsOf();
  const digest = createHash('sha256').update(statements.join('\n')).digest('hex');
  const client = await pool.connect();
  try {
    const applied = async (): Promise<boolean> => {
      const { rows } = await client.query<{ digest: string | null }>(
        `select obj_description(to_regprocedure('viewer_person()'), 'pg_proc') as digest`,
      );
      return rows[0]?.digest === digest;
    };
    if (await applied()) return false;
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [APPLY_LOCK]);
    if (!(await applied())) {
      await makeRoles(client);
      for (const statement of statements) await client.query(statement);
      await client.query(`comment on function viewer_person() is '${digest}'`);
    }
    await client.query('commit');
    return true;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

async function makeRoles(client: pg.PoolClient): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    'select rolname as name from pg_roles where rolname = any($1)',
    [[...ROLES, LOGIN_ROLE]],
  );
  const known = new Set(rows.map((row) => row.name));
  for (const role of [...ROLES, LOGIN_ROLE]) {
    if (known.has(role)) continue;
    // Of all databases of a server: another of them may make it at this moment.
    await client.query(
      `do $$ begin create role ${role} ${role === LOGIN_ROLE ? 'login' : 'nologin'} noinherit; exception when duplicate_object or unique_violation then null; when insufficient_privilege then
        raise exception 'the role ${role} is missing and the database''s owner may not make roles; let an administrator run: create role ${role} ${role === LOGIN_ROLE ? 'login' : 'nologin'} noinherit'; end $$`,
    );
  }
  for (const role of ROLES)
    for (const member of [LOGIN_ROLE, 'current_user'])
      await client.query(
        `do $$ begin if not pg_has_role(${member === 'current_user' ? 'current_user' : `'${member}'`}, '${role}', 'member') then grant ${role} to ${member}; end if; end $$`,
      );
}

function statementsOf(): string[] {
  const everybody = ROLES.join(', ');
  return [
    FUNCTIONS,
    `revoke all on function owe(text, json, text, timestamptz), refresh_statistics(), person_concerns(bigint, date), viewer_assignments(), keep_statement_month(date), drop_statement_months(timestamptz) from public`,
    `grant execute on function owe(text, json, text, timestamptz), person_concerns(bigint, date), viewer_assignments() to ${everybody}`,
    `grant execute on function refresh_statistics() to ${roleOf('roster')}`,
    `grant execute on function keep_statement_month(date), drop_statement_months(timestamptz) to ${roleOf('keeper')}`,
    `grant usage on schema public to ${everybody}`,
    // Identity columns draw from their sequences with the right to insert; ids that are taken ahead need this one.
    `grant usage on all sequences in schema public to ${everybody}`,
    `do $$ begin execute format('grant temporary on database %I to ${everybody}', current_database()); end $$`,
    // Whatever an earlier release allowed.
    `do $$ declare policy record; begin
      for policy in select tablename, policyname from pg_policies where schemaname = 'public' loop
        execute format('drop policy %I on %I', policy.policyname, policy.tablename);
      end loop; end $$`,
    `revoke all on all tables in schema public from ${everybody}`,
    ...Object.entries(LOCK).flatMap(([table, lock]) => locksOf(table, lock)),
  ];
}

function locksOf(table: string, lock: TableLock): string[] {
  const rights = (['viewer', ...PARTS] as const).flatMap((role) => {
    const given = lock[role];
    return given === undefined ? [] : [`grant ${privilegesOf(given)} on ${table} to ${roleOf(role)}`];
  });
  const { viewer, sees } = lock;
  if (viewer === undefined && rights.length > 0)
    // The parts that have rights here have all rows.
    return [...rights, ...policiesOfParts(table, lock)];
  if (viewer === undefined || sees === undefined)
    return [...rights, `alter table ${table} disable row level security`];
  const writes = lock.writes ?? sees;
  return [
    ...rights,
    ...policiesOfParts(table, lock),
    `create policy viewer_reads on ${table} for select to ${VIEWER_ROLE} using (${sees})`,
    ...(viewer.includes('i')
      ? [`create policy viewer_inserts on ${table} for insert to ${VIEWER_ROLE} with check (${writes})`]
      : []),
    ...(viewer.includes('u')
      ? [
          // To lock a row is all that an id's update is for.
          `create policy viewer_updates on ${table} for update to ${VIEWER_ROLE} using (${viewer.includes('u(id)') ? sees : writes}) with check (${writes})`,
        ]
      : []),
    ...(viewer.includes('d')
      ? [`create policy viewer_deletes on ${table} for delete to ${VIEWER_ROLE} using (${writes})`]
      : []),
  ];
}

function policiesOfParts(table: string, lock: TableLock): string[] {
  const parts = PARTS.filter((part) => lock[part] !== undefined).map(roleOf);
  return [
    `alter table ${table} enable row level security`,
    ...(parts.length === 0
      ? []
      : [`create policy parts on ${table} to ${parts.join(', ')} using (true) with check (true)`]),
  ];
}

const WORDS = { r: 'select', i: 'insert', u: 'update', d: 'delete' } as const;

/** `riu(a,b)` → `select, insert, update (a,b)`. */
function privilegesOf(rights: string): string {
  return [...rights.matchAll(/([riud])(\([\w,]+\))?/g)]
    .map(([, letter, columns = '']) => `${WORDS[letter as keyof typeof WORDS]} ${columns}`.trim())
    .join(', ');
}
