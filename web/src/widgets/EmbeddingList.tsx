/** The embeddings that are offered while one types; the keys are those of the prompt, which keeps the focus. */

import { type RefObject, useEffect, useRef } from "react";
import { useCatalogue } from "../store/catalogue";
import { shownName } from "../workflow/embeddings";
import { FamilyBadge } from "./FamilyBadge";
import { Popover } from "./Popover";
import type { Offered } from "./useCompletion";
import { plural, t } from "../i18n/t";

export function EmbeddingList({
  anchor,
  offered,
}: {
  anchor: RefObject<HTMLElement | null>;
  offered: Offered;
}) {
  const { id, offers, chosen, choose, take, close } = offered;
  const files = useCatalogue((state) => state.models.embeddings);
  const texts = useCatalogue((state) => state.spaces.text);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    // Placed anew where the number of lines changes, since it may stand above the prompt.
    <Popover key={offers.length} anchor={anchor} onClose={close} width={340}>
      <div
        ref={list}
        id={id}
        role="listbox"
        aria-label={t("Embeddings")}
        className="pick-options"
        data-test="embeddings"
        // A press must not take the focus from the prompt.
        onPointerDown={(event) => event.preventDefault()}
        onMouseDown={(event) => event.preventDefault()}
      >
        {offers.map((offer, index) => {
          const file = files?.find(({ name }) => name === offer.file);
          return (
            <div
              key={offer.file}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === chosen}
              aria-disabled={offer.against ? true : undefined}
              title={offer.against || offer.file}
              data-pick={offer.file}
              className="pick"
              onPointerMove={() => index !== chosen && choose(index)}
              onClick={() => take(offer)}
            >
              <span className="pick-label">
                {shownName(offer)}
                {offer.against && <span className="pick-doubt">{offer.against}</span>}
              </span>
              <span className="pick-detail">
                {!offer.against && plural(offer.vectors, "1 token", "{count} tokens")}{" "}
                {offer.spaces.length ? (
                  <span className="badge" title={offer.family ?? undefined}>
                    {offer.spaces.map((id) => texts[id]?.short ?? id).join(" / ")}
                  </span>
                ) : (
                  file && <FamilyBadge file={file} />
                )}
              </span>
            </div>
          );
        })}
        {offers.length === 0 && (
          <div className="empty">
            {files?.length
              ? t("No embedding is called so.")
              : t("No file yet. Put model files into models/{folder}; they appear here by themselves.", {
                  folder: "embeddings",
                })}
          </div>
        )}
      </div>
    </Popover>
  );
}
