import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';

/** How somebody verified: on the page, by a list, by a program, with the document. */
export const WAYS = ['page', 'list', 'api', 'pdf'] as const;
export type Way = (typeof WAYS)[number];

export interface Counted {
  readonly certificateId: string;
  /** First day of the month, in China. */
  readonly month: string;
  readonly way: Way;
  readonly count: number;
}

/** In one order, so that two who add at once wait for each other and do not block each other. */
export async function addCounts(db: Executor, counts: readonly Counted[]): Promise<void> {
  await sql`
    insert into verification_counts (certificate_id, month, way, count)
    select id, month, way, count
    from unnest(${counts.map(({ certificateId }) => certificateId)}::bigint[], ${counts.map(({ month }) => month)}::date[],
      ${counts.map(({ way }) => way)}::text[], ${counts.map(({ count }) => count)}::int[]) as given (id, month, way, count)
    order by id, month, way
    on conflict (certificate_id, month, way) do update set count = verification_counts.count + excluded.count`.execute(
    db,
  );
}

/** The newest month first. */
export async function listCounts(db: Executor, certificateId: string): Promise<Counted[]> {
  const rows = await db
    .selectFrom('verification_counts')
    .select(['certificate_id', 'month', 'way', 'count'])
    .where('certificate_id', '=', certificateId)
    .orderBy('month', 'desc')
    .orderBy('way')
    .execute();
  return rows.map(({ certificate_id, month, way, count }) => ({
    certificateId: certificate_id,
    month,
    way: way as Way,
    count,
  }));
}
