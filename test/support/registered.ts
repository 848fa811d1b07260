import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestPlatform } from './platform.ts';
import type { TestService } from './service.ts';

const AGS = 'https://purl.imsglobal.org/spec/lti-ags/scope/';
export const SCORE_SCOPES = [`${AGS}score`, `${AGS}lineitem`];
export const ALL_SCOPES = [
  ...SCORE_SCOPES,
  'https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly',
];

/** Registers a test platform by hand, on both sides; its deployment is `d1`. @returns the registration's global id. */
export async function registerPlatform(
  service: TestService,
  platform: TestPlatform,
  { scopes, clientId = 'xinqiao' }: { scopes: readonly string[]; clientId?: string },
): Promise<string> {
  const { data } = await service.ask(
    'operator',
    `mutation ($input: RegisterLtiPlatformInput!) { registerLtiPlatform(input: $input) { __typename
      ... on RegisterLtiPlatformPayload { registration { id } } ... on Refusal { code message } } }`,
    {
      input: {
        divisionCode: '430121',
        name: '长沙县教学平台',
        platform: 'MOODLE',
        issuer: platform.issuer,
        clientId,
        authUrl: platform.authUrl,
        tokenUrl: platform.tokenUrl,
        keySetUrl: platform.keySetUrl,
        deploymentIds: ['d1'],
      },
    },
  );
  if (data.registerLtiPlatform.__typename !== 'RegisterLtiPlatformPayload')
    throw new Error(JSON.stringify(data));
  const url = service.app.publicUrl;
  platform.know({
    clientId,
    deploymentId: 'd1',
    loginUrl: `${url}/lti/login`,
    redirectUris: [`${url}/lti/launch`],
    keySetUrl: `${url}/lti/jwks.json`,
    targetUrl: `${url}/lti/launch`,
    scopes,
  });
  return data.registerLtiPlatform.registration.id as string;
}

/** Pages enough for launches to come to, without a build. */
export async function makeWebFolder(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'xinqiao-lti-'));
  await writeFile(join(folder, 'index.html'), '<!doctype html><html><head></head><body></body></html>');
  return { folder, remove: async () => rm(folder, { recursive: true, force: true }) };
}
