/** Pictures, as large as the window: the viewer's code comes when the first one is opened. */

import { lazy, Suspense } from "react";
import { useUi } from "../store/ui";

const OpenViewer = lazy(() => import("./OpenViewer"));

export function Viewer() {
  const viewing = useUi((state) => state.viewer);
  return (
    viewing && (
      <Suspense fallback={<div className="viewer" aria-busy="true" />}>
        <OpenViewer viewing={viewing} />
      </Suspense>
    )
  );
}
