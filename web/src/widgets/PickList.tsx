/** A list to search and pick from with pointer or keys; the choice widgets and the menus share it. */

import { Search } from "lucide-react";
import { type ReactNode, useEffect, useId, useMemo, useRef, useState } from "react";
import { ranked } from "./search";

export interface Pick {
  key: string;
  label: string;
  /** Further words that the search finds it by. */
  words?: string;
  detail?: ReactNode;
  icon?: ReactNode;
  group?: string;
  /** Why it cannot be picked. */
  disabled?: string;
  /** Why it does not fit, said beneath it; it can be picked all the same. */
  reason?: string;
}

interface Props {
  picks: Pick[];
  onPick(key: string): void;
  current?: string;
  placeholder: string;
  /** The sentence where nothing is found. */
  empty: ReactNode;
  /** A search field even for short lists. */
  search?: boolean;
  label: string;
  /** What is in the search field at first. */
  initial?: string;
  /** How many are shown at once; the search looks through all. */
  most?: number;
}

const FEW = 8; // lists up to this long have no search field

export function PickList(props: Props) {
  const { picks, onPick, current, placeholder, empty, search, label, initial = "", most } = props;
  const [query, setQuery] = useState(initial);
  const found = useMemo(() => ranked(picks, query).slice(0, most), [picks, query, most]);
  const [chosen, setChosen] = useState(() =>
    Math.max(
      0,
      picks.findIndex((p) => p.key === current),
    ),
  );
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const searching = search ?? picks.length > FEW;

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [chosen, found]);

  const keys = (event: React.KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setChosen((now) => Math.max(0, Math.min(found.length - 1, now + step)));
    } else if (event.key === "Enter") {
      event.preventDefault();
      event.stopPropagation();
      const pick = found[chosen];
      if (pick && !pick.disabled) onPick(pick.key);
    }
  };

  return (
    <div className="pick-list" onKeyDown={keys}>
      {searching && (
        <label className="pick-search">
          <Search size={14} aria-hidden="true" />
          <input
            autoFocus
            role="combobox"
            aria-expanded="true"
            aria-controls={id}
            aria-activedescendant={found[chosen] ? `${id}-${chosen}` : undefined}
            aria-label={placeholder}
            placeholder={placeholder}
            value={query}
            onChange={(event) => {
              setQuery(event.target.value);
              setChosen(0);
            }}
          />
        </label>
      )}
      <div
        ref={list}
        id={id}
        role="listbox"
        aria-label={label}
        className="pick-options"
        tabIndex={searching ? -1 : 0}
        autoFocus={!searching}
      >
        {found.map((pick, index) => (
          <div key={pick.key} role="presentation">
            {!query && pick.group && pick.group !== found[index - 1]?.group && (
              <div className="pick-group">{pick.group}</div>
            )}
            <div
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === chosen}
              aria-disabled={pick.disabled ? true : undefined}
              title={pick.disabled ?? pick.reason}
              data-pick={pick.key}
              data-doubtful={pick.reason ? true : undefined}
              className={`pick ${pick.key === current ? "pick-current" : ""}`}
              onPointerMove={() => index !== chosen && setChosen(index)}
              onClick={() => !pick.disabled && onPick(pick.key)}
            >
              {pick.icon}
              <span className="pick-label">
                {pick.label}
                {pick.reason && <span className="pick-doubt">{pick.reason}</span>}
              </span>
              {pick.detail && <span className="pick-detail">{pick.detail}</span>}
            </div>
          </div>
        ))}
        {found.length === 0 && <div className="empty">{empty}</div>}
      </div>
    </div>
  );
}
