import { NT_GNU_BUILD_ID } from './constants.js';
import { Cursor } from './cursor.js';
import { FormatError } from './errors.js';

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
 * @param onDamage told of a note that is malformed; the reading goes on at the next one that is not. Without it, that is an error
 * @throws FormatError `truncated`, `bad-value`
 */
export function readNotes(
  bytes: Uint8Array,
  littleEndian: boolean,
  align: number,
  name: string,
  onDamage?: (error: FormatError) => void,
): Note[] {
  const cursor = new Cursor(bytes, littleEndian, name);
  // 8 is what 64-bit gABI notes such as .note.gnu.property use; larger alignments are that of the section only.
  const unit = align === 8 ? 8 : 4;
  const notes: Note[] = [];
  let damaged = 0;
  // What is left after the last note is padding where it is too short for a header.
  while (cursor.remaining >= HEADER) {
    const offset = cursor.pos;
    try {
      notes.push(readNote(cursor, unit));
    } catch (error) {
      if (!(error instanceof FormatError) || onDamage === undefined || ++damaged > MOST_DAMAGED) throw error;
      onDamage(error);
      cursor.pos = nextNote(bytes, littleEndian, offset + 4);
    }
  }
  return notes;
}

/** Malformed notes of one section that are passed over. */
const MOST_DAMAGED = 8;
/** Bytes of n_namesz, n_descsz and n_type. */
const HEADER = 12;

function readNote(cursor: Cursor, unit: number): Note {
  const offset = cursor.pos;
  const nameSize = cursor.u32();
  const descriptionSize = cursor.u32();
  const type = cursor.u32();
  const owner = cursor.take(nameSize);
  cursor.skip(Math.min(padding(cursor.pos, unit), cursor.remaining));
  const description = cursor.take(descriptionSize);
  cursor.skip(Math.min(padding(cursor.pos, unit), cursor.remaining));
  const end = owner.indexOf(0);
  return { owner: decoder.decode(end < 0 ? owner : owner.subarray(0, end)), type, description, offset };
}

/** Names of owners are shorter. */
const LONGEST_OWNER = 32;

/** Where the next note begins that has a name for an owner and fits, behind a malformed one; the end for none. */
function nextNote(bytes: Uint8Array, littleEndian: boolean, from: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = from; at + HEADER < bytes.length; at += 4) {
    const nameSize = view.getUint32(at, littleEndian);
    const owner = bytes.subarray(at + HEADER, at + HEADER + nameSize);
    if (nameSize < 2 || nameSize > LONGEST_OWNER || owner.length < nameSize || owner.at(-1) !== 0) continue;
    if (!owner.subarray(0, -1).every(byte => byte > 0x20 && byte < 0x7f)) continue;
    if (at + HEADER + nameSize + view.getUint32(at + 4, littleEndian) <= bytes.length) return at;
  }
  return bytes.length;
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
