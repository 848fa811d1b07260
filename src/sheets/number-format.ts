/* What a stored number looks like: a workbook keeps days and codes as numbers, and a format tells them apart. */

/** How the numbers of a cell are shown, as far as their text depends on it. */
export type Shown =
  | { readonly as: 'number' }
  /** Filled up with zeros: `000000` shows 4301 as 004301. */
  | { readonly as: 'padded'; readonly digits: number }
  /** A day, a time of the day or both. */
  | { readonly as: 'date' }
  /** Hours that go on after 24. */
  | { readonly as: 'duration' };

const NUMBER: Shown = { as: 'number' };
const DATE: Shown = { as: 'date' };
const DURATION: Shown = { as: 'duration' };

/** How a format shows numbers; `code` is undefined for one that is built in and known by its number alone. */
export function shownBy(id: number, code: string | undefined): Shown {
  if (code === undefined) {
    if (id === 46) return DURATION;
    const isDate =
      (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) || (id >= 50 && id <= 58);
    return isDate ? DATE : NUMBER;
  }
  // The first section is for positive numbers. What is quoted, escaped, filled or left blank is shown as it stands.
  const bare = code.replaceAll(/"[^"]*"?|[\\_*]./gs, '');
  const section = bare.split(';', 1)[0]!;
  if (/^0{2,}$/.test(section)) return { as: 'padded', digits: section.length };
  if (/\[(h+|m+|s+)\]/i.test(section)) return DURATION;
  const letters = section.replaceAll(/\[[^\]]*\]?/g, '').replaceAll(/s\.0+/gi, 's');
  // "0日" counts days; it does not name one.
  return /[ymd年月日]/i.test(letters) && !/[0#?]/.test(letters) ? DATE : NUMBER;
}

/**
 * A number without exponent and with the 15 digits that a spreadsheet keeps: 0.1 + 0.2 is 0.3. An identity number that was typed as a
 * number has lost its last digits for good: zeros stand there, as they do on the screen.
 */
export function plainNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value === 0 ? 0 : value);
  const [mantissa, exponent] = value.toExponential(14).split('e') as [string, string];
  const sign = mantissa.startsWith('-') ? '-' : '';
  const digits = mantissa.replace('-', '').replace('.', '').replace(/0+$/, '');
  const point = Number(exponent) + 1;
  if (digits === '') return '0';
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits.padEnd(point, '0');
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

const DAY = 86_400;
/** 9999-12-31 in the 1900 system, after which there are no days. */
const LAST_DAY = 2_958_465;
const BETWEEN_SYSTEMS = 1462;

/**
 * A serial number as `YYYY-MM-DD`, with a time `YYYY-MM-DDTHH:MM:SS`, a time alone `HH:MM:SS`; undefined for what is no day.
 * In the 1900 system there is a 29 February 1900, which never was; it is given as it is shown.
 */
export function dateOf(serial: number, from1904: boolean): string | undefined {
  let days = Math.floor(serial);
  let seconds = Math.round((serial - days) * DAY);
  if (seconds === DAY) [days, seconds] = [days + 1, 0];
  if (days === 0 && seconds > 0) return clock(seconds);
  if (from1904 ? days < 0 : days < 1) return undefined;
  const number = from1904 ? days + BETWEEN_SYSTEMS : days;
  if (number > LAST_DAY) return undefined;
  const day = number === 60 ? '1900-02-29' : dayOf(number < 60 ? number + 1 : number);
  return seconds === 0 ? day : `${day}T${clock(seconds)}`;
}

/** Days since 1899-12-30 as `YYYY-MM-DD`. */
function dayOf(number: number): string {
  return new Date(Date.UTC(1899, 11, 30) + number * DAY * 1000).toISOString().slice(0, 10);
}

/** The serial number of a day `YYYY-MM-DD` in the 1900 system; undefined for one that is none or lies before its leap error. */
export function serialOf(day: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined;
  const at = Date.parse(day);
  if (Number.isNaN(at) || !new Date(at).toISOString().startsWith(day)) return undefined;
  const serial = (at - Date.UTC(1899, 11, 30)) / (DAY * 1000);
  return serial > 60 ? serial : undefined;
}

/** A length of time in days as `H:MM:SS`, with as many hours as it has. */
export function durationOf(serial: number): string | undefined {
  return serial < 0 ? undefined : clock(Math.round(serial * DAY)).replace(/^0(?=\d:)/, '');
}

function clock(seconds: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
