import type { OrganizationKind } from '../../regions/organization.ts';
import type { ContactKind } from '../contact.ts';
import type { Role } from '../role.ts';
import type { Said } from './said.ts';

/** A part of a row that does not go in. Shown and downloaded: `value` holds no identity number in the clear. */
export interface Refused {
  readonly file: string;
  readonly line: number;
  readonly column: string | null;
  readonly value: string | null;
  readonly reason: Said;
}

export interface GivenOrganization {
  readonly line: number;
  readonly sourceId: string;
  readonly name: string;
  readonly kind: OrganizationKind;
  readonly identifier: string | null;
  readonly parentSourceId: string | null;
  readonly divisionCode: string | null;
  readonly studentCount: number | null;
  readonly studentCountOn: string | null;
  /** It is no more. */
  readonly closes: boolean;
  /** Of what the file has no column, so that a known one keeps what it has. */
  readonly unsaid?: readonly ('kind' | 'studentCount' | 'studentCountOn')[];
}

export interface GivenPost {
  readonly organizationSourceId: string;
  readonly role: Role;
  readonly workload: 'full' | 'part';
  /** null: the file does not say; the importer takes the post already held, or the day of the import. */
  readonly startsOn: string | null;
  readonly endsOn: string | null;
  /** It is held no more, and without a last day it ended yesterday. */
  readonly ends: boolean;
}

export interface GivenPerson {
  readonly line: number;
  /** What the source calls the person. */
  readonly ref: string;
  readonly name: string;
  readonly staffNumber: string | null;
  readonly identityNumber: string | null;
  /** All of the person's posts end. */
  readonly leaves: boolean;
  /** The posts are all that the person holds at the file's organizations. */
  readonly complete: boolean;
  /** Somebody not known does not go in. */
  readonly onlyKnown: boolean;
  /** How to reach the person, as far as the row says and it can be; nothing is ever taken away by a roster. */
  readonly contacts?: Readonly<Partial<Record<ContactKind, string>>>;
}

/** What a file says, one thing after another. Organizations come first. */
export type Given =
  | {
      readonly kind: 'header';
      readonly file: string;
      readonly cells: readonly string[];
      /** The column that holds identity numbers; -1 where there is none. */
      readonly secret: number;
      /** Those that hold contacts, where there are any. */
      readonly contacts?: readonly number[];
    }
  /** A row has been read; what it says follows. */
  | { readonly kind: 'row'; readonly line: number; readonly cells: readonly string[] }
  | { readonly kind: 'organization'; readonly organization: GivenOrganization }
  | { readonly kind: 'person'; readonly person: GivenPerson }
  | { readonly kind: 'post'; readonly ref: string; readonly line: number; readonly post: GivenPost }
  /** Students and parents: read over, and never stored. */
  | { readonly kind: 'ignored' }
  | {
      readonly kind: 'refused';
      readonly refused: Refused;
      /** Whom the row is about; null when it can't be told, undefined when it is about nobody. */
      readonly ref: string | null | undefined;
    };

/** A roster that can be read, whatever files it is in. */
export interface Roster {
  /** How many rows it has at most. */
  readonly rows: number;
  readonly organizations: {
    readonly file: string;
    readonly refColumn: string;
    readonly parentColumn: string;
    readonly divisionColumn: string;
  };
  /** Where people and their posts stand, as a refusal names it. */
  readonly people: { readonly file: string; readonly refColumn: string; readonly identityColumn: string };
  readonly posts: { readonly file: string; readonly organizationColumn: string };
  /** Whether a person may stand in several rows, one for each post. */
  readonly repeats: boolean;
  /** It says of itself that it lists everybody at its organizations. */
  readonly saysAll: boolean;
  /** What it says, in order, as much at once as has been read. */
  read(): AsyncGenerator<Given[]>;
}

/** The last four characters, for a human eye. */
export function maskIdentity(value: string): string {
  return `${'*'.repeat(Math.max(0, value.length - 4))}${value.slice(-4)}`;
}

/** A text in which no identity number stands in the clear, wherever somebody put one and however its digits are grouped. */
export function maskIdentities(text: string): string {
  // Nearly all are too short to hold one, and there are millions.
  return text.length < 18 ? text : text.replaceAll(/(?:[\d０-９][\s-]?){17}[\dXx０-９Ｘｘ]/g, maskIdentity);
}

/** What may be kept of a cell that holds a contact: too little to use it. */
export function maskContactCell(text: string): string {
  return text.includes('@')
    ? text.replaceAll(/[^\s@]+(?=@)/g, ([first = '']) => `${first}***`)
    : text.replaceAll(/[\d０-９]{7,}/g, (digits) => `${digits.slice(0, 3)}****${digits.slice(-4)}`);
}
