const TIMEOUT_MS = 5_000;
const MEGABYTE = 1024 * 1024;

/** What speaks to other servers: `fetch` itself, or one that keeps to some addresses. */
export type Outbound = typeof fetch;

/**
 * `outbound`, so that the other side can neither keep us waiting, nor fill our memory, nor send us elsewhere: a redirect comes back as
 * the answer that it is. The body is read before the answer is handed on.
 */
export function carefully(outbound: Outbound): Outbound {
  return async (input, init) => {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const response = await outbound(input, {
      ...init,
      redirect: 'manual',
      signal: init?.signal ? AbortSignal.any([init.signal, timeout]) : timeout,
    });
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += (chunk as Uint8Array).length;
      if (size > MEGABYTE) throw new Error('The answer is larger than 1 MB.');
      chunks.push(chunk);
    }
    const empty = [101, 204, 205, 304].includes(response.status);
    return new Response(empty ? null : Buffer.concat(chunks), {
      status: response.status,
      headers: response.headers,
    });
  };
}

/** @throws Error for anything but JSON with status 200. */
export async function fetchJson(outbound: Outbound, url: string): Promise<unknown> {
  const response = await outbound(url, { headers: { accept: 'application/json' } });
  if (response.status !== 200) throw new Error(`It answered ${response.status}.`);
  return response.json();
}
