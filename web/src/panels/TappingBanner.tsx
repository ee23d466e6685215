/** While a wire is made by taps: what to do next, and the way out. */

import { stopTapping } from "../canvas/touch";
import { useTapping } from "../store/tapping";
import { t } from "../i18n/t";

export function TappingBanner() {
  const from = useTapping((state) => state.from);
  return (
    from && (
      <div className="banner tapping" data-kind="info" data-test="tapping">
        {t("Tap the socket at the other end.")}
        <button type="button" className="button button-small" onClick={stopTapping}>
          {t("Cancel")}
        </button>
      </div>
    )
  );
}
