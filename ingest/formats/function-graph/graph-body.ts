/** What a line of function_graph says behind its columns. */
export type GraphBody =
  | {
      readonly kind: "call";
      /** Calls begin at 0; two blanks a level. */
      readonly depth: number;
      readonly symbol: string;
      /** ` name=value …` as a probe prints them; empty where there are none. */
      readonly args: string;
      /** It ends in the same line. */
      readonly isLeaf: boolean;
      /** What it returned, where the line says so. */
      readonly returned: string | undefined;
    }
  | {
      readonly kind: "end";
      readonly depth: number;
      /** Of the function that ends, where the line says so. */
      readonly symbol: string | undefined;
      readonly returned: string | undefined;
    }
  | {
      readonly kind: "comment";
      /** Place of the text in the line's body. */
      readonly from: number;
      readonly to: number;
      /** Its end stands in another line. */
      readonly isOpen: boolean;
    };

const COMMENT = /^ *\/\* (.*)$/;
const TAIL = /^(.*?) ?\/\*(.*)\*\/$/;
const END = /^( *)\}$/;
const CALL = /^( *)([^\s()]+)(?: \[[^\]]+\])?\((.*)\)(;| \{)$/;
const RETURNED = /(?:^|ret)\s*=\s*(-?\d+|0x[0-9a-f]+)\s*$/;
const TAIL_SYMBOL = /^\s*([A-Za-z_][\w.$]*)/;
const COMMENT_END = " */";

/** Undefined: the text is none of function_graph's. */
export function readGraphBody(text: string): GraphBody | undefined {
  const comment = COMMENT.exec(text);
  if (comment !== null) {
    const from = text.length - comment[1]!.length;
    const isOpen = !text.endsWith(COMMENT_END);
    return {
      kind: "comment",
      from,
      to: isOpen ? text.length : Math.max(from, text.length - COMMENT_END.length),
      isOpen,
    };
  }
  const [, before = text, tail] = TAIL.exec(text) ?? [];
  const returned = tail === undefined ? undefined : returnedIn(tail);
  const end = END.exec(before);
  if (end !== null) {
    const symbol = tail === undefined ? undefined : TAIL_SYMBOL.exec(tail)?.[1];
    // ` = 0x0` of 6.5 and ` ret=0x0` of later kernels have no name in front where the tail is off.
    const isName = symbol !== undefined && !(symbol === "ret" && /^\s*ret\s*=/.test(tail!));
    return { kind: "end", depth: depthOf(end[1]!), symbol: isName ? symbol : undefined, returned };
  }
  const call = CALL.exec(before);
  if (call === null) return undefined;
  const [, indent = "", symbol = "", args = "", close] = call;
  const isLeaf = close === ";";
  return {
    kind: "call",
    depth: depthOf(indent),
    symbol,
    args: readGraphArguments(args),
    isLeaf,
    returned: isLeaf ? returned : undefined,
  };
}

function depthOf(indent: string): number {
  return indent.length >> 1;
}

/** `name = 0x1`, ` = -22`, ` ret=0x0`, ` <-caller+0x1/0x2 ret=0x0`. */
function returnedIn(tail: string): string | undefined {
  const behindName = tail.trim().replace(/^(?!ret\b)[A-Za-z_][\w.$]*(?: \[[^\]]+\])?\s*(?==)/, "");
  return RETURNED.exec(behindName)?.[1];
}

/**
 * `pgt=0xffff…, addr = 0x1000, flags=1...` as ` pgt=0xffff… addr=0x1000 flags=1`: what the machine could not
 * hand over in registers was cut and is left out.
 */
export function readGraphArguments(text: string): string {
  let args = "";
  for (const part of partsOf(text.replace(/(?:, *)?\.\.\.$/, ""))) {
    const [, name, value] = /^\s*(\w+)\s*=\s*(.*?)\s*$/s.exec(part) ?? [];
    if (name !== undefined && value !== undefined)
      args += ` ${name}=${value.replaceAll(/\s+/g, "")}`;
  }
  return args;
}

/** Cut at commas, but not at those inside brackets: a structure is printed as `(type)[0x1, 0x2]`. */
function partsOf(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === "[" || char === "(") depth += 1;
    else if (char === "]" || char === ")") depth -= 1;
    else if (char === "," && depth <= 0) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return [...parts, text.slice(from)];
}
