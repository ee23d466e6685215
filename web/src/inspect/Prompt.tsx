/** A prompt as its encoders read it: every token with its weight, chunk by chunk, and its vector's length. */

import { usePrefix, useWhole } from "../store/documents";
import { encoderName, useTokens } from "../store/tokens";
import { nodeAt } from "../workflow/subgraphs";
import type { EncoderCount } from "../api/types";
import type { About } from "./Inspect";
import { t } from "../i18n/t";

export function Prompt({ node, about }: { node: string; about: About }) {
  const prefix = usePrefix();
  const text = useWhole(({ workflow }) => {
    const values = Object.entries(nodeAt(workflow, node)?.values ?? {});
    const found = values.find(([name, value]) => /text|clip|t5/.test(name) && typeof value === "string");
    return String(found?.[1] ?? "");
  });
  const answer = useTokens(node.startsWith(prefix) ? node.slice(prefix.length) : node, text);
  const lengths = Array.isArray(about.lengths) ? about.lengths.map(Number) : [];
  return (
    <>
      {answer?.encoders.map((encoder) => (
        <Encoder key={encoder.encoder} encoder={encoder} text={text} />
      ))}
      {answer?.encoders.length === 0 && <p className="empty">{answer.trouble}</p>}
      <h3 className="inspect-heading">{t("How long each token’s vector is")}</h3>
      <Bars lengths={lengths} />
    </>
  );
}

function Encoder({ encoder, text }: { encoder: EncoderCount; text: string }) {
  const chunks = Array.from({ length: encoder.chunks }, (_, index) =>
    encoder.pieces.filter(([, , , chunk]) => chunk === index),
  );
  return (
    <section data-test="tokens">
      <h3 className="inspect-heading">
        {t("{encoderName}: {tokens} tokens", {
          encoderName: encoderName(encoder.encoder),
          tokens: encoder.tokens,
        })}
      </h3>
      {chunks.map((pieces, index) => (
        <p className="token-line" key={index}>
          {chunks.length > 1 && (
            <span className="token-chunk">{t("chunk {value}", { value: index + 1 })}</span>
          )}
          {merged(pieces).map(({ start, end, weight, count }) => (
            <span
              key={`${start}-${end}`}
              className="token"
              data-embedding={isNamed(encoder, start, end) || undefined}
              data-weight={weight > 1 ? "more" : weight < 1 ? "less" : undefined}
              title={t("weight {value}", { value: Math.round(weight * 1000) / 1000 })}
            >
              {text.slice(start, end) || "·"}
              {count > 1 && ` ×${count}`}
              {weight !== 1 && <sup>{Math.round(weight * 100) / 100}</sup>}
            </span>
          ))}
        </p>
      ))}
      {(encoder.embeddings ?? [])
        .filter(([, , , tokens]) => tokens === 0)
        .map(([start, , name]) => (
          <p className="empty" key={start}>
            {t("{name} is left out: it has no vectors for this encoder.", { name })}
          </p>
        ))}
      {encoder.tokens === 0 && <p className="empty">{t("The empty prompt.")}</p>}
    </section>
  );
}

const isNamed = ({ embeddings = [] }: EncoderCount, start: number, end: number) =>
  embeddings.some(([from, to]) => from === start && to === end);

/** The pieces, those of one embedding as one: they stand for the same characters. */
export function merged(pieces: EncoderCount["pieces"]) {
  const found: { start: number; end: number; weight: number; count: number }[] = [];
  for (const [start, end, weight] of pieces) {
    const last = found.at(-1);
    if (last && end > start && last.start === start && last.end === end) last.count += 1;
    else found.push({ start, end, weight, count: 1 });
  }
  return found;
}

const HEIGHT = 48;

function Bars({ lengths }: { lengths: number[] }) {
  const most = Math.max(...lengths, 1e-6);
  return (
    <svg
      className="token-bars"
      viewBox={`0 0 ${Math.max(1, lengths.length) * 4} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={t("The lengths of {count} vectors, at most {toPrecision}", {
        count: lengths.length,
        toPrecision: most.toPrecision(3),
      })}
    >
      {lengths.map((length, index) => {
        const high = (length / most) * HEIGHT;
        return <rect key={index} x={4 * index} y={HEIGHT - high} width={3} height={high} />;
      })}
    </svg>
  );
}
