import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { html, jsonBlock, trusted } from "./markup.ts";

describe("html", () => {
  it("escapes values, in text and in attributes, and leaves markup of its own alone", () => {
    const attack = `"><img src=x onerror='a&b'>`;
    expect(html`<p title="${attack}">${attack}${trusted("<b>x</b>")}${["<", 1]}</p>`.markup).toBe(
      '<p title="&quot;&gt;&lt;img src=x onerror=&#39;a&amp;b&#39;&gt;">&quot;&gt;&lt;img src=x onerror=&#39;a&amp;b&#39;&gt;<b>x</b>&lt;1</p>',
    );
  });

  it("makes visible what would steer a terminal or turn the direction of text", () => {
    expect(html`${"a\u202eb\u0000"}`.markup).toBe(String.raw`a\u202eb\u0000`);
  });

  it("never lets a string open or close an element, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(html`${text}`.markup).not.toMatch(/[<>"']/);
      }),
    );
  });
});

describe("jsonBlock", () => {
  it("cannot end its element, and gives the data back", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const data = { text: `${text}</script><!--\u2028` };
        const { markup } = jsonBlock("x", data);
        const inside = markup.slice(markup.indexOf(">") + 1, -"</script>".length);
        expect(inside).not.toContain("<");
        expect(JSON.parse(inside)).toEqual(data);
      }),
    );
  });
});
