// A query builder for corm: it makes the text form of corm.query, which is JSON.
//
// All queries of a client are one prepared statement for each verb, whatever they ask for:
//
//     const text = 'SELECT corm.get_multi_json_text($1::corm.query) AS rows';
//     await client.query({ name: 'get_multi', text, values: [String(query)] });
//
// Values are values here, never names and never SQL.  Names are the program's own: do not make them of input.

export type Scalar = string | number | boolean | null;
export type Values = readonly Scalar[];

export class Expr {
  constructor(private readonly form: object) {}
  toJSON = () => this.form;
}

/** What is neither a value nor an expression of this module may be an object that a client has sent. */
const checked = <T extends Scalar | Expr>(value: T): T => {
  if (value !== null && typeof value === 'object' && !(value instanceof Expr)) throw new TypeError('not a value');
  return value;
};
const make = (name: string, ...args: (Scalar | Expr)[]) => new Expr({ [name]: args.map(checked) });
const binary = (name: string) => (field: string | Expr, value: Scalar | Expr) => make(name, field, value);

/** A list as one value: the text of an array, which takes its type from the field. */
const list = (values: Values) =>
  `{${values.map((v) => (checked(v) === null ? 'NULL' : `"${String(v).replace(/[\\"]/g, '\\$&')}"`)).join(',')}}`;

export const eq = binary('eq'), neq = binary('neq'), lt = binary('lt'), lte = binary('lte');
export const gt = binary('gt'), gte = binary('gte'), like = binary('like'), contains = binary('contains');
export const isIn = (field: string, values: Values) => make('in', field, list(values));
export const between = (field: string, low: Scalar, high: Scalar) => make('between', field, low, high);
export const and = (...conditions: Expr[]) => make('and', ...conditions);
export const or = (...conditions: Expr[]) => make('or', ...conditions);
export const not = (condition: Expr) => new Expr({ not: checked(condition) });
export const some = (relation: string, ...conditions: Expr[]) => make('some', relation, ...conditions);

export class Query {
  private constructor(private readonly clauses: readonly object[]) {}
  static from = (model: string) => new Query([{ selector: model }]);
  static get part() { return new Query([]); }
  private with = (clause: object) => new Query([...this.clauses, clause]);
  select = (...fields: (string | Expr)[]) => this.with({ select: fields.map(checked) });
  where = (...conditions: Expr[]) => this.with({ where: conditions.map(checked) });
  orderBy = (...fields: string[]) =>
    this.with({ order_by: fields.map((f) => (f.startsWith('-') ? { desc: [f.slice(1)] } : f)) });
  limit = (n: number) => this.with({ limit: { val: String(n), type: 'bigint' } });
  offset = (n: number) => this.with({ offset: { val: String(n), type: 'bigint' } });
  preload = (path: string, query = Query.part) => this.with({ preload: [path, ...query.clauses] });
  toString = () => JSON.stringify(this.clauses);
}
