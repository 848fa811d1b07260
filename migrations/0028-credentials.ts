import { sql, type Kysely } from 'kysely';

/** Bits in a list of states, and how many of them were given to certificates when there were none yet: half, so that a free one is soon found. */
const LENGTH = 131_072;
const FILLED = 65_536;

/** Certificates that replace another, their places in lists of states, and the keys that signed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table status_entries (
      list integer not null check (list > 0),
      position integer not null check (position between 0 and ${sql.lit(LENGTH - 1)}),
      primary key (list, position)
    )`.execute(db);
  await sql`comment on table status_entries is 'Places in the lists that say which credentials were revoked, each given to one certificate and drawn by lot, so that a place tells nothing. One whose certificate was never issued stays empty.'`.execute(
    db,
  );
  await sql`
    alter table certificates
      add column supersedes bigint unique references certificates,
      add column superseded_at timestamptz,
      add column status_list integer,
      add column status_position integer,
      add check (superseded_at is null or superseded_at = revoked_at),
      add check (supersedes <> id)`.execute(db);
  await sql`comment on column certificates.supersedes is 'The certificate in whose place it was issued: of the same person, certification and period.'`.execute(
    db,
  );
  await sql`comment on column certificates.superseded_at is 'It was ended because another took its place; revoked_on, revoked_by and revocation_reason then say when, by whom and why.'`.execute(
    db,
  );
  await sql`comment on column certificates.status_position is 'Its bit in the list status_list, from 0.'`.execute(
    db,
  );

  // Those that were issued before take places too, in the order of a lot.
  await sql`
    with numbered as (
      select id, (row_number() over (order by id) - 1) / ${sql.lit(FILLED)} + 1 as list, (row_number() over (order by id) - 1) % ${sql.lit(FILLED)} as n from certificates
    ), places as (
      select list, position, row_number() over (partition by list order by gen_random_uuid()) - 1 as n
      from (select distinct list from numbered) lists cross join generate_series(0, ${sql.lit(LENGTH - 1)}) position
    )
    update certificates c set status_list = p.list, status_position = p.position
    from numbered d join places p using (list, n) where d.id = c.id`.execute(db);
  await sql`insert into status_entries (list, position) select status_list, status_position from certificates`.execute(
    db,
  );
  await sql`
    alter table certificates
      alter column status_list set not null,
      alter column status_position set not null,
      add unique (status_list, status_position)`.execute(db);
  await sql`create index on certificates (status_list, status_position) where revoked_on is not null`.execute(
    db,
  );

  // Of a person, certification and period there is one at a time; those it took the place of stay beside it.
  await sql`alter table certificates drop constraint certificates_person_id_certification_id_period_key`.execute(
    db,
  );
  await sql`create unique index on certificates (person_id, certification_id, period) where superseded_at is null`.execute(
    db,
  );
  await sql`create index on certificates (person_id, certification_id)`.execute(db);

  await sql`
    create table credential_keys (
      kid text primary key,
      thumbprint text not null unique,
      first_used_at timestamptz not null
    )`.execute(db);
  await sql`comment on table credential_keys is 'Which keys have signed credentials: what they signed can only be checked while their public part is published, so the service does not start without one of them.'`.execute(
    db,
  );
  await sql`comment on column credential_keys.thumbprint is 'RFC 7638, of the public key: another one under the same name would break what the first has signed.'`.execute(
    db,
  );
}
