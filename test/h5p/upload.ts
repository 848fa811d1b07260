import { SAMPLE_COUNTY } from '../../src/commands/sample/county.ts';
import type { GraphqlAnswer, TestService } from '../support/service.ts';

export const UPLOAD = `mutation ($input: UploadH5pInput!) { uploadH5p(input: $input) { __typename
  ... on UploadH5pPayload { added h5pContent { id hash title size mainLibrary { machineName version contentCount } libraries { machineName version contentCount }
    warnings { where what } uploadedBy { name } playerUrl exportUrl } }
  ... on Refusal { code message } ... on PackageRefused { problems { where what } } } }`;

/** Somebody with the role of an author in a division. @returns what signs them in. */
export async function addAuthor(
  service: TestService,
  name: string,
  divisionCode = SAMPLE_COUNTY,
): Promise<string> {
  await service.database.pool.query(
    `with p as (insert into people (name, staff_number) values ($1, $1) returning id)
     insert into role_grants (person_id, role, division_code, starts_on, reason) select id, 'author', $2, '2020-01-01', 'test' from p`,
    [name, divisionCode],
  );
  return `sample:staff:${name}`;
}

/** Uploads a package as a GraphQL multipart request. */
export async function uploadPackage(
  service: Pick<TestService, 'app'>,
  token: string | null,
  bytes: Uint8Array,
): Promise<GraphqlAnswer> {
  const form = new FormData();
  const variables = { input: { divisionCode: SAMPLE_COUNTY, file: null } };
  form.set('operations', JSON.stringify({ query: UPLOAD, variables }));
  form.set('map', JSON.stringify({ 0: ['variables.input.file'] }));
  form.set('0', new Blob([new Uint8Array(bytes)]), '包.h5p');
  const answer = await fetch(`${service.app.publicUrl}/graphql`, {
    method: 'POST',
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    body: form,
  });
  return (await answer.json()) as GraphqlAnswer;
}
