/** Numbers below a limit, from a seed: mulberry32. */
export function random(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return limit => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) % limit;
  };
}

/** Sizes, counts and ids that parsers get wrong. */
const NUMBERS = [
  0, 1, 2, 3, 4, 7, 8, 16, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x10000, 0xffffff, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff,
];

/** A copy with one to four kinds of damage: flipped bits, sizes put in, parts copied over others, ends cut off. */
export function mutate(bytes: Uint8Array, next: (limit: number) => number): Uint8Array {
  // Of a Buffer, slice() is a view: the damage would be done to the original, and to what shares its memory.
  let damaged = new Uint8Array(bytes);
  for (let i = 1 + next(4); i > 0 && damaged.length > 4; i--) {
    const at = next(damaged.length);
    switch (next(6)) {
      case 0:
      case 1:
        damaged[at]! ^= 1 << next(8);
        break;
      case 2: {
        const word = Math.min(at & ~3, damaged.length - 4);
        new DataView(damaged.buffer).setUint32(word, NUMBERS[next(NUMBERS.length)]!, next(2) === 0);
        break;
      }
      case 3: {
        const word = Math.min(at & ~3, damaged.length - 4);
        new DataView(damaged.buffer).setUint32(word, next(64), next(2) === 0);
        break;
      }
      case 4:
        damaged.copyWithin(at & ~3, next(damaged.length) & ~3, (next(damaged.length) & ~3) + 4);
        break;
      default:
        if (next(8) === 0) damaged = damaged.slice(0, at);
    }
  }
  return damaged;
}
