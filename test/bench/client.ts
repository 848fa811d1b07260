import { connect, type Socket } from 'node:net';
import { SESSION_PREFIX } from '../../src/access/session.ts';

/** What a program would send; made beforehand where that is not what is measured. */
export function bodyOf(query: string, variables: Readonly<Record<string, unknown>>): Buffer {
  return Buffer.from(JSON.stringify({ query, variables }));
}

interface Asked {
  readonly body: Buffer;
  resolve(answer: string): void;
  reject(error: Error): void;
}

/**
 * Asks over one kept-alive connection, one after another, since what is measured is the service and not the client: it speaks just enough
 * HTTP/1.1, on the same processors. Answers have a Content-Length.
 * @param as key of a sample sign-in, or the token of a session.
 */
export function makeClient(url: string, as: string) {
  const { host, hostname, port } = new URL(url);
  const head = Buffer.from(
    `POST /graphql HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${as.startsWith(SESSION_PREFIX) ? as : `sample:${as}`}\r\ncontent-type: application/json\r\ncontent-length: `,
  );
  let socket: Socket | undefined;
  const asked: Asked[] = [];

  const next = (): void => {
    const first = asked[0];
    if (first === undefined) return;
    socket ??= open();
    socket.write(Buffer.concat([head, Buffer.from(`${first.body.length}\r\n\r\n`), first.body]));
  };
  const open = (): Socket => {
    const opened = connect({ host: hostname, port: Number(port), noDelay: true });
    let received: Buffer = Buffer.alloc(0);
    opened.on('data', (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = /\r\ncontent-length: (\d+)/i.exec(received.toString('latin1', 0, end))?.[1];
      if (length === undefined) {
        opened.destroy(new Error(`No Content-Length in:\n${received.toString('latin1', 0, end)}`));
        return;
      }
      if (received.length < end + 4 + Number(length)) return;
      const answer = received.toString('utf8', end + 4);
      received = Buffer.alloc(0);
      asked.shift()!.resolve(answer);
      next();
    });
    opened.on('error', (error) => {
      for (const each of asked.splice(0)) each.reject(error);
    });
    opened.on('close', () => {
      for (const each of asked.splice(0)) each.reject(new Error('The service closed the connection.'));
      // Idle for as long as the service lets one be.
      socket = undefined;
    });
    return opened;
  };

  const send = async (body: Buffer): Promise<string> =>
    new Promise((resolve, reject) => {
      if (asked.push({ body, resolve, reject }) === 1) next();
    });
  return {
    ask: async (query: string, variables: Readonly<Record<string, unknown>>): Promise<string> =>
      send(bodyOf(query, variables)),
    send,
    close: (): void => void socket?.destroy(),
  };
}
