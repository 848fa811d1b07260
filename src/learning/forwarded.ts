import { createHmac } from 'node:crypto';

type Json = Record<string, unknown>;

/** Stored, with what the service knows of whom and what it is. */
export interface StoredStatement {
  readonly assignmentId: string;
  readonly id: string;
  readonly personId: string;
  readonly courseSlug: string;
  readonly statement: Json;
}

/** Interactions whose response is one of what the content offers; all others may be what somebody wrote. */
const CHOSEN = new Set([
  'true-false',
  'choice',
  'matching',
  'sequencing',
  'likert',
  'numeric',
  'performance',
]);

/**
 * A statement as a learning record store elsewhere gets it: with a pseudonym for its actor and an id that no other learner's page can have
 * claimed, and without what people wrote or whom a content named. The same statement always becomes the same, so that it can be sent again.
 * undefined: it is about a person or holds another statement, and stays here.
 * @param key of this service: without it nobody can tell from a pseudonym who it is.
 */
export function forwardedStatement(
  { assignmentId, id, personId, courseSlug, statement }: StoredStatement,
  { key, publicUrl }: { key: Buffer; publicUrl: string },
): Json | undefined {
  const object = statement['object'] as Json;
  const about = object['objectType'] ?? 'Activity';
  if (about !== 'Activity' && about !== 'StatementRef') return undefined;
  const uuid = (text: string): string => uuidOf(hmac(key, text));
  const reference = (given: unknown): Json => ({
    objectType: 'StatementRef',
    id: uuid(`statement ${assignmentId} ${String((given as Json)['id'])}`),
  });
  const { instructor: _instructor, team: _team, ...context } = (statement['context'] ?? {}) as Json;
  const activities = (context['contextActivities'] ?? {}) as Record<string, unknown[]>;
  const result = statement['result'] as Json | undefined;
  return {
    id: uuid(`statement ${assignmentId} ${id}`),
    actor: {
      objectType: 'Agent',
      account: {
        homePage: publicUrl,
        name: hmac(key, `person ${personId}`).toString('base64url').slice(0, 22),
      },
    },
    verb: statement['verb'],
    object: about === 'Activity' ? object : reference(object),
    ...(result === undefined ? {} : { result: withoutWords(result, object) }),
    context: {
      ...context,
      // One for what a person is to earn: xAPI's word for it.
      registration: uuid(`assignment ${assignmentId}`),
      ...(about === 'Activity' ? { platform: 'Xinqiao' } : {}),
      ...(context['statement'] === undefined ? {} : { statement: reference(context['statement']) }),
      contextActivities: {
        ...activities,
        grouping: [
          ...(activities['grouping'] ?? []),
          { objectType: 'Activity', id: `${publicUrl}/xapi/${courseSlug}` },
        ],
      },
    },
    timestamp: statement['timestamp'],
  };
}

function withoutWords(result: Json, object: Json): Json {
  const interaction = (object['definition'] as Json | undefined)?.['interactionType'];
  if (typeof interaction === 'string' && CHOSEN.has(interaction)) return result;
  const { response: _response, ...rest } = result;
  return rest;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(`learning record store: ${text}`).digest();
}

/** RFC 9562, section 5.8: 122 bits of our own. */
function uuidOf(bytes: Buffer): string {
  const own = Buffer.from(bytes.subarray(0, 16));
  own[6] = (own[6]! & 0x0f) | 0x80;
  own[8] = (own[8]! & 0x3f) | 0x80;
  return own.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
