import { addDays, addMonths } from '../clock.ts';

/** Last valid day of what begins on a day, or was completed then; null = it does not expire. */
export function lastValidDay(from: string, validityMonths: number | null): string | null {
  return validityMonths === null ? null : addDays(addMonths(from, validityMonths), -1);
}
