/** How long somebody asks to be left alone (RFC 9110, section 10.2.3): seconds or a date, told in seconds; undefined where it says nothing that can be read. */
export function retryAfter(header: string | null, now: Date): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - now.getTime()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(1, seconds);
}
