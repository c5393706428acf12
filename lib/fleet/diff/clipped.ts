import { hashText } from '../rows/prototypes.js';

/** Longer texts are cut: a damaged blob may have a name of a megabyte, and a thousand members of that type. Real ones are shorter. */
const MOST = 512;

/** A text that is told or compared, or its beginning and a number that stands for the rest. */
export function clipped(text: string): string {
  return text.length <= MOST ? text : `${text.slice(0, MOST)}…#${hashText(text)}`;
}
