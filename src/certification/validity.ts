import { addDays, addMonths } from '../clock.ts';

/** Last valid day of what begins on a day, or was completed then; null = it does not expire. */
export function lastValidDay(from: string, validityMonths: number | null): string | null {
  if (validityMonths === null) return null;
  const end = addMonths(from, validityMonths);
  // A month without that day ends with its last one, which is then the last valid: twelve months from 29 February end on 28 February.
  return Number(end.slice(8)) < Number(from.slice(8)) ? end : addDays(end, -1);
}

/**
 * Last valid day of a renewal that is issued on `day`. While the certificate before is valid it is counted on from the end of that one, so
 * that nobody loses by renewing early.
 * @param formerUntil last valid day of the certificate before, where it is valid on `day`; undefined: it is not.
 */
export function lastValidDayRenewed(
  day: string,
  formerUntil: string | undefined,
  validityMonths: number | null,
): string | null {
  return lastValidDay(formerUntil === undefined ? day : addDays(formerUntil, 1), validityMonths);
}

/** Which certificates are within the window on `day`: those that end by this one. Counted forward, so that one comparison finds all of them. */
export function windowEnd(day: string, renewalMonths: number): string {
  return addMonths(day, renewalMonths);
}

/** The first day on which the window of what is valid until a day is open. */
export function windowOpensOn(validUntil: string, renewalMonths: number): string {
  const day = addMonths(validUntil, -renewalMonths);
  // Six months after the last of February no 31 August is reached yet.
  return windowEnd(day, renewalMonths) < validUntil ? addDays(day, 1) : day;
}
