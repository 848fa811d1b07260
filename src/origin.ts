import { AsyncLocalStorage } from 'node:async_hooks';

/** Where what is being done now came from: a request, or a job of the worker. */
export interface Origin {
  /** One id for the request, told in its response's `X-Request-Id`, its log lines and its audit entries; or `job:<id>`. */
  readonly requestId: string;
  /** The caller's address; null for the service itself. */
  readonly address: string | null;
}

const origins = new AsyncLocalStorage<Origin>();

/** Runs `work`, and whatever it starts, as come from `origin`. */
export function withOrigin<T>(origin: Origin, work: () => T): T {
  return origins.run(origin, work);
}

/** undefined outside of any request and job: at the start, in a command, in a test of a part. */
export function currentOrigin(): Origin | undefined {
  return origins.getStore();
}
