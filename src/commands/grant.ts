import { parseArgs } from 'node:util';
import { makeGrantService } from '../access/grant.service.ts';
import { systemClock } from '../clock.ts';
import { ConfigError, readDatabaseUrl, readDataFolder } from '../config.ts';
import { checkServer, DatabaseError, makeDatabase, makePool } from '../db/database.ts';
import { EmbeddedDatabaseError, startEmbedded } from '../db/embedded.ts';
import { migrate } from '../db/migrate.ts';
import { Refusal } from '../errors.ts';
import { makePeopleService } from '../people/people.service.ts';
import { grantRoles, type GrantRole } from '../people/permission.ts';
import type { Unit } from '../regions/division.ts';
import { makeRegionService } from '../regions/region.service.ts';

/*
 * npm run grant -- operator --staff-number A017 --reason 'first operator' [--name 王芳] [--division 430121 | --organization 17]
 *   [--starts-on 2026-09-01] [--ends-on 2027-08-31]
 *
 * Gives a role straight in the database, at DATABASE_URL or the embedded one. It is for a fresh installation, where nobody could give one
 * yet; afterwards operators do it by `grantRole`. Without a division or organization the role is for the whole nation.
 */

const USAGE =
  'npm run grant -- ROLE --staff-number NUMBER --reason TEXT [--name NAME] [--division CODE | --organization ID] [--starts-on DAY] [--ends-on DAY]';

class WrongArguments extends Error {}

function readArguments(args: readonly string[]) {
  const { positionals, values } = parse(args);
  const [role, ...more] = positionals;
  if (role === undefined || more.length > 0 || !(grantRoles as readonly string[]).includes(role))
    throw new WrongArguments(`Name one role: ${grantRoles.join(', ')}`);
  const staffNumber = values['staff-number']?.trim() ?? '';
  if (staffNumber === '') throw new WrongArguments('--staff-number is missing');
  if (values.division !== undefined && values.organization !== undefined)
    throw new WrongArguments('--division or --organization, not both');
  const day = (option: 'starts-on' | 'ends-on'): string | null => {
    const text = values[option];
    if (text === undefined) return null;
    if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || !isDay(text))
      throw new WrongArguments(`--${option} must be a day, YYYY-MM-DD, not "${text}"`);
    return text;
  };
  let unit: Unit | null = null;
  if (values.division !== undefined) unit = { kind: 'division', code: values.division };
  if (values.organization !== undefined) {
    if (!/^\d{1,18}$/.test(values.organization))
      throw new WrongArguments('--organization must be a number, its id in the database');
    unit = { kind: 'organization', id: values.organization };
  }
  const name = values.name?.trim();
  return {
    role: role as GrantRole,
    staffNumber,
    name: name === undefined || name === '' ? null : name,
    unit,
    startsOn: day('starts-on'),
    endsOn: day('ends-on'),
    reason: values.reason ?? '',
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        'staff-number': { type: 'string' },
        name: { type: 'string' },
        division: { type: 'string' },
        organization: { type: 'string' },
        'starts-on': { type: 'string' },
        'ends-on': { type: 'string' },
        reason: { type: 'string' },
      },
    });
  } catch (error) {
    throw new WrongArguments((error as Error).message.split('. ')[0]);
  }
}

function isDay(text: string): boolean {
  return !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text);
}

try {
  const input = readArguments(process.argv.slice(2));
  const given = readDatabaseUrl();
  const embedded = given === undefined ? await startEmbedded(readDataFolder()) : undefined;
  try {
    const pool = makePool(given ?? (await embedded!.url('xinqiao')), { name: 'grant', size: 2 });
    const db = makeDatabase(pool);
    try {
      await checkServer(pool);
      await migrate(db, pool);
      const regions = makeRegionService({ db, clock: systemClock });
      const people = makePeopleService({ db, clock: systemClock, regions });
      const grants = makeGrantService({ db, clock: systemClock, regions, people });
      const { grant, added } = await grants.giveAtShell(input);
      const where =
        grant.scope.kind === 'nation'
          ? 'the whole nation'
          : grant.scope.kind === 'division'
            ? `division ${grant.scope.code}`
            : `organization ${grant.scope.id}`;
      console.log(
        `${input.staffNumber}${added ? ' (added)' : ''} is ${grant.role} of ${where} from ${grant.startsOn} ${grant.endsOn === null ? 'on' : `to ${grant.endsOn}`}.`,
      );
    } finally {
      await db.destroy();
    }
  } finally {
    await embedded?.stop();
  }
} catch (error) {
  const known =
    error instanceof WrongArguments ||
    error instanceof Refusal ||
    error instanceof ConfigError ||
    error instanceof DatabaseError ||
    error instanceof EmbeddedDatabaseError;
  if (!known) throw error;
  console.error(error instanceof WrongArguments ? `${error.message}. Usage: ${USAGE}` : error.message);
  process.exitCode = error instanceof WrongArguments ? 2 : 1;
}
