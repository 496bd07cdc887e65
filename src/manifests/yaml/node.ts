/** Which kind of node a YamlNode is. */
export const NODE = { SCALAR: 1, MAPPING: 2, SEQUENCE: 3, ALIAS: 4 } as const;

/**
 * A node of a YAML or JSON document with its place in the text. It holds no values: `scalarText` and `scalarValue` read
 * them from the text when asked.
 */
export interface YamlNode {
  readonly type: (typeof NODE)[keyof typeof NODE];
  /** Offset of the first character of the content, after tag and anchor. */
  readonly start: number;
  /** Offset after the last character; a block collection ends with its last child. */
  end: number;
  /** A scalar's style and flags (`STYLE`, `VERBATIM`); a collection's `FLOW` or 0. */
  readonly detail: number;
  /** Resolved: `tag:yaml.org,2002:str`, or undefined. */
  readonly tag: string | undefined;
  /** Has an anchor, so that aliases may stand for it elsewhere. */
  readonly anchored: boolean;
  /** Elements of a sequence; keys and values of a mapping, in turn. */
  readonly children: YamlNode[];
  /** What an alias stands for. */
  readonly target: YamlNode | undefined;
}

/** Detail of a collection in brackets. */
export const FLOW = 1;

/** Shared by all nodes that cannot have any. */
export const NO_CHILDREN: YamlNode[] = [];

/** The node itself, or what an alias stands for. */
export function resolveAlias(node: YamlNode): YamlNode {
  return node.target ?? node;
}

/** Stands for every node of a document that was only checked. */
export const UNBUILT: YamlNode = {
  type: NODE.SCALAR,
  start: 0,
  end: 1,
  detail: 0,
  tag: undefined,
  anchored: false,
  children: NO_CHILDREN,
  target: undefined,
};

/** The end of a collection whose last child is not read yet. */
export const OPEN = -1;
