/** QR codes as pictures: dark on light in any colour scheme, since cameras expect that. */

import { encode } from "uqr";

const SVG = "http://www.w3.org/2000/svg";
/** ISO/IEC 18004: the light margin around a code. */
const MARGIN = 4;

export function qrCode(text: string, label: string): SVGElement {
  const { data, size } = encode(text, { border: MARGIN });
  const dots = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
  const picture = element("svg", { viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": label });
  picture.append(
    element("rect", { width: `${size}`, height: `${size}`, fill: "#fff" }),
    element("path", { d: dots.join(""), fill: "#000", "shape-rendering": "crispEdges" }),
  );
  return picture;
}

function element(name: string, attributes: Record<string, string>): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
