/**
 * Checks that may go without anything in the matrix telling it, each with the reason. `path: check → what it was switched to`.
 */
export const survivors: Readonly<Record<string, string>> = {};
