/** JSON of a report: bigints, which are addresses, become `"0x…"` strings; a number would round them. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'bigint') return hex(item);
    if (item instanceof Map) return Object.fromEntries(item);
    return item;
  });
}

export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
