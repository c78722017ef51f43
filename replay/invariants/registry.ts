import { callWithoutReturn } from "./call-without-return.ts";
import { changeWithoutFlush } from "./change-without-flush.ts";
import { faultWithoutMap } from "./fault-without-map.ts";
import type { Invariant } from "./invariant.ts";
import { misalignedArguments } from "./misaligned-arguments.ts";
import { primitiveWithoutCause } from "./primitive-without-cause.ts";
import { requestWithoutPrimitive } from "./request-without-primitive.ts";
import { returnWithoutCall } from "./return-without-call.ts";
import { threadOnTwoCpus } from "./thread-on-two-cpus.ts";
import { timeBackwardsOnCpu } from "./time-backwards-on-cpu.ts";
import { unmapOfNothing } from "./unmap-of-nothing.ts";
import { vcpuMovedInGuest } from "./vcpu-moved-in-guest.ts";

/** Every invariant, in report order. */
export const INVARIANTS: readonly Invariant[] = [
  timeBackwardsOnCpu,
  threadOnTwoCpus,
  vcpuMovedInGuest,
  callWithoutReturn,
  returnWithoutCall,
  faultWithoutMap,
  primitiveWithoutCause,
  requestWithoutPrimitive,
  changeWithoutFlush,
  unmapOfNothing,
  misalignedArguments,
];
