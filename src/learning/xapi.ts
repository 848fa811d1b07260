/*
 * The shape of an xAPI 1.0.3 Statement. Sections are those of its part two, "Experience API Data" (adlnet/xAPI-Spec, xAPI-Data.md). Written
 * by hand: the validator on npm (@learninglocker/xapi-validation) brings lodash and a schema library, and validates actors, which are thrown away here.
 */

/** What is wrong, and where: `path` is dotted, from the statement on; empty for all of it. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

type Json = Readonly<Record<string, unknown>>;

class Faulty extends Error {
  readonly path: string;
  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

/** The reserved verb, section 2.3.2. */
export const VOIDED = 'http://adlnet.gov/expapi/verbs/voided';

/**
 * The first fault of a statement that a content emitted; undefined where it has none. The actor, the authority and the time of storing are
 * not looked at: the server puts its own there. Nulls are faults everywhere but in extensions (2.2), and so is what the specification does not name.
 */
export function findFault(statement: unknown): Fault | undefined {
  try {
    checkStatement(statement);
    return undefined;
  } catch (error) {
    if (error instanceof Faulty) return { path: error.path, message: error.message };
    throw error;
  }
}

const at = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

/** Section 2.4. */
function checkStatement(value: unknown): void {
  const statement = object(value, '', 'A statement');
  known(statement, '', STATEMENT);
  const { id, version, authority: _authority } = statement;
  // 2.4.1: any version of variant 2 (RFC 4122), in standard string form.
  if (id !== undefined) uuid(id, 'id');
  // 2.4.10: 1.0, or anything of 1.0.
  if (version !== undefined && !/^1\.0(?:\.\d+)?$/.test(text(version, 'version')))
    throw new Faulty('version', 'Only xAPI 1.0 is spoken here.');
  checkDeed(statement, '', { nested: false });
}

const STATEMENT = new Set([
  'id',
  'actor',
  'verb',
  'object',
  'result',
  'context',
  'timestamp',
  'stored',
  'authority',
  'version',
]);
const SUB_STATEMENT = new Set(['objectType', 'actor', 'verb', 'object', 'result', 'context', 'timestamp']);

/** What statements and SubStatements have in common. */
function checkDeed(deed: Json, path: string, { nested }: { nested: boolean }): void {
  checkVerb(deed['verb'], at(path, 'verb'));
  const objectType = checkObject(deed['object'], at(path, 'object'), { nested });
  // 2.3.2: a voiding statement points at another; and no learner may void (403 there, a refusal here).
  if ((deed['verb'] as Json)['id'] === VOIDED)
    throw new Faulty(at(path, 'verb.id'), 'A content may not void statements.');
  if (deed['result'] !== undefined) checkResult(deed['result'], at(path, 'result'));
  if (deed['context'] !== undefined) checkContext(deed['context'], at(path, 'context'), objectType);
  if (deed['timestamp'] !== undefined) timestamp(deed['timestamp'], at(path, 'timestamp'));
}

/** Section 2.4.3. */
function checkVerb(value: unknown, path: string): void {
  const verb = object(value, path, 'The verb');
  known(verb, path, VERB);
  iri(verb['id'], at(path, 'id'), 'The verb');
  if (verb['display'] !== undefined) languageMap(verb['display'], at(path, 'display'));
}
const VERB = new Set(['id', 'display']);

const OBJECT_TYPES = ['Activity', 'Agent', 'Group', 'StatementRef', 'SubStatement'] as const;
type ObjectType = (typeof OBJECT_TYPES)[number];

/** Section 2.4.4. @returns what it is. */
function checkObject(value: unknown, path: string, { nested }: { nested: boolean }): ObjectType {
  const it = object(value, path, 'The object');
  const type = it['objectType'] === undefined ? 'Activity' : it['objectType'];
  switch (type as ObjectType) {
    case 'Activity':
      checkActivity(it, path);
      break;
    case 'Agent':
      checkAgent(it, path);
      break;
    case 'Group':
      checkGroup(it, path);
      break;
    case 'StatementRef':
      checkReference(it, path);
      break;
    case 'SubStatement':
      // 2.4.4.3: none within another, and none of a statement's own marks.
      if (nested) throw new Faulty(path, 'A SubStatement holds none of its own.');
      known(it, path, SUB_STATEMENT);
      checkActor(it['actor'], at(path, 'actor'));
      checkDeed(it, path, { nested: true });
      break;
    default:
      throw new Faulty(at(path, 'objectType'), `It is one of ${OBJECT_TYPES.join(', ')}.`);
  }
  return type as ObjectType;
}

/** Section 2.4.4.1. */
function checkActivity(value: unknown, path: string): void {
  const activity = object(value, path, 'An activity');
  known(activity, path, ACTIVITY);
  if (activity['objectType'] !== undefined && activity['objectType'] !== 'Activity')
    throw new Faulty(at(path, 'objectType'), 'Here stands an Activity.');
  iri(activity['id'], at(path, 'id'), 'An activity');
  if (activity['definition'] !== undefined) checkDefinition(activity['definition'], at(path, 'definition'));
}
const ACTIVITY = new Set(['objectType', 'id', 'definition']);

export const INTERACTIONS: readonly string[] = [
  'true-false',
  'choice',
  'fill-in',
  'long-fill-in',
  'matching',
  'performance',
  'sequencing',
  'likert',
  'numeric',
  'other',
];
/** Lists of parts of an interaction, section 2.4.4.1 ("Interaction Components"). */
export const COMPONENTS = ['choices', 'scale', 'source', 'target', 'steps'] as const;
const DEFINITION = new Set<string>([
  'name',
  'description',
  'type',
  'moreInfo',
  'extensions',
  'interactionType',
  'correctResponsesPattern',
  ...COMPONENTS,
]);

function checkDefinition(value: unknown, path: string): void {
  const definition = object(value, path, 'A definition');
  known(definition, path, DEFINITION);
  for (const key of ['name', 'description'])
    if (definition[key] !== undefined) languageMap(definition[key], at(path, key));
  for (const key of ['type', 'moreInfo'])
    if (definition[key] !== undefined) iri(definition[key], at(path, key), 'It');
  if (definition['extensions'] !== undefined) extensions(definition['extensions'], at(path, 'extensions'));
  const { interactionType, correctResponsesPattern: pattern } = definition;
  if (interactionType !== undefined && !INTERACTIONS.includes(interactionType as string))
    throw new Faulty(at(path, 'interactionType'), `It is one of ${INTERACTIONS.join(', ')}.`);
  if (pattern !== undefined)
    for (const [index, each] of list(pattern, at(path, 'correctResponsesPattern')).entries())
      text(each, at(path, `correctResponsesPattern.${index}`));
  for (const key of COMPONENTS) {
    if (definition[key] === undefined) continue;
    const ids = new Set<string>();
    for (const [index, each] of list(definition[key], at(path, key)).entries()) {
      const place = at(path, `${key}.${index}`);
      const component = object(each, place, 'A component');
      known(component, place, COMPONENT);
      const id = text(component['id'], at(place, 'id'));
      if (ids.has(id)) throw new Faulty(at(place, 'id'), 'Another component has the same id.');
      ids.add(id);
      if (component['description'] !== undefined)
        languageMap(component['description'], at(place, 'description'));
    }
  }
}
const COMPONENT = new Set(['id', 'description']);

function checkActor(value: unknown, path: string): void {
  const actor = object(value, path, 'An actor');
  if (actor['objectType'] === 'Group') checkGroup(actor, path);
  else checkAgent(actor, path);
}

const IDENTIFIERS = ['mbox', 'mbox_sha1sum', 'openid', 'account'];
const AGENT = new Set(['objectType', 'name', ...IDENTIFIERS]);
const GROUP = new Set([...AGENT, 'member']);
const ACCOUNT = new Set(['homePage', 'name']);

/** Section 2.4.2.1. */
function checkAgent(value: unknown, path: string): void {
  const agent = object(value, path, 'An agent');
  known(agent, path, AGENT);
  if (agent['objectType'] !== undefined && agent['objectType'] !== 'Agent')
    throw new Faulty(at(path, 'objectType'), 'Here stands an Agent.');
  if (checkIdentifier(agent, path) !== 1)
    throw new Faulty(path, 'An agent has exactly one of mbox, mbox_sha1sum, openid, account.');
}

/** Section 2.4.2.2: an anonymous one has members. */
function checkGroup(value: unknown, path: string): void {
  const group = object(value, path, 'A group');
  known(group, path, GROUP);
  if (group['objectType'] !== 'Group') throw new Faulty(at(path, 'objectType'), 'Here stands a Group.');
  const identifiers = checkIdentifier(group, path);
  if (identifiers > 1)
    throw new Faulty(path, 'A group has at most one of mbox, mbox_sha1sum, openid, account.');
  if (group['member'] === undefined) {
    if (identifiers === 0) throw new Faulty(at(path, 'member'), 'A group without an identifier has members.');
    return;
  }
  for (const [index, each] of list(group['member'], at(path, 'member')).entries())
    checkAgent(each, at(path, `member.${index}`));
}

/** Section 2.4.2.3. @returns how many there are. */
function checkIdentifier(agent: Json, path: string): number {
  if (agent['name'] !== undefined) text(agent['name'], at(path, 'name'));
  const { mbox, mbox_sha1sum: sum, openid, account } = agent;
  if (mbox !== undefined && !/^mailto:[^\s@]+@[^\s@]+$/.test(text(mbox, at(path, 'mbox'))))
    throw new Faulty(at(path, 'mbox'), 'It is mailto:, and an address.');
  if (sum !== undefined && !/^[0-9a-f]{40}$/i.test(text(sum, at(path, 'mbox_sha1sum'))))
    throw new Faulty(at(path, 'mbox_sha1sum'), 'It is 40 hexadecimal digits.');
  if (openid !== undefined) iri(openid, at(path, 'openid'), 'It');
  if (account !== undefined) {
    const place = at(path, 'account');
    const its = object(account, place, 'An account');
    known(its, place, ACCOUNT);
    iri(its['homePage'], at(place, 'homePage'), 'An account');
    text(its['name'], at(place, 'name'));
  }
  return IDENTIFIERS.filter((key) => agent[key] !== undefined).length;
}

/** Section 2.4.4.3. */
function checkReference(value: unknown, path: string): void {
  const reference = object(value, path, 'A reference');
  known(reference, path, REFERENCE);
  if (reference['objectType'] !== 'StatementRef')
    throw new Faulty(at(path, 'objectType'), 'Here stands a StatementRef.');
  uuid(reference['id'], at(path, 'id'));
}
const REFERENCE = new Set(['objectType', 'id']);

const RESULT = new Set(['score', 'success', 'completion', 'response', 'duration', 'extensions']);
const SCORE = ['scaled', 'raw', 'min', 'max'] as const;
const SCORE_KEYS = new Set<string>(SCORE);

/** Sections 2.4.5 and 2.4.5.1. */
function checkResult(value: unknown, path: string): void {
  const result = object(value, path, 'A result');
  known(result, path, RESULT);
  for (const key of ['success', 'completion'])
    if (result[key] !== undefined && typeof result[key] !== 'boolean')
      throw new Faulty(at(path, key), 'It is true or false.');
  if (result['response'] !== undefined) text(result['response'], at(path, 'response'));
  // 4.6: ISO 8601.
  if (result['duration'] !== undefined && !isDuration(text(result['duration'], at(path, 'duration'))))
    throw new Faulty(at(path, 'duration'), 'It is an ISO 8601 duration such as PT3.5S.');
  if (result['extensions'] !== undefined) extensions(result['extensions'], at(path, 'extensions'));
  if (result['score'] === undefined) return;
  const place = at(path, 'score');
  const score = object(result['score'], place, 'A score');
  known(score, place, SCORE_KEYS);
  for (const key of SCORE)
    if (score[key] !== undefined && (typeof score[key] !== 'number' || !Number.isFinite(score[key])))
      throw new Faulty(at(place, key), 'It is a number.');
  const { scaled, raw, min, max } = score as Partial<Record<(typeof SCORE)[number], number>>;
  if (scaled !== undefined && Math.abs(scaled) > 1)
    throw new Faulty(at(place, 'scaled'), 'It is from -1 to 1.');
  if (min !== undefined && max !== undefined && min >= max)
    throw new Faulty(at(place, 'min'), 'It is less than max.');
  if (raw !== undefined && (raw < (min ?? raw) || raw > (max ?? raw)))
    throw new Faulty(at(place, 'raw'), 'It lies between min and max.');
}

const CONTEXT = new Set([
  'registration',
  'instructor',
  'team',
  'contextActivities',
  'revision',
  'platform',
  'language',
  'statement',
  'extensions',
]);
const KINDS_OF_CONTEXT = new Set(['parent', 'grouping', 'category', 'other']);

/** Section 2.4.6. */
function checkContext(value: unknown, path: string, of: ObjectType): void {
  const context = object(value, path, 'A context');
  known(context, path, CONTEXT);
  if (context['registration'] !== undefined) uuid(context['registration'], at(path, 'registration'));
  if (context['instructor'] !== undefined) checkActor(context['instructor'], at(path, 'instructor'));
  if (context['team'] !== undefined) checkGroup(context['team'], at(path, 'team'));
  for (const key of ['revision', 'platform']) {
    if (context[key] === undefined) continue;
    text(context[key], at(path, key));
    if (of !== 'Activity') throw new Faulty(at(path, key), 'Only a statement about an activity has it.');
  }
  if (context['language'] !== undefined) languageTag(context['language'], at(path, 'language'));
  if (context['statement'] !== undefined) checkReference(context['statement'], at(path, 'statement'));
  if (context['extensions'] !== undefined) extensions(context['extensions'], at(path, 'extensions'));
  if (context['contextActivities'] === undefined) return;
  // 2.4.6.2: one may stand without its list.
  const place = at(path, 'contextActivities');
  const activities = object(context['contextActivities'], place, 'The map');
  known(activities, place, KINDS_OF_CONTEXT);
  for (const [kind, given] of Object.entries(activities)) {
    if (Array.isArray(given))
      for (const [index, each] of given.entries()) checkActivity(each, at(place, `${kind}.${index}`));
    else checkActivity(given, at(place, kind));
  }
}

/** Of a value that may be anything: 2.2, "with strings where … are required". */
function object(value: unknown, path: string, what: string): Json {
  if (value === undefined) throw new Faulty(path, `${what} is needed.`);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Faulty(path, `${what} is an object.`);
  return value as Json;
}

function list(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Faulty(path, 'It is a list.');
  return value;
}

function text(value: unknown, path: string): string {
  if (typeof value !== 'string') throw new Faulty(path, 'It is text.');
  return value;
}

/** 2.2: "where a key or value is not allowed by this specification", upper and lower case told apart. */
function known(value: Json, path: string, keys: ReadonlySet<string>): void {
  for (const key in value) {
    if (!keys.has(key)) throw new Faulty(at(path, key), 'xAPI 1.0.3 knows no such property here.');
    if (value[key] === null) throw new Faulty(at(path, key), 'null stands in extensions only.');
  }
}

/** RFC 3987, as far as the specification asks: a scheme, and no blank (2.2, "best-effort validation"). */
const IRI = /^[a-z][a-z0-9+.-]*:[^\s<>"]+$/i;
export function isIri(value: unknown): boolean {
  return typeof value === 'string' && IRI.test(value);
}
function iri(value: unknown, path: string, what: string): void {
  if (!isIri(value)) throw new Faulty(path, `${what} needs an IRI.`);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
function uuid(value: unknown, path: string): void {
  if (typeof value !== 'string' || !UUID.test(value)) throw new Faulty(path, 'It is a UUID.');
}

/** RFC 5646, the lengths of its subtags in order (2.2: "at least validate that the sequence of token lengths"). */
const LANGUAGE =
  /^(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?(?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3}))*(?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?$|^x(?:-[a-z0-9]{1,8})+$|^i-[a-z]{2,8}$/i;
export function isLanguageTag(value: unknown): boolean {
  return typeof value === 'string' && LANGUAGE.test(value);
}
function languageTag(value: unknown, path: string): void {
  if (!isLanguageTag(value)) throw new Faulty(path, 'It is a language tag such as zh-CN.');
}

/** Section 4.2. */
function languageMap(value: unknown, path: string): void {
  for (const [language, each] of Object.entries(object(value, path, 'A language map'))) {
    languageTag(language, at(path, language));
    text(each, at(path, language));
  }
}

/** Section 4.1: keys are IRIs, values are anything. */
function extensions(value: unknown, path: string): void {
  for (const key in object(value, path, 'The extensions'))
    if (!isIri(key)) throw new Faulty(at(path, key), 'An extension needs an IRI.');
}

/** ISO 8601, with a fraction in the last part; weeks stand alone. */
const DURATION =
  /^P(?:\d+(?:[.,]\d+)?W|(?=\d|T\d)(?:\d+(?:[.,]\d+)?Y)?(?:\d+(?:[.,]\d+)?M)?(?:\d+(?:[.,]\d+)?D)?(?:T(?=\d)(?:\d+(?:[.,]\d+)?H)?(?:\d+(?:[.,]\d+)?M)?(?:\d+(?:[.,]\d+)?S)?)?)$/;
export function isDuration(value: unknown): boolean {
  return typeof value === 'string' && DURATION.test(value);
}

/** Section 4.5: ISO 8601 by way of RFC 3339, and no negative zero as an offset. */
const TIMESTAMP =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[T ](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:[.,]\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)$/i;
function timestamp(value: unknown, path: string): void {
  const given = text(value, path);
  if (!TIMESTAMP.test(given) || /-00:?00$/.test(given) || Number.isNaN(instantOf(given)))
    throw new Faulty(path, 'It is a time such as 2026-09-01T08:00:00+08:00.');
}

/** Milliseconds since 1970 of a timestamp in order. */
export function instantOf(given: string): number {
  // A leap second is the next minute's first.
  return Date.parse(
    given
      .replace(' ', 'T')
      .replace(',', '.')
      .replace(/:60(?=[.Z+-])/i, ':59')
      .replace(/([+-]\d\d)(\d\d)$/, '$1:$2'),
  );
}
