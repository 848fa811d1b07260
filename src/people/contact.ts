/** How a member of staff is reached, for reminders. */
export const contactKinds = ['email', 'mobile'] as const;
export type ContactKind = (typeof contactKinds)[number];

export interface Contact {
  readonly kind: ContactKind;
  readonly value: string;
  /** Who said so last: what the person says stands, whatever a roster brings later. */
  readonly toldBy: 'person' | 'roster';
}

/** RFC 5321, section 4.5.3.1.3, without the brackets. */
const LONGEST_EMAIL = 254;

/** An address that mail may be sent to. Lenient: whether it is there, only a letter tells. @returns undefined for what is none. */
export function readEmail(text: string): string | undefined {
  const email = plain(text);
  return email.length <= LONGEST_EMAIL &&
    /^[^\s@<>,;:"()[\]\\]+@[^\s@.<>,;:"()[\]\\]+(\.[^\s@.<>,;:"()[\]\\]+)+$/.test(email)
    ? email
    : undefined;
}

/**
 * A mobile number: of the mainland in eleven digits, however they are grouped and with or without +86; of elsewhere with its + in front
 * (E.164). @returns undefined for what is none, a landline among them.
 */
export function readMobile(text: string): string | undefined {
  const digits = plain(text)
    .replaceAll(/[\s()-]/g, '')
    .replace(/^(?:\+|00)86/, '');
  if (/^1[3-9]\d{9}$/.test(digits)) return digits;
  const abroad = digits.replace(/^00/, '+');
  return /^\+[1-9]\d{6,14}$/.test(abroad) ? abroad : undefined;
}

export const readContact: Readonly<Record<ContactKind, (text: string) => string | undefined>> = {
  email: readEmail,
  mobile: readMobile,
};

/** 13812345678 → 138****5678; zhang@school.cn → z***@school.cn. Enough to know it again, too little to use it. */
export function maskContact(kind: ContactKind, value: string): string {
  if (kind === 'email') return `${[...value][0] ?? ''}***${value.slice(value.lastIndexOf('@'))}`;
  return `${value.slice(0, 3)}****${value.slice(-4)}`;
}

/** What a contact is sealed about, once it is known whose it is. */
export function aboutPerson(personId: string, kind: ContactKind): string {
  return `person:${personId}:${kind}`;
}

/** What it is sealed about while a roster is being read, when only the source's own id for the person is known. */
export function aboutRow(source: string, sourceId: string, kind: ContactKind): string {
  return `roster:${source}\0${sourceId}\0${kind}`;
}

function plain(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll(/[\u200b-\u200d\u2060\ufeff]/g, '')
    .trim();
}
