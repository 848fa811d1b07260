import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import type { StoredStatement } from './forwarded.ts';

export interface ForwardingState {
  readonly lastSentAt: Date | null;
  readonly lastError: string | null;
  readonly failedAt: Date | null;
  /** In a row. */
  readonly failures: number;
  readonly retryAt: Date | null;
}

/** A statement that is owed; undefined statement: it has been erased or forgotten since. */
export interface Debt {
  readonly id: string;
  readonly stored: StoredStatement | undefined;
}

const columns = ['last_sent_at', 'last_error', 'failed_at', 'failures', 'retry_at'] as const;

export async function findForwardingState(db: Executor): Promise<ForwardingState> {
  return toState(await db.selectFrom('forwarding_state').select(columns).executeTakeFirstOrThrow());
}

/** @returns undefined while another process is at it. */
export async function lockForwardingState(tx: Executor): Promise<ForwardingState | undefined> {
  const row = await tx
    .selectFrom('forwarding_state')
    .select(columns)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
  return row === undefined ? undefined : toState(row);
}

export async function updateForwardingState(tx: Executor, state: ForwardingState): Promise<void> {
  await tx
    .updateTable('forwarding_state')
    .set({
      last_sent_at: state.lastSentAt,
      last_error: state.lastError,
      failed_at: state.failedAt,
      failures: state.failures,
      retry_at: state.retryAt,
    })
    .execute();
}

/** The oldest that are owed, with what they are of. */
export async function listDebts(tx: Executor, limit: number): Promise<Debt[]> {
  const { rows } = await sql<{
    id: string;
    assignment_id: string;
    statement_id: string;
    person_id: string;
    slug: string;
    statement: Record<string, unknown> | null;
  }>`
    select d.id, d.assignment_id, d.statement_id, a.person_id, v.slug, s.statement
    from (select * from forwarding_debts where refused_at is null order by id limit ${limit}) d
    join assignments a on a.id = d.assignment_id join course_versions v on v.id = a.course_version_id
    left join statements s on s.assignment_id = d.assignment_id and s.id = d.statement_id and s.stored_at = d.stored_at
    order by d.id`.execute(tx);
  return rows.map((row) => ({
    id: row.id,
    stored:
      row.statement === null
        ? undefined
        : {
            assignmentId: row.assignment_id,
            id: row.statement_id,
            personId: row.person_id,
            courseSlug: row.slug,
            statement: row.statement,
          },
  }));
}

export async function deleteDebts(tx: Executor, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await tx.deleteFrom('forwarding_debts').where('id', 'in', ids).execute();
}

export async function refuseDebt(
  tx: Executor,
  id: string,
  given: { reason: string; at: Date },
): Promise<void> {
  await tx
    .updateTable('forwarding_debts')
    .set({ refused_at: given.at, reason: given.reason })
    .where('id', '=', id)
    .execute();
}

export async function countDebts(db: Executor): Promise<{ pending: number; refused: number }> {
  const { rows } = await sql<{ pending: number; refused: number }>`
    select count(*) filter (where refused_at is null)::int as pending, count(refused_at)::int as refused from forwarding_debts`.execute(
    db,
  );
  return rows[0]!;
}

function toState(row: {
  last_sent_at: Date | null;
  last_error: string | null;
  failed_at: Date | null;
  failures: number;
  retry_at: Date | null;
}): ForwardingState {
  return {
    lastSentAt: row.last_sent_at,
    lastError: row.last_error,
    failedAt: row.failed_at,
    failures: row.failures,
    retryAt: row.retry_at,
  };
}
