import ts from 'typescript';

/** An answer of `--json`: what its report calls it, and the type that is written. */
export interface Answer {
  readonly schema: string;
  readonly version: number;
  readonly type: ts.Type;
}

/** Every answer that lib/report/ writes: each object there that is a Report. Its type is what `json()` returns, or else the model. */
export function answersOf(program: ts.Program): Answer[] {
  const checker = program.getTypeChecker();
  const answers: Answer[] = [];
  const visit = (node: ts.Node): void => {
    const report = ts.isObjectLiteralExpression(node) ? reportType(checker, node) : undefined;
    if (report !== undefined) answers.push(answerOf(checker, node as ts.ObjectLiteralExpression, report));
    ts.forEachChild(node, visit);
  };
  for (const file of program.getSourceFiles()) if (file.fileName.includes('/lib/report/')) visit(file);
  return answers.sort((a, b) => (a.schema < b.schema ? -1 : 1));
}

function reportType(checker: ts.TypeChecker, node: ts.ObjectLiteralExpression): ts.Type | undefined {
  const type = checker.getContextualType(node);
  return type?.symbol?.name === 'Report' ? type : undefined;
}

function answerOf(checker: ts.TypeChecker, node: ts.ObjectLiteralExpression, report: ts.Type): Answer {
  const literal = (name: string): ts.Expression => {
    const property = node.properties.find(property => property.name?.getText() === name);
    if (property === undefined || !ts.isPropertyAssignment(property)) throw new Error(`a report without ${name}: ${node.getText()}`);
    return property.initializer;
  };
  const schema = literal('schema');
  if (!ts.isStringLiteral(schema)) throw new Error(`the schema of a report is a literal, not ${schema.getText()}`);
  const json = node.properties.find(property => property.name?.getText() === 'json');
  const written = json === undefined ? undefined : checker.getTypeOfSymbol(checker.getSymbolAtLocation(json.name!)!);
  const type = written?.getCallSignatures()[0]?.getReturnType() ?? checker.getTypeArguments(report as ts.TypeReference)[0]!;
  return { schema: schema.text, version: Number(literal('version').getText()), type };
}
