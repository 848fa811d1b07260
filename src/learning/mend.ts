import { COMPONENTS, isDuration, isIri } from './xapi.ts';

/*
 * What contents are known to get wrong about xAPI, and what is harmless to put right: nothing rests on it, and the statement says the same
 * afterwards. Refusing such a statement would take its completion from a learner who did all that was asked. The list, each with whence it comes:
 *
 * 1. null outside of extensions is left out: JSON's word for NaN, as the scaled score of a content without points (0 / 0).
 * 2. An empty list where a map belongs is left out: what PHP makes of an empty map.
 * 3. An activity without an id, or with one that is no IRI (`undefined?subContentId=…`): a player that was not told where it runs. It gets
 *    the id of the activity that is played, and what tells the part.
 * 4. A single context activity gets its list (2.4.6.2 asks for it).
 * 5. A score that contradicts itself: min ≥ max leaves both out (a content without points says 0 of 0); raw and scaled beyond their limits are
 *    set to the limit (bonus points).
 * 6. A duration that is none (`PTNaNS`) is left out.
 * 7. Components of an interaction with the same id: the first stays.
 * 8. Attachments are left out: nobody sends their bytes here.
 * 9. What only the server may say (actor, stored, authority) is left out.
 */

type Json = Record<string, unknown>;

/** Far more than any content says; walking or storing without end would exhaust a stack. */
export const MAX_DEPTH = 50;

/** Nested deeper than MAX_DEPTH. */
export class TooDeep extends Error {
  override name = 'TooDeep';
}

const SERVERS_OWN = ['actor', 'stored', 'authority', 'attachments'];

/**
 * A copy of what a content emitted with what is known put right, and nothing judged: whatever it is, it comes back.
 * @param activityId IRI of the activity that is played.
 * @throws TooDeep
 */
export function mend(given: unknown, activityId: string): unknown {
  const statement = withoutNulls(given, MAX_DEPTH);
  if (!isJson(statement)) return statement;
  for (const key of SERVERS_OWN) delete statement[key];
  mendDeed(statement, activityId);
  return statement;
}

function mendDeed(deed: Json, activityId: string): void {
  dropEmptyLists(deed, ['result', 'context']);
  const { object, result, context } = deed;
  if (isJson(object)) {
    if (object['objectType'] === 'SubStatement') mendDeed(object, activityId);
    else mendActivity(object, activityId);
  }
  if (isJson(result)) {
    dropEmptyLists(result, ['extensions', 'score']);
    if (typeof result['duration'] === 'string' && !isDuration(result['duration'])) delete result['duration'];
    if (isJson(result['score'])) mendScore(result['score']);
  }
  if (isJson(context)) {
    dropEmptyLists(context, ['extensions', 'contextActivities']);
    const activities = context['contextActivities'];
    if (isJson(activities))
      for (const kind of Object.keys(activities)) {
        if (isJson(activities[kind])) activities[kind] = [activities[kind]];
        if (Array.isArray(activities[kind]))
          for (const each of activities[kind]) if (isJson(each)) mendActivity(each, activityId);
      }
  }
}

const PART = 'http://h5p.org/x-api/h5p-subContentId';

function mendActivity(activity: Json, activityId: string): void {
  if (activity['objectType'] !== undefined && activity['objectType'] !== 'Activity') return;
  const { definition } = activity;
  if (Array.isArray(definition) && definition.length === 0) delete activity['definition'];
  if (isJson(definition)) {
    dropEmptyLists(definition, ['extensions', 'name', 'description']);
    for (const key of COMPONENTS) {
      const components = definition[key];
      if (!Array.isArray(components)) continue;
      const ids = new Set<unknown>();
      definition[key] = components.filter(
        (each) => !isJson(each) || each['id'] === undefined || (!ids.has(each['id']) && ids.add(each['id'])),
      );
    }
  }
  if (isIri(activity['id'])) return;
  const { id = '' } = activity;
  // A number or a list is no id that was meant for something.
  if (typeof id !== 'string') return;
  const extensions = isJson(definition) && isJson(definition['extensions']) ? definition['extensions'] : {};
  const part = /[?&]subContentId=([\w-]+)/.exec(id)?.[1] ?? extensions[PART];
  if (typeof part === 'string') activity['id'] = `${activityId}?subContentId=${encodeURIComponent(part)}`;
  else if (id === '' || id === 'undefined' || id === 'null') activity['id'] = activityId;
  else activity['id'] = `${activityId}#${encodeURIComponent(id)}`;
}

function mendScore(score: Json): void {
  const { min, max, raw, scaled } = score;
  if (typeof scaled === 'number') score['scaled'] = Math.min(1, Math.max(-1, scaled));
  if (typeof min === 'number' && typeof max === 'number' && min >= max) {
    delete score['min'];
    delete score['max'];
    return;
  }
  if (typeof raw !== 'number') return;
  if (typeof min === 'number' && raw < min) score['raw'] = min;
  if (typeof max === 'number' && raw > max) score['raw'] = max;
}

function dropEmptyLists(of: Json, keys: readonly string[]): void {
  for (const key of keys) {
    const value = of[key];
    if (Array.isArray(value) && value.length === 0) delete of[key];
  }
}

/** A copy, all the way down. */
function withoutNulls(value: unknown, levels: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) throw new TooDeep();
  if (Array.isArray(value)) return value.map((each) => withoutNulls(each, levels - 1));
  const copy: Json = {};
  for (const key in value) {
    const each = (value as Json)[key];
    if (each === null) continue;
    // In extensions anything may stand (2.2).
    const kept = key === 'extensions' ? asItIs(each, levels - 1) : withoutNulls(each, levels - 1);
    // Assigned, it would be the copy's prototype. An object that has none at all is slow, whatever is done with it.
    if (key === '__proto__') Object.defineProperty(copy, key, { value: kept, enumerable: true });
    else copy[key] = kept;
  }
  return copy;
}

function asItIs(value: unknown, levels: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) throw new TooDeep();
  for (const each of Object.values(value)) asItIs(each, levels - 1);
  return value;
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
