import { parentPort, workerData } from 'node:worker_threads';
import { makeSigning } from './certificates.ts';

/* One core's share of the bench `certificates`. */

const { count, warm, pem } = workerData as { count: number; warm: number; pem: string };
const one = await makeSigning(pem);
for (let index = 0; index < warm; index += 1) await one(index);
// A thread's port has no origin.
// oxlint-disable-next-line require-post-message-target-origin
parentPort!.postMessage('ready');
parentPort!.once('message', () => {
  void (async () => {
    for (let index = 0; index < count; index += 1) await one(warm + index);
    // A thread's port has no origin.
    // oxlint-disable-next-line require-post-message-target-origin
    parentPort!.postMessage('done');
    parentPort!.close();
  })();
});
