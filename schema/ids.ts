import { decodeGlobalID } from '@pothos/plugin-relay';
import { InvalidInput } from '../src/errors.ts';

/** Reads a global id that must be of one of `typenames`. @throws InvalidInput, also for an id that is none of ours. */
export function resolveGlobalID(
  globalId: string,
  typenames: readonly string[],
  path: string,
): { typename: string; id: string } {
  let decoded: { typename: string; id: string } | undefined;
  try {
    decoded = decodeGlobalID(globalId);
  } catch {
    decoded = undefined;
  }
  // Ids are numbers below 2^63, and division codes; anything else was made up.
  if (decoded === undefined || !typenames.includes(decoded.typename) || !/^\d{1,18}$/.test(decoded.id))
    throw new InvalidInput(path, `This is not the id of a ${typenames.join(' or ')}.`);
  return decoded;
}

export function localId(globalId: string, typename: string, path: string): string {
  return resolveGlobalID(globalId, [typename], path).id;
}
