import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type Koa from 'koa';
import type { ConnectionLimits } from '../config.ts';
import { callerAddress, countedAs, type Networks } from '../network/address.ts';
import { withOrigin } from '../origin.ts';
import { readAway } from './body.ts';
import { problemText } from './problem.ts';

/** What a listener takes from one connection; see also `ConnectionLimits`. */
export interface ListenerTimes {
  /** For all headers to come. */
  readonly headersMs: number;
  /** Between two requests of one connection; longer than the usual proxies' 60 s, which would else use it as it closes. */
  readonly keepAliveMs: number;
  /** Nothing is sent or taken in either direction. */
  readonly idleMs: number;
  /** How long a body may stand still, or fall behind the slowest rate. */
  readonly patienceMs: number;
  /** Between two looks. */
  readonly lookMs: number;
}

const TIMES: ListenerTimes = {
  headersMs: 20_000,
  keepAliveMs: 65_000,
  idleMs: 120_000,
  patienceMs: 30_000,
  lookMs: 1_000,
};
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_HEADERS = 100;
/** What a proxy may say instead of us. */
const REQUEST_ID = /^[\w.:-]{8,64}$/;

export interface Listener {
  readonly server: Server;
  /** From now on requests are answered by `app`, each under its own id; until then with 503. */
  answerBy(app: Koa): void;
}

/**
 * A server that slow, many and oversized connections don't wear out. There is no limit to how long a whole request may take: a roster of 65 MB
 * comes over a village's line for half an hour. What is asked is that it comes on.
 */
export function makeListener(
  limits: ConnectionLimits,
  { proxies, times = TIMES }: { proxies: Networks; times?: ListenerTimes },
): Listener {
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: times.headersMs,
    requestTimeout: 0,
    keepAliveTimeout: times.keepAliveMs,
    connectionsCheckingInterval: times.lookMs,
  });
  server.timeout = times.idleMs;
  // One more than is taken, so that too many are noticed rather than left out.
  server.maxHeadersCount = MAX_HEADERS + 1;
  const refused = countConnections(server, limits, proxies);
  const watch = watchBodies(server, limits.slowestUpload, times);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'HPE_HEADER_OVERFLOW')
      refuse(socket, 431, 'HEADERS_TOO_LARGE', `Headers have at most ${MAX_HEADER_BYTES / 1024} KB.`);
    else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT')
      refuse(socket, 408, 'TOO_SLOW', 'The request did not come in time.');
    else refuse(socket, 400, 'NOT_HTTP', 'This is no HTTP/1.1 request.');
  });

  let answer: ReturnType<Koa['callback']> | undefined;
  server.on('request', (request, response) => {
    if (refused.has(request.socket)) return;
    answers.set(request.socket, response);
    const told = request.headers['x-request-id'];
    const requestId =
      typeof told === 'string' && REQUEST_ID.test(told) && proxies(request.socket.remoteAddress ?? '')
        ? told
        : randomUUID();
    response.setHeader('X-Request-Id', requestId);
    // The port is taken first of all; whoever comes while courses are still read would otherwise wait without a word.
    if (answer === undefined) {
      response.setHeader('Retry-After', '1');
      answerProblem(response, 503, 'STARTING', 'The service is starting; ask again in a moment.');
      return;
    }
    const answerIt = answer;
    if (request.rawHeaders.length / 2 > MAX_HEADERS) {
      answerProblem(response, 431, 'HEADERS_TOO_LARGE', `A request has at most ${MAX_HEADERS} headers.`);
      return;
    }
    watch(request);
    response.once('finish', () => readAway(request));
    // Around the whole of it: a body that is made while it is sent comes from the same request.
    withOrigin(
      { requestId, address: callerAddress(request, proxies) },
      () => void answerIt(request, response),
    );
  });
  return {
    server,
    answerBy(app) {
      answer = app.callback();
    },
  };
}

/** @returns the connections that were told to go. */
function countConnections(server: Server, limits: ConnectionLimits, proxies: Networks): WeakSet<Socket> {
  const refused = new WeakSet<Socket>();
  const byAddress = new Map<string, number>();
  let total = 0;
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const key = countedAs(address);
    const count = (byAddress.get(key) ?? 0) + 1;
    byAddress.set(key, count);
    total += 1;
    socket.once('close', () => {
      total -= 1;
      const left = (byAddress.get(key) ?? 1) - 1;
      if (left === 0) byAddress.delete(key);
      else byAddress.set(key, left);
    });
    if (total <= limits.total && (count <= limits.perAddress || proxies(address))) return;
    refused.add(socket);
    refuse(socket, 503, 'TOO_MANY_CONNECTIONS', 'Too many connections are open; try again soon.');
  });
  return refused;
}

interface Watched {
  readonly request: IncomingMessage;
  /** Of the connection, when it was last looked at. */
  bytes: number;
  /** Bytes that it may still fall behind. */
  credit: number;
}

/** Cuts off bodies that come slower than `slowest` bytes a second for longer than is forgiven; undefined times are ours, not the caller's. */
function watchBodies(
  server: Server,
  slowest: number,
  times: ListenerTimes,
): (request: IncomingMessage) => void {
  const open = new Set<Watched>();
  const patience = Math.max(1, (slowest * times.patienceMs) / 1000);
  const due = Math.max(1, slowest) * (times.lookMs / 1000);
  const look = setInterval(() => {
    for (const each of open) {
      const { request } = each;
      if (request.complete || request.destroyed) {
        open.delete(each);
        continue;
      }
      const { bytesRead } = request.socket;
      const came = bytesRead - each.bytes;
      each.bytes = bytesRead;
      // What we have not taken yet holds the caller up.
      if (request.readableLength >= request.readableHighWaterMark) continue;
      each.credit = Math.min(patience, each.credit + came - due);
      if (each.credit > 0) continue;
      open.delete(each);
      refuse(request.socket, 408, 'TOO_SLOW', 'The body of the request came too slowly.');
    }
  }, times.lookMs);
  look.unref();
  server.once('close', () => clearInterval(look));
  return (request) => {
    const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
    if (slowest === 0 || (coding === undefined && (length === undefined || Number(length) === 0))) return;
    open.add({ request, bytes: request.socket.bytesRead, credit: patience });
  };
}

/** The newest of each connection. */
const answers = new WeakMap<Socket, ServerResponse>();

/** Past any handler: a connection in which HTTP itself has gone wrong. */
function refuse(socket: Socket, status: number, code: string, detail: string): void {
  if (!socket.writable || socket.destroyed) {
    socket.destroy();
    return;
  }
  // In the middle of another answer these lines would become part of it.
  const answer = answers.get(socket);
  if (answer === undefined || !answer.headersSent || answer.writableFinished) {
    const body = problemText(status, code, detail);
    socket.write(
      [
        `HTTP/1.1 ${status} ${code}`,
        'Content-Type: application/problem+json; charset=utf-8',
        `Content-Length: ${Buffer.byteLength(body)}`,
        'X-Content-Type-Options: nosniff',
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
        `X-Request-Id: ${randomUUID()}`,
        'Connection: close',
        '',
        body,
      ].join('\r\n'),
    );
  }
  socket.destroySoon();
}

function answerProblem(response: ServerResponse, status: number, code: string, detail: string): void {
  response.writeHead(status, {
    'Content-Type': 'application/problem+json; charset=utf-8',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    Connection: 'close',
  });
  response.end(problemText(status, code, detail));
}
