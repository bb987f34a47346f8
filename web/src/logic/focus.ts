import type { Place } from './route';

// Another page, not the same one with another filter or part of a list.
export function isNewPage(a: Place, b: Place): boolean {
  return a.page !== b.page || a.arg !== b.arg || a.query.get('name') !== b.query.get('name');
}
