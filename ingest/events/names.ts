/**
 * Event names as small ids, in the order in which a trace first uses them; 0 stands for no name.
 *
 * An id is what the `name` column holds. It never forgets, so ids are stable for the trace; asking for
 * an id is for the first event of a name, not for every event.
 */
export class NameTable {
  readonly #texts: string[] = [""];
  readonly #ids = new Map<string, number>([["", 0]]);

  /** Number of distinct names so far; ids are 1…count. */
  get count(): number {
    return this.#texts.length - 1;
  }

  idOf(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const id = this.#texts.length;
    this.#texts.push(name);
    this.#ids.set(name, id);
    return id;
  }

  text(id: number): string {
    return this.#texts[id] ?? "";
  }
}
