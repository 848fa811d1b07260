import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { Agent, buildConnector, fetch as undiciFetch, type RequestInit } from 'undici';
import { isPublic, networksOf, type Networks } from './address.ts';

/** What the service may not ask, or what did not answer as it should. `code` is stable. */
export class OutboundError extends Error {
  override name = 'OutboundError';
  readonly code: OutboundCode;
  constructor(code: OutboundCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
  /** We do not ask there; otherwise it did not answer as it should. */
  get isRefusal(): boolean {
    return ['URL_REFUSED', 'ADDRESS_REFUSED', 'REDIRECT_REFUSED'].includes(this.code);
  }
}

export type OutboundCode =
  | 'URL_REFUSED'
  | 'ADDRESS_REFUSED'
  | 'REDIRECT_REFUSED'
  | 'TIMED_OUT'
  | 'TOO_LARGE'
  | 'TYPE_REFUSED'
  | 'UNREACHABLE';

export interface OutboundSettings {
  /** Hosts (`lms.school.example`, also `.school.example` for all below) and networks that may be asked although they are ours. */
  readonly allow: readonly string[];
  /** Ports that strangers' URLs may name. */
  readonly ports: readonly number[];
  /** Plain http besides https, for whatever is not on the allow-list; that may always be plain. */
  readonly allowHttp: boolean;
}

export interface OutboundRequest {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** From the first look-up to the last byte. */
  readonly timeoutMs?: number;
  /** Of the body, unpacked. */
  readonly maxBytes?: number;
  /** Media types of an answer with a body, without parameters; `application/json` also stands for `application/*+json`. */
  readonly types?: readonly string[];
  /** Redirects that are followed, at most 3; only of a GET. */
  readonly redirects?: number;
}

export interface OutboundResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  /** Where it came from in the end. */
  readonly url: string;
  /** @throws SyntaxError */
  json(): unknown;
}

export interface Outbound {
  /** Whether `url` could be asked, as far as its text tells: for whoever enters one. @throws OutboundError */
  check(url: string): URL;
  /** @throws OutboundError; an answer of any status, an error's too, is an answer. */
  fetch(url: string, request?: OutboundRequest): Promise<OutboundResponse>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1024 * 1024;
const MAX_REDIRECTS = 3;
/** Of the response's headers. */
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * The only way out: for key sets, platforms' services and webhooks, whose URLs others have entered. It asks the internet and nothing in
 * networks of ours, whatever the URL looks like, whatever its name resolves to, and wherever the answer leads: the address is judged at the
 * moment of the connection, so that a name can't mean one address when it is looked at and another when it is used.
 * @param lookup the resolver; tests bring their own.
 */
export function makeOutbound(
  settings: OutboundSettings,
  { lookup = systemLookup }: { lookup?: LookupFunction } = {},
): Outbound {
  const isNetwork = (entry: string): boolean => isIP(entry.replace(/\/\d+$/, '')) !== 0;
  const ourNetworks: Networks = networksOf(settings.allow.filter(isNetwork));
  const ourHosts = settings.allow.filter((entry) => !isNetwork(entry)).map((entry) => entry.toLowerCase());
  const hostAllowed = (host: string): boolean =>
    ourHosts.some((entry) => (entry.startsWith('.') ? host.endsWith(entry) : host === entry));

  const judge = (host: string, address: string): OutboundError | undefined =>
    isPublic(address) || ourNetworks(address) || hostAllowed(host)
      ? undefined
      : new OutboundError('ADDRESS_REFUSED', `${host} is at an address that is not asked.`);

  /** Only addresses that may be asked come out of it, so that the connection can't be made to another. */
  const guardedLookup: LookupFunction = (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error !== null) {
        done(error, []);
        return;
      }
      const addresses = Array.isArray(found) ? found : [{ address: found, family: isIP(found) }];
      // One bad address among good ones is a trick, not an accident.
      const refusal = addresses.map(({ address }) => judge(host, address)).find((each) => each !== undefined);
      if (refusal !== undefined) done(refusal, []);
      else if (options.all === true) done(null, addresses);
      else done(null, addresses[0]?.address ?? '', addresses[0]?.family ?? 4);
    });
  };
  const connect = buildConnector({ lookup: guardedLookup, timeout: TIMEOUT_MS });
  const agent = new Agent({
    maxHeaderSize: MAX_HEADER_BYTES,
    // Asked now and then; an open connection would outlive what its name resolves to.
    pipelining: 0,
    connect: (options, done) => {
      // A literal address is never looked up, so it is judged here, and so is whatever we are connected to in the end.
      const host = options.hostname.replace(/^\[|\]$/g, '');
      const refusal = isIP(host) === 0 ? undefined : judge(host, host);
      if (refusal !== undefined) {
        done(refusal, null);
        return;
      }
      // Of the two the connector gives one, and leaves the other out.
      connect(options, (...[error, socket]: [Error | null, (Socket | null)?]) => {
        if (error !== null || socket === undefined || socket === null) {
          done(error ?? new Error('no connection'), null);
          return;
        }
        const wrong = judge(host, socket.remoteAddress ?? '');
        if (wrong === undefined) done(null, socket);
        else {
          socket.destroy();
          done(wrong, null);
        }
      });
    },
  });

  const check = (text: string): URL => {
    if (!URL.canParse(text)) throw new OutboundError('URL_REFUSED', 'It is not a URL.');
    // The parser has by now written numbers of any base as an ordinary address.
    const url = new URL(text);
    const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
    const allowed = hostAllowed(host) || (isIP(host) !== 0 && ourNetworks(host));
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && (allowed || settings.allowHttp)))
      throw new OutboundError('URL_REFUSED', 'Only https is asked.');
    if (url.username !== '' || url.password !== '')
      throw new OutboundError('URL_REFUSED', 'A URL with a name and password in it is not asked.');
    const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
    if (!allowed && !settings.ports.includes(port))
      throw new OutboundError('URL_REFUSED', `Port ${port} is not asked.`);
    if (!allowed && (host === 'localhost' || host.endsWith('.localhost')))
      throw new OutboundError('ADDRESS_REFUSED', `${host} is at an address that is not asked.`);
    const refusal = isIP(host) === 0 ? undefined : judge(host, host);
    if (refusal !== undefined) throw refusal;
    return url;
  };

  return {
    check,

    async fetch(text, request = {}) {
      const signal = AbortSignal.timeout(request.timeoutMs ?? TIMEOUT_MS);
      const method = request.method ?? 'GET';
      let left = method === 'GET' ? Math.min(request.redirects ?? 0, MAX_REDIRECTS) : 0;
      let url = check(text);
      let headers = new Headers(request.headers);
      for (;;) {
        const init: RequestInit = {
          method,
          headers: Object.fromEntries(headers),
          redirect: 'manual',
          dispatcher: agent,
          signal,
          ...(request.body === undefined ? {} : { body: request.body }),
        };
        try {
          const response = await undiciFetch(url, init);
          const location = response.headers.get('location');
          if (response.status < 300 || response.status > 399 || location === null) {
            return await readAnswer(response, url, request);
          }
          await response.body?.cancel();
          if (left === 0)
            throw new OutboundError(
              'REDIRECT_REFUSED',
              `${url.host} leads elsewhere, which is not followed.`,
            );
          left -= 1;
          const next = URL.canParse(location, url) ? check(new URL(location, url).href) : undefined;
          if (next === undefined) throw new OutboundError('URL_REFUSED', 'It leads to what is not a URL.');
          if (url.protocol === 'https:' && next.protocol !== 'https:')
            throw new OutboundError('REDIRECT_REFUSED', `${url.host} leads to a plain connection.`);
          // What was meant for one origin is not told to another.
          if (next.origin !== url.origin) {
            headers = new Headers(headers);
            for (const name of ['authorization', 'cookie', 'proxy-authorization']) headers.delete(name);
          }
          url = next;
        } catch (error) {
          throw told(error, url, signal);
        }
      }
    },

    async close() {
      await agent.destroy();
    },
  };
}

/** An outbound for what wants a `fetch`, as libraries do. What it refuses comes out as an error, as a lost connection does. */
export function asFetch(outbound: Outbound): typeof fetch {
  return async (input, init = {}) => {
    const { body, method, headers } = init;
    if (body !== undefined && body !== null && typeof body !== 'string' && !(body instanceof URLSearchParams))
      throw new TypeError('Only text is sent.');
    const url = input instanceof Request ? input.url : String(input);
    const answer = await outbound.fetch(url, {
      method: (method ?? 'GET') as NonNullable<OutboundRequest['method']>,
      headers: Object.fromEntries(new Headers(headers)),
      ...(body === undefined || body === null ? {} : { body: String(body) }),
    });
    const empty = [101, 204, 205, 304].includes(answer.status);
    return new Response(empty ? null : new Uint8Array(answer.body), {
      status: answer.status,
      headers: answer.headers,
    });
  };
}

type Answer = Awaited<ReturnType<typeof undiciFetch>>;

async function readAnswer(response: Answer, url: URL, request: OutboundRequest): Promise<OutboundResponse> {
  const limit = request.maxBytes ?? MAX_BYTES;
  const chunks: Uint8Array[] = [];
  let size = 0;
  const giveUp = async (refusal: OutboundError): Promise<never> => {
    await response.body?.cancel().catch(() => undefined);
    throw refusal;
  };
  if (response.body !== null) {
    const type = (response.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase();
    // An error's page may be of any type; its body is of no use to anybody.
    if (request.types !== undefined && response.ok && response.status !== 204 && !fits(type, request.types))
      await giveUp(
        new OutboundError('TYPE_REFUSED', `${url.host} answered with ${type === '' ? 'no type' : type}.`),
      );
    if (Number(response.headers.get('content-length') ?? 0) > limit) await giveUp(tooLarge(url, limit));
    // Counted as it is unpacked: a small body can hold a large one.
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > limit) throw tooLarge(url, limit);
      chunks.push(chunk);
    }
  }
  const body = Buffer.concat(chunks);
  return {
    status: response.status,
    headers: new Headers([...response.headers]),
    body,
    url: url.href,
    json: () => JSON.parse(body.toString()) as unknown,
  };
}

function tooLarge(url: URL, limit: number): OutboundError {
  return new OutboundError('TOO_LARGE', `${url.host} answered with more than ${limit} bytes.`);
}

function fits(type: string, types: readonly string[]): boolean {
  return types.some(
    (each) => type === each || (each === 'application/json' && /^application\/[\w.-]+\+json$/.test(type)),
  );
}

/** What undici wraps is unwrapped; what went wrong below is told without the other side's words. */
function told(error: unknown, url: URL, signal: AbortSignal): OutboundError {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof OutboundError) return each;
    // Several addresses were tried, each for itself.
    if (each instanceof AggregateError) {
      const inner = (each.errors as unknown[]).find((one) => one instanceof OutboundError);
      if (inner instanceof OutboundError) return inner;
    }
  }
  if (signal.aborted) return new OutboundError('TIMED_OUT', `${url.host} took too long.`, error);
  return new OutboundError('UNREACHABLE', `${url.host} did not answer.`, error);
}
