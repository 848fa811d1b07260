import { Agent, request } from 'node:http';
import { SESSION_PREFIX } from '../../src/access/session.ts';

/** What a program would send; made beforehand where that is not what is measured. */
export function bodyOf(query: string, variables: Readonly<Record<string, unknown>>): Buffer {
  return Buffer.from(JSON.stringify({ query, variables }));
}

/**
 * Asks over one kept-alive connection, since what is measured is the service and not the client.
 * @param as key of a sample sign-in, or the token of a session.
 */
export function makeClient(url: string, as: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const client = {
    ask: async (query: string, variables: Readonly<Record<string, unknown>>): Promise<string> =>
      client.send(bodyOf(query, variables)),
    async send(body: Buffer): Promise<string> {
      return new Promise((resolve, reject) => {
        const sent = request(
          `${url}/graphql`,
          {
            agent,
            method: 'POST',
            headers: {
              'content-type': 'application/json',
              'content-length': body.length,
              authorization: `Bearer ${as.startsWith(SESSION_PREFIX) ? as : `sample:${as}`}`,
            },
          },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
          },
        );
        sent.on('error', reject);
        sent.end(body);
      });
    },
    close: (): void => agent.destroy(),
  };
  return client;
}
