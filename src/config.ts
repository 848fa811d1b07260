import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ipaddr from 'ipaddr.js';

/** Everything the service may be told from outside. Only this file reads the environment. */
export interface Config {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  /** Second listener: H5P content, on an origin of its own. */
  readonly contentPort: number;
  /** Where browsers reach the service, no trailing slash. */
  readonly publicUrl: string;
  readonly contentUrl: string;
  /** A PostgreSQL ≥ 15; undefined = run the embedded one. */
  readonly databaseUrl: string | undefined;
  /** The service's own files: embedded database, unpacked contents, built pages, keys. */
  readonly dataFolder: string;
  /** Ways in without a password: the sample staff, and anyone by staff number. Never in production. */
  readonly samples: boolean;
  /** Whether a start also brings up the sample county. */
  readonly sampleCounty: boolean;
  /** HMAC key for matching identity numbers; 32 bytes. Losing it loses the matching, not the records. */
  readonly identityKey: Buffer;
  readonly logLevel: string;
  /** Networks and addresses of reverse proxies whose word about the caller is taken. */
  readonly trustedProxies: readonly string[];
  /** Origins besides the service's own whose pages may ask the GraphQL door. */
  readonly corsOrigins: readonly string[];
  /** The page to ask by hand, at the GraphQL door. */
  readonly graphiql: boolean;
  /** Who may ask what the contract is. */
  readonly introspection: Introspection;
  readonly rates: Rates;
  readonly connections: ConnectionLimits;
  /** Where the service may go by itself. */
  readonly outbound: {
    readonly allow: readonly string[];
    readonly ports: readonly number[];
    readonly allowHttp: boolean;
  };
}

const INTROSPECTION = ['everyone', 'signed-in', 'nobody'] as const;
export type Introspection = (typeof INTROSPECTION)[number];

/** How much in a minute; 0 is no limit. */
export interface Rates {
  /** Of one person: a request is 1, and a large query more, by its cost. */
  readonly viewer: number;
  /** Of one address, by all who are not signed in, measured alike. */
  readonly address: number;
  /** Sign-ins tried from one address. */
  readonly signIn: number;
  /** Certificates looked up from one address by who is not signed in. */
  readonly verification: number;
  /** Tables begun by one person. */
  readonly export: number;
  /** Uploads of one person. */
  readonly upload: number;
}

export interface ConnectionLimits {
  /** Open at once on each of the two listeners. */
  readonly total: number;
  /** Of them from one address; a trusted proxy has many callers and may have all. */
  readonly perAddress: number;
  /** Bytes a second that the body of a request comes with at least; a short pause is forgiven. */
  readonly slowestUpload: number;
}

export class ConfigError extends Error {
  override name = 'ConfigError';
}

export const projectFolder: string = resolve(import.meta.dirname, '..');

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** @throws ConfigError naming the variable and what it should be. */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const production = env['NODE_ENV'] === 'production';
  const dataFolder = readDataFolder(env);
  const host = textOf(env, 'HOST') ?? '127.0.0.1';
  const port = portOf(env, 'PORT', 8080);
  const contentPort = portOf(env, 'CONTENT_PORT', port === 0 ? 0 : port === 65_535 ? port - 1 : port + 1);
  if (contentPort === port && port !== 0)
    throw new ConfigError('CONTENT_PORT must differ from PORT: uploaded content needs an origin of its own.');
  const sampleMode = choice(env, 'XINQIAO_SAMPLES', ['0', '1', 'staff'], production ? '0' : '1');
  const samples = sampleMode !== '0';
  const databaseUrl = readDatabaseUrl(env);

  if (production && samples)
    throw new ConfigError(
      `XINQIAO_SAMPLES=${sampleMode} is refused with NODE_ENV=production: sample sign-ins need no password.`,
    );
  if (production && databaseUrl === undefined)
    throw new ConfigError(
      'DATABASE_URL is required with NODE_ENV=production, e.g. postgres://user:password@host/xinqiao.',
    );
  if (samples && !['127.0.0.1', '::1', 'localhost'].includes(host)) {
    throw new ConfigError(
      `HOST=${host} would offer the sample sign-ins, which need no password, to the network. Use 127.0.0.1, or XINQIAO_SAMPLES=0.`,
    );
  }
  const publicUrl = urlOf(env, 'PUBLIC_URL', `http://${hostInUrl(host)}:${port}`, production);
  const contentUrl = urlOf(env, 'CONTENT_URL', `http://${hostInUrl(host)}:${contentPort}`, production);
  if (contentUrl === publicUrl && !(port === 0 && contentPort === 0))
    throw new ConfigError(
      `CONTENT_URL=${contentUrl} must differ from PUBLIC_URL: uploaded content needs an origin of its own.`,
    );
  return {
    production,
    host,
    port,
    contentPort,
    publicUrl,
    contentUrl,
    databaseUrl,
    dataFolder,
    samples,
    sampleCounty: sampleMode === '1',
    identityKey: identityKeyOf(env, dataFolder, production),
    logLevel: choice(env, 'LOG_LEVEL', LOG_LEVELS, 'warn'),
    trustedProxies: listOf(env, 'TRUSTED_PROXIES', isNetwork, 'an address or a network such as 10.0.0.0/8'),
    corsOrigins: listOf(env, 'CORS_ORIGINS', isOrigin, 'an origin such as https://console.example'),
    // In production it would be a page of the service's own origin that asks for a token.
    graphiql: choice(env, 'GRAPHIQL', ['0', '1'], production ? '0' : '1') === '1',
    // The contract is no secret, it is published with the source; but telling it is work, and who signs in can be held to a measure.
    introspection: choice(env, 'GRAPHQL_INTROSPECTION', INTROSPECTION, production ? 'signed-in' : 'everyone'),
    rates: {
      viewer: countOf(env, 'RATE_VIEWER', 12_000),
      // A school's whole staff may come from one address.
      address: countOf(env, 'RATE_ADDRESS', 1_200),
      signIn: countOf(env, 'RATE_SIGN_IN', 120),
      verification: countOf(env, 'RATE_VERIFICATION', 60),
      export: countOf(env, 'RATE_EXPORT', 30),
      upload: countOf(env, 'RATE_UPLOAD', 60),
    },
    connections: {
      total: countOf(env, 'MAX_CONNECTIONS', 5_000, 1),
      perAddress: countOf(env, 'MAX_CONNECTIONS_PER_ADDRESS', 1_000, 1),
      slowestUpload: countOf(env, 'MIN_UPLOAD_RATE', 2_048),
    },
    outbound: {
      allow: listOf(
        env,
        'OUTBOUND_ALLOW',
        isHostOrNetwork,
        'a host such as lms.school.example, or a network',
      ),
      ports: listOf(env, 'OUTBOUND_PORTS', isPort, 'a port', ['443', '8443']).map(Number),
      allowHttp: choice(env, 'OUTBOUND_HTTP', ['0', '1'], '0') === '1',
    },
  };
}

/** The service's own folder, made where it is missing by whoever writes there first. */
export function readDataFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return resolve(textOf(env, 'XINQIAO_DATA') ?? join(projectFolder, '.xinqiao'));
}

/** All that a command needs which only works on a database. */
export function readDatabaseUrl(
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const url = textOf(env, 'DATABASE_URL');
  if (url === undefined) return undefined;
  if (!/^postgres(ql)?:\/\//.test(url))
    throw new ConfigError('DATABASE_URL must begin with postgres:// or postgresql://.');
  return url;
}

/**
 * Where a command finds the running service, no trailing slash: PUBLIC_URL, else HOST and PORT of this machine.
 * @throws ConfigError
 */
export function readServerUrl(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const host = textOf(env, 'HOST') ?? '127.0.0.1';
  return urlOf(env, 'PUBLIC_URL', `http://${hostInUrl(host)}:${portOf(env, 'PORT', 8080)}`, false);
}

/** Who a command is to the service: a session's token, or of the sample staff. Never an argument, which other accounts could read. */
export function readToken(
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const token = textOf(env, 'XINQIAO_TOKEN');
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw new ConfigError('XINQIAO_TOKEN holds a character that no token has.');
  return token;
}

/** Set to nothing is the same as not set. */
function textOf(env: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  const text = env[name]?.trim();
  return text === '' ? undefined : text;
}

function portOf(env: Readonly<Record<string, string | undefined>>, name: string, otherwise: number): number {
  const text = textOf(env, name);
  if (text === undefined) return otherwise;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new ConfigError(`${name}=${text} is not a port: use a whole number from 0 to 65535.`);
  return port;
}

function countOf(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  otherwise: number,
  least = 0,
): number {
  const text = textOf(env, name);
  if (text === undefined) return otherwise;
  const count = Number(text);
  if (!/^\d{1,9}$/.test(text) || count < least)
    throw new ConfigError(`${name}=${text} is not a whole number from ${least} on.`);
  return count;
}

/** Separated by commas. */
function listOf(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  fits: (entry: string) => boolean,
  what: string,
  otherwise: readonly string[] = [],
): readonly string[] {
  const text = textOf(env, name);
  if (text === undefined) return otherwise;
  const entries = text.split(',').map((entry) => entry.trim());
  const wrong = entries.find((entry) => !fits(entry));
  if (wrong !== undefined) throw new ConfigError(`${name} holds “${wrong}”, which is not ${what}.`);
  return entries;
}

function isNetwork(text: string): boolean {
  return text.includes('/') ? ipaddr.isValidCIDR(text) : ipaddr.isValid(text);
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;
}

function isHostOrNetwork(text: string): boolean {
  return isNetwork(text) || /^\.?(?!\d+$)[a-z0-9-]+(\.[a-z0-9-]*[a-z][a-z0-9-]*)*$/i.test(text);
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

function choice<T extends string>(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  choices: readonly T[],
  otherwise: T,
): T {
  const text = textOf(env, name);
  if (text === undefined) return otherwise;
  const chosen = choices.find((each) => each === text);
  if (chosen === undefined) throw new ConfigError(`${name}=${text} is unknown: use ${choices.join(' or ')}.`);
  return chosen;
}

function urlOf(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  otherwise: string,
  required: boolean,
): string {
  const text = textOf(env, name);
  if (text === undefined) {
    if (required)
      throw new ConfigError(
        `${name} is required with NODE_ENV=production: the address browsers use, e.g. https://xinqiao.example.`,
      );
    return otherwise;
  }
  if (!URL.canParse(text) || new URL(text).pathname !== '/' || !/^https?:$/.test(new URL(text).protocol)) {
    throw new ConfigError(
      `${name}=${text} is not an origin: use e.g. https://xinqiao.example, with no path.`,
    );
  }
  return new URL(text).origin;
}

function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** From the environment in production; otherwise made once and kept beside the data it belongs to. */
function identityKeyOf(
  env: Readonly<Record<string, string | undefined>>,
  dataFolder: string,
  production: boolean,
): Buffer {
  const text = textOf(env, 'IDENTITY_KEY');
  if (text !== undefined) {
    const key = Buffer.from(text, 'base64');
    if (key.length !== 32)
      throw new ConfigError(
        'IDENTITY_KEY must be 32 bytes in base64: make one with `openssl rand -base64 32`.',
      );
    return key;
  }
  if (production)
    throw new ConfigError(
      'IDENTITY_KEY is required with NODE_ENV=production: 32 bytes in base64, e.g. from `openssl rand -base64 32`.',
    );
  const file = join(dataFolder, 'identity.key');
  try {
    mkdirSync(dataFolder, { recursive: true });
    writeFileSync(file, randomBytes(32).toString('base64'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST')
      throw new ConfigError(
        `The data folder ${dataFolder} can't be written: ${message}. Set XINQIAO_DATA to a folder that can.`,
      );
  }
  const key = Buffer.from(readFileSync(file, 'utf8'), 'base64');
  if (key.length !== 32)
    throw new ConfigError(
      `${file} holds no key of 32 bytes in base64. Bring it back from a backup; without it known identity numbers are not matched.`,
    );
  return key;
}
