/** A pattern made ready to be asked often. */
export type Glob = (text: string) => boolean;

const ANSWERS_KEPT = 10_000;

type Token = { readonly literal: string } | 'one' | 'star' | 'deep' | 'optional';

/**
 * Reads a pattern: `?` is one character and `*` any run of them, neither a slash; two stars are any run at all, and before a
 * slash any folders or none; a pattern that ends in a slash means everything below. All else stands for itself. The time to
 * match grows at worst with the product of both lengths, whatever the pattern.
 */
export function compileGlob(pattern: string): Glob {
  if (!/[*?]|\/$/.test(pattern)) return (text) => text === pattern;
  const tokens = tokenize(pattern.endsWith('/') ? `${pattern}**` : pattern);
  const answers = new Map<string, boolean>();
  return (text) => {
    const known = answers.get(text);
    if (known !== undefined) return known;
    const answer = matches(tokens, text);
    // A process that runs for months meets new names without end.
    if (answers.size >= ANSWERS_KEPT) answers.clear();
    answers.set(text, answer);
    return answer;
  };
}

/** `optional` stands before two tokens that may be left out together: the folders of two stars and a slash. */
function tokenize(pattern: string): readonly Token[] {
  return (pattern.match(/\*\*+\/|\*\*+|[^]/gu) ?? []).flatMap((part): readonly Token[] => {
    if (part === '*') return ['star'];
    if (part === '?') return ['one'];
    if (!part.startsWith('**')) return [{ literal: part }];
    return part.endsWith('/') ? ['optional', 'deep', { literal: '/' }] : ['deep'];
  });
}

/** Follows all ways through the tokens at once: `reached` holds how many tokens may have matched the text so far. */
function matches(tokens: readonly Token[], text: string): boolean {
  let reached = withSkipped(tokens, new Set([0]));
  for (const character of text) {
    const next = new Set<number>();
    for (const index of reached) {
      const step = consume(tokens[index], character);
      if (step !== undefined) next.add(index + step);
    }
    if (next.size === 0) return false;
    reached = withSkipped(tokens, next);
  }
  return reached.has(tokens.length);
}

/** How far a token moves on when it takes a character; undefined when it does not. */
function consume(token: Token | undefined, character: string): 0 | 1 | undefined {
  if (token === 'deep') return 0;
  if (token === 'star') return character === '/' ? undefined : 0;
  if (token === 'one') return character === '/' ? undefined : 1;
  return typeof token === 'object' && token.literal === character ? 1 : undefined;
}

function withSkipped(tokens: readonly Token[], reached: Set<number>): Set<number> {
  // A Set is walked in the order of insertion, and what is added on the way is walked as well.
  for (const index of reached) {
    const token = tokens[index];
    if (token === 'star' || token === 'deep' || token === 'optional') reached.add(index + 1);
    if (token === 'optional') reached.add(index + 3);
  }
  return reached;
}
