/*
 * Writes declarations of C, in asm.js (why, and by what rules: line-kernel.ts).
 *
 * BTF says `pointer to const char`, C says `const char *`: the chain of types from the declared one to the one at its end is gathered and then
 * written from its end, with the name in the middle (btf_dump_emit_type_decl and btf_dump_emit_type_chain of libbpf, whose form this follows).
 */
import type { Fail, Places, Standard, TextKernel } from './text-kernel.js';

export interface DeclarationHost extends Places, Pick<TextKernel, 'put' | 'putByte' | 'putUnsigned' | 'putName' | 'copyOf'> {
  /** Room for the chains that are being written: the ids of 4096 types. */
  readonly chain: number;
  /** 1 in a header, where the bodies of anonymous types are written; elsewhere `{...}` stands for them. */
  readonly header: number;
  putBody(id: number, level: number): void;
  fail: Fail;
}

export interface DeclarationKernel {
  /** Declares the name at an address as of a type; the type alone where that is 0. @param level of indentation that members go beyond */
  declare(id: number, name: number, copy: number, level: number): void;
  /** `struct name`, `union name`, `enum name`; the keyword alone where there is no name. */
  putTag(id: number): void;
  /** The declaration that a FWD is. */
  putForward(id: number): void;
  /** Forgets what an error left unfinished. */
  reset(): void;
}

export function linkDeclarationKernel(heap: ArrayBuffer, host: DeclarationHost): DeclarationKernel {
  return DeclarationsInAsm(globalThis, host, heap);
}

function DeclarationsInAsm(stdlib: Standard, host: DeclarationHost, heap: ArrayBuffer): DeclarationKernel {
  'use asm';
  var u8 = new stdlib.Uint8Array(heap);
  var i32 = new stdlib.Int32Array(heap);
  var put = host.put;
  var putByte = host.putByte;
  var putUnsigned = host.putUnsigned;
  var putName = host.putName;
  var putBody = host.putBody;
  var copyOf = host.copyOf;
  var fail = host.fail;
  var records = host.records | 0;
  var strings = host.strings | 0;
  var chain = host.chain | 0;
  var work = host.work | 0;
  var header = host.header | 0;
  var VOID = host.void | 0;
  var STRUCT = host.struct | 0;
  var UNION = host.union | 0;
  var ENUM = host.enum | 0;
  var ANONYMOUS = host.anonymous | 0;
  var STAR = host.star | 0;
  var CONST = host.const | 0;
  var VOLATILE = host.volatile | 0;
  var RESTRICT = host.restrict | 0;
  var TAG_BEFORE = host.tagBefore | 0;
  var TAG_BEHIND = host.tagBehind | 0;
  var NO_PARAMETERS = host.noParameters | 0;
  var SEPARATOR = host.separator | 0;
  var VARIADIC = host.variadic | 0;
  /** The end of the chains that are being written: those of inner declarations stand behind those around them. */
  var top = 0;
  var nesting = 0;
  var left = 0;

  function reset(): void {
    top = chain;
    nesting = 0;
    left = work;
  }

  function kindOf(id: number): number {
    id = id | 0;
    return (i32[((i32[(records + (id << 2)) >> 2]! | 0) + 4) >> 2]! >>> 24) & 127;
  }

  /** VOLATILE, CONST, RESTRICT and TYPE_TAG (btf_is_mod of libbpf). */
  function isModifier(kind: number): number {
    kind = kind | 0;
    return ((kind | 0) == 18 ? 1 : (kind - 9) >>> 0 < 3 ? 1 : 0) | 0;
  }

  function nest(id: number): void {
    id = id | 0;
    nesting = (nesting + 1) | 0;
    if ((nesting | 0) > 100) fail(4, id | 0);
  }

  function declare(id: number, name: number, copy: number, level: number): void {
    id = id | 0;
    name = name | 0;
    copy = copy | 0;
    level = level | 0;
    var start = 0;
    var next = 0;
    var record = 0;
    var kind = 0;
    nest(id);
    // An empty name is none.
    if ((name | 0) > 1 ? !(u8[name >> 0]! | 0) : 0) name = 0;
    start = top;
    next = id;
    while (1) {
      if (((top - chain) | 0) >= 16384) fail(4, id | 0);
      i32[top >> 2] = next;
      top = (top + 4) | 0;
      record = i32[(records + (next << 2)) >> 2]! | 0;
      kind = (i32[(record + 4) >> 2]! >>> 24) & 127;
      if ((kind | 0) == 3) next = i32[(record + 12) >> 2]! | 0;
      else if ((kind | 0) == 2 ? 1 : (kind | 0) == 13 ? 1 : isModifier(kind) | 0) next = i32[(record + 8) >> 2]! | 0;
      else break;
      if (((top - start) | 0) > 4000) fail(5, id | 0);
    }
    left = (left - (((top - start) | 0) >> 2)) | 0;
    if ((left | 0) < 0) fail(3, id | 0);
    putChain(start, name, copy, level);
    nesting = (nesting - 1) | 0;
  }

  /** Writes the chain from its end down to `start`, and takes it off. */
  function putChain(start: number, name: number, copy: number, level: number): void {
    start = start | 0;
    name = name | 0;
    copy = copy | 0;
    level = level | 0;
    var id = 0;
    var kind = 0;
    // The first pointer follows a parenthesis or nothing: no space before it.
    var tight = 1;
    while ((top | 0) > (start | 0)) {
      top = (top - 4) | 0;
      id = i32[top >> 2]! | 0;
      kind = kindOf(id) | 0;
      switch (kind | 0) {
        case 2: // PTR
          put((STAR + tight) | 0);
          break;
        case 3: // ARRAY
          putArray(id, start, name, copy, level, tight);
          return;
        case 9: // VOLATILE
          put(VOLATILE | 0);
          break;
        case 10: // CONST
          put(CONST | 0);
          break;
        case 11: // RESTRICT
          put(RESTRICT | 0);
          break;
        case 13: // FUNC_PROTO
          putFunction(id, start, name, copy, level, tight);
          return;
        default:
          putModifiers(start);
          putEnd(id, kind, level);
          break;
      }
      tight = (kind | 0) == 2 ? 1 : 0;
    }
    putDeclared(name, copy, tight);
  }

  /** The declared name, where there is one. */
  function putDeclared(name: number, copy: number, tight: number): void {
    name = name | 0;
    copy = copy | 0;
    tight = tight | 0;
    if (!name) return;
    if (!tight) putByte(32);
    putName(name | 0, copy | 0);
  }

  /** The type at the end of a chain. */
  function putEnd(id: number, kind: number, level: number): void {
    id = id | 0;
    kind = kind | 0;
    level = level | 0;
    var name = 0;
    name = i32[(i32[(records + (id << 2)) >> 2]! | 0) >> 2]! | 0;
    switch (kind | 0) {
      case 0:
        put(VOID | 0);
        return;
      case 1: // INT
      case 16: // FLOAT
        put((strings + name) | 0);
        return;
      case 4: // STRUCT
      case 5: // UNION
      case 6: // ENUM
      case 19: // ENUM64
        if (name ? 0 : header) putBody(id | 0, level | 0);
        else putTag(id);
        if (name ? 0 : !header) put(ANONYMOUS | 0);
        return;
      case 7: // FWD
        putForward(id);
        return;
      case 8: // TYPEDEF
        putName((strings + name) | 0, copyOf(id | 0) | 0);
        return;
      case 18: // TYPE_TAG
        put(TAG_BEFORE | 0);
        put((strings + name) | 0);
        put(TAG_BEHIND | 0);
        return;
    }
    fail(8, id | 0);
  }

  function putTag(id: number): void {
    id = id | 0;
    var kind = 0;
    var name = 0;
    kind = kindOf(id) | 0;
    put(((kind | 0) == 4 ? STRUCT : (kind | 0) == 5 ? UNION : ENUM) | 0);
    name = i32[(i32[(records + (id << 2)) >> 2]! | 0) >> 2]! | 0;
    if (!name) return;
    putByte(32);
    putName((strings + name) | 0, copyOf(id | 0) | 0);
  }

  function putForward(id: number): void {
    id = id | 0;
    var record = 0;
    record = i32[(records + (id << 2)) >> 2]! | 0;
    put(((i32[(record + 4) >> 2]! | 0) < 0 ? UNION : STRUCT) | 0);
    putByte(32);
    put((strings + (i32[record >> 2]! | 0)) | 0);
  }

  /** Const, volatile and restrict of what is at the end of a chain stand before it. */
  function putModifiers(start: number): void {
    start = start | 0;
    var text = 0;
    while ((top | 0) > (start | 0)) {
      switch (kindOf(i32[(top - 4) >> 2]! | 0) | 0) {
        case 9:
          text = VOLATILE;
          break;
        case 10:
          text = CONST;
          break;
        case 11:
          text = RESTRICT;
          break;
        default:
          return;
      }
      // The space behind it, not in front.
      put((text + 1) | 0);
      putByte(32);
      top = (top - 4) | 0;
    }
  }

  /** GCC repeats an element's const on the array, and marks noreturn functions volatile: C has no place for either. */
  function dropModifiers(start: number): void {
    start = start | 0;
    while ((top | 0) > (start | 0)) {
      if (!(isModifier(kindOf(i32[(top - 4) >> 2]! | 0) | 0) | 0)) return;
      top = (top - 4) | 0;
    }
  }

  /** What stands behind the type of the elements. */
  function putArray(id: number, start: number, name: number, copy: number, level: number, tight: number): void {
    id = id | 0;
    start = start | 0;
    name = name | 0;
    copy = copy | 0;
    level = level | 0;
    tight = tight | 0;
    var nested = 0;
    dropModifiers(start);
    if ((top | 0) == (start | 0)) putDeclared(name, copy, tight);
    else {
      if (name ? !tight : 0) putByte(32);
      nested = (kindOf(i32[(top - 4) >> 2]! | 0) | 0) == 3 ? 1 : 0;
      if (nested) putInner(id, start, name, copy, level);
      else {
        putByte(40);
        putInner(id, start, name, copy, level);
        putByte(41);
      }
    }
    putByte(91);
    putUnsigned(i32[((i32[(records + (id << 2)) >> 2]! | 0) + 20) >> 2]! | 0);
    putByte(93);
  }

  /** What stands behind the type that a function returns. */
  function putFunction(id: number, start: number, name: number, copy: number, level: number, tight: number): void {
    id = id | 0;
    start = start | 0;
    name = name | 0;
    copy = copy | 0;
    level = level | 0;
    tight = tight | 0;
    dropModifiers(start);
    if ((top | 0) == (start | 0)) putDeclared(name, copy, tight);
    else {
      putByte(32);
      putByte(40);
      putInner(id, start, name, copy, level);
      putByte(41);
    }
    putParameters(id, level);
  }

  /** The rest of a chain, inside the parentheses of an array or a function. */
  function putInner(id: number, start: number, name: number, copy: number, level: number): void {
    id = id | 0;
    start = start | 0;
    name = name | 0;
    copy = copy | 0;
    level = level | 0;
    nest(id);
    putChain(start, name, copy, level);
    nesting = (nesting - 1) | 0;
  }

  /** `(int a, ...)` */
  function putParameters(id: number, level: number): void {
    id = id | 0;
    level = level | 0;
    var at = 0;
    var end = 0;
    var name = 0;
    var type = 0;
    at = ((i32[(records + (id << 2)) >> 2]! | 0) + 12) | 0;
    end = (at + ((i32[(at - 8) >> 2]! & 0xffffff) << 3)) | 0;
    // Clang writes a function without parameters as one of a single void.
    if ((end | 0) == ((at + 8) | 0)) if (!(i32[(at + 4) >> 2]! | 0)) end = at;
    if ((end | 0) == (at | 0)) {
      put(NO_PARAMETERS | 0);
      return;
    }
    putByte(40);
    while (1) {
      name = i32[at >> 2]! | 0;
      type = i32[(at + 4) >> 2]! | 0;
      at = (at + 8) | 0;
      if (type ? 0 : (at | 0) == (end | 0)) put(VARIADIC | 0);
      else declare(type, name ? (strings + name) | 0 : 0, 1, level);
      if ((at | 0) == (end | 0)) break;
      put(SEPARATOR | 0);
    }
    putByte(41);
  }

  return { declare: declare, putTag: putTag, putForward: putForward, reset: reset };
}
