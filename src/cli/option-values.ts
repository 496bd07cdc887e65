/** For options that may be given again: each value is added to the ones before. */
export function collect<T>(
  parse: (text: string) => T,
): (text: string, before: readonly T[] | undefined) => readonly T[] {
  return (text, before) => [...(before ?? []), parse(text)];
}

/** For options that take one name or several with commas between, and may be given again. */
export function collectNames(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), ...text.split(',').map((name) => name.trim())];
}

/** What is wrong with the names given to an option, with those that are near; undefined where all are known. */
export function unknownName(
  option: string,
  names: readonly string[] | undefined,
  known: readonly string[],
): string | undefined {
  const name = names?.find((candidate) => !known.includes(candidate));
  if (name === undefined) return undefined;
  const near = known.filter((other) => name !== '' && (other.includes(name) || distance(other, name) <= 3));
  return `option '${option}': there is no '${name}'${near.length > 0 ? `; did you mean ${near.join(' or ')}?` : `: ${known.join(', ')}.`}`;
}

/** Levenshtein's, by one row. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1]);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
