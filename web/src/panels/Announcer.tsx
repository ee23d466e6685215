/** The place on the page that screen readers listen to. */

import { useEffect } from "react";
import { announceProblems, announceRuns, useSaid } from "../store/announce";

export function Announcer() {
  const { text, number } = useSaid();
  useEffect(announceRuns, []);
  useEffect(announceProblems, []);
  return (
    <div className="only-heard" aria-live="polite" aria-atomic="true" data-test="said">
      <span key={number}>{text}</span>
    </div>
  );
}
