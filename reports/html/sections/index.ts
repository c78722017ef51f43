import type { Section } from "../section.ts";
import { curvesSection } from "./curves.ts";
import { heatSection } from "./heat.ts";
import { nestedSection } from "./nested.ts";
import { policiesSection } from "./policies.ts";
import { provenanceSection } from "./provenance.ts";
import { stallsSection } from "./stalls.ts";
import { timelineSection } from "./timeline.ts";

/** The parts of a trace's page below the first screen, in order. */
export const SECTIONS: readonly Section[] = [
  policiesSection,
  timelineSection,
  stallsSection,
  heatSection,
  curvesSection,
  nestedSection,
  provenanceSection,
];
