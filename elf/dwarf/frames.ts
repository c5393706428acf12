import type { LineTable, SourcePlace } from './line.js';
import { subprogramName } from './subprogram-chain.js';
import type { Unit } from './unit.js';
import type { UnitList } from './unit-list.js';

/** A function whose code an address is in, and the place in the source that the code stands for. */
export interface Frame {
  /** Its name in the source; undefined if no subprogram is known for the address, as in assembly. */
  readonly name?: string;
  /** The place: of the instruction in the innermost frame, of the call in the others. Absent if no line stands for it. */
  readonly place?: SourcePlace;
  /** True for an inlined function: the next frame is where its code stands. */
  readonly inlined: boolean;
  /** Of the last frame: the source file that was compiled, by the name of the unit. Another than the place's for code that was included. */
  readonly unit?: string;
}

/**
 * The frames of an address, the innermost first.
 * @param unit whose code holds it
 * @param distance the address less the origin
 */
export function framesAt(units: UnitList, unit: Unit, distance: number): Frame[] {
  const { strings } = unit.file;
  // In this order: its subprograms take all of the unit, and its first entry is then not read apart.
  const { subprograms, lines } = unit;
  let place = placeAt(lines, distance);
  const row = subprograms.rowAtAddress(distance);
  const { name: file } = unit;
  const last = file === undefined ? {} : { unit: file };
  if (row < 0) return place === undefined ? [] : [{ place, inlined: false, ...last }];
  const frames: Frame[] = [];
  const calls = unit.inlinedIn(row);
  for (const call of calls.chainAt(row, distance)) {
    frames.push(frame(nameAt(units, unit, calls.origin[call]!), place, true));
    const file = lines?.file(calls.callFile[call]!);
    place = file === undefined ? undefined : { ...file, line: calls.callLine[call]!, column: calls.callColumn[call]! };
  }
  frames.push({ ...frame(strings.get(subprogramName(units, unit, row)), place, false), ...last });
  return frames;
}

function frame(name: string | undefined, place: SourcePlace | undefined, inlined: boolean): Frame {
  return { ...(name === undefined ? {} : { name }), ...(place === undefined ? {} : { place }), inlined };
}

function placeAt(lines: LineTable | undefined, distance: number): SourcePlace | undefined {
  const row = lines?.find(distance) ?? -1;
  return row < 0 ? undefined : lines!.placeOf(row);
}

/** The name of a subprogram by the offset of its entry. */
function nameAt(units: UnitList, near: Unit, offset: number): string | undefined {
  const unit = offset < 0 ? undefined : units.unitContaining(offset, near);
  const row = unit?.subprograms.rowAt(offset) ?? -1;
  return row < 0 ? undefined : near.file.strings.get(subprogramName(units, unit!, row));
}
