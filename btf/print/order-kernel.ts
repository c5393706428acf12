/*
 * Puts the definitions of a header in order, in asm.js (why, and by what rules: line-kernel.ts): each behind those it needs
 * (btf_dump_order_type of libbpf, whose order this keeps), and before each the forward declarations that it needs (btf_dump_emit_type).
 */
import type { BodyKernel } from './body-kernel.js';
import type { DeclarationKernel } from './declaration-kernel.js';
import type { Fail, Places, Standard, TextKernel } from './text-kernel.js';

export interface OrderHost
  extends Places,
    Pick<TextKernel, 'put' | 'copyOf' | 'same'>,
    Pick<DeclarationKernel, 'declare' | 'putTag' | 'putForward'>,
    Pick<BodyKernel, 'putBody'> {
  /** For each id a byte, all zero: how far ordering and writing it has come, whether something refers to it, whether it is declared forward. */
  readonly ordered: number;
  readonly written: number;
  readonly referenced: number;
  readonly forwarded: number;
  /** For each id a word. */
  readonly queue: number;
  /** Words with the addresses of a type's name and its definition, of types that compilers know without one; a zero behind them. */
  readonly aliases: number;
  fail: Fail;
}

export interface OrderKernel {
  /** Writes the definitions of all ids below `count`. */
  print(count: number): void;
}

export function linkOrderKernel(heap: ArrayBuffer, host: OrderHost): OrderKernel {
  return OrderInAsm(globalThis, host, heap);
}

function OrderInAsm(stdlib: Standard, host: OrderHost, heap: ArrayBuffer): OrderKernel {
  'use asm';
  var u8 = new stdlib.Uint8Array(heap);
  var i32 = new stdlib.Int32Array(heap);
  var put = host.put;
  var copyOf = host.copyOf;
  var same = host.same;
  var declare = host.declare;
  var putTag = host.putTag;
  var putForward = host.putForward;
  var putBody = host.putBody;
  var fail = host.fail;
  var records = host.records | 0;
  var strings = host.strings | 0;
  var ordered = host.ordered | 0;
  var written = host.written | 0;
  var referenced = host.referenced | 0;
  var forwarded = host.forwarded | 0;
  var queue = host.queue | 0;
  var work = host.work | 0;
  var aliases = host.aliases | 0;
  var CLOSE = host.close | 0;
  var TYPEDEF = host.typedef | 0;
  var COMPILERS_LIST = host.compilersList | 0;
  var OLD_LIST = host.oldList | 0;
  var OLD_LIST_DEFINED = host.oldListDefined | 0;
  var queueEnd = 0;
  /** Where the queue ends at present. */
  var queued = 0;

  function print(count: number): void {
    count = count | 0;
    var id = 0;
    var at = 0;
    queueEnd = (queue + (count << 2)) | 0;
    u8[ordered >> 0] = 2;
    u8[written >> 0] = 2;
    for (id = 1; (id | 0) < (count | 0); id = (id + 1) | 0) refer(id);
    for (id = 1; (id | 0) < (count | 0); id = (id + 1) | 0) {
      if ((u8[(ordered + id) >> 0]! | 0) == 2) continue;
      queued = queue;
      visit(id, 0, 0) | 0;
      for (at = queue; (at | 0) < (queued | 0); at = (at + 4) | 0) emit(i32[at >> 2]! | 0, 0, 0);
    }
  }

  /** Marks the types that a record refers to; what functions return does not count (btf_dump_mark_referenced of libbpf). */
  function refer(id: number): void {
    id = id | 0;
    var record = 0;
    var at = 0;
    var left = 0;
    var step = 12;
    record = i32[(records + (id << 2)) >> 2]! | 0;
    at = (record + 16) | 0;
    switch ((i32[(record + 4) >> 2]! >>> 24) & 127) {
      case 2: // PTR
      case 8: // TYPEDEF
      case 9: // VOLATILE
      case 10: // CONST
      case 11: // RESTRICT
      case 12: // FUNC
      case 14: // VAR
      case 17: // DECL_TAG
      case 18: // TYPE_TAG
        u8[(referenced + (i32[(record + 8) >> 2]! | 0)) >> 0] = 1;
        return;
      case 3: // ARRAY
        u8[(referenced + (i32[(record + 12) >> 2]! | 0)) >> 0] = 1;
        u8[(referenced + (i32[at >> 2]! | 0)) >> 0] = 1;
        return;
      case 4: // STRUCT
      case 5: // UNION
        break;
      case 13: // FUNC_PROTO
        step = 8;
        break;
      case 15: // DATASEC, whose elements begin with their type, the others' with a name
        at = (record + 12) | 0;
        break;
      default:
        return;
    }
    for (left = i32[(record + 4) >> 2]! & 0xffffff; left; left = (left - 1) | 0) {
      u8[(referenced + (i32[at >> 2]! | 0)) >> 0] = 1;
      at = (at + step) | 0;
    }
  }

  function push(id: number): void {
    id = id | 0;
    if ((queued | 0) >= (queueEnd | 0)) fail(0, id | 0);
    i32[queued >> 2] = id;
    queued = (queued + 4) | 0;
  }

  /**
   * Queues what has to be defined for a type, and the type. What is embedded has to be defined before; what is only pointed to can be declared
   * forward, as long as it has a name. Gives 1 where the type has to be defined first, 0 where a forward declaration does.
   */
  function visit(id: number, pointed: number, depth: number): number {
    id = id | 0;
    pointed = pointed | 0;
    depth = depth | 0;
    var state = 0;
    var record = 0;
    var named = 0;
    var at = 0;
    var left = 0;
    var strong = 0;
    state = u8[(ordered + id) >> 0]! | 0;
    if ((state | 0) == 2) return 1;
    if ((depth | 0) > 500) fail(0, id | 0);
    work = (work - 1) | 0;
    if ((work | 0) < 0) fail(3, id | 0);
    record = i32[(records + (id << 2)) >> 2]! | 0;
    named = i32[record >> 2]! | 0;
    if (state) {
      if (pointed ? named : 0) return 0;
      fail(1, id | 0);
    }
    depth = (depth + 1) | 0;
    switch ((i32[(record + 4) >> 2]! >>> 24) & 127) {
      case 4: // STRUCT
      case 5: // UNION
        if (pointed ? named : 0) return 0;
        u8[(ordered + id) >> 0] = 1;
        at = (record + 16) | 0;
        for (left = i32[(record + 4) >> 2]! & 0xffffff; left; left = (left - 1) | 0) {
          visit(i32[at >> 2]! | 0, 0, depth) | 0;
          at = (at + 12) | 0;
        }
        if (named) push(id);
        strong = 1;
        break;
      case 2: // PTR
        strong = visit(i32[(record + 8) >> 2]! | 0, 1, depth) | 0;
        break;
      case 9: // VOLATILE
      case 10: // CONST
      case 11: // RESTRICT
      case 18: // TYPE_TAG
        return visit(i32[(record + 8) >> 2]! | 0, pointed, depth) | 0;
      case 8: // TYPEDEF
        // As a struct here: named, and to be declared forward where a pointer is all there is to it.
        strong = visit(i32[(record + 8) >> 2]! | 0, pointed, depth) | 0;
        if (pointed ? !strong : 0) return 0;
        push(id);
        strong = 1;
        break;
      case 3: // ARRAY
        return visit(i32[(record + 12) >> 2]! | 0, 0, depth) | 0;
      case 13: // FUNC_PROTO
        strong = visit(i32[(record + 8) >> 2]! | 0, pointed, depth) | 0;
        at = (record + 16) | 0;
        for (left = i32[(record + 4) >> 2]! & 0xffffff; left; left = (left - 1) | 0) {
          strong = strong | (visit(i32[at >> 2]! | 0, pointed, depth) | 0);
          at = (at + 8) | 0;
        }
        return strong | 0;
      case 6: // ENUM
      case 7: // FWD
      case 19: // ENUM64
        // An anonymous enum that something refers to is written inside of that; others hold constants, and stand for themselves.
        if (named ? 1 : !(u8[(referenced + id) >> 0]! | 0)) push(id);
        strong = 1;
        break;
      case 1: // INT
      case 12: // FUNC
      case 14: // VAR
      case 15: // DATASEC
      case 16: // FLOAT
      case 17: // DECL_TAG
        break;
      default:
        fail(2, id | 0);
    }
    u8[(ordered + id) >> 0] = 2;
    return strong | 0;
  }

  /** Writes what a type needs and, at the top level, where `container` is 0, the type. That is the struct or typedef that refers to it. */
  function emit(id: number, container: number, depth: number): void {
    id = id | 0;
    container = container | 0;
    depth = depth | 0;
    var state = 0;
    var record = 0;
    var kind = 0;
    state = u8[(written + id) >> 0]! | 0;
    if ((state | 0) == 2) return;
    if ((depth | 0) > 500) fail(0, id | 0);
    work = (work - 1) | 0;
    if ((work | 0) < 0) fail(3, id | 0);
    record = i32[(records + (id << 2)) >> 2]! | 0;
    kind = (i32[(record + 4) >> 2]! >>> 24) & 127;
    if (state) {
      emitAgain(id, record, kind, container);
      return;
    }
    depth = (depth + 1) | 0;
    switch (kind | 0) {
      case 4: // STRUCT
      case 5: // UNION
        emitComposite(id, record, container, depth);
        return;
      case 8: // TYPEDEF
        u8[(written + id) >> 0] = 1;
        emit(i32[(record + 8) >> 2]! | 0, id, depth);
        if (!(u8[(forwarded + id) >> 0]! | 0)) putTypedef(id, record);
        break;
      case 2: // PTR
      case 9: // VOLATILE
      case 10: // CONST
      case 11: // RESTRICT
      case 18: // TYPE_TAG
        emit(i32[(record + 8) >> 2]! | 0, container, depth);
        return;
      case 3: // ARRAY
        emit(i32[(record + 12) >> 2]! | 0, container, depth);
        return;
      case 13: // FUNC_PROTO
        emit(i32[(record + 8) >> 2]! | 0, container, depth);
        emitEach(record, 8, container, depth);
        return;
      case 6: // ENUM
      case 19: // ENUM64
        if (!container) {
          putBody(id | 0, 0);
          put(CLOSE | 0);
        }
        break;
      case 7: // FWD
        putForward(id | 0);
        put(CLOSE | 0);
        break;
      case 1: // INT
        putAlias(id, record);
        break;
      default:
        return;
    }
    u8[(written + id) >> 0] = 2;
  }

  /** The types of members or parameters. */
  function emitEach(record: number, step: number, container: number, depth: number): void {
    record = record | 0;
    step = step | 0;
    container = container | 0;
    depth = depth | 0;
    var at = 0;
    var left = 0;
    at = (record + 16) | 0;
    for (left = i32[(record + 4) >> 2]! & 0xffffff; left; left = (left - 1) | 0) {
      emit(i32[at >> 2]! | 0, container, depth);
      at = (at + step) | 0;
    }
  }

  function emitComposite(id: number, record: number, container: number, depth: number): void {
    id = id | 0;
    record = record | 0;
    container = container | 0;
    depth = depth | 0;
    var named = 0;
    named = i32[record >> 2]! | 0;
    u8[(written + id) >> 0] = 1;
    if (container ? !named : 1) emitEach(record, 12, named ? id : container, depth);
    else if ((id | 0) == (container | 0) ? 0 : !(u8[(forwarded + id) >> 0]! | 0)) putStructForward(id);
    if (!container) {
      putBody(id | 0, 0);
      put(CLOSE | 0);
    }
    u8[(written + id) >> 0] = container ? 0 : 2;
  }

  /** A type that refers to itself: a declaration breaks the circle. */
  function emitAgain(id: number, record: number, kind: number, container: number): void {
    id = id | 0;
    record = record | 0;
    kind = kind | 0;
    container = container | 0;
    if (u8[(forwarded + id) >> 0]! | 0) return;
    if ((kind | 0) == 8) {
      putTypedef(id, record);
      u8[(forwarded + id) >> 0] = 1;
    } else if ((id | 0) != (container | 0)) {
      // A struct's own members know it.
      if (i32[record >> 2]! | 0) putStructForward(id);
    }
  }

  function putStructForward(id: number): void {
    id = id | 0;
    putTag(id | 0);
    put(CLOSE | 0);
    u8[(forwarded + id) >> 0] = 1;
  }

  function putTypedef(id: number, record: number): void {
    id = id | 0;
    record = record | 0;
    var name = 0;
    var target = 0;
    var copy = 0;
    name = (strings + (i32[record >> 2]! | 0)) | 0;
    target = i32[(record + 8) >> 2]! | 0;
    // Compilers know it, and refuse to be told.
    if (same(name | 0, COMPILERS_LIST | 0) | 0) return;
    copy = copyOf(id | 0) | 0;
    // Old versions of GCC define it as void, which is no type of a variable.
    if (target ? 0 : (copy | 0) == 1 ? same(name | 0, OLD_LIST | 0) | 0 : 0) put(OLD_LIST_DEFINED | 0);
    else {
      put(TYPEDEF | 0);
      declare(target | 0, name | 0, copy | 0, 0);
    }
    put(CLOSE | 0);
  }

  function putAlias(id: number, record: number): void {
    id = id | 0;
    record = record | 0;
    var at = 0;
    var name = 0;
    name = i32[record >> 2]! | 0;
    if (!name) return;
    copyOf(id | 0) | 0;
    name = (strings + name) | 0;
    for (at = aliases; i32[at >> 2]! | 0; at = (at + 8) | 0) {
      if (!(same(name | 0, i32[at >> 2]! | 0) | 0)) continue;
      put(i32[(at + 4) >> 2]! | 0);
      put(CLOSE | 0);
    }
  }

  return { print: print };
}
