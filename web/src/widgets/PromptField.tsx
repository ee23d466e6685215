/** A prompt: how many tokens it takes, where its chunks end, keys for weights, faulty brackets and embeddings. */

import { useLayoutEffect, useMemo, useRef } from "react";
import { useChecks } from "../store/checks";
import { bordersOf, countWords, readersOf, useTokens } from "../store/tokens";
import { mentionFaults } from "../workflow/embeddings";
import { faults, reweighted, runsOf, type Selected } from "../workflow/prompt";
import { EmbeddingList } from "./EmbeddingList";
import { useGesture } from "./gesture";
import { useCompletion } from "./useCompletion";
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
  const brackets = useMemo(() => (plain ? [] : faults(text)), [text, plain]);
  const problems = useChecks((state) => state.byNode[node]);
  const named = useMemo(
    () => mentionFaults(problems ?? [], widget.name, text),
    [problems, widget.name, text],
  );
  const wrong = [...brackets, ...named];
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
  const completion = useCompletion(node, widget.name, text, put);
  const { offered } = completion;
  const keys = (event: React.KeyboardEvent<HTMLTextAreaElement>) => {
    if (completion.key(event)) return;
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
          // Only while there is a list: else it is a plain field of text.
          {...(offered && {
            role: "combobox",
            "aria-expanded": true,
            "aria-controls": offered.id,
            "aria-autocomplete": "list",
            "aria-activedescendant":
              offered.chosen < 0 ? undefined : `${offered.id}-${offered.chosen}`,
          })}
          data-widget={widget.name}
          maxLength={widget.schema.maxLength}
          placeholder={`${widget.title}…`}
          rows={3}
          spellCheck={false}
          onFocus={gesture.begin}
          onBlur={completion.close}
          onScroll={follow}
          onSelect={(event) => completion.moved(event.currentTarget.selectionStart)}
          onChange={({ target }) => {
            onChange(target.value, gesture.token());
            completion.typed(target.value, target.selectionStart);
          }}
          onKeyDown={keys}
        />
        {offered && <EmbeddingList anchor={area} offered={offered} />}
      </div>
      <div className="prompt-foot" data-test="token-count">
        {brackets[0] ? (
          <span className="prompt-wrong" title={brackets.map(({ message }) => message).join("\n")}>
            {brackets[0].message}
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
