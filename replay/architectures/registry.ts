import { X86 } from "../x86/architecture.ts";
import type { Architecture } from "./architecture.ts";
import { ARM64 } from "./arm64.ts";

/** Every architecture whose traces are replayed. A new one is one line here. */
export const ARCHITECTURES: readonly Architecture[] = [ARM64, X86];
