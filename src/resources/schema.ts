// Words to write an OpenAPI v3 schema of a custom resource with, so that the TypeScript type follows from it. Only the generator
// runs this code: programs import the types alone.
import Type, { type TSchema } from 'typebox';

/** A text with its greatest length: what may come from a node is bounded by the API server already. */
export function text(description: string, maxLength: number, options: Readonly<Record<string, unknown>> = {}) {
  return Type.String({ description, maxLength, ...options });
}

/** A point in time (RFC 3339). */
export function time(description: string) {
  return Type.String({ description, format: 'date-time' });
}

/** A whole number that is not negative. */
export function count(description: string, options: Readonly<Record<string, unknown>> = {}) {
  return Type.Integer({ description, format: 'int64', minimum: 0, ...options });
}

/** 0 to 100, rounded down: 100 means all of them. */
export function percent(description: string) {
  return Type.Integer({ description, format: 'int32', minimum: 0, maximum: 100 });
}

export function flag(description: string) {
  return Type.Boolean({ description });
}

/** Names and values that are not known beforehand. */
export function labels(description: string) {
  return Type.Unsafe<Readonly<Record<string, string>>>({
    type: 'object',
    description,
    additionalProperties: { type: 'string', maxLength: 63 },
    maxProperties: 64,
  });
}

/** One of a few words. */
export function oneOf<const Words extends readonly string[]>(
  description: string,
  words: Words,
  options: Readonly<Record<string, unknown>> = {},
) {
  return Type.Unsafe<Words[number]>({ type: 'string', description, enum: [...words], ...options });
}

/** A list that is replaced as a whole: the writers own all of it. */
export function listOf<Item extends TSchema>(
  description: string,
  items: Item,
  maxItems: number,
  options: Readonly<Record<string, unknown>> = {},
) {
  return Type.Unsafe<readonly Type.Static<Item>[]>({
    type: 'array',
    description,
    items,
    maxItems,
    'x-kubernetes-list-type': 'atomic',
    ...options,
  });
}

export function optional<Schema extends TSchema>(schema: Schema) {
  return Type.Optional(schema);
}

/** An object that one writer replaces as a whole: managedFields then name it once instead of field by field. */
export function replaced<Fields extends Type.TProperties>(description: string, fields: Fields) {
  return Type.Object(fields, { description, 'x-kubernetes-map-type': 'atomic' });
}

/** An object. Rules are CEL expressions with the message a user reads when one is broken. */
export function object<Fields extends Type.TProperties>(
  description: string,
  fields: Fields,
  rules: readonly CelRule[] = [],
) {
  const validations = rules.length === 0 ? {} : { 'x-kubernetes-validations': rules };
  return Type.Object(fields, { description, ...validations });
}

/** One CEL validation of a schema (x-kubernetes-validations). */
export interface CelRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly fieldPath?: string;
}

const MAX_CONDITIONS = 16;

/**
 * Conditions as all of Kubernetes has them (metav1.Condition). Each has one manager, which owns the whole of it.
 * @param kept a type that always finds room: nobody can keep its writer from writing it by filling the list
 */
export function conditions(description: string, kept?: string) {
  const condition = replaced('One aspect of the object and how it stands.', {
    type: text('What it is about, in CamelCase.', 316),
    status: oneOf('Whether it is so.', ['True', 'False', 'Unknown']),
    reason: text('Why, as one word for programs, in CamelCase.', 1024, { minLength: 1 }),
    message: text('Why, as a sentence.', 4096),
    lastTransitionTime: time('When the status last changed.'),
    observedGeneration: optional(count('The generation of the spec it speaks of.')),
  });
  const room: CelRule = {
    rule: `size(self) < ${MAX_CONDITIONS} || self.exists(c, c.type == '${kept}')`,
    message: `one place is kept for the condition ${kept}`,
  };
  return listOf(description, condition, MAX_CONDITIONS, {
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
    ...(kept === undefined ? {} : { 'x-kubernetes-validations': [room] }),
  });
}

/** How a kind is served and shown. */
export interface ResourceDefinition {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly scope: 'Cluster' | 'Namespaced';
  readonly description: string;
  readonly spec?: TSchema;
  readonly status: TSchema;
  readonly columns: readonly PrinterColumn[];
  /** CEL rules over the whole object, such as one that fixes its name. */
  readonly rules?: readonly CelRule[];
}

/** A column of `kubectl get`; those of priority 1 show with `-o wide`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  readonly priority?: 1;
}
