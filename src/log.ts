import { pino, type Logger } from 'pino';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** JSON lines on standard error. What may hold a secret or a person's number is cut out before it is written. */
export function makeLog(level: string): Log {
  return pino(
    {
      level,
      base: null,
      redact: {
        paths: [
          '*.authorization',
          '*.token',
          '*.identityNumber',
          '*.password',
          '*.code',
          'headers',
          'req.headers',
          '*.connectionString',
        ],
        censor: '[redacted]',
      },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}

export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
