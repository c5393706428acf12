import ts from 'typescript';

/** A JSON Schema, draft 2020-12: as much of it as the types of answers need. */
export interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly [keyword: string]: unknown;
}

/** What toJson() writes for a bigint. */
const ADDRESS: Schema = { type: 'string', pattern: '^-?0x[0-9a-f]+$' };

/**
 * Makes schemas of types as toJson() writes their values: bigints are texts, maps objects, iterables lists; what is undefined is absent. A type with
 * a name of its own stands once, in `$defs`.
 */
export class SchemaOfTypes {
  /** The named types that the schemas refer to. */
  readonly defs: Record<string, Schema> = {};
  readonly #names = new Map<ts.Type, string>();
  readonly #checker: ts.TypeChecker;

  constructor(checker: ts.TypeChecker) {
    this.#checker = checker;
  }

  /** @throws Error of a type that JSON can't show, such as a function or `unknown`, with the way to it */
  of(maybe: ts.Type, path: string): Schema {
    const type = this.#present(maybe);
    const name = nameOf(type);
    if (name === undefined) return this.#inline(type, path);
    let known = this.#names.get(type);
    if (known === undefined) {
      // Two types of one name, such as those of a generic one.
      known = name;
      for (let i = 2; known in this.defs; i++) known = `${name}${i}`;
      this.#names.set(type, known);
      // The place in $defs first: types refer to themselves.
      this.defs[known] = {};
      this.defs[known] = this.#inline(type, path);
    }
    return { $ref: `#/$defs/${known}` };
  }

  /** Without undefined, by the compiler's own way: a union keeps its name. */
  #present(type: ts.Type): ts.Type {
    return type.isUnion() && !type.types.some(part => part.flags & ts.TypeFlags.Null) ? this.#checker.getNonNullableType(type) : type;
  }

  #inline(type: ts.Type, path: string): Schema {
    if (type.flags & ts.TypeFlags.BigIntLike) return ADDRESS;
    if (type.flags & ts.TypeFlags.Null) return { type: 'null' };
    if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value };
    if (type.flags & ts.TypeFlags.BooleanLiteral) return { const: this.#checker.typeToString(type) === 'true' };
    if (type.flags & ts.TypeFlags.StringLike) return { type: 'string' };
    if (type.flags & ts.TypeFlags.NumberLike) return { type: 'number' };
    if (type.isUnion()) return this.#union(type, path);
    if (type.isIntersection()) {
      const primitive = type.types.find(part => part.flags & (ts.TypeFlags.String | ts.TypeFlags.Number));
      if (primitive !== undefined) return this.#inline(primitive, path);
    }
    if (type.flags & ts.TypeFlags.Object || type.isIntersection()) return this.#object(type, path);
    throw new Error(`${path}: JSON has nothing for ${this.#checker.typeToString(type)}`);
  }

  #union(type: ts.UnionType, path: string): Schema {
    const parts = type.types.filter(part => !(part.flags & ts.TypeFlags.Undefined));
    const constants = parts.filter(part => part.isLiteral() && !(part.flags & ts.TypeFlags.BigIntLike));
    const schemas = parts
      .filter(part => !constants.includes(part) && !(part.flags & ts.TypeFlags.BooleanLiteral))
      .map(part => this.of(part, path));
    const booleans = parts.filter(part => part.flags & ts.TypeFlags.BooleanLiteral);
    if (booleans.length === 2) schemas.unshift({ type: 'boolean' });
    else schemas.unshift(...booleans.map(part => this.#inline(part, path)));
    if (constants.length > 0) schemas.unshift({ enum: constants.map(part => (part as ts.LiteralType).value) });
    return schemas.length === 1 ? schemas[0]! : { anyOf: schemas };
  }

  #object(type: ts.Type, path: string): Schema {
    const item = this.#itemOf(type);
    if (item !== undefined) return { type: 'array', items: this.of(item, `${path}[]`) };
    if (this.#checker.isTupleType(type)) {
      const items = this.#checker.getTypeArguments(type as ts.TupleTypeReference).map((part, i) => this.of(part, `${path}[${i}]`));
      return { type: 'array', prefixItems: items, items: false };
    }
    if (type.symbol?.name === 'Map' || type.symbol?.name === 'ReadonlyMap') {
      return { type: 'object', additionalProperties: this.of(this.#checker.getTypeArguments(type as ts.TypeReference)[1]!, `${path}{}`) };
    }
    if (type.getCallSignatures().length > 0) throw new Error(`${path}: a function is not written`);
    return this.members(type, path);
  }

  /** What a list holds: an array, or another iterable, which is made while it is written. */
  #itemOf(type: ts.Type): ts.Type | undefined {
    const [item] = this.#checker.isArrayType(type) ? this.#checker.getTypeArguments(type as ts.TypeReference) : [];
    if (item !== undefined) return item;
    return ['Iterable', 'Generator', 'IterableIterator'].includes(type.symbol?.name ?? '')
      ? this.#checker.getTypeArguments(type as ts.TypeReference)[0]
      : undefined;
  }

  /** An object by its members. */
  members(type: ts.Type, path: string): Schema {
    const properties: Record<string, Schema> = {};
    const required: string[] = [];
    for (const member of type.getProperties()) {
      if (!isWritten(member)) continue;
      const memberType = this.#checker.getTypeOfSymbol(member);
      const parts = memberType.isUnion() ? memberType.types : [memberType];
      const maybe = parts.some(part => part.flags & ts.TypeFlags.Undefined);
      if (parts.every(part => part.flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Never))) continue;
      const about = ts.displayPartsToString(member.getDocumentationComment(this.#checker));
      const schema = this.of(memberType, `${path}.${member.name}`);
      properties[member.name] = about === '' ? schema : { description: about, ...schema };
      if (!maybe && !(member.flags & ts.SymbolFlags.Optional)) required.push(member.name);
    }
    const index = this.#checker.getIndexInfoOfType(type, ts.IndexKind.String)?.type;
    if (index === undefined && Object.keys(properties).length === 0) throw new Error(`${path}: an object of which nothing is known`);
    return {
      type: 'object',
      ...(Object.keys(properties).length === 0 ? {} : { properties }),
      ...(required.length === 0 ? {} : { required }),
      ...(index === undefined ? {} : { additionalProperties: this.of(index, `${path}{}`) }),
    };
  }
}

/** Methods and the accessors of a class are not: JSON.stringify() takes what an object itself has. */
function isWritten(member: ts.Symbol): boolean {
  if (member.flags & (ts.SymbolFlags.Method | ts.SymbolFlags.Accessor) || member.name.startsWith('__@') || member.name.startsWith('__#'))
    return false;
  return true;
}

/** What the sources call the type: an interface, or an alias of an object type. */
function nameOf(type: ts.Type): string | undefined {
  if (!(type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection | ts.TypeFlags.Union)) || type.flags & ts.TypeFlags.Boolean)
    return undefined;
  const symbol = type.aliasSymbol ?? type.symbol;
  if (symbol === undefined || symbol.name.startsWith('__')) return undefined;
  const file = symbol.declarations?.[0]?.getSourceFile();
  if (file === undefined || file.hasNoDefaultLib || file.fileName.includes('/node_modules/')) return undefined;
  return symbol.name;
}
