/** Offers the tour to somebody who is here for the first time, without standing in the way. */

import { lazy, Suspense } from "react";
import { endTour, startTour, useTour } from "../store/tour";
import "../theme/help.css";
import { t } from "../i18n/t";

const Tour = lazy(() => import("./Tour"));

export function TourInvitation() {
  const { step, invited } = useTour();
  if (step !== null)
    return (
      <Suspense>
        <Tour />
      </Suspense>
    );
  if (!invited) return null;
  return (
    <aside className="tour-invitation" aria-label={t("Tour")} data-test="tour-invitation">
      {t("New here? Five steps show how it works.")}
      <div className="tour-foot">
        <button type="button" className="button button-small" onClick={startTour}>
          {t("Show me")}
        </button>
        <button type="button" className="button button-small button-quiet" onClick={endTour}>
          {t("No, thanks")}
        </button>
      </div>
    </aside>
  );
}
