import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { developmentKey } from '../../src/certification/signature/development.ts';
import { makeDataFolder } from '../support/started-service.ts';
import { drawPlainly, makeFloor, makeSigning } from './certificates.ts';
import { round, type Bench } from './frame.ts';

export const bench: Bench = {
  about:
    'certificates drawn and signed, each of another person, against the same page by pdfkit alone (unsigned), and one signature with one deflate',
  options: { certificates: 1_500, plain: 30, warmUp: 2_000, workers: Math.min(2, availableParallelism()) },
  async run({ certificates, plain, warmUp, workers }, say) {
    const folder = await makeDataFolder();
    try {
      const pem = readFileSync(await developmentKey(folder.path), 'utf8');
      const one = await makeSigning(pem);
      let bytes = 0;
      say('one core');
      // As in a service that has run for a while: a batch of a county is thousands. pdfkit alone is warmed up in proportion to its pace.
      for (let index = 0; index < warmUp!; index += 1) await one(index);
      const perCore = await perSecond(certificates!, async (index) => {
        bytes = Math.max(bytes, await one(warmUp! + index));
      });
      say('pdfkit alone');
      for (let index = 0; index < warmUp! / 10; index += 1) await drawPlainly(index, true);
      const reused = await perSecond(plain! * 3, async (index) => drawPlainly(index, true));
      const naive = await perSecond(plain!, async (index) => drawPlainly(index, false));
      const floor = makeFloor(pem);
      const least = await perSecond(certificates!, async () => floor());
      say(`${workers} workers`);
      const all = await together(workers!, { count: certificates!, warm: warmUp!, pem });
      return {
        rows: [
          { what: 'ours, signed, one core', 'a second': round(perCore, 0) },
          { what: `ours, signed, ${workers} workers`, 'a second': round(all, 0) },
          { what: 'pdfkit, fonts opened each time', 'a second': round(naive, 1) },
          { what: 'pdfkit, fonts reused', 'a second': round(reused, 1) },
          { what: 'floor: signature and deflate', 'a second': round(least, 0) },
        ],
        figures: {
          perCorePerSecond: round(perCore, 1),
          perSecond: round(all, 1),
          // The largest of them.
          bytes,
          ratio: round(perCore / naive, 1),
          reusedRatio: round(perCore / reused, 1),
          floorRatio: round(perCore / least, 3),
        },
      };
    } finally {
      await folder.remove();
    }
  },
};

async function perSecond(count: number, work: (index: number) => Promise<unknown>): Promise<number> {
  const started = performance.now();
  for (let index = 0; index < count; index += 1) await work(index);
  return (count * 1000) / (performance.now() - started);
}

/** All at once, measured from when all are warm. */
async function together(count: number, data: { count: number; warm: number; pem: string }): Promise<number> {
  const threads = Array.from(
    { length: count },
    () => new Worker(join(import.meta.dirname, 'certificates.worker.ts'), { workerData: data }),
  );
  const told = async (thread: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      thread.once('message', () => resolve());
      thread.once('error', reject);
    });
  await Promise.all(threads.map(told));
  const started = performance.now();
  const done = Promise.all(threads.map(told));
  // A thread's port has no origin.
  // oxlint-disable-next-line require-post-message-target-origin
  for (const thread of threads) thread.postMessage('go');
  await done;
  return (count * data.count * 1000) / (performance.now() - started);
}
