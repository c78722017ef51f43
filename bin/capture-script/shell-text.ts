/** A word that a POSIX shell takes as it is, whatever it holds. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Text that is safe in a comment of a shell script: one line. */
export function commented(text: string): string {
  return `# ${text.replaceAll(/[^\x20-\x7e]+/g, " ")}`;
}

/** Comment lines of at most about 100 columns. */
export function commentLines(sentences: readonly string[]): readonly string[] {
  return sentences.flatMap((sentence) => {
    const lines: string[] = [];
    let line = "-";
    for (const word of sentence.split(/\s+/)) {
      if (line.length + word.length > 96) {
        lines.push(line);
        line = " ";
      }
      line += ` ${word}`;
    }
    return [...lines, line].map(commented);
  });
}
