// C1 controls and DEL, line separators, the byte order mark, non-characters and lone surrogates: JSON allows them
// raw in a string, YAML does not (https://yaml.org/spec/1.2.2/#51-character-set), and Helm before 3.13 reads an
// index as YAML only: one such character makes it refuse the whole repository.
const NOT_YAML = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|\p{Surrogate}/gu;

/** Compact JSON on one line that every YAML reader takes as well. */
export function yamlSafeJson(value: unknown): string {
  return JSON.stringify(value).replace(NOT_YAML, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
