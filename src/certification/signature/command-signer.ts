import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { sha256 } from './cms.ts';
import { NotSigned, SignerError, type Signer } from './signer.ts';

/*
 * A key that another program holds, for an HSM or a key service: the program is started once and asked line by line. It gets a SHA-256 in
 * base64 and answers with the ECDSA signature of it, DER in base64, or with `error ` and a reason; answers come in the order of the questions.
 */

const TIMEOUT_MS = 10_000;
const MOST_LINE = 4_096;

interface Waiting {
  resolve(signature: Buffer): void;
  reject(error: Error): void;
}

export function commandSigner(
  command: readonly string[],
  chain: readonly Buffer[],
  { timeoutMs = TIMEOUT_MS }: { timeoutMs?: number } = {},
): Signer {
  const [program, ...args] = command;
  if (program === undefined) throw new SignerError('The command that signs is empty.');
  let child: ChildProcessWithoutNullStreams | undefined;
  let waiting: Waiting[] = [];

  /** Whoever waits is told; the next question starts the program anew. */
  const give = (up: ChildProcessWithoutNullStreams, why: string): void => {
    if (child !== up) return;
    child = undefined;
    up.kill();
    const lost = waiting;
    waiting = [];
    for (const each of lost) each.reject(new NotSigned(`The program that signs ${why}.`));
  };

  const start = (): ChildProcessWithoutNullStreams => {
    const started = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    // What it says besides may hold anything, and is not ours to keep.
    started.stderr.resume();
    started.stdin.on('error', () => give(started, 'takes no questions'));
    started.on('error', (error: NodeJS.ErrnoException) => give(started, `can not be started: ${error.code}`));
    started.on('exit', (code) => give(started, `has ended (${code})`));
    createInterface({ input: started.stdout }).on('line', (line) => {
      const next = child === started ? waiting.shift() : undefined;
      if (next === undefined) return give(started, 'answered what was not asked');
      if (line.startsWith('error'))
        return next.reject(new NotSigned('The program that signs said that it could not.'));
      if (line.length > MOST_LINE || !/^[A-Za-z0-9+/]+=*$/.test(line.trim()))
        return next.reject(new NotSigned('The program that signs gave no signature.'));
      next.resolve(Buffer.from(line, 'base64'));
    });
    return started;
  };

  return {
    chain,
    async sign(bytes) {
      child ??= start();
      const asked = child;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => give(asked, 'does not answer'), timeoutMs);
        const done =
          <T>(then: (value: T) => void) =>
          (value: T): void => {
            clearTimeout(timer);
            then(value);
          };
        waiting.push({ resolve: done(resolve), reject: done(reject) });
        asked.stdin.write(`${sha256(bytes).toString('base64')}\n`);
      });
    },
    async close() {
      const open = child;
      if (open === undefined) return;
      const ended = new Promise((resolve) => open.once('exit', resolve));
      give(open, 'was told to stop');
      await ended;
    },
  };
}
