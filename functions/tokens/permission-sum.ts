import { createHash } from 'node:crypto';
import type { Permission } from '../management-api/token.ts';

/** A permission as markers write it. */
export const permissionText = ({ action, resource }: Permission) =>
  `${encodeURIComponent(action)}:${encodeURIComponent(resource)}`;

const MODULUS = 2 ** 32;
const PLACES = 8;

const numberOf = (permission: Permission): number =>
  createHash('sha256').update(permissionText(permission)).digest().readUInt32BE();

const sum = (numbers: readonly number[]): number =>
  numbers.reduce((total, each) => (total + each) % MODULUS, 0);

/** 8 hex digits that are equal for equal permissions, in any order, and from which those that were added can be found. */
export const sumOf = (permissions: readonly Permission[]): string =>
  sum(permissions.map(numberOf)).toString(16).padStart(PLACES, '0');

/** Whether so many of these numbers, at most, have that sum. */
function haveSum(numbers: readonly number[], wanted: number, most: number): boolean {
  if (wanted === 0) return true;
  if (most === 0) return false;
  if (most === 1) return numbers.includes(wanted);
  return numbers.some((each, at) =>
    haveSum(numbers.slice(at + 1), (wanted - each + MODULUS) % MODULUS, most - 1),
  );
}

/** So many that were added since are found; of more nobody knows whether they stand in place of others. Among many, sums meet by chance. */
const MOST_ADDED = 3;
const MANY = 200;
const MOST_ADDED_TO_MANY = 2;
const ACTIONS = ['read', 'write'];

/** Whether all permissions of that sum are among these. Of those that are not, it takes one in some thousand for such. */
export function hasAllOf(permissions: readonly Permission[], wanted: string): boolean {
  const hasAny = (action: string) =>
    permissions.some((each) => each.action === action && each.resource === '*');
  if (ACTIONS.every(hasAny)) return true;
  const numbers = permissions.map(numberOf);
  const added = (sum(numbers) - Number.parseInt(wanted, 16) + MODULUS) % MODULUS;
  return haveSum(numbers, added, numbers.length > MANY ? MOST_ADDED_TO_MANY : MOST_ADDED);
}
