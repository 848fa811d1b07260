import { RequestFailed } from '../graphql.ts';

/* The doors for lists and documents, which take files of people who are not signed in; all else goes through GraphQL. */

/** @throws RequestFailed with the service's own words. */
export async function send(
  path: '/api/verify' | '/api/verify/pdf',
  body: Blob | string,
  type: string,
  { accept = 'application/json', language }: { accept?: string; language: string },
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`${path}?language=${language}`, {
      method: 'POST',
      headers: { 'content-type': type, accept },
      body,
    });
  } catch (error) {
    throw new RequestFailed(String(error), 'OFFLINE');
  }
  if (response.ok) return response;
  let said: { title?: string; detail?: string } = {};
  try {
    said = (await response.json()) as typeof said;
  } catch {
    // Whatever stands between has answered.
  }
  throw new RequestFailed(said.detail ?? String(response.status), said.title);
}
