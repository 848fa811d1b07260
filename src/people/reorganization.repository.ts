import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';

/**
 * Posts at these organizations that are held on `on` or later go on at another from that day: what was held before stays where it was.
 * Whoever holds the same role there already goes on with that post.
 * @returns how many people are concerned.
 */
export async function transferPosts(
  tx: Executor,
  organizationIds: readonly string[],
  { intoId, on }: { intoId: string; on: string },
): Promise<number> {
  const those = sql`organization_id = any(${organizationIds}::bigint[]) and (ends_on is null or ends_on >= ${on}::date)`;
  const { rows } = await sql<{
    people: number;
  }>`select count(distinct person_id)::int as people from posts where ${those}`.execute(tx);
  await sql`
    insert into posts (person_id, organization_id, role, workload, starts_on, ends_on)
    select person_id, ${intoId}::bigint, role, min(workload), greatest(min(starts_on), ${on}::date), case when bool_or(ends_on is null) then null else max(ends_on) end
    from posts p where ${those} and not exists (
      select from posts there where there.person_id = p.person_id and there.organization_id = ${intoId}::bigint and there.role = p.role
        and there.starts_on <= greatest(p.starts_on, ${on}::date) and (there.ends_on is null or there.ends_on >= p.ends_on))
    group by person_id, role
    on conflict (person_id, organization_id, role, starts_on) do update
      set ends_on = case when posts.ends_on is null or excluded.ends_on is null then null else greatest(posts.ends_on, excluded.ends_on) end`.execute(
    tx,
  );
  // One that had not begun by then is not held here for a day.
  await sql`delete from posts where ${those} and starts_on >= ${on}::date`.execute(tx);
  await sql`update posts set ends_on = ${on}::date - 1 where ${those}`.execute(tx);
  return rows[0]!.people;
}

/** Whose numberings they stand in, and those that they have taken over, in order. */
export async function listSources(db: Executor, organizationIds: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom('organizations')
    .select('source')
    .distinct()
    .where(
      sql<boolean>`(id = any(${organizationIds}::bigint[]) or merged_into_id = any(${organizationIds}::bigint[]))`,
    )
    .orderBy('source')
    .execute();
  return rows.map((row) => row.source);
}
