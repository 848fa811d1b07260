import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectFolder } from '../../src/config.ts';

const read = (file: string): string => readFileSync(join(projectFolder, file), 'utf8');
const { dependencies, devDependencies, optionalDependencies, scripts } = JSON.parse(
  read('package.json'),
) as Record<string, Record<string, string>>;

describe('packages', () => {
  it('are pinned, so that two machines run the same', () => {
    const all = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
    expect(all.length).toBeGreaterThan(50);
    expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
  });

  it('come without running scripts of others', () => {
    expect(read('.npmrc')).toContain('ignore-scripts=true');
    // With install scripts off, ours would not run either.
    expect(Object.keys(scripts!).filter((name) => /^(pre|post)/.test(name))).toEqual([]);
  });

  it('start in the shell’s own place: npm hands a SIGTERM to its child, and a shell in between would keep it', () => {
    expect(scripts!['start']).toMatch(/^exec node /);
  });
});
