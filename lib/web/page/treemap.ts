/** A rectangle of a treemap. */
export interface Tile<T> {
  readonly item: T;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Room {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Rectangles whose areas are as the weights, near to squares: Bruls, Huizing and van Wijk, Squarified Treemaps (2000). */
export function treemap<T>(items: readonly T[], weightOf: (item: T) => number, width: number, height: number): Tile<T>[] {
  const sorted = items.filter(item => weightOf(item) > 0).sort((a, b) => weightOf(b) - weightOf(a));
  const all = sorted.reduce((sum, item) => sum + weightOf(item), 0);
  const scale = (width * height) / all;
  const room: Room = { x: 0, y: 0, width, height };
  const tiles: Tile<T>[] = [];
  for (let at = 0; at < sorted.length; ) {
    const side = Math.min(room.width, room.height);
    const row: number[] = [];
    let sum = 0;
    let worst = Number.POSITIVE_INFINITY;
    while (at + row.length < sorted.length) {
      const area = weightOf(sorted[at + row.length]!) * scale;
      const next = worstRatio(row[0] ?? area, area, sum + area, side);
      if (next > worst) break;
      row.push(area);
      sum += area;
      worst = next;
    }
    tiles.push(...laidOut(sorted.slice(at, at + row.length), row, sum, room));
    at += row.length;
  }
  return tiles;
}

/** Of a row of areas from the largest to the smallest, with their sum: how far from a square the worst is. */
function worstRatio(largest: number, smallest: number, sum: number, side: number): number {
  return Math.max((side * side * largest) / (sum * sum), (sum * sum) / (side * side * smallest));
}

/** Lays a row along the shorter side of what is left, and takes it away. */
function laidOut<T>(items: readonly T[], areas: readonly number[], sum: number, room: Room): Tile<T>[] {
  const upright = room.width >= room.height;
  const thickness = sum / (upright ? room.height : room.width);
  let along = 0;
  const tiles = items.map((item, i) => {
    const length = areas[i]! / thickness;
    const tile = upright
      ? { item, x: room.x, y: room.y + along, width: thickness, height: length }
      : { item, x: room.x + along, y: room.y, width: length, height: thickness };
    along += length;
    return tile;
  });
  if (upright) {
    room.x += thickness;
    room.width -= thickness;
  } else {
    room.y += thickness;
    room.height -= thickness;
  }
  return tiles;
}
