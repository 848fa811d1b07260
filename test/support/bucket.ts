import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from '@20minutes/s3rver';
import type { BucketConfig } from '../../src/config.ts';

export interface TestBucket {
  readonly config: BucketConfig;
  /** For a service's environment. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** A server that speaks S3, with one bucket. It checks signatures. */
export async function startBucket(): Promise<TestBucket> {
  const directory = await mkdtemp(join(tmpdir(), 'xinqiao-bucket-'));
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    directory,
    silent: true,
    configureBuckets: [{ name: 'contents' }],
  });
  const { port } = await server.run();
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    config: {
      endpoint,
      bucket: 'contents',
      prefix: 'here/there',
      region: 'us-east-1',
      accessKeyId: 'S3RVER',
      secretAccessKey: 'S3RVER',
    },
    env: {
      CONTENT_STORE_URL: `${endpoint}/contents/here/there`,
      CONTENT_STORE_KEY_ID: 'S3RVER',
      CONTENT_STORE_SECRET: 'S3RVER',
    },
    async stop() {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
