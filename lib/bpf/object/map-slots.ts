import type { BpfMap } from './maps.js';
import type { BpfObject } from './object.js';
import type { BpfFunction } from './programs.js';

/** A map or a program that is in a map from the start. */
export interface MapSlot {
  readonly index: number;
  readonly map?: BpfMap;
  readonly program?: BpfFunction;
}

/** The maps and programs that are in a map from the start: what `.rel.maps` says about its `values`. */
export function slotsOf(object: BpfObject, map: BpfMap): MapSlot[] {
  const { slotsOffset, sectionIndex, offset } = map;
  if (slotsOffset === undefined || sectionIndex === undefined) return [];
  return object.relocationsIn(sectionIndex, offset + slotsOffset).flatMap(({ meaning, offset: at }) => {
    if (meaning.kind !== 'slot' || meaning.of !== map) return [];
    const index = Math.floor((at - offset - slotsOffset) / 8);
    return [
      {
        index,
        ...(meaning.map === undefined ? {} : { map: meaning.map }),
        ...(meaning.program === undefined ? {} : { program: meaning.program }),
      },
    ];
  });
}
