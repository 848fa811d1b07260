import { createHash, createPublicKey, randomBytes, verify, type JsonWebKey } from 'node:crypto';
import { createServer } from 'node:http';
import pg from 'pg';

/*
 * The least that a launch can be: no framework, no registration that is looked up, no nonce that is held to anything, one row written without
 * waiting for the disk, a page of one line. What a tool takes beyond it is its own. Arguments: database, port, platform, its public key.
 */

const [url, port, platform, jwk] = process.argv.slice(2) as [string, string, string, string];
const key = createPublicKey({ key: JSON.parse(jwk) as JsonWebKey, format: 'jwk' });
const pool = new pg.Pool({ connectionString: url, options: '-c synchronous_commit=off' });
await pool.query(
  'create table floor_sessions (hash bytea primary key, subject text not null, nonce text not null unique)',
);
const secret = (): string => randomBytes(32).toString('base64url');

createServer((request, response) => {
  if (request.method === 'GET') {
    const [state, nonce] = [secret(), secret()];
    response.writeHead(303, {
      Location: `${platform}/auth?${new URLSearchParams({ state, nonce }).toString()}`,
      'Set-Cookie': `state=${state}; Path=/; HttpOnly`,
    });
    response.end();
    return;
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
    const [head, body, signature] = form.get('id_token')!.split('.') as [string, string, string];
    const isRight = verify(
      'RSA-SHA256',
      Buffer.from(`${head}.${body}`),
      key,
      Buffer.from(signature, 'base64url'),
    );
    if (!isRight || request.headers.cookie !== `state=${form.get('state')}`) {
      response.writeHead(400).end();
      return;
    }
    const { sub, nonce } = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as {
      sub: string;
      nonce: string;
    };
    const token = secret();
    void pool
      .query({
        name: 'session',
        text: 'insert into floor_sessions (hash, subject, nonce) values ($1, $2, $3)',
        values: [createHash('sha256').update(token).digest(), sub, nonce],
      })
      .then(() => response.writeHead(200, { 'Content-Type': 'text/html' }).end(`session ${token}`));
  });
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));
