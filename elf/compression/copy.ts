/** From this length on, the engine's own copy is faster than a loop. */
const LONG = 96;

/**
 * Copies `length` bytes from `distance` bytes before `at` to `at`, as LZ77 does: what is copied may be copied again within one match.
 * `view` shows the same bytes. There has to be room for it; up to three bytes after it are overwritten too.
 */
export function copyMatch(bytes: Uint8Array, view: DataView, at: number, distance: number, length: number): void {
  const end = at + length;
  let from = at - distance;
  if (distance >= 4) {
    if (length >= LONG && distance >= length) bytes.copyWithin(at, from, from + length);
    else for (let to = at; to < end; to += 4, from += 4) view.setUint32(to, view.getUint32(from, true), true);
  } else if (distance === 1) {
    bytes.fill(bytes[from]!, at, end);
  } else {
    for (let to = at; to < end; to++, from++) bytes[to] = bytes[from]!;
  }
}

/**
 * Copies `length` bytes from `from` in other bytes; up to three bytes after the copy are overwritten too. `sourceView` and `view` show the
 * same bytes.
 */
export function copyLiterals(view: DataView, at: number, source: DataView, from: number, length: number): void {
  const end = at + length;
  if (length >= LONG) {
    new Uint8Array(view.buffer, view.byteOffset + at, length).set(new Uint8Array(source.buffer, source.byteOffset + from, length));
  } else if (from + length + 4 <= source.byteLength) {
    for (let to = at, i = from; to < end; to += 4, i += 4) view.setUint32(to, source.getUint32(i, true), true);
  } else {
    for (let to = at, i = from; to < end; to++, i++) view.setUint8(to, source.getUint8(i));
  }
}
