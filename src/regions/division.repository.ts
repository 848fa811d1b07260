import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';
import type { Division } from './division.ts';

const columns = [
  'code',
  'name',
  'level',
  'parent_code',
  'province_code',
  'prefecture_code',
  'county_code',
] as const;

export async function findDivision(db: Executor, code: string): Promise<Division | undefined> {
  return (await listDivisions(db, [code]))[0];
}

export async function listDivisions(db: Executor, codes: readonly string[]): Promise<Division[]> {
  if (codes.length === 0) return [];
  const rows = await db
    .selectFrom('divisions')
    .modifyFront(prepared)
    .select(columns)
    .where('code', '=', sql<string>`any(${codes}::text[])`)
    .execute();
  return rows.map(toDivision);
}

export async function listAllDivisions(db: Executor): Promise<Division[]> {
  return (await db.selectFrom('divisions').select(columns).orderBy('code').execute()).map(toDivision);
}

export async function listChildDivisions(db: Executor, parentCode: string | null): Promise<Division[]> {
  const rows = await db
    .selectFrom('divisions')
    .modifyFront(prepared)
    .select(columns)
    .where('parent_code', parentCode === null ? 'is' : '=', parentCode)
    .orderBy('code')
    .execute();
  return rows.map(toDivision);
}

/** As a part of a statement, to select from. */
export function divisionsIn(db: Executor, parentCode: string) {
  return db.selectFrom('divisions').where('parent_code', '=', parentCode);
}

/** Adds new divisions and renames known ones, in one statement; none is ever removed, since history hangs on it. */
export async function upsertDivisions(db: Executor, divisions: readonly Division[]): Promise<void> {
  const column = (pick: (division: Division) => string | null) => sql`${divisions.map(pick)}::text[]`;
  // Parents come before children in code order, which the foreign key wants.
  await sql`
    insert into divisions (code, name, level, parent_code, province_code, prefecture_code, county_code)
    select * from unnest(${column((d) => d.code)}, ${column((d) => d.name)}, ${column((d) => d.level)}, ${column((d) => d.parentCode)},
      ${column((d) => d.provinceCode)}, ${column((d) => d.prefectureCode)}, ${column((d) => d.countyCode)}) as given (code, name, level, parent_code)
    where not exists (select 1 from divisions known where known.code = given.code and known.name = given.name)
    on conflict (code) do update set name = excluded.name where divisions.name <> excluded.name`.execute(db);
}

function toDivision(row: {
  code: string;
  name: string;
  level: string;
  parent_code: string | null;
  province_code: string;
  prefecture_code: string | null;
  county_code: string | null;
}): Division {
  return {
    code: row.code,
    name: row.name,
    level: row.level as Division['level'],
    parentCode: row.parent_code,
    provinceCode: row.province_code,
    prefectureCode: row.prefecture_code,
    countyCode: row.county_code,
  };
}
