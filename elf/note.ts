import { NT_GNU_BUILD_ID } from './constants.js';
import { Cursor } from './cursor.js';

/** One entry of a note section or segment, elf(5) "Notes". */
export interface Note {
  /** The namespace of `type`: `GNU`, `Linux`, `Xen`. */
  readonly owner: string;
  readonly type: number;
  readonly description: Uint8Array;
  /** Offset in the section or segment. */
  readonly offset: number;
}

const decoder = new TextDecoder();

/**
 * Reads the notes of one section or segment.
 * @param align sh_addralign or p_align; 0 to 4 stand for 4
 * @throws FormatError `truncated`, `bad-value`
 */
export function readNotes(bytes: Uint8Array, littleEndian: boolean, align: number, name: string): Note[] {
  const cursor = new Cursor(bytes, littleEndian, name);
  // 8 is what 64-bit gABI notes such as .note.gnu.property use; larger alignments are that of the section only.
  const unit = align === 8 ? 8 : 4;
  const notes: Note[] = [];
  // What is left after the last note is padding where it is too short for a header.
  while (cursor.remaining >= 12) {
    const offset = cursor.pos;
    const nameSize = cursor.u32();
    const descriptionSize = cursor.u32();
    const type = cursor.u32();
    const owner = cursor.take(nameSize);
    cursor.skip(Math.min(padding(cursor.pos, unit), cursor.remaining));
    const description = cursor.take(descriptionSize);
    cursor.skip(Math.min(padding(cursor.pos, unit), cursor.remaining));
    const end = owner.indexOf(0);
    notes.push({ owner: decoder.decode(end < 0 ? owner : owner.subarray(0, end)), type, description, offset });
  }
  return notes;
}

/** The build id in hexadecimal, from a list of notes. */
export function buildId(notes: Iterable<Note>): string | undefined {
  for (const { owner, type, description } of notes) {
    if (owner === 'GNU' && type === NT_GNU_BUILD_ID) return Array.from(description, byte => byte.toString(16).padStart(2, '0')).join('');
  }
  return undefined;
}

function padding(position: number, unit: number): number {
  return -position & (unit - 1);
}
