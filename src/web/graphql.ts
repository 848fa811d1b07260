import { initGraphQLTada, type TadaDocumentNode } from 'gql.tada';
import { print } from 'graphql/language/printer.js';
import type { introspection } from './graphql-env.d.ts';

export const graphql = initGraphQLTada<{
  introspection: introspection;
  scalars: { Date: string; DateTime: string; JSON: unknown };
}>();
export type { ResultOf } from 'gql.tada';

/** The service can't be reached, or answered with an error of its own. `code` where it gave one. */
export class RequestFailed extends Error {
  override name = 'RequestFailed';
  readonly code: string | undefined;
  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

const MOST_KEPT_ALIVE = 16_000;
const STORAGE_KEY = 'xinqiao.session';
let token: string | null = null;

/** The session lives in page memory; the tab's own storage keeps it over a reload. No cookie, so it works inside a frame. */
export function sessionToken(): string | null {
  if (token !== null) return token;
  try {
    token = sessionStorage.getItem(STORAGE_KEY);
  } catch {
    // A frame may be refused storage: memory has to do.
  }
  return token;
}

export function keepSession(given: string | null): void {
  token = given;
  try {
    if (given === null) sessionStorage.removeItem(STORAGE_KEY);
    else sessionStorage.setItem(STORAGE_KEY, given);
  } catch {
    // as above
  }
}

export function authorization(): Record<string, string> {
  const current = sessionToken();
  return current === null ? {} : { authorization: `Bearer ${current}` };
}

/** @throws RequestFailed */
export async function request<Result, Variables>(
  document: TadaDocumentNode<Result, Variables>,
  ...[variables]: Variables extends Record<string, never> ? [] : [Variables]
): Promise<Result> {
  let answer: { data?: Result | null; errors?: { message: string; extensions?: { code?: string } }[] };
  try {
    const body = JSON.stringify({ query: print(document), variables });
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...authorization() },
      body,
      // What a page says on its way out arrives nevertheless; browsers take 64 kB of such at a time.
      keepalive: globalThis.document.visibilityState === 'hidden' && body.length < MOST_KEPT_ALIVE,
    });
    answer = (await response.json()) as typeof answer;
  } catch (error) {
    throw new RequestFailed(error instanceof Error ? error.message : String(error), 'OFFLINE');
  }
  const [failure] = answer.errors ?? [];
  if (failure !== undefined) throw new RequestFailed(failure.message, failure.extensions?.code);
  if (answer.data === null || answer.data === undefined) throw new RequestFailed('The answer was empty.');
  return answer.data;
}
