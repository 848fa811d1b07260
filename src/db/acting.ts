import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Named parts of the service, each a role of the database with the rights that its work takes and no more (`lock.ts`):
 * - gate: who stands at the door, and what is open to everybody: sessions, tokens, grants, verification;
 * - roster: takes rosters in, reorganizes schools;
 * - counter: counts posts and certificates into the numbers of coverage, freezes snapshots;
 * - issuer: grades, issues and ends certificates;
 * - recorder: stores the statements of several learners at once;
 * - keeper: courses and divisions from disk, retention and erasure, the journal's chain.
 */
export type Part = 'gate' | 'roster' | 'counter' | 'issuer' | 'recorder' | 'keeper';

/** For whom the database is asked. */
export interface Acting {
  /** undefined: the connection's own role. */
  readonly part: Part | undefined;
  /** The viewer, as the policies read it; empty for nobody. */
  readonly viewer: string;
  /** Whether its commits are told before they are on disk. */
  readonly soon: boolean;
}

const NOBODY: Acting = { part: undefined, viewer: '', soon: false };

/** Told with every transaction, whatever the code that asks remembers or forgets (`statements.ts`). */
const actings = new AsyncLocalStorage<Acting>();

/** Runs `work`, and whatever it starts, for a viewer: see `people/acting.ts` for what stands in it. */
export function actingFor<T>(viewer: string, work: () => T): T {
  return actings.run({ part: undefined, viewer, soon: false }, work);
}

/**
 * Runs `work` as a named part of the service, which sees more than the viewer. Whether the viewer may have what comes of it is the
 * caller's to judge; a transaction belongs to whoever begins it.
 */
export function actingAs<T>(part: Part, work: () => T): T {
  return actings.run({ ...currentActing(), part }, work);
}

/**
 * Runs `work` without waiting for the disk at its commits (`synchronous_commit = off`): a crash of the database within some half a second takes
 * back whole transactions, the last ones first, and tears none in two. For what is then simply done again, such as a login; never for what
 * somebody has been told to be kept. What another commits afterwards, and waits for, keeps all before it.
 */
export function soon<T>(work: () => T): T {
  return actings.run({ ...currentActing(), soon: true }, work);
}

type Methods = Readonly<Record<string, (...args: never[]) => unknown>>;

/** `service`, some of whose methods act as parts: those that nobody calls for a viewer, or that judge themselves what they tell. */
export function inParts<T extends object>(parts: { readonly [name in keyof T]?: Part }, service: T): T {
  const wrapped = Object.entries(parts as Readonly<Record<string, Part>>).map(([name, part]) => {
    const method = (service as Methods)[name]!;
    return [
      name,
      function (this: unknown, ...args: never[]): unknown {
        return actingAs(part, () => method.apply(this, args));
      },
    ];
  });
  return { ...service, ...(Object.fromEntries(wrapped) as Partial<T>) };
}

/** `service`, all of whose methods act as one part. */
export function inPart<T extends object>(part: Part, service: T): T {
  const methods = Object.entries(service).filter(([, value]) => typeof value === 'function');
  return inParts(
    Object.fromEntries(methods.map(([name]) => [name, part])) as { [name in keyof T]?: Part },
    service,
  );
}

/** What is read while it is sent, when the request that asked has been left. */
export function iterateAs<T>(part: Part, items: AsyncIterable<T>): AsyncIterable<T> {
  const acting: Acting = { ...currentActing(), part };
  return {
    [Symbol.asyncIterator]: () => {
      const iterator = items[Symbol.asyncIterator]();
      return {
        next: async () => actings.run(acting, async () => iterator.next()),
        return: async () =>
          actings.run(acting, async () => (await iterator.return?.()) ?? { done: true, value: undefined }),
      };
    },
  };
}

export function currentActing(): Acting {
  return actings.getStore() ?? NOBODY;
}

/** The same acting has the same key. */
export function keyOf({ part, viewer, soon: isSoon }: Acting): string {
  return `${part ?? ''} ${isSoon} ${viewer}`;
}
