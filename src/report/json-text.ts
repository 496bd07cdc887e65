/** JSON.stringify leaves DEL, the C1 controls and those of text direction as they are; a terminal may obey them. */
export function escapeControls(json: string): string {
  return json.replace(
    /[\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
