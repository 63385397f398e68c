/**
 * Text that is safe to show in a terminal: item data may hold escape sequences, line breaks and marks that turn the
 * direction of what follows. Each such character is shown by its number.
 */
export function plain(text: string, longest = 120): string {
  const shown = text
    .toWellFormed()
    .replaceAll(
      /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
      (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
    );
  return shown.length > longest ? `${shown.slice(0, longest - 1)}…` : shown;
}
