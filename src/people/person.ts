import { createHmac, type KeyObject } from 'node:crypto';
import type { Role } from './role.ts';

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly staffNumber: string | null;
}

export interface Post {
  readonly id: string;
  readonly personId: string;
  readonly organizationId: string;
  readonly role: Role;
  readonly workload: 'full' | 'part';
  readonly startsOn: string;
  /** Last day, inclusive. */
  readonly endsOn: string | null;
}

/** 王小明 → 王**; 阿卜杜热西提·买买提 → 阿****. What somebody who can't show the document may see. */
export function maskName(name: string): string {
  const [first = ''] = name;
  return `${first}${'*'.repeat(Math.min([...name].length - 1, 4))}`;
}

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/** A mainland identity number: 17 digits and a check character by ISO 7064 MOD 11-2 (GB 11643). */
export function isIdentityNumber(text: string): boolean {
  if (!/^\d{17}[\dX]$/.test(text)) return false;
  // Weights are the powers of two modulo 11, from the left 2^17.
  const sum = WEIGHTS.reduce((total, weight, index) => total + weight * (text.charCodeAt(index) - 48), 0);
  return '10X98765432'[sum % 11] === text[17];
}

/** For matching only: the same number always gives the same 32 bytes, in hexadecimal, and without the key nobody can try numbers. */
export function hashIdentityNumber(identityNumber: string, key: Buffer | KeyObject): string {
  return createHmac('sha256', key).update(identityNumber).digest('hex');
}
