import { sql, type Kysely } from 'kysely';

/** Requests are issued in lots by the worker: what became of each row, and how far it is. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table issue_request_rows
      add column certificate_id bigint unique references certificates,
      add column refusal text,
      add column refusal_detail text`.execute(db);
  await sql`
    update issue_request_rows r set certificate_id = c.id from certificates c
    where c.request_id = r.request_id and c.person_id = r.person_id and c.certification_id = r.certification_id and c.supersedes is null`.execute(
    db,
  );
  await sql`
    alter table issue_request_rows
      add check (refusal in ('ALREADY_ISSUED', 'PERSON_MOVED', 'EXPIRED_MEANWHILE', 'UNPRINTABLE', 'FAILED', 'CANCELLED')),
      add check (certificate_id is null or refusal is null),
      add check (refusal_detail is null or refusal = 'UNPRINTABLE')`.execute(db);
  for (const [column, comment] of [
    ['certificate_id', 'What was issued for it, though another may have taken its place since.'],
    [
      'refusal',
      'Why nothing was issued for it, of an approved request. With neither it waits for its turn, or for the decision.',
    ],
  ] as const)
    await sql`comment on column ${sql.ref(`issue_request_rows.${column}`)} is ${sql.lit(comment)}`.execute(
      db,
    );
  // The next lot is looked for again and again.
  await sql`create index on issue_request_rows (request_id, line) where certificate_id is null and refusal is null`.execute(
    db,
  );

  await sql`
    alter table issue_requests
      add column rows_total integer not null default 0,
      add column rows_issued integer not null default 0,
      add column rows_refused integer not null default 0,
      add column finished_at timestamptz,
      add column run_began_at timestamptz,
      add column run_began_with integer,
      add column told_at timestamptz`.execute(db);
  await sql`
    update issue_requests q set rows_total = n.total, rows_issued = n.issued, finished_at = case when q.state = 'approved' then q.decided_at end
    from (select request_id, count(*) as total, count(certificate_id) as issued from issue_request_rows group by request_id) n where n.request_id = q.id`.execute(
    db,
  );
  await sql`
    alter table issue_requests
      drop constraint issue_requests_state_check,
      add constraint issue_requests_state_check check (state in ('waiting', 'declined', 'issuing', 'approved', 'cancelled')),
      add check ((state in ('approved', 'cancelled')) = (finished_at is not null)),
      add check (rows_issued >= 0 and rows_refused >= 0 and rows_issued + rows_refused <= rows_total),
      add check (state not in ('approved', 'cancelled') or rows_issued + rows_refused = rows_total),
      add check ((told_at is null) = (run_began_at is null) and (told_at is null) = (run_began_with is null))`.execute(
    db,
  );
  for (const [column, comment] of [
    ['state', 'issuing: approved, and the worker is at it. approved: also over, whatever was refused.'],
    ['finished_at', 'When an approved one was over.'],
    ['run_began_at', 'Since when its rate is measured: since it was approved, or since the last pause.'],
    ['run_began_with', 'How many rows were done by then.'],
    ['told_at', 'When its last lot was done.'],
  ] as const)
    await sql`comment on column ${sql.ref(`issue_requests.${column}`)} is ${sql.lit(comment)}`.execute(db);
}
