/** Whether the events of a text are printed as the trace option `fields` prints them. */

const PROBE = /^__probe_(?:ip|func)=0x[0-9a-f]+ \(-?\d+\)/;
const NAME_AND_TEXT = /^([^\s:]+): (.*)$/;
const FIELD = /^\w+=(?:'.')?\(-?\d+\)|(?:^| )\w+=0x[0-9a-f]+ \(-?\d+\)/;
const MARKERS: ReadonlySet<string> = new Set(["tracing_mark_write", "print", "trace_printk"]);

export interface FieldSurvey {
  readonly isFields: boolean;
  /** Probes are among the events: their functions have to be looked up. */
  readonly hasProbes: boolean;
}

/** Looks at the texts behind the context of the first lines; any one of them may be forged. */
export function surveyFields(bodies: readonly string[]): FieldSurvey {
  const texts = bodies.flatMap((body) => {
    const [, name, text] = NAME_AND_TEXT.exec(body) ?? [];
    return name === undefined || MARKERS.has(name) ? [] : [text!];
  });
  const fields = texts.filter((text) => FIELD.test(text)).length;
  const isFields = fields * 2 > texts.length;
  return { isFields, hasProbes: isFields && texts.some((text) => PROBE.test(text)) };
}
