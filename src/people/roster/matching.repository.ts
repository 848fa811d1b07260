import { sql, type RawBuilder } from 'kysely';
import type { Executor } from '../../db/database.ts';
import type { Roster } from './roster.ts';

/*
 * What an import would do, worked out inside the database from what was staged (staging.repository.ts) and what is known, for a million
 * rows as for ten. Until `apply…`, only temporary tables are written, so a dry run simply ends there.
 *
 *   places        what the source calls organizations: those known, and those that this import adds; where another has taken one over, that one
 *   grounds       these organizations, each once
 *   left_out      the lines of people that do not go in
 *   matched       each row that goes in, and the person it is about (known, or new)
 *   given_posts   what the rows say that these people hold
 *   kept_posts    those of them that are known already
 *   post_ends     open posts that end
 *
 * A doubtful row waits for somebody to decide (doubt.repository.ts) and the rest goes in; nothing is ever matched by name.
 */

export interface Place {
  readonly sourceId: string;
  readonly id: string;
  /** Told of in this import's own list of organizations. */
  readonly isListed: boolean;
  readonly closes: boolean;
}

export async function stagePlaces(tx: Executor, source: string, listed: readonly Place[]): Promise<void> {
  await sql`
    create temporary table places on commit drop as
    select source_id, id, is_listed, closes from unnest(${listed.map((p) => p.sourceId)}::text[], ${listed.map((p) => p.id)}::bigint[], ${listed.map((p) => p.isListed)}::boolean[],
      ${listed.map((p) => p.closes)}::boolean[]) as given (source_id, id, is_listed, closes)`.execute(tx);
  await sql`
    insert into places select o.source_id, o.id, false, false from organizations o
    where o.source = ${source} and not exists (select from places p where p.source_id = o.source_id)`.execute(
    tx,
  );
  await sql`alter table places add column own_id bigint, add column since date`.execute(tx);
  // What a file says of one that was taken over is said of its successor, as of that day.
  const { numAffectedRows: takenOver } = await sql`
    update places p set own_id = p.id, id = o.merged_into_id, since = o.merged_on, closes = false
    from organizations o where o.id = p.id and o.merged_into_id is not null`.execute(tx);
  // Nor does anybody begin at one that took others over and is no more itself.
  if (takenOver !== undefined && takenOver > 0n)
    await sql`
      update places p set closes = true
      from organizations o left join (select id, bool_or(closes) as closes from places where own_id is null and is_listed group by id) listed using (id)
      where p.own_id is not null and o.id = p.id and coalesce(listed.closes, o.closed_on is not null)`.execute(
      tx,
    );
  await sql`analyze places`.execute(tx);
}

/** Finds whom each row is about: by the source's own id first, by the hash of the identity number second. */
export async function matchPeople(tx: Executor, source: string, roster: Roster): Promise<void> {
  const { file, refColumn, identityColumn } = roster.people;
  const refuse = (from: RawBuilder<unknown>): RawBuilder<unknown> => sql`
    with told as (
      insert into staged_refusals (file, line, column_name, value, reason, reason_zh) ${from}
      returning line
    ), spared as (
      insert into staged_spared select ref from staged_people where line in (select line from told)
    ), out as (
      insert into left_out select line from told
    ), gone as (
      delete from staged_people where line in (select line from told) returning line, ref
    )
    delete from staged_posts p using gone where ${
      // A second row of the same person brings no posts; where posts have rows of their own they stay with the first.
      roster.posts.file === file ? sql`p.line = gone.line` : sql`false`
    }`;
  await sql`create temporary table left_out (line int not null) on commit drop`.execute(tx);
  if (roster.repeats)
    // A number that stands on one of a person's rows need not stand on the others.
    await sql`
      update staged_people s set identity_hash = told.identity_hash, identity_last4 = told.identity_last4
      from (select distinct on (ref, name) ref, name, identity_hash, identity_last4 from staged_people where identity_hash is not null order by ref, name, line) told
      where (told.ref, told.name) = (s.ref, s.name) and s.identity_hash is null`.execute(tx);
  if (roster.repeats)
    // One row for each post: they must agree on who it is, and one of them is enough.
    await sql`
      with first as (select distinct on (ref) * from staged_people order by ref, line), told as (
      insert into staged_refusals (file, line, column_name, value, reason, reason_zh)
      select ${file}, s.line, ${refColumn}, s.ref, format('Line %s has another name or identity number for the same person; the first one is taken.', f.line),
        format('第 %s 行对同一人写了不同的姓名或身份证件号，以先出现的为准。', f.line)
      from staged_people s join first f using (ref)
      where s.line > f.line and (s.name <> f.name or s.identity_hash <> f.identity_hash)
      returning value)
      insert into staged_spared select value from told`.execute(tx);
  if (roster.repeats) {
    await sql`delete from staged_posts p using staged_refusals r where r.file = ${file} and r.line = p.line`.execute(
      tx,
    );
    await sql`delete from staged_people s using (select ref, min(line) as line from staged_people group by ref having count(*) > 1) f where f.ref = s.ref and s.line > f.line`.execute(
      tx,
    );
  } else {
    await refuse(sql`
      select ${file}, s.line, ${refColumn}, s.ref, format('The same %s stands on line %s; the first one is taken.', ${refColumn}::text, f.line),
        format('%s 与第 %s 行重复，以先出现的为准。', ${refColumn}::text, f.line)
      from staged_people s join (select ref, min(line) as line from staged_people group by ref having count(*) > 1) f using (ref)
      where s.line > f.line`).execute(tx);
  }
  await refuse(sql`
    select ${file}, s.line, ${identityColumn}, null, format('The same identity number stands on line %s: one person has one row.', f.line),
        format('身份证件号与第 %s 行相同：一个人只应有一个编号。', f.line)
    from staged_people s join (select identity_hash, min(line) as line from staged_people where identity_hash is not null group by 1 having count(*) > 1) f using (identity_hash)
    where s.line > f.line`).execute(tx);

  await sql`
    create temporary table found on commit drop as
    select s.n, s.line, s.ref, s.name, s.staff_number, s.identity_hash, s.identity_last4, s.leaves, s.complete, s.only_known, by_source.person_id as by_source, by_identity.id as by_identity, k.identity_hash as known_hash,
      coalesce(by_source.person_id, by_identity.id) as person_id, false as is_ruled
    from staged_people s
    left join person_sources by_source on by_source.source = ${source} and by_source.source_id = s.ref
    left join people k on k.id = by_source.person_id
    left join people by_identity on by_identity.identity_hash = s.identity_hash`.execute(tx);
  // What somebody has decided about the same row holds.
  await sql`
    update found f set is_ruled = true, person_id = ruling.person_id
    from (select distinct on (source_id) * from roster_doubts where source = ${source} and state = 'decided' order by source_id, decided_at desc, id desc) ruling
    where ruling.source_id = f.ref and ruling.name = f.name and ruling.identity_hash is not distinct from f.identity_hash
      and (ruling.person_id is not null
        -- Somebody new: not where the number has come to be somebody's since.
        or (f.by_identity is null and (f.by_source is null or f.by_source = any (ruling.candidate_ids))))`.execute(
    tx,
  );
  await sql`analyze found`.execute(tx);
  await findDoubts(tx, roster);
  await refuse(sql`
    select ${file}, line, case kind when 'namesake' then ${refColumn} else ${identityColumn} end, case kind when 'namesake' then ref end,
      case kind
        when 'identity_of_another' then format('The %s and the identity number are known as two different people.', ${refColumn}::text)
        when 'identity_changed' then format('The identity number differs from the one known for this %s.', ${refColumn}::text)
        else format('Somebody else of this name holds a post there, under another %s: the same person, or not?', ${refColumn}::text)
      end || ' The row waits for somebody to decide.',
      case kind
        when 'identity_of_another' then format('%s 与身份证件号在系统中属于两个不同的人。', ${refColumn}::text)
        when 'identity_changed' then format('身份证件号与该 %s 已登记的不同。', ${refColumn}::text)
        else format('该单位已有同名人员在岗，但 %s 不同：是否同一人？', ${refColumn}::text)
      end || '此行等待人工确认。'
    from staged_doubts`).execute(tx);
  await refuse(sql`
    select ${file}, f.line, ${identityColumn}, null,
      format('Line %s is about the same person, by what is known of the two; somebody has to look.', twice.line),
      format('据已登记的信息，此行与第 %s 行是同一个人，请核对。', twice.line)
    from found f
    join (select person_id, min(line) as line from found group by 1 having count(*) > 1) twice on twice.person_id = f.person_id and twice.line < f.line
    where not exists (select from staged_doubts d where d.line = f.line)`).execute(tx);
  await sql`
    with gone as (
      delete from staged_people s using found f where f.line = s.line and s.only_known and f.person_id is null and not f.is_ruled returning s.line
    )
    insert into left_out select line from gone`.execute(tx);
  await sql`
    create temporary table matched on commit drop as
    select f.n, f.line, f.ref, f.name, f.staff_number, f.leaves, f.complete, f.only_known,
      -- Where it was decided that the number is another's, it is not taken over.
      case when f.by_identity <> f.person_id then null else f.identity_hash end as identity_hash,
      case when f.by_identity <> f.person_id then null else f.identity_last4 end as identity_last4,
      f.by_source is null as is_new_to_source, f.is_ruled and f.by_source <> coalesce(f.person_id, 0) as is_moved, k.id is null as is_new, f.is_ruled as is_corrected,
      coalesce(k.id, nextval((select pg_get_serial_sequence('people', 'id')::regclass))) as person_id,
      k.id is not null and (k.name <> f.name or k.staff_number is distinct from coalesce(f.staff_number, k.staff_number)
        or (f.identity_hash is not null and f.by_identity is null and (k.identity_hash is null or f.is_ruled))) as is_changed
    from found f left join people k on k.id = f.person_id
    -- As a list to look each up in, which keeps them in their order.
    where f.line not in (select o.line from left_out o)
    order by f.n`.execute(tx);
  // In pieces by n, in which order it stands there: that needs no entry for each row.
  await sql`create index on matched using brin (n) with (pages_per_range = 16)`.execute(tx);
  await sql`analyze matched`.execute(tx);
}

/**
 * Rows of which can't be told whom they are about: who is known by the id is not whom the identity number is known of, or had another
 * number; or somebody who is new holds a post where an unclaimed person of the same name holds one.
 */
async function findDoubts(tx: Executor, roster: Roster): Promise<void> {
  await sql`
    create temporary table staged_doubts on commit drop as
    with doubt as (
      select line, ref, case when by_source <> by_identity then 'identity_of_another' else 'identity_changed' end as kind,
        array_remove(array[by_source, by_identity], null) as candidate_ids
      from found where not is_ruled and (by_source <> by_identity or (by_identity is null and known_hash <> identity_hash))
      union all
      select f.line, f.ref, 'namesake', array_agg(distinct k.id)
      from found f join staged_posts p on p.ref = f.ref join places o on o.source_id = p.organization_ref
        join posts h on h.organization_id = o.id and h.ends_on is null join people k on k.id = h.person_id and k.name = f.name
      where f.person_id is null and not f.is_ruled and (k.identity_hash is null or f.identity_hash is null)
        and not exists (select from found claimed where claimed.person_id = k.id)
      group by f.line, f.ref
    ), told as (
      -- At once: where a source has numbered everybody anew, every row is in doubt.
      select p.ref, jsonb_agg(to_jsonb(p) - array['n', 'line', 'ref'] order by p.n) as posts
      from staged_posts p where p.ref in (select ref from doubt) group by p.ref
    )
    select s.line, s.ref, s.name, s.staff_number, s.identity_hash, s.identity_last4, s.leaves, s.complete, doubt.kind, doubt.candidate_ids,
      coalesce(told.posts, '[]'::jsonb) as posts
    from doubt join staged_people s using (line) left join told on told.ref = doubt.ref`.execute(tx);
  await sql`analyze staged_doubts`.execute(tx);
  if (roster.posts.file === roster.people.file) return;
  // Posts with rows of their own: they wait with their person.
  await sql`delete from staged_posts p using staged_doubts d where d.ref = p.ref`.execute(tx);
}

/**
 * Finds which posts are new, known or over. A post is the same one when person, organization, role and first day agree; without a
 * first day, the one of that organization and role that ended on the same day, is open, or ends later. An open post at the file's
 * organizations that its person's row no longer lists ends the day before the import: nothing is overwritten, history stays.
 * @param endMissing whoever holds a post at an organization that the file lists with staff, and is not in the file, has left.
 */
export async function matchPosts(
  tx: Executor,
  source: string,
  roster: Roster,
  { today, yesterday, endMissing }: { today: string; yesterday: string; endMissing: boolean },
): Promise<void> {
  const { file, organizationColumn } = roster.posts;
  // With a part of it refused, what a row leaves out can't be told from what it could not say.
  await sql`
    with lost as (
      select p.line, p.ref, p.organization_ref from staged_posts p join matched using (ref)
      left join places o on o.source_id = p.organization_ref where o.id is null
    ), told as (
      insert into staged_refusals (file, line, column_name, value, reason, reason_zh)
      select ${file}, line, ${organizationColumn}, organization_ref,
        format('No organization "%s" is known in this import''s source; the person goes in without this post.', organization_ref),
        format('没有编号为“%s”的单位：此人已导入，但不含该岗位。', organization_ref) from lost
    )
    update matched set complete = false where ref in (select ref from lost)`.execute(tx);
  // By whatever id: somebody may have two in a source.
  await sql`
    update matched set complete = false
    where complete and (ref in (select ref from staged_spared)
      or person_id in (select x.person_id from staged_spared s join person_sources x on x.source = ${source} and x.source_id = s.ref)
      or person_id in (select f.person_id from staged_spared s join found f on f.ref = s.ref where f.person_id is not null))`.execute(
    tx,
  );

  await sql`
    create temporary table given_posts on commit drop as
    select p.n, m.person_id, m.is_new, case when p.ends_on < o.since then o.own_id else o.id end as organization_id, p.role, p.workload,
      case when p.ends_on < o.since then p.starts_on when p.starts_on < o.since then o.since else p.starts_on end as starts_on,
      case when p.ends and p.ends_on is null then greatest(${yesterday}::date, p.starts_on, o.since) else p.ends_on end as ends_on, p.ends,
      o.since is not null and p.ends_on < o.since is not true as is_taken_over
    from staged_posts p join matched m using (ref) join places o on o.source_id = p.organization_ref
    where not m.leaves and not (o.closes and (p.ends_on < o.since) is not true)
    order by p.n`.execute(tx);
  await sql`create index on given_posts using brin (n) with (pages_per_range = 16)`.execute(tx);
  await sql`analyze given_posts`.execute(tx);
  await joinTakenOver(tx, today);
  // A row may say it twice.
  await sql`
    delete from given_posts g using (
      select person_id, organization_id, role, ${firstDayOf('f', today)} as starts_on, min(n) as n from given_posts f
      group by 1, 2, 3, 4 having count(*) > 1) f
    where g.person_id = f.person_id and g.organization_id = f.organization_id and g.role = f.role and ${firstDayOf('g', today)} = f.starts_on and g.n > f.n`.execute(
    tx,
  );

  await sql`
    create temporary table kept_posts on commit drop as
    select g.n, h.id as post_id, h.person_id, g.workload, g.ends_on, h.workload as held_workload, h.ends_on as held_ends_on
    from given_posts g join posts h using (person_id, organization_id, role)
    where not g.is_new and g.starts_on = h.starts_on`.execute(tx);
  await sql`
    insert into kept_posts
    select distinct on (h.person_id, h.organization_id, h.role) g.n, h.id, h.person_id, g.workload,
      case when g.ends then greatest(g.ends_on, h.starts_on) else g.ends_on end, h.workload, h.ends_on
    from given_posts g join posts h using (person_id, organization_id, role)
    where not g.is_new and g.starts_on is null and (h.ends_on is null or h.ends_on >= ${today}::date or h.ends_on = g.ends_on)
      and (g.ends or g.ends_on is null or h.starts_on <= g.ends_on) and not exists (select from kept_posts k where k.post_id = h.id)
    order by h.person_id, h.organization_id, h.role, h.ends_on is distinct from g.ends_on, h.ends_on is not null, h.starts_on desc, g.n`.execute(
    tx,
  );
  await sql`create index on kept_posts (n)`.execute(tx);
  await sql`create index on kept_posts (post_id)`.execute(tx);
  await sql`analyze kept_posts`.execute(tx);
  // What ends and was never known is not worth a post of no day.
  await sql`
    delete from given_posts g
    where g.ends and g.starts_on is null and not exists (select from kept_posts k where k.n = g.n)`.execute(
    tx,
  );
  // What was over before anybody told of it is known of its last day.
  await sql`
    delete from given_posts g using given_posts o
    where g.starts_on is null and g.ends_on < ${today}::date and not exists (select from kept_posts k where k.n = g.n)
      and (o.person_id, o.organization_id, o.role, o.starts_on) = (g.person_id, g.organization_id, g.role, g.ends_on)`.execute(
    tx,
  );
  await sql`
    update given_posts g set starts_on = ends_on
    where g.starts_on is null and g.ends_on < ${today}::date and not exists (select from kept_posts k where k.n = g.n)`.execute(
    tx,
  );

  await sql`
    create temporary table grounds on commit drop as
    select id, bool_or(is_listed) as is_listed, bool_or(closes) as closes,
      -- Whoever lists one that was taken over lists its people, and not those of the one that goes on.
      bool_or(is_listed and own_id is null) as is_whole,
      bool_or(source_id in (select organization_ref from staged_posts)) as is_named
    from places group by id`.execute(tx);
  await sql`create index on grounds (id)`.execute(tx);
  await sql`analyze grounds`.execute(tx);
  await sql`
    create temporary table post_ends on commit drop as
    select h.id as post_id, h.person_id, greatest(h.starts_on, ${yesterday}::date) as ends_on, false as is_missing
    from matched m join posts h on h.person_id = m.person_id join grounds o on o.id = h.organization_id
    where not m.is_new and h.ends_on is null and not exists (select from kept_posts k where k.post_id = h.id)
      and (m.leaves or (m.complete and (o.is_listed or o.is_named)))`.execute(tx);
  await sql`
    insert into post_ends
    select h.id, h.person_id, greatest(h.starts_on, ${yesterday}::date), false
    from grounds o join posts h on h.organization_id = o.id
    where o.closes and h.ends_on is null and not exists (select from post_ends e where e.post_id = h.id)`.execute(
    tx,
  );
  if (endMissing)
    await sql`
      insert into post_ends
      select h.id, h.person_id, greatest(h.starts_on, ${yesterday}::date), true
      from grounds o join posts h on h.organization_id = o.id
      where o.is_whole and h.ends_on is null and o.id in (select organization_id from given_posts)
        and not exists (select from matched m where m.person_id = h.person_id)
        and not exists (select from post_ends e where e.post_id = h.id)
        -- One list, by which to look up each of many.
        and not exists (
          select from (
            select x.person_id from staged_spared s join person_sources x on x.source = ${source} and x.source_id = s.ref
            union all select person_id from found
            union all select by_identity from found
            union all select by_source from found where not is_ruled
            union all select unnest(candidate_ids) from staged_doubts
          ) spared where spared.person_id = h.person_id)`.execute(tx);
  await sql`create index on post_ends (post_id)`.execute(tx);
  await sql`analyze post_ends`.execute(tx);
}

/** What stands for an unknown first day of a given post: today, or the last day of one that was over before. */
function firstDayOf(post: string, today: string): RawBuilder<unknown> {
  return sql`coalesce(${sql.ref(`${post}.starts_on`)}, least(${today}::date, ${sql.ref(`${post}.ends_on`)}))`;
}

/** Who is said to be at both of two organizations that are one by now holds one post there, since the first of the days. */
async function joinTakenOver(tx: Executor, today: string): Promise<void> {
  const { rows } = await sql`select from given_posts where is_taken_over limit 1`.execute(tx);
  if (rows.length === 0) return;
  await sql`create index on given_posts (person_id)`.execute(tx);
  let joined = 0n;
  do {
    // Again and again, since a post that begins earlier now may reach another.
    const { numAffectedRows } = await sql`
      update given_posts g set starts_on = earlier.starts_on
      from (
        select g.n, min(other.starts_on) as starts_on
        from given_posts g cross join lateral (
          select h.starts_on, h.ends_on from posts h
          where not g.is_new and (h.person_id, h.organization_id, h.role) = (g.person_id, g.organization_id, g.role)
          union all
          select coalesce(f.starts_on, ${today}::date), f.ends_on from given_posts f
          where f.n <> g.n and (f.person_id, f.organization_id, f.role) = (g.person_id, g.organization_id, g.role)
        ) other
        where g.is_taken_over and other.starts_on < ${firstDayOf('g', today)} and (other.ends_on is null or other.ends_on >= ${firstDayOf('g', today)})
        group by g.n
      ) earlier where earlier.n = g.n`.execute(tx);
    joined = numAffectedRows ?? 0n;
  } while (joined > 0n);
  await sql`
    update given_posts g set ends_on = longest.ends_on
    from (
      select person_id, organization_id, role, ${firstDayOf('f', today)} as starts_on, case when bool_or(ends_on is null) then null else max(ends_on) end as ends_on
      from given_posts f group by 1, 2, 3, 4 having count(*) > 1 and bool_or(is_taken_over)
    ) longest
    where (g.person_id, g.organization_id, g.role, ${firstDayOf('g', today)}) = (longest.person_id, longest.organization_id, longest.role, longest.starts_on)`.execute(
    tx,
  );
}

export interface Plan {
  readonly peopleAdded: number;
  readonly peopleChanged: number;
  readonly peopleMissing: number;
  readonly postsAdded: number;
  readonly postsChanged: number;
  readonly postsEnded: number;
  /** Of how many open ones of those it speaks of. */
  readonly postsOpen: number;
  /** Rows of people and of posts, for writing in pieces. */
  readonly lastPerson: number;
  readonly lastPost: number;
}

/** @param today on which a post begins whose first day nobody says. */
export async function readPlan(tx: Executor, endMissing: boolean, today: string): Promise<Plan> {
  // One that began today is there already when the same comes again today.
  const there = sql`posts h where h.person_id = g.person_id and h.organization_id = g.organization_id and h.role = g.role and h.starts_on = coalesce(g.starts_on, ${today}::date)`;
  const { rows } = await sql<Plan>`
    select people.*, ends.*, given."postsAdded", given."lastPost",
      ends.ended + kept.ended as "postsEnded", ends.ended + kept.changed + given.again as "postsChanged",
      (select count(*)::int from posts h join grounds o on o.id = h.organization_id where h.ends_on is null and (
        ${endMissing ? sql`o.is_whole or` : sql``} o.closes or exists (select from matched m where m.person_id = h.person_id))) as "postsOpen"
    from (select count(*) filter (where is_new)::int as "peopleAdded", count(*) filter (where is_changed)::int as "peopleChanged", coalesce(max(n), 0) as "lastPerson" from matched) people,
      (select count(*)::int as ended, count(distinct person_id) filter (where is_missing)::int as "peopleMissing" from post_ends) ends,
      (select count(*) filter (where held_ends_on is null and ends_on is not null)::int as ended,
        count(*) filter (where (held_workload, held_ends_on) is distinct from (workload, ends_on))::int as changed from kept_posts) kept,
      (select count(*) filter (where k.n is null and (g.is_new or not exists (select from ${there})))::int as "postsAdded", coalesce(max(g.n), 0) as "lastPost",
          count(*) filter (where k.n is null and not g.is_new and exists (select from ${there} and (h.workload, h.ends_on) is distinct from (g.workload, g.ends_on)))::int as again
        from given_posts g left join (select distinct n from kept_posts) k on k.n = g.n) given`.execute(tx);
  return rows[0]!;
}

const within = (from: number, until: number): RawBuilder<unknown> =>
  sql`n > ${from}::int and n <= ${until}::int`;

/** Adds and changes the people of a piece. */
export async function applyPeople(tx: Executor, source: string, from: number, until: number): Promise<void> {
  await sql`
    insert into people (id, name, staff_number, identity_hash, identity_last4) overriding system value
    select person_id, name, staff_number, identity_hash, identity_last4 from matched where ${within(from, until)} and is_new order by n`.execute(
    tx,
  );
  await sql`
    insert into person_sources (source, source_id, person_id)
    select ${source}, ref, person_id from matched where ${within(from, until)} and is_new_to_source order by n`.execute(
    tx,
  );
  await sql`
    update person_sources x set person_id = m.person_id
    from matched m where ${within(from, until)} and m.is_moved and x.source = ${source} and x.source_id = m.ref`.execute(
    tx,
  );
  await sql`
    update people p set name = m.name, staff_number = coalesce(m.staff_number, p.staff_number),
      identity_hash = case when m.is_corrected then coalesce(m.identity_hash, p.identity_hash) else coalesce(p.identity_hash, m.identity_hash) end,
      identity_last4 = case when m.is_corrected then coalesce(m.identity_last4, p.identity_last4) else coalesce(p.identity_last4, m.identity_last4) end
    from matched m where ${within(from, until)} and m.is_changed and p.id = m.person_id`.execute(tx);
}

/** Adds the posts of a piece whose people are new. */
export async function applyPostsOfNew(
  tx: Executor,
  today: string,
  from: number,
  until: number,
): Promise<void> {
  await sql`
    insert into posts (person_id, organization_id, role, workload, starts_on, ends_on)
    select person_id, organization_id, role, workload, coalesce(starts_on, ${today}::date), ends_on
    from given_posts where ${within(from, until)} and is_new order by n`.execute(tx);
}

/** The people who were known before and whose posts change. */
export const changedPeople: RawBuilder<unknown> = sql`
  select g.person_id from given_posts g where not g.is_new and not exists (select from kept_posts k where k.n = g.n)
  union select person_id from kept_posts where (held_workload, held_ends_on) is distinct from (workload, ends_on)
  union select person_id from post_ends`;

export const newPeople: RawBuilder<unknown> = sql`select person_id from matched where is_new`;

/** Adds, changes and ends the posts of people who were known before. */
export async function applyPostsOfKnown(tx: Executor, today: string): Promise<void> {
  await sql`
    update posts p set workload = k.workload, ends_on = k.ends_on from kept_posts k
    where k.post_id = p.id and (k.held_workload, k.held_ends_on) is distinct from (k.workload, k.ends_on)`.execute(
    tx,
  );
  await sql`update posts p set ends_on = e.ends_on from post_ends e where e.post_id = p.id`.execute(tx);
  await sql`
    insert into posts (person_id, organization_id, role, workload, starts_on, ends_on)
    select person_id, organization_id, role, workload, coalesce(starts_on, ${today}::date), ends_on
    from given_posts g where not is_new and not exists (select from kept_posts k where k.n = g.n)
    -- One that ended today and begins anew today goes on.
    on conflict (person_id, organization_id, role, starts_on) do update set workload = excluded.workload, ends_on = excluded.ends_on`.execute(
    tx,
  );
}

/** Many rows have come: the planner's old picture of them would mislead. */
export async function analyzePeople(tx: Executor): Promise<void> {
  await sql`select refresh_statistics()`.execute(tx);
}
