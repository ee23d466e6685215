/** A socket's picture: its kind as shape, its latent space as filling, its text space as outline. */

import { memo, useId } from "react";
import type { Paint, SpaceColour } from "../theme/spaces";
import { shapeOf } from "./shapes";

function Halves({ id, colours }: { id: string; colours: SpaceColour[] }) {
  return (
    <linearGradient id={id}>
      <stop offset="50%" stopColor={colours[0]?.colour} />
      <stop offset="50%" stopColor={colours[1]?.colour} />
    </linearGradient>
  );
}

export const SocketShape = memo(function SocketShape({ paint }: { paint: Paint }) {
  const id = useId();
  const shape = shapeOf(paint.kind);
  const paintedWith = (colours: SpaceColour[], name: string, neutral: string) =>
    colours.length === 2 ? `url(#${id}${name})` : (colours[0]?.colour ?? neutral);
  const fill = paintedWith(
    paint.fill,
    "fill",
    paint.outline.length ? "var(--node)" : "var(--socket-neutral)",
  );
  const outlined = paint.outline.length > 0;
  return (
    <svg className="socket-shape" viewBox="0 0 16 16" aria-hidden="true">
      <defs>
        {paint.fill.length === 2 && <Halves id={`${id}fill`} colours={paint.fill} />}
        {outlined && paint.outline.length === 2 && (
          <Halves id={`${id}outline`} colours={paint.outline} />
        )}
        {shape.half && (
          <linearGradient id={`${id}half`}>
            <stop offset="50%" stopColor={fill} />
            <stop offset="50%" stopColor="var(--node)" />
          </linearGradient>
        )}
      </defs>
      <path d={shape.path} className="socket-edge" strokeWidth={outlined ? 4.4 : 2} />
      {outlined && (
        <path
          d={shape.path}
          fill="none"
          stroke={paintedWith(paint.outline, "outline", "")}
          strokeWidth={2.6}
          strokeLinejoin="round"
        />
      )}
      <path d={shape.path} fill={shape.half ? `url(#${id}half)` : fill} fillRule="evenodd" />
      {paint.unknown && (
        <text x="8" y="11.4" textAnchor="middle" className="socket-question">
          ?
        </text>
      )}
    </svg>
  );
});
