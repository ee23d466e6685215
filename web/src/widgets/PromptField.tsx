/** A prompt: how many tokens it takes, where its chunks end, keys for weights, faulty brackets. */

import { useLayoutEffect, useMemo, useRef } from "react";
import { bordersOf, countWords, readersOf, useTokens } from "../store/tokens";
import { faults, reweighted, runsOf, type Selected } from "../workflow/prompt";
import { useGesture } from "./gesture";
import type { WidgetProps } from "./props";
import { t } from "../i18n/t";

const STEP = 0.05;
/** Encoders that read brackets as they are written. */
const PLAIN = /^(qwen|mistral)/;

export function PromptField({ node, widget, value, onChange }: WidgetProps) {
  const text = String(value ?? "");
  const gesture = useGesture();
  const area = useRef<HTMLTextAreaElement>(null);
  const behind = useRef<HTMLDivElement>(null);
  const select = useRef<Selected | null>(null);
  const answer = useTokens(node, text);
  const readers = useMemo(
    () => readersOf(widget.name, answer?.encoders ?? []),
    [answer, widget.name],
  );
  const plain = readers.length > 0 && readers.every(({ encoder }) => PLAIN.test(encoder));
  const wrong = useMemo(() => (plain ? [] : faults(text)), [text, plain]);
  const borders = useMemo(() => {
    const chunked = readers.find(({ chunks }) => chunks > 1);
    return chunked ? bordersOf(chunked) : [];
  }, [readers]);

  useLayoutEffect(() => {
    const chosen = select.current;
    if (chosen?.text === text) area.current?.setSelectionRange(chosen.start, chosen.end);
    select.current = null;
    follow();
  }, [text]);

  const follow = () => {
    if (!area.current || !behind.current) return;
    behind.current.style.width = `${area.current.clientWidth}px`;
    behind.current.scrollTop = area.current.scrollTop;
  };
  const put = (next: Selected) => {
    select.current = next;
    onChange(next.text, gesture.token());
  };
  const keys = (event: React.KeyboardEvent<HTMLTextAreaElement>) => {
    const step = { ArrowUp: STEP, ArrowDown: -STEP }[event.key];
    if (step === undefined || plain || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const { selectionStart: start, selectionEnd: end } = event.currentTarget;
    const next = reweighted({ text, start, end }, step);
    if (next) put(next);
  };
  return (
    <div className="prompt">
      <div className="prompt-paper">
        <div ref={behind} className="prompt-behind" aria-hidden="true">
          {runsOf(text, wrong, borders).map((run, index) => (
            <span key={`${index}-${run.text}`}>
              {run.chunk !== null && (
                <span className="prompt-border" data-chunk={run.chunk} data-test="chunk-border" />
              )}
              <span className={run.fault ? "prompt-fault" : undefined}>{run.text}</span>
            </span>
          ))}
          {"\u200b"}
        </div>
        <textarea
          ref={area}
          className="field field-multiline nodrag nowheel nopan"
          value={text}
          aria-label={widget.title}
          aria-invalid={wrong.length > 0 || undefined}
          data-widget={widget.name}
          maxLength={widget.schema.maxLength}
          placeholder={`${widget.title}…`}
          rows={3}
          spellCheck={false}
          onFocus={gesture.begin}
          onScroll={follow}
          onChange={(event) => onChange(event.target.value, gesture.token())}
          onKeyDown={keys}
        />
      </div>
      <div className="prompt-foot" data-test="token-count">
        {wrong[0] ? (
          <span className="prompt-wrong" title={wrong.map(({ message }) => message).join("\n")}>
            {wrong[0].message}
          </span>
        ) : (
          <span className="prompt-count" title={countTitle(answer?.trouble)}>
            {readers.map(countWords).join(" · ")}
          </span>
        )}
      </div>
    </div>
  );
}

function countTitle(trouble: string | undefined): string {
  return (
    trouble ||
    t(
      "Tokens of the prompt, and how many fit. More than fit are read in several chunks; a line in the text shows where one begins. Ctrl+↑ and Ctrl+↓ stress the selected words.",
    )
  );
}
