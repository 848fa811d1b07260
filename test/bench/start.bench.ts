import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { makeDataFolder, startProcess } from '../support/started-service.ts';
import { median, round, type Bench } from './frame.ts';

/** Seconds from the command until the addresses are printed, npm included. */
async function startOurs(folder: string): Promise<number> {
  const service = await startProcess(folder);
  await service.stop();
  return service.seconds;
}

/** The floor: the same PostgreSQL brought up and one query answered, by a process that does nothing else. */
async function startFloor(folder: string): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, [join(import.meta.dirname, 'start-floor.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', (code) => reject(new Error(`The floor ended with ${code}`)));
  });
  const seconds = (performance.now() - started) / 1000;
  child.kill('SIGTERM');
  await ended;
  return seconds;
}

export const bench: Bench = {
  about:
    'seconds until `npm start` prints its addresses, on an empty folder and again on the same data, against bringing up its database alone',
  options: { runs: 5 },
  async run({ runs }, say) {
    const times = { first: [] as number[], again: [] as number[] };
    const floor = { first: [] as number[], again: [] as number[] };
    for (let run = 1; run <= runs!; run += 1) {
      // In turn, so that what else the machine does falls on both.
      for (const [start, into] of [
        [startOurs, times],
        [startFloor, floor],
      ] as const) {
        const folder = await makeDataFolder();
        into.first.push(await start(folder.path));
        into.again.push(await start(folder.path));
        await folder.remove();
      }
      say(
        `run ${run}: ${times.first.at(-1)!.toFixed(2)} s, again ${times.again.at(-1)!.toFixed(2)} s; floor ${floor.first.at(-1)!.toFixed(2)} s, again ${floor.again.at(-1)!.toFixed(2)} s`,
      );
    }
    const row = (what: string, values: readonly number[]) => ({
      what,
      'min s': Math.min(...values).toFixed(2),
      'median s': median(values).toFixed(2),
      'max s': Math.max(...values).toFixed(2),
    });
    return {
      rows: [
        row('first start: sample county, pages built', times.first),
        row('floor: initdb, start, one query', floor.first),
        row('start on the same data', times.again),
        row('floor: start, one query', floor.again),
      ],
      figures: {
        ratio: round(median(times.again) / median(floor.again)),
        first_s: round(median(times.first)),
        again_s: round(median(times.again)),
        first_max_s: round(Math.max(...times.first)),
        again_max_s: round(Math.max(...times.again)),
        floor_first_s: round(median(floor.first)),
        floor_again_s: round(median(floor.again)),
      },
    };
  },
};
