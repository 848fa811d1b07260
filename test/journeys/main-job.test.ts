import { expect, it } from 'vitest';
import { runMainJob } from './main-job.ts';

it('does the whole main job, as `npm run journey` shows it', { timeout: 900_000 }, async () => {
  const lines: string[] = [];
  const steps = await runMainJob({ say: (line) => lines.push(line) });
  expect(lines).toHaveLength(steps);
  expect(steps).toBeGreaterThanOrEqual(19);
});
