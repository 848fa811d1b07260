import { parseArgs } from 'node:util';
import { runMainJob } from './main-job.ts';

const { values } = parseArgs({ options: { pictures: { type: 'string' } } });
try {
  const steps = await runMainJob({ say: (line) => console.log(line), pictures: values.pictures });
  console.log(`journey ok: ${steps} steps`);
} catch (error) {
  console.error(`journey failed at ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
