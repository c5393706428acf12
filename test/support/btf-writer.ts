/** A record of the type section: name, the bits of `info`, the third word, and what the kind adds, as 32-bit words. */
interface Record {
  readonly name: number;
  readonly info: number;
  readonly third: number;
  readonly tail: readonly number[];
}

/** What {@link BtfWriter} is to write otherwise than right: for malformed blobs. */
export interface Damage {
  readonly magic?: number;
  readonly version?: number;
  readonly headerLength?: number;
  readonly typeOffset?: number;
  readonly typeLength?: number;
  readonly stringOffset?: number;
  readonly stringLength?: number;
  readonly layoutOffset?: number;
  readonly layoutLength?: number;
}

export interface WriterOptions {
  readonly littleEndian?: boolean;
  /** Where a split blob goes on: the base's number of types (with void) and its string bytes. */
  readonly base?: BtfWriter;
}

/** Builds the bytes of small BTF blobs. Each method adds a type and gives its id; names are text, '' is anonymous. */
export class BtfWriter {
  readonly #records: Record[] = [];
  readonly #strings: number[];
  readonly #offsets = new Map<string, number>([['', 0]]);
  readonly #littleEndian: boolean;
  readonly #stringBase: number;
  readonly firstId: number;
  #layout: readonly (readonly [infoSize: number, elementSize: number])[] = [];

  constructor({ littleEndian = true, base }: WriterOptions = {}) {
    this.#littleEndian = littleEndian;
    this.firstId = base?.nextId ?? 1;
    this.#stringBase = base?.stringEnd ?? 0;
    this.#strings = base === undefined ? [0] : [];
  }

  get nextId(): number {
    return this.firstId + this.#records.length;
  }

  get stringEnd(): number {
    return this.#stringBase + this.#strings.length;
  }

  string(text: string): number {
    let offset = this.#offsets.get(text);
    if (offset === undefined) {
      offset = this.stringEnd;
      for (const byte of new TextEncoder().encode(text)) this.#strings.push(byte);
      this.#strings.push(0);
      this.#offsets.set(text, offset);
    }
    return offset;
  }

  /** Any record. */
  record(name: string | number, kind: number, vlen: number, third: number, tail: readonly number[] = [], flag = false): number {
    const offset = typeof name === 'string' ? this.string(name) : name;
    this.#records.push({ name: offset, info: ((flag ? 1 << 31 : 0) | (kind << 24) | vlen) >>> 0, third, tail });
    return this.nextId - 1;
  }

  int(name: string, size: number, encoding = 0, bits: number = size * 8, bitOffset = 0): number {
    return this.record(name, 1, 0, size, [(encoding << 24) | (bitOffset << 16) | bits]);
  }

  ptr(type: number): number {
    return this.record('', 2, 0, type);
  }

  array(type: number, index: number, nelems: number): number {
    return this.record('', 3, 0, 0, [type, index, nelems]);
  }

  /** Members are [name, type, bit offset] or, for a bit-field, [name, type, bit offset, width]. */
  struct(name: string, size: number, members: readonly (readonly [string, number, number, number?])[], union = false): number {
    const flag = members.some(([, , , width]) => width !== undefined);
    const tail = members.flatMap(([member, type, offset, width = 0]) => [this.string(member), type, ((width << 24) | offset) >>> 0]);
    return this.record(name, union ? 5 : 4, members.length, size, tail, flag);
  }

  enum(name: string, size: number, values: readonly (readonly [string, number])[], signed = false): number {
    return this.record(
      name,
      6,
      values.length,
      size,
      values.flatMap(([value, number]) => [this.string(value), number >>> 0]),
      signed,
    );
  }

  enum64(name: string, size: number, values: readonly (readonly [string, bigint])[], signed = false): number {
    const tail = values.flatMap(([value, number]) => [
      this.string(value),
      Number(BigInt.asUintN(32, number)),
      Number(BigInt.asUintN(32, number >> 32n)),
    ]);
    return this.record(name, 19, values.length, size, tail, signed);
  }

  fwd(name: string, union = false): number {
    return this.record(name, 7, 0, 0, [], union);
  }

  typedef(name: string, type: number): number {
    return this.record(name, 8, 0, type);
  }

  volatile(type: number): number {
    return this.record('', 9, 0, type);
  }

  const(type: number): number {
    return this.record('', 10, 0, type);
  }

  restrict(type: number): number {
    return this.record('', 11, 0, type);
  }

  /** `linkage`: 0 static, 1 global, 2 extern. */
  func(name: string, proto: number, linkage = 0): number {
    return this.record(name, 12, linkage, proto);
  }

  /** Parameters are [name, type]; ['', 0] at the end stands for `...`. */
  funcProto(returnType: number, parameters: readonly (readonly [string, number])[]): number {
    return this.record(
      '',
      13,
      parameters.length,
      returnType,
      parameters.flatMap(([name, type]) => [this.string(name), type]),
    );
  }

  var(name: string, type: number, linkage = 1): number {
    return this.record(name, 14, 0, type, [linkage]);
  }

  datasec(name: string, size: number, variables: readonly (readonly [type: number, offset: number, size: number])[]): number {
    return this.record(name, 15, variables.length, size, variables.flat());
  }

  float(name: string, size: number): number {
    return this.record(name, 16, 0, size);
  }

  declTag(name: string, type: number, component = -1, attribute = false): number {
    return this.record(name, 17, 0, type, [component >>> 0], attribute);
  }

  typeTag(name: string, type: number, attribute = false): number {
    return this.record(name, 18, 0, type, [], attribute);
  }

  /** A layout section: for each kind from 0 on, bytes that it adds once and for each element. The header grows to 32 bytes. */
  layout(entries: readonly (readonly [number, number])[]): this {
    this.#layout = entries;
    return this;
  }

  /** `tail` is put behind the strings, `header` between the fields of the header and its end. */
  bytes(damage: Damage = {}): Uint8Array<ArrayBuffer> {
    const words = this.#records.flatMap(({ name, info, third, tail }) => [name, info, third, ...tail]);
    const withLayout = this.#layout.length > 0 || damage.layoutLength !== undefined;
    const headerLength = withLayout ? 32 : 24;
    const typeLength = words.length * 4;
    const layoutLength = this.#layout.length * 4;
    const bytes = new Uint8Array(headerLength + typeLength + layoutLength + this.#strings.length);
    const view = new DataView(bytes.buffer);
    const put = (offset: number, value: number): void => view.setUint32(offset, value, this.#littleEndian);
    view.setUint16(0, damage.magic ?? 0xeb9f, this.#littleEndian);
    view.setUint8(2, damage.version ?? 1);
    put(4, damage.headerLength ?? headerLength);
    put(8, damage.typeOffset ?? 0);
    put(12, damage.typeLength ?? typeLength);
    put(16, damage.stringOffset ?? typeLength + layoutLength);
    put(20, damage.stringLength ?? this.#strings.length);
    if (withLayout) {
      put(24, damage.layoutOffset ?? typeLength);
      put(28, damage.layoutLength ?? layoutLength);
    }
    for (const [i, word] of words.entries()) put(headerLength + i * 4, word);
    for (const [kind, [infoSize, elementSize]] of this.#layout.entries())
      bytes.set([infoSize, elementSize], headerLength + typeLength + kind * 4);
    bytes.set(this.#strings, headerLength + typeLength + layoutLength);
    return bytes;
  }
}

/** One type of every kind, as a compiler could write them. */
export function everyKind(writer: BtfWriter): BtfWriter {
  const int = writer.int('int', 4, 1);
  const long = writer.int('long unsigned int', 8);
  const char = writer.int('char', 1, 1);
  const pointer = writer.ptr(writer.const(char));
  const array = writer.array(int, long, 3);
  const colour = writer.enum(
    'colour',
    4,
    [
      ['RED', -1],
      ['BLUE', 0x7fffffff],
    ],
    true,
  );
  const wide = writer.enum64('wide', 8, [['HUGE', 0x1_0000_0001n]]);
  const point = writer.struct('point', 40, [
    ['x', int, 0],
    ['flags', int, 32, 3],
    ['name', pointer, 64],
    ['cells', array, 128],
    ['colour', colour, 224],
    ['wide', wide, 256],
  ]);
  writer.struct(
    'either',
    8,
    [
      ['number', long, 0],
      ['point', writer.ptr(point), 0],
    ],
    true,
  );
  const opaque = writer.fwd('opaque');
  writer.fwd('choice', true);
  const alias = writer.typedef('point_t', point);
  const shared = writer.volatile(alias);
  const proto = writer.funcProto(int, [
    ['point', writer.restrict(writer.ptr(shared))],
    ['opaque', writer.ptr(opaque)],
    ['', 0],
  ]);
  const draw = writer.func('draw', proto, 1);
  const counter = writer.var('counter', int);
  writer.datasec('.data', 4, [[counter, 0, 4]]);
  writer.float('double', 8);
  writer.declTag('bpf_kfunc', draw);
  writer.ptr(writer.typeTag('user', char));
  return writer;
}
