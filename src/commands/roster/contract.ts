import type { Outgoing } from './files.ts';

/* What the command says to a service and hears of it: the GraphQL contract, and nothing of the service's own code. */

/** null where the viewer may not import for the division. */
export const MAY = `query RosterImportMay($division: String!) {
  viewer { person { name } }
  rosterDoubts(divisionCode: $division, first: 1) { nodes { __typename } }
}`;

export const IMPORT = `mutation RosterImportRequest($input: ImportRosterInput!) {
  importRoster(input: $input) {
    ... on ImportRosterPayload { rosterImport { id } }
    ... on Refusal { code message }
  }
}`;

export const CANCEL = `mutation RosterImportCancel($input: CancelRosterImportInput!) {
  cancelRosterImport(input: $input) {
    ... on CancelRosterImportPayload { rosterImport { id } }
    ... on Refusal { code message }
  }
}`;

export const STATE = `query RosterImportState($id: ID!) {
  node(id: $id) {
    ... on RosterImport { state progress { phase rowsDone rowsTotal rowsPerSecond secondsLeft } }
  }
}`;

export const RESULT = `query RosterImportResult($id: ID!) {
  node(id: $id) {
    ... on RosterImport {
      state reason(language: en) dryRun rowsRead rowsIgnored rowsRefused organizationsAdded organizationsChanged peopleAdded peopleChanged
      peopleMissing postsAdded postsChanged postsEnded
      refusals(first: 20) { nodes { file line column value reason(language: en) } pageInfo { hasNextPage } }
    }
  }
}`;

export interface Progress {
  readonly phase: 'READING' | 'MATCHING' | 'WRITING' | 'COUNTING';
  readonly rowsDone: number;
  readonly rowsTotal: number;
  readonly rowsPerSecond: number | null;
  /** Of this phase. */
  readonly secondsLeft: number | null;
}

export interface Refusal {
  readonly file: string;
  readonly line: number;
  readonly column: string | null;
  readonly value: string | null;
  readonly reason: string;
}

export interface Result {
  readonly state: 'QUEUED' | 'APPLIED' | 'CHECKED' | 'REFUSED' | 'CANCELLED';
  readonly reason: string | null;
  readonly dryRun: boolean;
  readonly rowsRead: number;
  readonly rowsIgnored: number;
  readonly rowsRefused: number;
  readonly organizationsAdded: number;
  readonly organizationsChanged: number;
  readonly peopleAdded: number;
  readonly peopleChanged: number;
  readonly peopleMissing: number;
  readonly postsAdded: number;
  readonly postsChanged: number;
  readonly postsEnded: number;
  readonly refusals: {
    readonly nodes: readonly Refusal[];
    readonly pageInfo: { readonly hasNextPage: boolean };
  };
}

/** Answers of the mutations: what was asked for, or why not. */
export type Answer<T> = T | { readonly code: string; readonly message: string };

/** The service answered no, or nobody could have answered; the message is for a person. */
export class ServiceError extends Error {
  override name = 'ServiceError';
  /** `away`: never reached, or not as itself; `dropped`: the connection ended in the middle; `no`: it answered no. */
  readonly kind: 'away' | 'dropped' | 'no';
  constructor(kind: ServiceError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

export interface Upload {
  /** Hears how many bytes have been handed to the connection. */
  readonly onBytes: (sent: number) => void;
  /** Ends an upload that is not complete; one that is goes on to its answer. */
  readonly signal: AbortSignal;
}

/** Somebody stopped the upload before it was complete. */
export class UploadStopped extends Error {
  override name = 'UploadStopped';
}

export type Service = ReturnType<typeof connect>;

/** @param server its origin. @param token of whoever imports. */
export function connect(server: string, token: string) {
  const address = `${server}/graphql`;
  const headers = { authorization: `Bearer ${token}`, accept: 'application/graphql-response+json' };

  return {
    /** @throws ServiceError */
    async ask<T>(query: string, variables: Record<string, unknown>): Promise<T> {
      try {
        const response = await fetch(address, {
          method: 'POST',
          redirect: 'manual',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify({ query, variables }),
          signal: AbortSignal.timeout(30_000),
        });
        return dataOf(server, response, await response.text()) as T;
      } catch (error) {
        throw asServiceError(server, error);
      }
    },

    /** A GraphQL multipart request with files at `input.files`, streamed. @throws ServiceError, UploadStopped, what `open` throws */
    async upload<T>(
      query: string,
      input: Record<string, unknown>,
      files: readonly Outgoing[],
      { onBytes, signal }: Upload,
    ): Promise<T> {
      const boundary = `xinqiao-${crypto.randomUUID()}`;
      const sending = new AbortController();
      let complete = false;
      let unreadable: Error | undefined;
      const stop = (): void => {
        if (!complete) sending.abort(new UploadStopped());
      };
      const body = async function* (): AsyncGenerator<Uint8Array> {
        let sent = 0;
        const piece = (bytes: Uint8Array): Uint8Array => {
          sent += bytes.length;
          onBytes(sent);
          return bytes;
        };
        try {
          for await (const bytes of parts(boundary, query, input, files)) yield piece(bytes);
        } catch (error) {
          unreadable = error as Error;
          throw error;
        }
        // Without its last line a body is none, so until here nothing can have been taken in.
        complete = true;
        yield piece(Buffer.from(`--${boundary}--\r\n`));
      };
      signal.addEventListener('abort', stop);
      try {
        if (signal.aborted) throw new UploadStopped();
        const options = {
          method: 'POST',
          redirect: 'manual',
          headers: { ...headers, 'content-type': `multipart/form-data; boundary=${boundary}` },
          body: streamOf(body()),
          // Node.js asks for it with a stream; browsers' types don't know it.
          duplex: 'half',
          signal: sending.signal,
        } as const;
        const response = await fetch(address, options);
        return dataOf(server, response, await response.text()) as T;
      } catch (error) {
        if (error instanceof UploadStopped) throw error;
        if (unreadable !== undefined) throw unreadable;
        const told = asServiceError(server, error);
        if (told.kind !== 'dropped') throw told;
        throw new ServiceError(
          'dropped',
          complete
            ? `${told.message} All of it had been sent, so it may have been taken in. Run the command again: the same files twice change nothing.`
            : `${told.message} The upload was not complete, so nothing was taken in. Run the command again.`,
        );
      } finally {
        signal.removeEventListener('abort', stop);
      }
    },
  };
}

async function* parts(
  boundary: string,
  query: string,
  input: Record<string, unknown>,
  files: readonly Outgoing[],
): AsyncGenerator<Uint8Array> {
  const head = (disposition: string): Buffer =>
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n`);
  const field = (name: string, value: unknown): Buffer =>
    Buffer.concat([head(`name="${name}"`), Buffer.from(`\r\n${JSON.stringify(value)}\r\n`)]);
  yield field('operations', { query, variables: { input: { ...input, files: files.map(() => null) } } });
  yield field(
    'map',
    Object.fromEntries(files.map((_file, index) => [index, [`variables.input.files.${index}`]])),
  );
  for (const [index, file] of files.entries()) {
    // As browsers write a name that would end its quotes.
    const name = file.name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
    yield head(`name="${index}"; filename="${name}"`);
    yield Buffer.from('Content-Type: application/octet-stream\r\n\r\n');
    yield* file.open();
    yield Buffer.from('\r\n');
  }
}

/** Nothing is taken from `pieces` before it can be sent. */
function streamOf(pieces: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await pieces.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await pieces.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

/** @throws ServiceError */
function dataOf(server: string, response: Response, text: string): unknown {
  const { status } = response;
  if (status >= 300 && status < 400)
    throw new ServiceError(
      'no',
      `${server} sends on to ${response.headers.get('location') ?? 'another address'}. Give that one with --server.`,
    );
  let answer: {
    data?: unknown;
    errors?: { message: string; extensions?: { code?: string } }[];
    title?: string;
    detail?: string;
  };
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch {
    throw new ServiceError(
      status >= 500 ? 'away' : 'no',
      `What answers at ${server} is no Xinqiao service, or it is not up (HTTP ${status}).`,
    );
  }
  const code = answer.errors?.[0]?.extensions?.code ?? answer.title;
  if (code === 'NOT_SIGNED_IN') throw notSignedIn(server);
  if (answer.data !== undefined && answer.data !== null && answer.errors === undefined) return answer.data;
  throw new ServiceError(
    status >= 500 ? 'away' : 'no',
    answer.errors?.[0]?.message ?? answer.detail ?? `${server} answered HTTP ${status} without GraphQL.`,
  );
}

export function notSignedIn(server: string): ServiceError {
  return new ServiceError(
    'no',
    `${server} does not know the token in XINQIAO_TOKEN: nobody is signed in with it, or the session is over.`,
  );
}

/** Nothing was sent yet when one of these happens. */
const NEVER_REACHED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function asServiceError(server: string, error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (!(error instanceof Error)) throw error;
  const cause = error.cause instanceof Error ? error.cause : error;
  const { message } = cause;
  // That of a timeout is a number, and tells nobody anything.
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  // A certificate that is not trusted, for one, comes without a connection too.
  if (code !== undefined && (NEVER_REACHED.has(code) || /CERT|TLS|SSL|ALTNAME/.test(code)))
    return new ServiceError(
      'away',
      `There is no answer at ${server} (${code}: ${message}). Is the service running, and is this its address? Give another with --server.`,
    );
  return new ServiceError('dropped', `The connection to ${server} ended in the middle (${code ?? message}).`);
}
