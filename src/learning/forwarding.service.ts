import type { Clock } from '../clock.ts';
import type { LrsConfig } from '../config.ts';
import { inParts } from '../db/acting.ts';
import type { Database } from '../db/database.ts';
import { OutboundError } from '../network/outbound.ts';
import { scopesOf, type Viewer } from '../people/permission.ts';
import { forwardedStatement } from './forwarded.ts';
import {
  countDebts,
  deleteDebts,
  findForwardingState,
  listDebts,
  lockForwardingState,
  refuseDebt,
  updateForwardingState,
  type ForwardingState,
} from './forwarding.repository.ts';

/** Each minute: what was taken since goes to the learning record store. */
export const FORWARD_TASK = 'forward-statements';

/** In one message, and between two looks at whether others are at it. */
const AT_ONCE = 50;
const FIRST_WAIT_S = 30;
const LONGEST_WAIT_S = 3_600;

export interface Forwarding extends ForwardingState {
  readonly enabled: boolean;
  readonly pending: number;
  readonly refused: number;
}

interface Sendable {
  readonly debtId: string;
  readonly body: Record<string, unknown>;
}

/** What a store made of a message. */
type Outcome =
  | { readonly kind: 'taken' }
  /** One of them is not to its liking. */
  | { readonly kind: 'refused'; readonly status: number }
  /** Nothing is wrong with them: later. */
  | { readonly kind: 'later'; readonly why: string; readonly waitSeconds: number | undefined };

export type ForwardingService = ReturnType<typeof makeForwardingService>;

/**
 * Forwards statements to a learning record store elsewhere (xAPI 1.0.3, part three, 2.1): each at least once, under an id that stays the same, so that the
 * store takes it once. It is owed from the transaction on in which it was taken (`forwarding_debts`).
 */
export function makeForwardingService({
  db,
  clock,
  lrs,
  key,
  publicUrl,
  outbound,
}: {
  db: Database;
  clock: Clock;
  /** undefined: nothing is forwarded. */
  lrs: LrsConfig | undefined;
  /** Makes the pseudonyms. */
  key: Buffer;
  publicUrl: string;
  outbound: typeof fetch;
}) {
  const post = async (to: LrsConfig, statements: readonly Sendable[]): Promise<Outcome> => {
    let answer: Response;
    try {
      answer = await outbound(`${to.url}/statements`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(`${to.key}:${to.secret}`).toString('base64')}`,
          'content-type': 'application/json',
          'x-experience-api-version': '1.0.3',
        },
        body: JSON.stringify(statements.map(({ body }) => body)),
      });
    } catch (error) {
      const why = error instanceof OutboundError ? `${error.code}: ${error.message}` : 'It did not answer.';
      return { kind: 'later', why, waitSeconds: undefined };
    }
    await answer.body?.cancel();
    if (answer.ok) return { kind: 'taken' };
    // Part three, 3.2: 400 a faulty statement, 409 another under its id, 413 too large. Of several none was taken (2.1.1).
    if ([400, 409, 413, 422].includes(answer.status)) return { kind: 'refused', status: answer.status };
    return {
      kind: 'later',
      why: `It answered ${answer.status}.`,
      waitSeconds: retryAfter(answer.headers.get('retry-after'), clock.now()),
    };
  };

  /** Sends them, in halves where the store refuses them together: so those that it takes are told from those that it does not. */
  const send = async (
    to: LrsConfig,
    statements: readonly Sendable[],
    told: { taken: string[]; refused: { id: string; status: number }[] },
  ): Promise<(Outcome & { kind: 'later' }) | undefined> => {
    if (statements.length === 0) return undefined;
    const outcome = await post(to, statements);
    if (outcome.kind === 'later') return outcome;
    if (outcome.kind === 'taken') told.taken.push(...statements.map(({ debtId }) => debtId));
    else if (statements.length === 1)
      told.refused.push({ id: statements[0]!.debtId, status: outcome.status });
    else {
      const middle = Math.ceil(statements.length / 2);
      return (
        (await send(to, statements.slice(0, middle), told)) ??
        (await send(to, statements.slice(middle), told))
      );
    }
    return undefined;
  };

  /** @returns whether there may be more to send now. */
  const forwardSome = async (to: LrsConfig): Promise<boolean> =>
    db.transaction().execute(async (tx) => {
      const state = await lockForwardingState(tx);
      if (state === undefined || (state.retryAt !== null && state.retryAt > clock.now())) return false;
      const debts = await listDebts(tx, AT_ONCE);
      if (debts.length === 0) return false;
      const told = { taken: [] as string[], refused: [] as { id: string; status: number }[] };
      /** Erased since, or none of the store's business. */
      const gone: string[] = [];
      const sendable: Sendable[] = [];
      for (const { id, stored } of debts) {
        const body = stored === undefined ? undefined : forwardedStatement(stored, { key, publicUrl });
        if (body === undefined) gone.push(id);
        else sendable.push({ debtId: id, body });
      }
      const failed = await send(to, sendable, told);
      const now = clock.now();
      await deleteDebts(tx, [...told.taken, ...gone]);
      for (const { id, status } of told.refused)
        await refuseDebt(tx, id, { reason: `HTTP ${status}`, at: now });
      const failures = failed === undefined ? 0 : state.failures + 1;
      const wait = failed?.waitSeconds ?? Math.min(FIRST_WAIT_S * 2 ** (failures - 1), LONGEST_WAIT_S);
      await updateForwardingState(tx, {
        lastSentAt: told.taken.length > 0 ? now : state.lastSentAt,
        lastError: failed?.why ?? state.lastError,
        failedAt: failed === undefined ? state.failedAt : now,
        failures,
        retryAt: failed === undefined ? null : new Date(now.getTime() + wait * 1000),
      });
      return failed === undefined;
    });

  const service = {
    /** The worker's part: until nothing is owed, or the store wants to be left alone for a while. */
    async forward(): Promise<void> {
      if (lrs === undefined) return;
      while (await forwardSome(lrs));
    },

    /** How it goes, for operators of the whole service; undefined for everybody else. */
    async find(viewer: Viewer): Promise<Forwarding | undefined> {
      if (!scopesOf(viewer, 'forwarding.read').some((scope) => scope.kind === 'nation')) return undefined;
      return { enabled: lrs !== undefined, ...(await countDebts(db)), ...(await findForwardingState(db)) };
    },
  };
  return inParts({ forward: 'keeper', find: 'keeper' }, service);
}

/** RFC 9110, section 10.2.3: seconds, or a date; an hour at most. */
function retryAfter(header: string | null, now: Date): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - now.getTime()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(1, seconds), LONGEST_WAIT_S);
}
