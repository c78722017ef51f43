/**
 * The operation that a walk belongs to: what the kernel was asked for, and why. One mutable object,
 * set by the engine before each walk; policies only read it.
 */
export interface OperationContext {
  /** Small id of the stage-2 context (VM or nested shadow). */
  contextId: number;
  /** Path of the facts that follow; an index of PATHS. */
  path: number;
  /** Start level of the hardware's walk: tables of this level are part of the root and never freed. */
  rootLevel: number;
  /** `rootLevel` is an assumption, not known. */
  rootAssumed: boolean;
  /** Whether it happened at all is not known: its calls are counted as "at most". Default: it did. */
  isPossible?: boolean;
}
