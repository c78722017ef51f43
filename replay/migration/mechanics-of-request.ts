import type { EstimateRequest, PolicyChoice } from "./estimate-types.ts";
import { epochMechanics, type Mechanics, policyMechanics } from "./mechanics.ts";

/** What the policies of a request do, on its CPU. */
export function mechanicsOf(request: EstimateRequest): readonly Mechanics[] {
  return request.policies.map((choice) => mechanicsOfChoice(choice, request));
}

function mechanicsOfChoice(choice: PolicyChoice, request: EstimateRequest): Mechanics {
  const { cpu, otherwiseEpoch, forcedEpoch } = request;
  if ("epoch" in choice) return epochMechanics(choice.epoch, cpu);
  return policyMechanics(choice.policy, cpu, otherwiseEpoch, forcedEpoch, choice.recorded);
}
